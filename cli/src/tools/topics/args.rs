//! The options of `kafka-topics`, and which of them go together.

use std::path::PathBuf;

use clap::Parser;

use crate::tools::{
    era::{Era, EraOption},
    failure::Failure,
};

/// Create, list, describe, alter and delete topics, as kafka-topics.sh does
#[derive(Debug, Default, Parser)]
#[command(max_term_width = 110)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "server to connect to")]
    pub(super) bootstrap_server: Option<String>,
    /// The ZooKeeper to work on directly, as tools before Kafka 3.0 did: host:port with commas between, and a chroot
    #[arg(long, value_name = "hosts")]
    pub(super) zookeeper: Option<String>,
    /// A Java property file for the connection to the brokers
    #[arg(long, value_name = "config property file")]
    pub(super) command_config: Option<PathBuf>,

    /// Create a topic
    #[arg(long, help_heading = "Actions")]
    pub(super) create: bool,
    /// Change a topic: its number of partitions, with --zookeeper also its configuration
    #[arg(long, help_heading = "Actions")]
    pub(super) alter: bool,
    /// Delete topics
    #[arg(long, help_heading = "Actions")]
    pub(super) delete: bool,
    /// Show topics' partitions, replicas and configuration
    #[arg(long, help_heading = "Actions")]
    pub(super) describe: bool,
    /// Show topics' names
    #[arg(long, help_heading = "Actions")]
    pub(super) list: bool,

    /// The topic; but for --create a regular expression, or several with commas between
    #[arg(long, value_name = "topic")]
    pub(super) topic: Option<String>,
    /// The id of the topic to describe
    #[arg(long, value_name = "topic-id")]
    pub(super) topic_id: Option<String>,
    /// How many partitions to create, or to have after --alter
    #[arg(long, value_name = "# of partitions")]
    pub(super) partitions: Option<i32>,
    /// How many replicas each partition has
    #[arg(long, value_name = "replication factor")]
    pub(super) replication_factor: Option<i32>,
    /// The brokers of each partition instead: 0:1,1:2 is two partitions with two replicas each
    #[arg(long, value_name = "broker ids")]
    pub(super) replica_assignment: Option<String>,
    /// A configuration that differs from the default; may be repeated
    #[arg(long, value_name = "name=value")]
    pub(super) config: Vec<String>,
    /// A configuration to go back to its default (--alter with --zookeeper); may be repeated
    #[arg(long, alias = "deleteConfig", value_name = "name")]
    pub(super) delete_config: Vec<String>,
    /// Do nothing, and succeed, if the topic to create exists
    #[arg(long)]
    pub(super) if_not_exists: bool,
    /// Do nothing, and succeed, if the topic to alter, describe or delete does not exist
    #[arg(long)]
    pub(super) if_exists: bool,
    /// Place replicas without regard to racks (--zookeeper)
    #[arg(long)]
    pub(super) disable_rack_aware: bool,
    /// Suppress questions; there are none
    #[arg(long)]
    pub(super) force: bool,

    /// Describe only partitions that have fewer replicas in sync than replicas
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) under_replicated_partitions: bool,
    /// Describe only partitions that have no leader
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) unavailable_partitions: bool,
    /// Describe only partitions that have fewer replicas in sync than min.insync.replicas
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) under_min_isr_partitions: bool,
    /// Describe only partitions that have exactly min.insync.replicas replicas in sync
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) at_min_isr_partitions: bool,
    /// Describe only topics that have a configuration of their own
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) topics_with_overrides: bool,
    /// Leave out Kafka's own topics
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) exclude_internal: bool,
    /// How many partitions one answer of a broker may describe; answers here hold all of them
    #[arg(long, value_name = "number")]
    pub(super) partition_size_limit_per_response: Option<i32>,
    #[command(flatten)]
    pub(super) era: EraOption,
}

const CONFIGS_TOOL: &str =
    "(the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)";

