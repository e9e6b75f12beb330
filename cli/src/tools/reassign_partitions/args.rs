//! The options of `kafka-reassign-partitions`, and which of them go together.

use std::path::PathBuf;

use clap::Parser;

use crate::tools::{
    era::{Era, EraOption},
    failure::Failure,
};

/// Move partitions to other brokers and replicas to other directories, as kafka-reassign-partitions.sh does
#[derive(Debug, Default, Parser)]
#[command(max_term_width = 110)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "Server(s) to use for bootstrapping")]
    pub(super) bootstrap_server: Option<String>,
    /// The ZooKeeper to work on directly, as tools before Kafka 3.0 did: host:port with commas between, and a chroot
    #[arg(long, value_name = "urls")]
    pub(super) zookeeper: Option<String>,
    /// Controllers of a KRaft cluster; there is none
    #[arg(long, value_name = "bootstrap controller")]
    bootstrap_controller: Option<String>,
    /// A Java property file for the connection to the brokers
    #[arg(long, value_name = "Admin client property file")]
    pub(super) command_config: Option<PathBuf>,

    /// Propose where partitions could go; nothing is moved
    #[arg(long, help_heading = "Actions")]
    generate: bool,
    /// Start the moves that --reassignment-json-file describes
    #[arg(long, help_heading = "Actions")]
    execute: bool,
    /// Tell how far the moves of --reassignment-json-file are, and remove the throttles once all are done
    #[arg(long, help_heading = "Actions")]
    verify: bool,
    /// Stop the moves of --reassignment-json-file that are under way
    #[arg(long, help_heading = "Actions")]
    cancel: bool,
    /// List all partitions that move
    #[arg(long, help_heading = "Actions")]
    list: bool,

    /// The file that says where to move what: {"version": 1, "partitions": [{"topic": "t", "partition": 1, "replicas": [1, 2],
    /// "log_dirs": ["any", "/data/2"]}]}; log_dirs is optional
    #[arg(long, value_name = "manual assignment json file path")]
    pub(super) reassignment_json_file: Option<PathBuf>,
    /// The file that names the topics to propose moves of: {"version": 1, "topics": [{"topic": "t"}]}
    #[arg(long, value_name = "topics to reassign json file path")]
    pub(super) topics_to_move_json_file: Option<PathBuf>,
    /// The brokers to propose moves to: 0,1,2
    #[arg(long, value_name = "brokerlist")]
    pub(super) broker_list: Option<String>,
    /// Propose without regard to racks
    #[arg(long)]
    pub(super) disable_rack_aware: bool,
    /// How many bytes a second may move between brokers, at least 1024; may be changed while they move
    #[arg(long, value_name = "throttle", allow_negative_numbers = true)]
    throttle: Option<i64>,
    /// How many bytes a second may move between directories of a broker
    #[arg(long, value_name = "replicaAlterLogDirsThrottle", allow_negative_numbers = true)]
    replica_alter_log_dirs_throttle: Option<i64>,
    /// How many milliseconds moves between directories may take to begin
    #[arg(long, value_name = "timeout", allow_negative_numbers = true)]
    timeout: Option<i64>,
    /// Execute although other partitions move already
    #[arg(long)]
    pub(super) additional: bool,
    /// Leave throttles as they are
    #[arg(long)]
    pub(super) preserve_throttles: bool,
    #[command(flatten)]
    pub(super) era: EraOption,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Generate,
    Execute,
    Verify,
    Cancel,
    List,
}

/// Limits in bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Between brokers.
    pub(super) brokers: Option<i64>,
    /// Between directories.
    pub(super) dirs: Option<i64>,
}

impl Action {
    const ALL: [Action; 5] =
        [Action::Generate, Action::Execute, Action::Verify, Action::Cancel, Action::List];

