//! What commands there are and how they are written, as ZooKeeper 3.8 and 3.9 list them.

/// Names and what follows them.
pub(super) const COMMANDS: [(&str, &str); 22] = [
    ("addauth", "scheme auth"),
    ("close", ""),
    ("connect", "host:port"),
    ("create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]"),
    ("delete", "[-v version] path"),
    ("deleteall", "path [-b batch size]"),
    ("get", "[-s] [-w] path"),
    ("getAcl", "[-s] path"),
    ("getAllChildrenNumber", "path"),
    ("getEphemerals", "path"),
    ("history", ""),
    ("ls", "[-s] [-w] [-R] path"),
    ("printwatches", "on|off"),
    ("quit", ""),
    ("redo", "cmdno"),
    ("set", "[-s] [-v version] path data"),
    ("setAcl", "[-s] [-v version] [-R] path acl"),
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
