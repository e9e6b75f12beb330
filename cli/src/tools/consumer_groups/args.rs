//! The options of `kafka-consumer-groups`, and which of them go together.

use std::path::PathBuf;

use clap::Parser;

use crate::tools::{
    era::{Era, EraOption},
    failure::Failure,
};

/// List, describe, delete and reset consumer groups, as kafka-consumer-groups.sh does
#[derive(Debug, Default, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "server to connect to")]
    pub(super) bootstrap_server: Option<String>,
    /// The ZooKeeper of groups of the 0.8 consumer (list, describe, delete): host:port with commas between, and a chroot
    #[arg(long, value_name = "urls")]
    pub(super) zookeeper: Option<String>,
    /// A Java property file for the connection to the brokers
    #[arg(long, value_name = "command config property file")]
    pub(super) command_config: Option<PathBuf>,
    /// Groups of the Java consumer; they are what --bootstrap-server means
    #[arg(long, hide = true)]
    pub(super) new_consumer: bool,

    /// Show the groups' names
    #[arg(long, help_heading = "Actions")]
    pub(super) list: bool,
    /// Show groups' offsets and lag, or with --members or --state those
    #[arg(long, help_heading = "Actions")]
    pub(super) describe: bool,
    /// Delete groups with their offsets
    #[arg(long, help_heading = "Actions")]
    pub(super) delete: bool,
    /// Set the offsets of a group without members
    #[arg(long, help_heading = "Actions")]
    pub(super) reset_offsets: bool,
    /// Forget the offsets of a group for some topics
    #[arg(long, help_heading = "Actions")]
    pub(super) delete_offsets: bool,

    /// The group; may be repeated
    #[arg(long, value_name = "consumer group")]
    pub(super) group: Vec<String>,
    /// All groups
    #[arg(long)]
    pub(super) all_groups: bool,
    /// The topic, or with partitions as topic:0,1,2; may be repeated
    #[arg(long, value_name = "topic")]
    pub(super) topic: Vec<String>,
    /// All topics that the group has offsets for
    #[arg(long)]
    pub(super) all_topics: bool,

    /// Describe members
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) members: bool,
    /// Describe offsets, as --describe does without this
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) offsets: bool,
    /// Describe, or list, states; or list the groups in these states, such as stable,empty
    #[arg(long, help_heading = "What to describe or list", value_name = "states", num_args = 0..=1, default_missing_value = "")]
    pub(super) state: Option<String>,
    /// List types; or the groups of these types, such as classic
    #[arg(long = "type", help_heading = "What to describe or list", value_name = "types", num_args = 0..=1, default_missing_value = "")]
    pub(super) kind: Option<String>,
    /// Describe more, such as members' partitions
    #[arg(long, help_heading = "What to describe or list")]
    pub(super) verbose: bool,
    /// How long a question may take, in milliseconds
    #[arg(long, value_name = "timeout (ms)")]
    pub(super) timeout: Option<i64>,

    #[command(flatten)]
    pub(super) reset: Reset,
    #[command(flatten)]
    pub(super) era: EraOption,
}

/// What to reset offsets to, and how.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Reset {
    /// To the first offset
    #[arg(long, help_heading = "Resetting offsets")]
    pub(super) to_earliest: bool,
    /// To the end
    #[arg(long, help_heading = "Resetting offsets")]
    pub(super) to_latest: bool,
    /// To where they are
    #[arg(long, help_heading = "Resetting offsets")]
    pub(super) to_current: bool,
    /// To this offset
    #[arg(long, value_name = "offset", help_heading = "Resetting offsets")]
    pub(super) to_offset: Option<i64>,
    /// By so many records, forward or back
    #[arg(long, value_name = "number-of-offsets", help_heading = "Resetting offsets")]
    pub(super) shift_by: Option<i64>,
    /// To a time, YYYY-MM-DDTHH:mm:SS.sss in UTC unless a zone follows
    #[arg(long, value_name = "datetime", help_heading = "Resetting offsets")]
    pub(super) to_datetime: Option<String>,
    /// To so long ago, PnDTnHnMnS
    #[arg(long, value_name = "duration", help_heading = "Resetting offsets")]
    pub(super) by_duration: Option<String>,
    /// To what a CSV file says, as --export writes it
    #[arg(long, value_name = "path to CSV file", help_heading = "Resetting offsets")]
    pub(super) from_file: Option<PathBuf>,
    /// Do it
    #[arg(long, help_heading = "Resetting offsets")]
    pub(super) execute: bool,
    /// Only show what would be done, as without --execute
    #[arg(long, help_heading = "Resetting offsets")]
    pub(super) dry_run: bool,
    /// Write the offsets as CSV
    #[arg(long, help_heading = "Resetting offsets")]
    pub(super) export: bool,
}