impl Args {
    /// Checks what is missing and what contradicts, in Kafka's order and words.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let actions = self.actions();
        if actions.iter().filter(|(given, _)| *given).count() != 1 {
            let words =
                "Command must include exactly one action: --list, --describe, --create, --alter or --delete";
            return Err(Failure::usage(words));
        }
        match (&self.bootstrap_server, &self.zookeeper) {
            (None, None) if self.era.era() == Some(Era::Old) => return Err(Failure::missing("zookeeper")),
            (None, None) => return Err(Failure::usage("--bootstrap-server must be specified")),
            (Some(_), Some(_)) => {
                return Err(Failure::usage(
                    "Only one of --bootstrap-server or --zookeeper must be specified",
                ));
            }
            _ => {}
        }
        if !self.list && !self.describe && self.topic.is_none() {
            return Err(Failure::missing("topic"));
        }
        if self.describe
            && self.if_exists
            && self.zookeeper.is_none()
            && self.topic.is_none()
            && self.topic_id.is_none()
        {
            return Err(Failure::usage("--topic or --topic-id is required to describe a topic"));
        }
        self.check_alteration()?;
        self.check_actions_of_options()?;
        if self.zookeeper.is_some() {
            return self.check_old();
        }
        if self.create && self.partitions.is_some_and(|count| count < 1) {
            return Err(Failure::illegal("The partitions must be greater than 0"));
        }
        if self.create && self.replication_factor.is_some_and(|factor| !(1..=32767).contains(&factor)) {
            return Err(Failure::illegal("The replication factor must be between 1 and 32767 inclusive"));
        }
        Ok(())
    }

    fn actions(&self) -> [(bool, &'static str); 5] {
        [
            (self.alter, "alter"),
            (self.create, "create"),
            (self.delete, "delete"),
            (self.describe, "describe"),
            (self.list, "list"),
        ]
    }

    fn check_alteration(&self) -> Result<(), Failure> {
        if !self.alter || self.zookeeper.is_some() {
            return Ok(());
        }
        if !self.config.is_empty() {
            return Err(Failure::usage(format!(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\" {CONFIGS_TOOL}"
            )));
        }
        if !self.delete_config.is_empty() {
            return Err(Failure::conflict("delete-config", "bootstrap-server"));
        }
        if self.partitions.is_none() { Err(Failure::missing("partitions")) } else { Ok(()) }
    }

    /// Which actions each option belongs to.
    fn check_actions_of_options(&self) -> Result<(), Failure> {
        let (old, filters) = (self.zookeeper.is_some(), &["describe"][..]);
        let if_exists: &[&str] = if old { &["alter", "delete"] } else { &["alter", "delete", "describe"] };
        let rules: [(&str, bool, &[&str]); 12] = [
            ("config", !self.config.is_empty(), &["alter", "create"]),
            ("delete-config", !self.delete_config.is_empty(), &["alter"]),
            ("partitions", self.partitions.is_some(), &["alter", "create"]),
            ("replication-factor", self.replication_factor.is_some(), &["create"]),
            ("replica-assignment", self.replica_assignment.is_some(), &["alter", "create"]),
            ("under-replicated-partitions", self.under_replicated_partitions, filters),
            ("under-min-isr-partitions", self.under_min_isr_partitions, filters),
            ("at-min-isr-partitions", self.at_min_isr_partitions, filters),
            ("unavailable-partitions", self.unavailable_partitions, filters),
            ("topics-with-overrides", self.topics_with_overrides, filters),
            ("if-exists", self.if_exists, if_exists),
            ("if-not-exists", self.if_not_exists, &["create"]),
        ];
        for (option, given, fits) in rules {
            let other = self.actions().into_iter().find(|(chosen, action)| *chosen && !fits.contains(action));
            if let (true, Some((_, action))) = (given, other) {
                return Err(Failure::conflict(option, action));
            }
        }
        if self.exclude_internal && !self.list && !self.describe {
            let other = self.actions().into_iter().find(|(chosen, _)| *chosen);
            return Err(Failure::conflict("exclude-internal", other.map_or("", |(_, action)| action)));
        }
        if self.create && self.replica_assignment.is_some() {
            for (option, given) in [
                ("partitions", self.partitions.is_some()),
                ("replication-factor", self.replication_factor.is_some()),
            ] {
                if given {
                    return Err(Failure::conflict("replica-assignment", option));
                }
            }
        }
        self.check_filters()
    }

    /// At most one filter of partitions at a time in the old tool; the new one shows what any of them lets through.
    fn check_filters(&self) -> Result<(), Failure> {
        if self.zookeeper.is_none() && !self.topics_with_overrides {
            return Ok(());
        }
        let filters = [
            ("under-replicated-partitions", self.under_replicated_partitions),
            ("under-min-isr-partitions", self.under_min_isr_partitions),
            ("at-min-isr-partitions", self.at_min_isr_partitions),
            ("unavailable-partitions", self.unavailable_partitions),
            ("topics-with-overrides", self.topics_with_overrides),
        ];
        let mut given = filters.into_iter().filter(|(_, given)| *given);
        match (given.next(), given.next()) {
            (Some((a, _)), Some((b, _))) => Err(Failure::conflict(a, b)),
            _ => Ok(()),
        }
    }

    fn check_old(&self) -> Result<(), Failure> {
        let new = [("command-config", self.command_config.is_some()), ("topic-id", self.topic_id.is_some())];
        if let Some((option, _)) = new.into_iter().find(|(_, given)| *given) {
            return Err(Failure::conflict(option, "zookeeper"));
        }
        if self.create && self.replica_assignment.is_none() {
            if self.partitions.is_none() {
                return Err(Failure::missing("partitions"));
            }
            if self.replication_factor.is_none() {
                return Err(Failure::missing("replication-factor"));
            }
        }
        Ok(())
    }

    /// The overrides of `--config`, checked.
    pub(super) fn overrides(&self) -> Result<std::collections::BTreeMap<String, String>, Failure> {
        let pair = |text: &String| {
            let (key, value) = text.split_once('=').ok_or_else(|| {
                Failure::illegal(
                    "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".",
                )
            })?;
            let (key, value) = (key.trim(), value.trim());
            vltava_settings::validate_topic_config(key, value)?;
            Ok((key.to_owned(), value.to_owned()))
        };
        self.config.iter().map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> String {
        let args = Args::try_parse_from(std::iter::once("topics").chain(line.split(' '))).unwrap();
        args.check().err().map_or_else(String::new, |failure| failure.message)
    }

    #[test]
    fn missing_and_contradicting_options_are_named_in_kafkas_words() {
        let one =
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete";
        let cases = [
            ("--bootstrap-server a:1", one),
            ("--bootstrap-server a:1 --list --create", one),
            ("--list", "--bootstrap-server must be specified"),
            (
                "--list --zookeeper a --bootstrap-server b:1",
                "Only one of --bootstrap-server or --zookeeper must be specified",
            ),
            ("--create --bootstrap-server a:1", "Missing required argument \"[topic]\""),
            ("--create --zookeeper a:1 --topic t", "Missing required argument \"[partitions]\""),
            (
                "--create --zookeeper a:1 --topic t --partitions 1",
                "Missing required argument \"[replication-factor]\"",
            ),
            (
                "--list --bootstrap-server a:1 --config a=b",
                "Option \"[config]\" can't be used with option \"[list]\"",
            ),
            (
                "--create --zookeeper a:1 --topic t --replica-assignment 0 --partitions 1",
                "Option \"[replica-assignment]\" can't be used with option \"[partitions]\"",
            ),
            (
                "--describe --zookeeper a --under-replicated-partitions --unavailable-partitions",
                "Option \"[under-replicated-partitions]\" can't be used with option \"[unavailable-partitions]\"",
            ),
            ("--list --era 0.11", "Missing required argument \"[zookeeper]\""),
            (
                "--describe --bootstrap-server a:1 --if-exists",
                "--topic or --topic-id is required to describe a topic",
            ),
            ("--alter --bootstrap-server a:1 --topic t", "Missing required argument \"[partitions]\""),
            (
                "--create --bootstrap-server a:1 --topic t --partitions 0",
                "The partitions must be greater than 0",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line), expected, "{line}");
        }
        for fine in [
            "--list --zookeeper a:1/chroot",
            "--create --bootstrap-server a:1 --topic t",
            "--alter --zookeeper a:1 --topic t --config a=b --delete-config c",
            "--describe --bootstrap-server a:1 --if-exists --topic t --exclude-internal",
        ] {
            assert_eq!(words(fine), "", "{fine}");
        }
    }
}
