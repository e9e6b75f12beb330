//! Commands that could not be obeyed, in the words of ZooKeeper's own shell.

use zookeeper_client as zk;

use super::usage;

/// A command that could not be obeyed.
pub(super) enum Refusal {
    /// It is written wrongly.
    Usage,
    /// It is refused for what it says.
    Words(String),
    /// There is no session. That is said on standard output, and no failure.
    NotConnected,
    /// ZooKeeper refused, about a path.
    ZooKeeper(zk::Error, String),
}

impl Refusal {
    pub(super) fn zk(path: &str) -> impl FnOnce(zk::Error) -> Refusal + '_ {
        |error| Refusal::ZooKeeper(error, path.to_owned())
    }

    /// In zkCli's words.
    pub(super) fn words(self, command: &str) -> String {
        let (error, path) = match self {
            Refusal::Usage => return usage::of(command),
            Refusal::Words(words) => return words,
            Refusal::NotConnected => return "Not connected".to_owned(),
            Refusal::ZooKeeper(error, path) => (error, path),
        };
        match error {
            zk::Error::NoNode => format!("Node does not exist: {path}"),
            zk::Error::NodeExists => format!("Node already exists: {path}"),
            zk::Error::NotEmpty => format!("Node not empty: {path}"),
            zk::Error::NoChildrenForEphemerals => format!("Ephemerals cannot have children: {path}"),
            zk::Error::BadVersion => format!("version No is not valid : {path}"),
            zk::Error::NoAuth => format!("Insufficient permission : {path}"),
            zk::Error::InvalidAcl => format!("Acl is not valid : {path}"),
            zk::Error::QuotaExceeded => format!("Quota has exceeded : {path}"),
            zk::Error::BadArguments(why) => format!("Arguments are not valid : {path}: {why}"),
            zk::Error::AuthFailed => "Authentication failed".to_owned(),
            zk::Error::ReconfigDisabled => "KeeperErrorCode = Reconfig is disabled".to_owned(),
            zk::Error::Unimplemented => "KeeperErrorCode = Unimplemented".to_owned(),
            zk::Error::NoWatcher => format!("KeeperErrorCode = No such watcher for {path}"),
            error => format!("ZooKeeper: {error}: {path}"),
        }
    }
}
