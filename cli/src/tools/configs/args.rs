//! The options of `kafka-configs`, and which of them go together.

use std::path::PathBuf;

use clap::Parser;

use super::entity::{DEFAULT, Kind, Name, Target};
use crate::tools::failure::Failure;

/// Show and change the configuration of topics, brokers, clients and users, as kafka-configs.sh does
#[derive(Debug, Default, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "server to connect to")]
    pub(super) bootstrap_server: Option<String>,
    /// The ZooKeeper to work on directly, as tools before Kafka 3.0 did: host:port with commas between, and a chroot
    #[arg(long, value_name = "urls")]
    pub(super) zookeeper: Option<String>,
    /// A Java property file for the connection to the brokers
    #[arg(long, value_name = "command config property file")]
    pub(super) command_config: Option<PathBuf>,

    /// Change a configuration
    #[arg(long, help_heading = "Actions")]
    pub(super) alter: bool,
    /// Show configurations
    #[arg(long, help_heading = "Actions")]
    pub(super) describe: bool,

    /// Whose: topics, brokers, broker-loggers, clients, users; clients of users by both types
    #[arg(long, value_name = "type", help_heading = "Whose configuration")]
    pub(super) entity_type: Vec<String>,
    /// Its name: a topic, a broker's id, a client id, a user
    #[arg(long, value_name = "name", help_heading = "Whose configuration")]
    pub(super) entity_name: Vec<String>,
    /// Instead of a name: what holds for all that have none of their own
    #[arg(long, action = clap::ArgAction::Count, help_heading = "Whose configuration")]
    pub(super) entity_default: u8,
    /// The topic: --entity-type topics --entity-name
    #[arg(long, value_name = "topic", help_heading = "Whose configuration")]
    pub(super) topic: Option<String>,
    /// The broker's id: --entity-type brokers --entity-name
    #[arg(long, value_name = "id", help_heading = "Whose configuration")]
    pub(super) broker: Option<String>,
    /// The default of all brokers: --entity-type brokers --entity-default
    #[arg(long, help_heading = "Whose configuration")]
    pub(super) broker_defaults: bool,
    /// The broker whose log's levels are meant, by its id: --entity-type broker-loggers --entity-name
    #[arg(long, value_name = "id", help_heading = "Whose configuration")]
    pub(super) broker_logger: Option<String>,
    /// The client id: --entity-type clients --entity-name
    #[arg(long, value_name = "client id", help_heading = "Whose configuration")]
    pub(super) client: Option<String>,
    /// The default of all clients: --entity-type clients --entity-default
    #[arg(long, help_heading = "Whose configuration")]
    pub(super) client_defaults: bool,
    /// The user: --entity-type users --entity-name
    #[arg(long, value_name = "user", help_heading = "Whose configuration")]
    pub(super) user: Option<String>,
    /// The default of all users: --entity-type users --entity-default
    #[arg(long, help_heading = "Whose configuration")]
    pub(super) user_defaults: bool,

    /// What to set: `k1=v1,k2=[v1,v2],k3=v3`
    #[arg(long, value_name = "key=value,...", help_heading = "Changes")]
    pub(super) add_config: Option<String>,
    /// What to set, from a property file
    #[arg(long, value_name = "file", help_heading = "Changes")]
    pub(super) add_config_file: Option<PathBuf>,
    /// What to take back: k1,k2
    #[arg(long, value_name = "key,...", help_heading = "Changes")]
    pub(super) delete_config: Option<String>,

    /// Describe every key, not only those that were set
    #[arg(long)]
    pub(super) all: bool,
    /// Suppress questions; there are none
    #[arg(long)]
    pub(super) force: bool,
}

