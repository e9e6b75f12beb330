//! The options that say whose configuration is meant.
//!
//! `--entity-type` is followed by `--entity-name` or `--entity-default`, and each of a type's short options stands for both. Two types
//! may come together, and then the order of the options tells which name is which type's.

use std::net::ToSocketAddrs as _;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::entity::{DEFAULT, Kind, Name, Target};
use crate::tools::failure::Failure;

const HEADING: &str = "Whose configuration";

/// The options.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Whose {
    /// Whose: topics, brokers, broker-loggers, clients, users, ips, client-metrics; clients of users by both types
    #[arg(long, value_name = "type", help_heading = HEADING)]
    entity_type: Vec<String>,
    #[command(flatten)]
    names: Names,
    /// The topic: --entity-type topics --entity-name
    #[arg(long, value_name = "topic", help_heading = HEADING)]
    topic: Option<String>,
    /// The broker's id: --entity-type brokers --entity-name
    #[arg(long, value_name = "id", help_heading = HEADING)]
    broker: Option<String>,
    /// The default of all brokers: --entity-type brokers --entity-default
    #[arg(long, help_heading = HEADING)]
    broker_defaults: bool,
    /// The broker whose log's levels are meant, by its id: --entity-type broker-loggers --entity-name
    #[arg(long, value_name = "id", help_heading = HEADING)]
    broker_logger: Option<String>,
    /// The client id: --entity-type clients --entity-name
    #[arg(long, value_name = "client id", help_heading = HEADING)]
    client: Option<String>,
    /// The default of all clients: --entity-type clients --entity-default
    #[arg(long, help_heading = HEADING)]
    client_defaults: bool,
    /// The user: --entity-type users --entity-name
    #[arg(long, value_name = "user", help_heading = HEADING)]
    user: Option<String>,
    /// The default of all users: --entity-type users --entity-default
    #[arg(long, help_heading = HEADING)]
    user_defaults: bool,
    /// The address that clients connect from: --entity-type ips --entity-name
    #[arg(long, value_name = "address", help_heading = HEADING)]
    ip: Option<String>,
    /// The default of all addresses: --entity-type ips --entity-default
    #[arg(long, help_heading = HEADING)]
    ip_defaults: bool,
    /// The subscription to clients' metrics: --entity-type client-metrics --entity-name
    #[arg(long, value_name = "name", help_heading = HEADING)]
    client_metrics: Option<String>,
}

/// `--entity-name` and `--entity-default`, in the order in which they are given.
#[derive(Debug, Default)]
struct Names(Vec<Name>);

const NAME: &str = "entity-name";
const IS_DEFAULT: &str = "entity-default";