    fn name(self) -> &'static str {
        match self {
            Action::Generate => "generate",
            Action::Execute => "execute",
            Action::Verify => "verify",
            Action::Cancel => "cancel",
            Action::List => "list",
        }
    }

    /// The options that it needs, and those that it may have beside the connection's.
    fn options(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Action::Generate => (&["topics-to-move-json-file", "broker-list"], &["disable-rack-aware"]),
            Action::Execute => (
                &["reassignment-json-file"],
                &["additional", "throttle", "replica-alter-log-dirs-throttle", "timeout"],
            ),
            Action::Verify => (&["reassignment-json-file"], &["preserve-throttles"]),
            Action::Cancel => (&["reassignment-json-file"], &["preserve-throttles", "timeout"]),
            Action::List => (&[], &[]),
        }
    }
}

impl Args {
    /// The limits of `--execute`; a negative number is none.
    pub(super) fn limits(&self) -> Limits {
        let limit = |given: Option<i64>| given.filter(|limit| *limit >= 0);
        Limits { brokers: limit(self.throttle), dirs: limit(self.replica_alter_log_dirs_throttle) }
    }

    /// How long moves between directories may take to begin, in milliseconds.
    pub(super) fn timeout_ms(&self) -> u64 {
        self.timeout.map_or(10_000, |timeout| u64::try_from(timeout).unwrap_or(0))
    }

    /// Whether to work on ZooKeeper.
    pub(super) fn is_old(&self) -> bool {
        self.zookeeper.is_some() || (self.bootstrap_server.is_none() && self.era.era() == Some(Era::Old))
    }

    fn is_given(&self, action: Action) -> bool {
        match action {
            Action::Generate => self.generate,
            Action::Execute => self.execute,
            Action::Verify => self.verify,
            Action::Cancel => self.cancel,
            Action::List => self.list,
        }
    }