impl Args {
    /// Checks what is missing and what contradicts, in Kafka's order and words, and says whose configuration is meant.
    pub(super) fn check(&self) -> Result<Target, Failure> {
        if self.alter == self.describe {
            return Err(Failure::usage("Command must include exactly one action: --describe, --alter"));
        }
        let changes = [
            ("add-config", self.add_config.is_some()),
            ("add-config-file", self.add_config_file.is_some()),
            ("delete-config", self.delete_config.is_some()),
        ];
        if let (true, Some((option, _))) = (self.describe, changes.iter().find(|(_, given)| *given)) {
            return Err(Failure::conflict("describe", option));
        }
        let target = self.target()?;
        match (&self.bootstrap_server, &self.zookeeper) {
            (None, None) => {
                return Err(Failure::illegal(
                    "At least one of the following options must be specified: --bootstrap-server, --zookeeper",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(Failure::illegal(
                    "Only one of --bootstrap-server or --zookeeper must be specified",
                ));
            }
            (None, Some(_)) if self.all => return Err(Failure::conflict("all", "zookeeper")),
            (None, Some(_)) if self.command_config.is_some() => {
                return Err(Failure::conflict("command-config", "zookeeper"));
            }
            _ => {}
        }
        if !self.alter {
            return match target.levels.as_slice() {
                [(kind @ Kind::BrokerLoggers, Name::All | Name::Default)] => Err(Failure::illegal(format!(
                    "an entity name must be specified with --describe of {kind}"
                ))),
                _ => Ok(target),
            };
        }
        if let Some((kind, _)) = target.levels.iter().find(|(_, name)| *name == Name::All) {
            let words = match kind {
                Kind::Topics | Kind::BrokerLoggers => {
                    format!("an entity name must be specified with --alter of {kind}")
                }
                _ => "an entity-name or default entity must be specified with --alter of users, clients, brokers or ips"
                    .to_owned(),
            };
            return Err(Failure::illegal(words));
        }
        if self.add_config.is_some() && self.add_config_file.is_some() {
            return Err(Failure::illegal("Only one of --add-config or --add-config-file must be specified"));
        }
        if changes.iter().all(|(_, given)| !given) {
            return Err(Failure::illegal(match &self.zookeeper {
                None => {
                    "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
                }
                Some(_) => "At least one of --add-config or --delete-config must be specified with --alter",
            }));
        }
        Ok(target)
    }

    fn target(&self) -> Result<Target, Failure> {
        let mut levels = Vec::new();
        let mut names = self.entity_name.iter().map(|name| Name::Of(name.clone()));
        let mut defaults = std::iter::repeat_n(Name::Default, usize::from(self.entity_default));
        for kind in &self.entity_type {
            let kind = Kind::parse(kind, self.zookeeper.is_some())?;
            // Names and defaults are given apart; the first types take the names.
            let name = names.next().or_else(|| defaults.next()).unwrap_or(Name::All);
            levels.push((kind, name));
        }
        if self.entity_type.is_empty() && !self.entity_name.is_empty() {
            return Err(Failure::illegal("At least one entity type must be specified"));
        }
        if names.next().is_some() || defaults.next().is_some() {
            return Err(Failure::illegal("At least one entity type must be specified for each entity name"));
        }
        let short = [
            (Kind::Topics, &self.topic, false),
            (Kind::Users, &self.user, self.user_defaults),
            (Kind::Clients, &self.client, self.client_defaults),
            (Kind::Brokers, &self.broker, self.broker_defaults),
            (Kind::BrokerLoggers, &self.broker_logger, false),
        ];
        for (kind, name, default) in short {
            if let Some(name) = name {
                levels.push((kind, Name::Of(name.clone())));
            } else if default {
                levels.push((kind, Name::Default));
            }
        }
        // Users come before their clients, whatever the order of the options.
        levels.sort_by_key(|(kind, _)| *kind != Kind::Users);
        let kinds: Vec<Kind> = levels.iter().map(|(kind, _)| *kind).collect();
        match kinds.as_slice() {
            [] if self.zookeeper.is_some() => return Err(Failure::missing("entity-type")),
            [] => return Err(Failure::illegal("At least one entity type must be specified")),
            [_] | [Kind::Users, Kind::Clients] => {}
            [a, b, ..] if a == b => {
                return Err(Failure::illegal(format!("Duplicate entity type(s) specified: {a}")));
            }
            _ => {
                return Err(Failure::illegal(
                    "Only 'users' and 'clients' entity types may be specified together",
                ));
            }
        }
        for (kind, name) in &levels {
            match (kind, name) {
                (Kind::Brokers | Kind::BrokerLoggers, Name::Of(id))
                    if id != DEFAULT && id.parse::<i32>().is_err() =>
                {
                    return Err(Failure::illegal(format!(
                        "The entity name for {kind} must be a valid integer broker id, but it is: {id}"
                    )));
                }
                (Kind::Topics | Kind::BrokerLoggers, Name::Default) if self.alter => {
                    let words = format!("an entity name must be specified with --alter of {kind}");
                    return Err(Failure::illegal(words));
                }
                (Kind::Topics, Name::Default) => {
                    return Err(Failure::illegal("--entity-default must not be specified with topics"));
                }
                _ => {}
            }
        }
        Ok(Target { levels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<Target, Failure> {
        Args::try_parse_from(std::iter::once("configs").chain(line.split(' '))).unwrap().check()
    }

    #[test]
    fn missing_and_contradicting_options_are_named_in_kafkas_words() {
        let cases = [
            ("--bootstrap-server a:1", "Command must include exactly one action: --describe, --alter"),
            ("--bootstrap-server a:1 --describe", "At least one entity type must be specified"),
            (
                "--bootstrap-server a:1 --alter --entity-type topics --entity-name t",
                "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter",
            ),
            (
                "--bootstrap-server a:1 --alter --entity-type topics --add-config a=b",
                "an entity name must be specified with --alter of topics",
            ),
            (
                "--describe --entity-type topics",
                "At least one of the following options must be specified: --bootstrap-server, --zookeeper",
            ),
            (
                "--bootstrap-server a:1 --describe --entity-type groups",
                "Invalid entity type groups, the entity type must be one of topics, clients, users, brokers, ips, broker-loggers, client-metrics with a --bootstrap-server or --bootstrap-controller argument",
            ),
            (
                "--zookeeper a --describe --entity-type brokers --entity-name x",
                "The entity name for brokers must be a valid integer broker id, but it is: x",
            ),
            (
                "--zookeeper a --describe --entity-type topics --entity-type users",
                "Only 'users' and 'clients' entity types may be specified together",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(check(line).unwrap_err().message, expected, "{line}");
        }
    }

    #[test]
    fn short_and_long_names_mean_the_same() {
        let long = "--zookeeper a --describe --entity-type clients --entity-type users --entity-name c --entity-default";
        assert!(check(long).is_ok());
        let long = check(
            "--zookeeper a --describe --entity-type users --entity-name u --entity-type clients --entity-name c",
        );
        assert_eq!(long, check("--zookeeper a --describe --client c --user u"));
        assert_eq!(
            check("--bootstrap-server a:1 --describe --broker-defaults"),
            check("--bootstrap-server a:1 --describe --entity-type brokers --entity-default")
        );
    }
}