impl Reset {
    /// The targets given, by the names of their options.
    fn targets(&self) -> Vec<&'static str> {
        let all = [
            (self.to_offset.is_some(), "to-offset"),
            (self.to_datetime.is_some(), "to-datetime"),
            (self.by_duration.is_some(), "by-duration"),
            (self.to_earliest, "to-earliest"),
            (self.to_latest, "to-latest"),
            (self.shift_by.is_some(), "shift-by"),
            (self.from_file.is_some(), "from-file"),
            (self.to_current, "to-current"),
        ];
        all.into_iter().filter(|(given, _)| *given).map(|(_, name)| name).collect()
    }
}

/// What is said where neither `--execute` nor `--dry-run` is given.
pub(super) const NO_ACTION: &str = "WARN: No action will be performed as the --execute option is missing.In a future major release, the default behavior of this command will be to prompt the user before executing the reset rather than doing a dry run. You should add the --dry-run option explicitly if you are scripting this command and want to keep the current default behavior without prompting.";

impl Args {
    /// Whether the output is that of 3.9, with its columns: where that is asked for, or where the command uses something that came
    /// after 0.11. Else scripts that have read 0.11's output go on reading it.
    pub(super) fn is_modern(&self) -> bool {
        if let Some(era) = self.era.era() {
            return era == Era::New;
        }
        self.members
            || self.offsets
            || self.state.is_some()
            || self.kind.is_some()
            || self.verbose
            || self.all_groups
            || self.group.len() > 1
            || self.topic.len() > 1
            || self.topic.iter().any(|topic| topic.contains(':'))
            || self.reset.dry_run
            || self.delete_offsets
            || (self.delete && self.zookeeper.is_none())
    }

