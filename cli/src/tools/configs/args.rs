//! The options of `kafka-configs`, and which of them go together.

use std::path::PathBuf;

use clap::Parser;

use super::{
    entity::{Kind, Name, Target},
    whose::Whose,
};
use crate::tools::failure::Failure;

/// Show and change the configuration of topics, brokers, clients and users, as kafka-configs.sh does
#[derive(Debug, Default, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "server to connect to")]
    pub(super) bootstrap_server: Option<String>,
    /// KRaft's controllers: refused, there are none here
    #[arg(long, value_name = "controller to connect to")]
    bootstrap_controller: Option<String>,
    /// The ZooKeeper to work on directly, as tools before Kafka 3.0 did: host:port with commas between, and a chroot
    #[arg(long, value_name = "urls")]
    pub(super) zookeeper: Option<String>,
    /// TLS for the connection to ZooKeeper: refused, it is not built yet
    #[arg(long, value_name = "ZooKeeper TLS configuration")]
    zk_tls_config_file: Option<PathBuf>,
    /// A Java property file for the connection to the brokers
    #[arg(long, value_name = "command config property file")]
    pub(super) command_config: Option<PathBuf>,

    /// Change a configuration
    #[arg(long, help_heading = "Actions")]
    pub(super) alter: bool,
    /// Show configurations
    #[arg(long, help_heading = "Actions")]
    pub(super) describe: bool,

    #[command(flatten)]
    whose: Whose,

    /// What to set: `k1=v1,k2=[v1,v2],k3=v3`
    #[arg(long, value_name = "key=value,...", help_heading = "Changes")]
    pub(super) add_config: Option<String>,
    /// What to set, from a property file
    #[arg(long, value_name = "file", help_heading = "Changes")]
    pub(super) add_config_file: Option<PathBuf>,
    /// What to take back: k1,k2; may be repeated
    #[arg(long, value_name = "key,...", help_heading = "Changes", value_delimiter = ',')]
    pub(super) delete_config: Vec<String>,

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
        if let (true, Some(option)) = (self.describe, self.changes().next()) {
            return Err(Failure::conflict("describe", option));
        }
        let target = self.whose.target(self.zookeeper.is_some(), self.alter)?;
        self.check_connection()?;
        if self.alter {
            self.check_alteration(&target)?;
        } else if let [(kind @ Kind::BrokerLoggers, Name::All | Name::Default)] = target.levels.as_slice() {
            return Err(Failure::illegal(format!(
                "an entity name must be specified with --describe of {kind}"
            )));
        }
        Ok(target)
    }

    /// The options for changes that are given.
    fn changes(&self) -> impl Iterator<Item = &'static str> {
        let changes = [
            ("add-config", self.add_config.is_some()),
            ("add-config-file", self.add_config_file.is_some()),
            ("delete-config", !self.delete_config.is_empty()),
        ];
        changes.into_iter().filter_map(|(option, given)| given.then_some(option))
    }

    fn check_connection(&self) -> Result<(), Failure> {
        let ways =
            [self.bootstrap_server.is_some(), self.bootstrap_controller.is_some(), self.zookeeper.is_some()];
        let words = match ways.into_iter().filter(|given| *given).count() {
            0 => {
                "One of the required --bootstrap-server, --boostrap-controller, or --zookeeper arguments must be specified"
            }
            2.. => "Only one of --bootstrap-server, --boostrap-controller, and --zookeeper can be specified",
            _ if self.bootstrap_controller.is_some() => {
                "--bootstrap-controller: there are no KRaft controllers here; give the brokers by --bootstrap-server"
            }
            _ if self.all && self.zookeeper.is_some() => "--bootstrap-server must be specified for --all",
            _ if self.zk_tls_config_file.is_some() && self.zookeeper.is_none() => {
                "Only the --zookeeper option can be used with the --zk-tls-config-file option."
            }
            // To connect without it is not what the user wants.
            _ if self.zk_tls_config_file.is_some() => {
                "--zk-tls-config-file: TLS to ZooKeeper is not built yet"
            }
            _ if self.command_config.is_some() && self.zookeeper.is_some() => {
                return Err(Failure::conflict("command-config", "zookeeper"));
            }
            _ => return Ok(()),
        };
        Err(Failure::illegal(words))
    }

    fn check_alteration(&self, target: &Target) -> Result<(), Failure> {
        if let Some((kind, _)) = target.levels.iter().find(|(_, name)| *name == Name::All) {
            let words = match kind {
                Kind::Topics | Kind::BrokerLoggers | Kind::ClientMetrics => {
                    format!("an entity name must be specified with --alter of {kind}")
                }
                _ if target.levels.iter().any(|(_, name)| *name != Name::All) => {
                    "An entity name must be specified for every entity type".to_owned()
                }
                _ => "an entity-name or default entity must be specified with --alter of users, clients, brokers or ips"
                    .to_owned(),
            };
            return Err(Failure::illegal(words));
        }
        if self.add_config.is_some() && self.add_config_file.is_some() {
            return Err(Failure::illegal("Only one of --add-config or --add-config-file must be specified"));
        }
        if self.changes().next().is_some() {
            return Ok(());
        }
        Err(Failure::illegal(match &self.zookeeper {
            None => {
                "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
            }
            Some(_) => "At least one of --add-config or --delete-config must be specified with --alter",
        }))
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
                "--bootstrap-server a:1 --alter --entity-type users --entity-name u --entity-type clients --add-config a=b",
                "An entity name must be specified for every entity type",
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
            (
                "--bootstrap-server a:1 --describe --user u --entity-type clients --entity-name c",
                "--entity-{type,name,default} should not be used in conjunction with specific entity flags",
            ),
            (
                "--bootstrap-server a:1 --describe --ip no.such.host.invalid",
                "The entity name for ips must be a valid IP or resolvable host, but it is: no.such.host.invalid",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(check(line).unwrap_err().message, expected, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_connection_is_named() {
        let cases = [
            (
                "--describe --entity-type topics",
                "One of the required --bootstrap-server, --boostrap-controller, or --zookeeper arguments must be specified",
            ),
            (
                "--describe --entity-type topics --zookeeper a --bootstrap-server b:1",
                "Only one of --bootstrap-server, --boostrap-controller, and --zookeeper can be specified",
            ),
            (
                "--describe --entity-type topics --zookeeper a --all",
                "--bootstrap-server must be specified for --all",
            ),
            (
                "--describe --entity-type topics --bootstrap-server a:1 --zk-tls-config-file f",
                "Only the --zookeeper option can be used with the --zk-tls-config-file option.",
            ),
            (
                "--describe --entity-type topics --zookeeper a --zk-tls-config-file f",
                "--zk-tls-config-file: TLS to ZooKeeper is not built yet",
            ),
            (
                "--describe --entity-type topics --bootstrap-controller a:1",
                "--bootstrap-controller: there are no KRaft controllers here; give the brokers by --bootstrap-server",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(check(line).unwrap_err().message, expected, "{line}");
        }
    }

    #[test]
    fn short_and_long_names_mean_the_same() {
        let cases = [
            (
                "--entity-type users --entity-name u --entity-type clients --entity-name c",
                "--client c --user u",
            ),
            ("--entity-type brokers --entity-default", "--broker-defaults"),
            ("--entity-type ips --entity-name 127.0.0.1", "--ip 127.0.0.1"),
            ("--entity-type ips --entity-default", "--ip-defaults"),
            ("--entity-type client-metrics --entity-name m", "--client-metrics m"),
        ];
        for (long, short) in cases {
            let levels =
                |line: &str| check(&format!("--bootstrap-server a:1 --describe {line}")).unwrap().levels;
            assert_eq!(levels(long), levels(short), "{long}");
        }
    }

    #[test]
    fn names_and_defaults_belong_to_types_in_their_order() {
        let user = (Kind::Users, Name::Of("u".into()));
        for line in [
            "--entity-type clients --entity-default --entity-type users --entity-name u",
            "--entity-type users --entity-name u --entity-type clients --entity-default",
            "--entity-type users --entity-type clients --entity-name u --entity-default",
        ] {
            let target = check(&format!("--zookeeper a --describe {line}")).unwrap();
            assert_eq!(target.levels, [user.clone(), (Kind::Clients, Name::Default)], "{line}");
        }
        let target = check("--zookeeper a --describe --entity-type clients --entity-name c --user-defaults");
        assert!(target.is_err());
        // What is spoken of is what was named first.
        let line = "--bootstrap-server a:1 --describe --entity-type clients --entity-name c --entity-type users --entity-name u";
        assert_eq!(check(line).unwrap().first(), Some(&(Kind::Clients, Name::Of("c".into()))));
    }
}