impl clap::Args for Names {
    fn augment_args(command: Command) -> Command {
        let name = Arg::new(NAME).long(NAME).action(ArgAction::Append).value_name("name");
        // Only what has a value has a place among the others: this one has an empty one.
        let default = Arg::new(IS_DEFAULT).long(IS_DEFAULT).action(ArgAction::Append);
        command
            .arg(
                name.help_heading(HEADING)
                    .help("Its name: a topic, a broker's id, a client id, a user, an address, a subscription to metrics"),
            )
            .arg(
                default
                    .num_args(0)
                    .default_missing_value("")
                    .help_heading(HEADING)
                    .help("Instead of a name: what holds for all that have none of their own"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Names {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |id: &str| -> Vec<(usize, Name)> {
            let places = matches.indices_of(id).into_iter().flatten();
            let values = matches.get_many::<String>(id).into_iter().flatten();
            places.zip(values.map(|name| Name::given(name))).collect()
        };
        let mut names = given(NAME);
        names.extend(given(IS_DEFAULT));
        names.sort_by_key(|(place, _)| *place);
        Ok(Self(names.into_iter().map(|(_, name)| name).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Whose {
    /// Whose configuration is meant, or what is wrong, in Kafka's order and words.
    pub(super) fn target(&self, zookeeper: bool, alter: bool) -> Result<Target, Failure> {
        let short = self.short();
        if !short.is_empty() && self.entity_type.is_empty() && !self.names.0.is_empty() {
            return Err(mixed());
        }
        let mut levels = self.long(zookeeper)?;
        let long = !levels.is_empty();
        levels.extend(short.iter().cloned());
        let kinds: Vec<Kind> = levels.iter().map(|(kind, _)| *kind).collect();
        match kinds.as_slice() {
            [] if zookeeper => return Err(Failure::missing("entity-type")),
            [] => return Err(Failure::illegal("At least one entity type must be specified")),
            [_] | [Kind::Users, Kind::Clients] | [Kind::Clients, Kind::Users] => {}
            [a, b, ..] if a == b => {
                return Err(Failure::illegal(format!("Duplicate entity type(s) specified: {a}")));
            }
            _ => {
                return Err(Failure::illegal(
                    "Only 'users' and 'clients' entity types may be specified together",
                ));
            }
        }
        if long && !short.is_empty() {
            return Err(mixed());
        }
        levels.iter().try_for_each(|(kind, name)| check(*kind, name, alter))?;
        Ok(Target::new(levels))
    }

    /// The types that are given with their names apart.
    fn long(&self, zookeeper: bool) -> Result<Vec<(Kind, Name)>, Failure> {
        let mut names = self.names.0.iter().cloned();
        let mut levels = Vec::new();
        for kind in &self.entity_type {
            levels.push((Kind::parse(kind, zookeeper)?, names.next().unwrap_or(Name::All)));
        }
        match names.next() {
            Some(_) if levels.is_empty() => {
                Err(Failure::illegal("At least one entity type must be specified"))
            }
            Some(_) => {
                Err(Failure::illegal("At least one entity type must be specified for each entity name"))
            }
            None => Ok(levels),
        }
    }

    /// The types that are given with their names: those with a name first, as Kafka's tool takes them.
    fn short(&self) -> Vec<(Kind, Name)> {
        let named = [
            (Kind::Topics, &self.topic),
            (Kind::Clients, &self.client),
            (Kind::Users, &self.user),
            (Kind::Brokers, &self.broker),
            (Kind::BrokerLoggers, &self.broker_logger),
            (Kind::Ips, &self.ip),
            (Kind::ClientMetrics, &self.client_metrics),
        ];
        let defaults = [
            (Kind::Clients, self.client_defaults),
            (Kind::Users, self.user_defaults),
            (Kind::Brokers, self.broker_defaults),
            (Kind::Ips, self.ip_defaults),
        ];
        let named = named.into_iter().filter_map(|(kind, name)| Some((kind, Name::given(name.as_deref()?))));
        let defaults = defaults.into_iter().filter(|(_, given)| *given);
        named.chain(defaults.map(|(kind, _)| (kind, Name::Default))).collect()
    }
}

fn mixed() -> Failure {
    Failure::illegal(
        "--entity-{type,name,default} should not be used in conjunction with specific entity flags",
    )
}

/// Whether a name can be one of its type.
fn check(kind: Kind, name: &Name, alter: bool) -> Result<(), Failure> {
    let illegal = |words: String| Err(Failure::illegal(words));
    match (kind, name) {
        (Kind::Brokers | Kind::BrokerLoggers, Name::Of(id))
            if id != DEFAULT && id.parse::<i32>().is_err() =>
        {
            illegal(format!("The entity name for {kind} must be a valid integer broker id, but it is: {id}"))
        }
        (Kind::Ips, Name::Of(address)) if (address.as_str(), 0).to_socket_addrs().is_err() => illegal(
            format!("The entity name for {kind} must be a valid IP or resolvable host, but it is: {address}"),
        ),
        (Kind::Topics | Kind::BrokerLoggers | Kind::ClientMetrics, Name::Default) if alter => {
            illegal(format!("an entity name must be specified with --alter of {kind}"))
        }
        (Kind::Topics | Kind::ClientMetrics, Name::Default) => {
            illegal(format!("--entity-default must not be specified with {kind}"))
        }
        _ => Ok(()),
    }
}