    /// Checks what is missing and what contradicts, in Kafka's order and words.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.check_connection()?;
        self.check_actions_of_options()?;
        let no_group = self.group.is_empty() && !self.all_groups;
        if no_group && !self.is_modern() && (self.describe || self.reset_offsets) && self.zookeeper.is_none()
        {
            return Err(Failure::missing("group"));
        }
        if self.describe {
            if no_group {
                return Err(Failure::usage(
                    "Option [describe] takes one of these options: [all-groups], [group]",
                ));
            }
            self.check_description()?;
        }
        if self.delete && self.zookeeper.is_none() {
            if no_group {
                return Err(Failure::usage(
                    "Option [delete] takes one of these options: [all-groups], [group]",
                ));
            }
            if !self.topic.is_empty() {
                return Err(Failure::usage(
                    "The consumer does not support topic-specific offset deletion from a consumer group.",
                ));
            }
        }
        if self.delete_offsets && (self.topic.is_empty() || self.group.is_empty()) {
            return Err(Failure::usage(
                "Option [delete-offsets] takes the following options: [topic], [group]",
            ));
        }
        if self.reset_offsets {
            self.check_reset(no_group)?;
        }
        if !self.group.is_empty() && self.all_groups {
            return Err(Failure::conflict("group", "all-groups"));
        }
        if !self.group.is_empty() && self.list {
            return Err(Failure::conflict("group", "list"));
        }
        if !self.topic.is_empty() && (self.list || self.describe) {
            return Err(Failure::conflict("topic", if self.list { "list" } else { "describe" }));
        }
        let actions = [self.list, self.describe, self.delete, self.reset_offsets, self.delete_offsets];
        if actions.into_iter().filter(|given| *given).count() != 1 {
            return Err(Failure::usage(
                "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets",
            ));
        }
        Ok(())
    }

    /// What to describe.
    fn check_description(&self) -> Result<(), Failure> {
        let chosen = [self.members, self.offsets, self.state.is_some()];
        if chosen.into_iter().filter(|chosen| *chosen).count() > 1 {
            return Err(Failure::usage(
                "Option [describe] takes at most one of these options: [members], [offsets], [state]",
            ));
        }
        if self.state.as_deref().is_some_and(|states| !states.is_empty()) {
            return Err(Failure::usage("Option [describe] does not take a value for [state]"));
        }
        Ok(())
    }

    /// Options that mean something to one action only.
    fn check_actions_of_options(&self) -> Result<(), Failure> {
        let unavailable = [
            ("members", self.members && !self.describe),
            ("offsets", self.offsets && !self.describe),
            ("verbose", self.verbose && !self.describe),
            ("state", self.state.is_some() && !self.describe && !self.list),
            ("type", self.kind.is_some() && !self.list),
        ];
        if let Some((option, _)) = unavailable.into_iter().find(|(_, given)| *given) {
            return Err(Failure::usage(format!(
                "Option(s) [{option}] are unavailable given other options on the command line"
            )));
        }
        let actions = [
            ("list", self.list),
            ("describe", self.describe),
            ("delete", self.delete),
            ("delete-offsets", self.delete_offsets),
        ];
        let other = actions.into_iter().find(|(_, given)| *given && !self.reset_offsets);
        let more = [
            ("execute", self.reset.execute),
            ("dry-run", self.reset.dry_run),
            ("export", self.reset.export),
            ("all-topics", self.all_topics),
        ];
        let more = more.into_iter().filter(|(_, given)| *given).map(|(option, _)| option);
        match (other, self.reset.targets().into_iter().chain(more).next()) {
            (Some((action, _)), Some(option)) => Err(Failure::conflict(option, action)),
            _ => Ok(()),
        }
    }

    fn check_connection(&self) -> Result<(), Failure> {
        if self.zookeeper.is_none() {
            let missing = self.bootstrap_server.is_none();
            return if missing { Err(Failure::missing("bootstrap-server")) } else { Ok(()) };
        }
        let unfit = [
            ("bootstrap-server", self.bootstrap_server.is_some()),
            ("new-consumer", self.new_consumer),
            ("command-config", self.command_config.is_some()),
            ("reset-offsets", self.reset_offsets),
            ("delete-offsets", self.delete_offsets),
            ("all-groups", self.all_groups),
            ("members", self.members),
            ("state", self.state.is_some()),
        ];
        if let Some((option, _)) = unfit.into_iter().find(|(_, given)| *given) {
            return Err(Failure::usage(format!("Option [{option}] is not valid with [zookeeper].")));
        }
        if self.delete && self.group.is_empty() && self.topic.is_empty() {
            return Err(Failure::usage(
                "Option [delete] either takes [group], [topic], or both when used with [zookeeper]",
            ));
        }
        Ok(())
    }

    fn check_reset(&self, no_group: bool) -> Result<(), Failure> {
        if self.reset.dry_run && self.reset.execute {
            return Err(Failure::usage("Option [reset-offsets] only accepts one of [execute] and [dry-run]"));
        }
        if no_group {
            return Err(Failure::usage(
                "Option [reset-offsets] takes one of these options: [all-groups], [group]",
            ));
        }
        let targets = self.reset.targets();
        match targets.as_slice() {
            [] => Err(Failure::usage(
                "Option '[reset-offsets]' requires one of the following scenarios: [to-offset], [to-datetime], [by-duration], [to-earliest], [to-latest], [shift-by], [from-file], [to-current]",
            )),
            [first, second, ..] => Err(Failure::conflict(first, second)),
            [_] if self.all_topics && !self.topic.is_empty() => Err(Failure::conflict("all-topics", "topic")),
            [_] if self.reset.from_file.is_none() && !self.all_topics && self.topic.is_empty() => {
                Err(Failure::usage("One of the reset scopes should be defined: --all-topics, --topic."))
            }
            [_] => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::try_parse_from(std::iter::once("consumer-groups").chain(line.split(' '))).unwrap()
    }

    #[test]
    fn missing_and_contradicting_options_are_named_in_kafkas_words() {
        let cases = [
            (
                "--bootstrap-server a:1",
                "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets",
            ),
            ("--list", "Missing required argument \"[bootstrap-server]\""),
            (
                "--list --zookeeper a --bootstrap-server a:1",
                "Option [bootstrap-server] is not valid with [zookeeper].",
            ),
            ("--bootstrap-server a:1 --describe", "Missing required argument \"[group]\""),
            (
                "--bootstrap-server a:1 --describe --verbose",
                "Option [describe] takes one of these options: [all-groups], [group]",
            ),
            (
                "--bootstrap-server a:1 --describe --group g --members --state",
                "Option [describe] takes at most one of these options: [members], [offsets], [state]",
            ),
            (
                "--bootstrap-server a:1 --reset-offsets --group g --topic t --to-earliest --to-latest",
                "Option \"[to-earliest]\" can't be used with option \"[to-latest]\"",
            ),
            (
                "--bootstrap-server a:1 --reset-offsets --group g --to-earliest",
                "One of the reset scopes should be defined: --all-topics, --topic.",
            ),
            (
                "--bootstrap-server a:1 --reset-offsets --group g --topic t --to-current --execute --dry-run",
                "Option [reset-offsets] only accepts one of [execute] and [dry-run]",
            ),
            (
                "--bootstrap-server a:1 --delete-offsets --group g",
                "Option [delete-offsets] takes the following options: [topic], [group]",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(args(line).check().unwrap_err().message, expected, "{line}");
        }
        for fine in ["--zookeeper a --delete --topic t", "--bootstrap-server a:1 --list --state"] {
            assert_eq!(args(fine).check(), Ok(()), "{fine}");
        }
    }

    #[test]
    fn later_options_bring_later_output() {
        assert!(!args("--bootstrap-server a:1 --describe --group g").is_modern());
        assert!(args("--bootstrap-server a:1 --describe --group g --offsets").is_modern());
        assert!(args("--bootstrap-server a:1 --describe --all-groups").is_modern());
    }
}
