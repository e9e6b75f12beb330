//! What commands there are and how they are written, as ZooKeeper 3.8 and 3.9 list them.

/// Names and what follows them.
pub(super) const COMMANDS: [(&str, &str); 29] = [
    (
        "addWatch",
        "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE",
    ),
    ("addauth", "scheme auth"),
    ("close", ""),
    ("config", "[-c] [-w] [-s]"),
    ("connect", "host:port"),
    ("create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]"),
    ("delete", "[-v version] path"),
    ("deleteall", "path [-b batch size]"),
    ("delquota", "[-n|-b|-N|-B] path"),
    ("get", "[-s] [-w] path"),
    ("getAcl", "[-s] path"),
    ("getAllChildrenNumber", "path"),
    ("getEphemerals", "path"),
    ("history", ""),
    ("listquota", "path"),
    ("ls", "[-s] [-w] [-R] path"),
    ("printwatches", "on|off"),
    ("quit", ""),
    (
        "reconfig",
        "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
    ),
    ("redo", "cmdno"),
    ("removewatches", "path [-c|-d|-a] [-l]"),
    ("set", "[-s] [-v version] path data"),
    ("setAcl", "[-s] [-v version] [-R] path acl"),
    ("setquota", "-n|-b|-N|-B val path"),
    ("stat", "[-w] path"),
    ("sync", "path"),
    ("version", ""),
    ("whoami", ""),
    ("help", ""),
];

/// All of them.
pub(super) fn all() -> String {
    let mut text = "ZooKeeper -server host:port -client-configuration properties-file cmd args\n".to_owned();
    for (name, rest) in COMMANDS {
        if name != "help" {
            text += &format!("\t{name} {rest}\n");
        }
    }
    text
}

/// One of them.
pub(super) fn of(name: &str) -> String {
    let found = COMMANDS.iter().find(|(known, _)| *known == name);
    found.map_or_else(|| name.to_owned(), |(name, rest)| format!("{name} {rest}").trim_end().to_owned())
}