    /// Each option that not every action takes, in the order in which Kafka's tool declares them, and whether it is given.
    fn given(&self) -> [(&'static str, bool); 9] {
        [
            ("reassignment-json-file", self.reassignment_json_file.is_some()),
            ("topics-to-move-json-file", self.topics_to_move_json_file.is_some()),
            ("broker-list", self.broker_list.is_some()),
            ("disable-rack-aware", self.disable_rack_aware),
            ("throttle", self.throttle.is_some()),
            ("replica-alter-log-dirs-throttle", self.replica_alter_log_dirs_throttle.is_some()),
            ("timeout", self.timeout.is_some()),
            ("additional", self.additional),
            ("preserve-throttles", self.preserve_throttles),
        ]
    }

    fn has(&self, option: &str) -> bool {
        self.given().iter().any(|(name, given)| *name == option && *given)
    }

    /// The action, once what is missing and what contradicts has been looked for in Kafka's order and words.
    pub(super) fn check(&self) -> Result<Action, Failure> {
        if self.bootstrap_controller.is_some() {
            return Err(Failure::usage(
                "--bootstrap-controller: there are no controllers apart from brokers; use --bootstrap-server",
            ));
        }
        if self.is_old() { self.check_old() } else { self.check_new() }
    }

    fn one_action(&self, words: &str) -> Result<Action, Failure> {
        let mut given = Action::ALL.into_iter().filter(|action| self.is_given(*action));
        match (given.next(), given.next()) {
            (Some(action), None) => Ok(action),
            _ => Err(Failure::usage(format!("Command must include exactly one action: {words}"))),
        }
    }

    fn check_new(&self) -> Result<Action, Failure> {
        let action = self.one_action("--generate, --execute, --verify, --cancel, --list")?;
        if self.bootstrap_server.is_none() {
            return Err(Failure::usage("Please specify either --bootstrap-server or --bootstrap-controller"));
        }
        let (needed, allowed) = action.options();
        if let Some(missing) = needed.iter().find(|option| !self.has(option)) {
            return Err(Failure::missing(missing));
        }
        let wrong = self
            .given()
            .into_iter()
            .find(|(option, given)| *given && !needed.contains(option) && !allowed.contains(option));
        match wrong {
            None => Ok(action),
            Some((option, _)) => Err(Failure::usage(format!(
                "Option \"[{option}]\" can't be used with action \"[{}]\"",
                action.name()
            ))),
        }
    }

    fn check_old(&self) -> Result<Action, Failure> {
        let action = self.one_action("--generate, --execute or --verify")?;
        if matches!(action, Action::Cancel | Action::List) {
            return Err(Failure::usage(format!(
                "--{} works through brokers: --bootstrap-server must be specified instead of --zookeeper",
                action.name()
            )));
        }
        if self.zookeeper.is_none() {
            return Err(Failure::missing("zookeeper"));
        }
        let (needed, _) = action.options();
        if needed.iter().any(|option| !self.has(option)) {
            return Err(Failure::usage(match action {
                Action::Generate => {
                    "If --generate option is used, command must include both --topics-to-move-json-file and --broker-list options"
                }
                Action::Verify => {
                    "If --verify option is used, command must include --reassignment-json-file that was used during the --execute option"
                }
                _ => {
                    "If --execute option is used, command must include --reassignment-json-file that was output during the --generate option"
                }
            }));
        }
        let refused: &[&str] = match action {
            Action::Verify => &[
                "throttle",
                "replica-alter-log-dirs-throttle",
                "topics-to-move-json-file",
                "disable-rack-aware",
                "broker-list",
            ],
            Action::Generate => &["throttle", "replica-alter-log-dirs-throttle", "reassignment-json-file"],
            _ => &["topics-to-move-json-file", "disable-rack-aware", "broker-list"],
        };
        // What came later than this mode has no meaning in it.
        let refused = refused.iter().chain(&["additional", "preserve-throttles"]);
        match refused.into_iter().find(|option| self.has(option)) {
            Some(option) => Err(Failure::conflict(action.name(), option)),
            None => Ok(action),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Result<Action, String> {
        let words = std::iter::once("reassign-partitions").chain(line.split_whitespace());
        Args::try_parse_from(words).unwrap().check().map_err(|failure| failure.message)
    }

    #[test]
    fn missing_and_contradicting_options_are_named_in_kafkas_words() {
        let one =
            "Command must include exactly one action: --generate, --execute, --verify, --cancel, --list";
        let one_of_old = "Command must include exactly one action: --generate, --execute or --verify";
        let cases = [
            ("--bootstrap-server b:1", one),
            ("--bootstrap-server b:1 --list --verify", one),
            ("--list", "Please specify either --bootstrap-server or --bootstrap-controller"),
            (
                "--bootstrap-server b:1 --generate --broker-list 1",
                "Missing required argument \"[topics-to-move-json-file]\"",
            ),
            (
                "--bootstrap-server b:1 --list --throttle 1",
                "Option \"[throttle]\" can't be used with action \"[list]\"",
            ),
            ("--zookeeper z:1", one_of_old),
            ("--era 0.11 --verify", "Missing required argument \"[zookeeper]\""),
            (
                "--zookeeper z:1 --verify --reassignment-json-file f --throttle 1",
                "Option \"[verify]\" can't be used with option \"[throttle]\"",
            ),
        ];
        for (line, words) in cases {
            assert_eq!(said(line), Err(words.to_owned()), "{line}");
        }
        assert_eq!(
            said("--zookeeper z:1 --execute --reassignment-json-file f --throttle 1"),
            Ok(Action::Execute)
        );
        assert_eq!(said("--bootstrap-server b:1 --cancel --reassignment-json-file f"), Ok(Action::Cancel));
    }

    #[test]
    fn a_negative_limit_is_none() {
        let args = Args::parse_from(["x", "--throttle=-1", "--replica-alter-log-dirs-throttle=5"]);
        assert_eq!(args.limits(), Limits { brokers: None, dirs: Some(5) });
        assert_eq!(args.timeout_ms(), 10_000);
    }
}
