//! The ensemble's configuration: `config` and `reconfig`.

use zookeeper_client as zk;

use super::{
    commands::print_stat,
    line::Line,
    refusal::Refusal,
    watches::{About, Watches},
};
use crate::tools::output;

/// Where ZooKeeper keeps it.
const CONFIG: &str = "/zookeeper/config";

/// The flags of `reconfig`, and whether they take a value.
pub(super) const RECONFIG: &[(&str, bool)] =
    &[("s", false), ("v", true), ("file", true), ("members", true), ("add", true), ("remove", true)];

/// `config`: what it is, or with `-c` how clients connect.
pub(super) async fn config(client: &zk::Client, watches: &Watches, line: &Line) -> Result<(), Refusal> {
    let (data, stat) = if line.has("w") {
        let (data, stat, watcher) = client.get_and_watch_config().await.map_err(Refusal::zk(CONFIG))?;
        watches.once(CONFIG, About::Data, watcher);
        (data, stat)
    } else {
        client.get_config().await.map_err(Refusal::zk(CONFIG))?
    };
    let text = String::from_utf8_lossy(&data);
    output::line(if line.has("c") { for_clients(&text) } else { text.into_owned() });
    if line.has("s") {
        print_stat(&stat);
    }
    Ok(())
}

/// The version, and the addresses at which servers wait for clients.
fn for_clients(config: &str) -> String {
    let (mut version, mut addresses) = ("", Vec::new());
    for line in config.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        if key == "version" {
            version = value;
        }
        // `host:port:port:role;[host:]port`
        if let Some((_, client)) = value.split_once(';').filter(|_| key.starts_with("server.")) {
            addresses.push(if client.contains(':') {
                client.to_owned()
            } else {
                format!("0.0.0.0:{client}")
            });
        }
    }
    format!("{version} {}", addresses.join(","))
}

/// `reconfig`: servers that join and leave, or all that there are from now on.
pub(super) async fn reconfigure(client: &zk::Client, line: &Line) -> Result<(), Refusal> {
    let words = |text: &str| Err(Refusal::Words(text.to_owned()));
    let (whole, parts) = (line.has("file") || line.has("members"), line.has("add") || line.has("remove"));
    if !whole && !parts {
        return Err(Refusal::Usage);
    }
    let version = match line.value("v").map(|version| i64::from_str_radix(version, 16)) {
        None => None,
        Some(Ok(version)) => Some(version),
        Some(Err(_)) => return words("-v must be followed by a long (configuration version)"),
    };
    if whole && parts {
        return words(
            "Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental modes is not allowed)",
        );
    }
    if line.has("file") && line.has("members") {
        return words("Can't use -file and -members together (conflicting non-incremental modes)");
    }
    let list = |flag: &str| {
        let list = line.value(flag).unwrap_or_default().to_lowercase();
        list.split(',').filter(|entry| !entry.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let done = if parts {
        let (joining, leaving) = (list("add"), list("remove"));
        let update = zk::EnsembleUpdate::Incremental {
            joinings: joining.iter().map(String::as_str),
            leavings: leaving.iter().map(String::as_str),
        };
        client.update_ensemble(update, version).await
    } else {
        let members = match line.value("file") {
            Some(path) => members_of(path)?,
            None => list("members"),
        };
        let update = zk::EnsembleUpdate::New { ensemble: members.iter().map(String::as_str) };
        client.update_ensemble(update, version).await
    };
    let (config, stat) = done.map_err(Refusal::zk(""))?;
    output::line(format_args!("Committed new configuration:\n{}", String::from_utf8_lossy(&config)));
    if line.has("s") {
        print_stat(&stat);
    }
    Ok(())
}

/// The servers that a configuration file names.
fn members_of(path: &str) -> Result<Vec<String>, Refusal> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Refusal::Words(format!("Error processing {path}{error}")))?;
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("server."));
    Ok(lines.map(str::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_where_to_connect() {
        let config = "server.1=a:2888:3888:participant;0.0.0.0:2181\nserver.2=b:2888:3888:observer;2182\nversion=100000000";
        assert_eq!(for_clients(config), "100000000 0.0.0.0:2181,0.0.0.0:2182");
        assert_eq!(for_clients(""), " ");
    }
}
