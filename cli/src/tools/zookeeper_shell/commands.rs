//! The commands.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::tz::TimeZone;
use vltava_broker::control::Session;
use zookeeper_client as zk;

use super::{
    acl, ensemble,
    line::{Line, split},
    quotas,
    refusal::Refusal,
    stat, usage,
    watches::{self, About, Watches},
};
use crate::tools::{failure::Failure, output, zookeeper};

/// How many commands `history` shows, the last of them itself.
const SHOWN: usize = 11;

/// How many commands can be done again.
const REMEMBERED: usize = 10_000;

/// What became of a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It has been obeyed.
    Done,
    /// The shell ends.
    Quit,
    /// It has not.
    Failed {
        /// The exit code.
        code: u8,
        /// What goes to standard error.
        words: String,
    },
}

/// The shell's state.
#[derive(Debug)]
pub(super) struct Shell {
    address: String,
    session: Option<Session>,
    print_watches: Arc<AtomicBool>,
    watches: Watches,
    /// Numbered commands, the oldest first.
    history: VecDeque<(usize, String)>,
    next: usize,
}

impl Shell {
    /// A shell that is not connected yet.
    pub(super) fn new(address: String, print_watches: Arc<AtomicBool>) -> Shell {
        let watches = Watches::new(print_watches.clone());
        Shell { address, session: None, print_watches, watches, history: VecDeque::new(), next: 0 }
    }

    /// Opens the session.
    pub(super) async fn connect(&mut self) -> Result<(), Failure> {
        self.session = Some(zookeeper::connect(&self.address).await?);
        self.event("SyncConnected");
        Ok(())
    }

    /// Tells of the session's own state.
    fn event(&self, state: &str) {
        if self.print_watches.load(Ordering::Relaxed) {
            output::write(&format!("\nWATCHER::\n\nWatchedEvent state:{state} type:None path:null\n"));
        }
    }

    /// A line as it was written before a flag took the place of the operand at `index`, and what to write instead.
    fn compatible(&self, name: &str, mut line: Line, index: usize, flag: char) -> Line {
        if line.operands.len() > index {
            let value = line.operands.remove(index);
            let old = match (name, flag) {
                (_, 'w') => "path [watch]",
                ("set", _) => "path data [version]",
                _ => "path [version]",
            };
            eprintln!("'{name} {old}' has been deprecated. Please use '{}' instead.", usage::of(name));
            line.set(flag, (flag == 'v').then_some(value));
        }
        line
    }

    /// What stands before a line that is typed.
    pub(super) fn prompt(&self) -> String {
        let state = if self.session.is_some() { "CONNECTED" } else { "CLOSED" };
        format!("[zk: {}({state}) {}] ", self.address, self.next)
    }

    /// The words of a line, which gets a number; `None` for an empty one.
    pub(super) fn remember(&mut self, line: &str) -> Option<Vec<String>> {
        let words = split(line);
        if words.is_empty() {
            return None;
        }
        if self.history.len() == REMEMBERED {
            self.history.pop_front();
        }
        self.history.push_back((self.next, line.trim().to_owned()));
        self.next += 1;
        Some(words)
    }

    /// Obeys a command.
    pub(super) async fn run(&mut self, words: &[String]) -> Outcome {
        let mut words = words.to_vec();
        let again = words.first().is_some_and(|name| name == "redo") && words.len() > 1;
        if again {
            match self.earlier(&words[1]) {
                Ok(line) => words = line,
                Err(why) => return Outcome::Failed { code: 1, words: why.to_owned() },
            }
        }
        let Some((name, rest)) = words.split_first() else { return Outcome::Done };
        if name == "quit" {
            return Outcome::Quit;
        }
        if name == "help" {
            // To ZooKeeper's shell it is no command, and so it ends with the code of an unknown one.
            return Outcome::Failed { code: 127, words: usage::all().trim_end().to_owned() };
        }
        if !usage::COMMANDS.iter().any(|(known, _)| known == name) {
            let words = format!("{}Command not found: Command not found {name}", usage::all());
            return Outcome::Failed { code: 127, words };
        }
        match self.obey(name, rest).await {
            Ok(()) => Outcome::Done,
            Err(refusal @ Refusal::NotConnected) => {
                output::line(refusal.words(name));
                Outcome::Done
            }
            // What is done again fails without the shell's failing.
            Err(refusal) => Outcome::Failed { code: u8::from(!again), words: refusal.words(name) },
        }
    }

    /// The words of an earlier command, which the history shows instead of the one that does it again.
    fn earlier(&mut self, number: &str) -> Result<Vec<String>, &'static str> {
        let number = number.parse::<usize>().ok();
        // The last is the one that asks.
        let count = self.history.len().saturating_sub(1);
        let known = self.history.iter().take(count).find(|(known, _)| Some(*known) == number);
        let line = known.map(|(_, line)| line.clone()).ok_or("Command index out of range")?;
        let words = split(&line);
        if words.first().is_some_and(|name| name == "redo") {
            return Err("No redoing redos");
        }
        if let Some((_, last)) = self.history.back_mut() {
            *last = line;
        }
        Ok(words)
    }

    async fn obey(&mut self, name: &str, words: &[String]) -> Result<(), Refusal> {
        let parse = |flags| Line::parse(words, flags).map_err(Refusal::Words);
        match name {
            "history" => {
                for (number, line) in self.history.iter().skip(self.history.len().saturating_sub(SHOWN)) {
                    output::line(format_args!("{number} - {line}"));
                }
                // A command that is not typed is not remembered.
                if self.history.is_empty() {
                    output::line("0 - null");
                }
            }
            "printwatches" => match words {
                [] => {
                    let on = if self.print_watches.load(Ordering::Relaxed) { "on" } else { "off" };
                    output::line(format_args!("printwatches is {on}"));
                }
                [on, ..] => self.print_watches.store(on == "on", Ordering::Relaxed),
            },
            "version" => {
                output::line(format_args!("ZooKeeper CLI version: vltava {}", env!("CARGO_PKG_VERSION")))
            }
            "redo" => {}
            "close" => {
                if self.session.take().is_none() {
                    return Err(Refusal::NotConnected);
                }
                self.event("Closed");
            }
            "connect" => {
                if let Some(address) = words.first() {
                    self.address.clone_from(address);
                }
                self.session = None;
                self.connect().await.map_err(|failure| Refusal::Words(failure.message))?;
            }
            "ls" => self.ls(&self.compatible(name, parse("swR")?, 1, 'w')).await?,
            "get" => self.get(&self.compatible(name, parse("sw")?, 1, 'w')).await?,
            "stat" => self.stat(&self.compatible(name, parse("w")?, 1, 'w')).await?,
            "create" => self.create(&parse("sect:")?).await?,
            "set" => self.set(&self.compatible(name, parse("sv:")?, 2, 'v')).await?,
            "delete" => self.delete(&self.compatible(name, parse("v:")?, 1, 'v')).await?,
            "deleteall" => self.delete_all(&parse("b:")?).await?,
            "getAcl" => self.get_acl(&parse("s")?).await?,
            "setAcl" => self.set_acl(&parse("sv:R")?).await?,
            "addWatch" => watches::add(self.client()?, &self.watches, &parse("m:")?).await?,
            "removewatches" => watches::remove(&self.watches, &parse("cdaprl")?)?,
            "config" => ensemble::config(self.client()?, &self.watches, &parse("swc")?).await?,
            "reconfig" => {
                let line = Line::parse_long(words, ensemble::RECONFIG).map_err(Refusal::Words)?;
                ensemble::reconfigure(self.client()?, &line).await?;
            }
            "setquota" => quotas::set(self.client()?, &parse("n:b:N:B:")?).await?,
            "listquota" => quotas::list(self.client()?, &parse("")?).await?,
            "delquota" => quotas::delete(self.client()?, &parse("nbNB")?).await?,
            _ => self.others(name, &parse("")?).await?,
        }
        Ok(())
    }

    async fn others(&mut self, name: &str, line: &Line) -> Result<(), Refusal> {
        let client = self.client()?;
        match name {
            "addauth" => {
                let scheme = line.operand(0).ok_or(Refusal::Usage)?;
                let auth = line.operand(1).unwrap_or_default();
                client.auth(scheme, auth.as_bytes()).await.map_err(Refusal::zk(""))?;
            }
            "getAllChildrenNumber" => {
                let path = path(line)?;
                let count = client.count_descendants_number(path).await.map_err(Refusal::zk(path))?;
                output::line(count);
            }
            "getEphemerals" => {
                let path = line.operand(0).unwrap_or("/");
                let found = client.list_ephemerals(path).await.map_err(Refusal::zk(path))?;
                output::line(format_args!("[{}]", found.join(", ")));
            }
            "sync" => {
                let path = path(line)?;
                client.sync(path).await.map_err(Refusal::zk(path))?;
                output::line("Sync is OK");
            }
            "whoami" => {
                output::line("Auth scheme: User");
                for user in client.list_auth_users().await.map_err(Refusal::zk(""))? {
                    output::line(format_args!("{}: {}", user.scheme(), user.user()));
                }
            }
            _ => return Err(Refusal::Usage),
        }
        Ok(())
    }

    fn client(&self) -> Result<&zk::Client, Refusal> {
        let session = self.session.as_ref().ok_or(Refusal::NotConnected)?;
        Ok(session.client())
    }

    async fn ls(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        if line.has("R") {
            return descend(client, path).await;
        }
        let mut children = if line.has("w") {
            let (children, watcher) =
                client.list_and_watch_children(path).await.map_err(Refusal::zk(path))?;
            self.watches.once(path, About::Children, watcher);
            children
        } else {
            client.list_children(path).await.map_err(Refusal::zk(path))?
        };
        children.sort_unstable();
        output::line(format_args!("[{}]", children.join(", ")));
        if line.has("s") {
            let stat = client.check_stat(path).await.map_err(Refusal::zk(path))?;
            print_stat(&stat.ok_or_else(|| Refusal::ZooKeeper(zk::Error::NoNode, path.to_owned()))?);
        }
        Ok(())
    }

    async fn get(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        let (data, stat) = if line.has("w") {
            let (data, stat, watcher) = client.get_and_watch_data(path).await.map_err(Refusal::zk(path))?;
            self.watches.once(path, About::Data, watcher);
            (data, stat)
        } else {
            client.get_data(path).await.map_err(Refusal::zk(path))?
        };
        // A znode without data reads as one with no bytes of it; Kafka's have none.
        let text = if data.is_empty() { "null".into() } else { String::from_utf8_lossy(&data) };
        output::line(text);
        if line.has("s") {
            print_stat(&stat);
        }
        Ok(())
    }

    async fn stat(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        let stat = if line.has("w") {
            let (stat, watcher) = client.check_and_watch_stat(path).await.map_err(Refusal::zk(path))?;
            self.watches.once(path, About::Data, watcher);
            stat
        } else {
            client.check_stat(path).await.map_err(Refusal::zk(path))?
        };
        print_stat(&stat.ok_or_else(|| Refusal::ZooKeeper(zk::Error::NoNode, path.to_owned()))?);
        Ok(())
    }

    async fn create(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        let sequential = line.has("s");
        let mode = match (sequential, line.has("e"), line.has("c")) {
            (_, true, true) | (true, _, true) => {
                return Err(Refusal::Words(
                    "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential."
                        .into(),
                ));
            }
            (_, _, true) => zk::CreateMode::Container,
            (true, true, _) => zk::CreateMode::EphemeralSequential,
            (true, false, _) => zk::CreateMode::PersistentSequential,
            (false, true, _) => zk::CreateMode::Ephemeral,
            (false, false, _) => zk::CreateMode::Persistent,
        };
        let ttl = match line.value("t").map(str::parse) {
            None => None,
            Some(Ok(millis)) => Some(Duration::from_millis(millis)),
            Some(Err(_)) => return Err(Refusal::Words("-t argument must be a long value".to_owned())),
        };
        if ttl.is_some()
            && let Some(kind) =
                [("e", "Ephemeral"), ("c", "Container")].iter().find(|(flag, _)| line.has(flag))
        {
            return Err(Refusal::Words(format!("TTLs cannot be used with {} znodes", kind.1)));
        }
        let acls = line.operand(2).map(|list| read_acl(list, path)).transpose()?;
        let mut options = mode.with_acls(acls.as_deref().map_or(zk::Acls::anyone_all(), zk::Acls::new));
        if let Some(ttl) = ttl {
            options = options.with_ttl(ttl);
        }
        let data = line.operand(1).unwrap_or_default().as_bytes();
        let (_, sequence) = client.create(path, data, &options).await.map_err(Refusal::zk(path))?;
        if sequential {
            eprintln!("Created {path}{sequence}");
        } else {
            eprintln!("Created {path}");
        }
        Ok(())
    }

    async fn set(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        let data = line.operand(1).ok_or(Refusal::Usage)?;
        let stat = client.set_data(path, data.as_bytes(), version(line)?).await.map_err(Refusal::zk(path))?;
        if line.has("s") {
            print_stat(&stat);
        }
        Ok(())
    }

    async fn delete(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        client.delete(path, version(line)?).await.map_err(Refusal::zk(path))
    }

    async fn delete_all(&self, line: &Line) -> Result<(), Refusal> {
        let path = path(line)?;
        let session = self.session.as_ref().ok_or(Refusal::NotConnected)?;
        if let Some(size) = line.value("b").filter(|size| size.parse::<i32>().is_err()) {
            return Err(Refusal::Words(format!("-b argument must be an int value: {size}")));
        }
        if session.client().check_stat(path).await.map_err(Refusal::zk(path))?.is_none() {
            return Err(Refusal::ZooKeeper(zk::Error::NoNode, path.to_owned()));
        }
        let failed = |failure: Failure| {
            Refusal::Words(format!("Failed to delete some node(s) in the subtree! {}", failure.message))
        };
        zookeeper::delete_tree(session, path).await.map_err(failed)
    }

    async fn get_acl(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        let (acls, stat) = client.get_acl(path).await.map_err(Refusal::zk(path))?;
        output::write(&acl::lines(&acls));
        if line.has("s") {
            print_stat(&stat);
        }
        Ok(())
    }

    async fn set_acl(&self, line: &Line) -> Result<(), Refusal> {
        let (client, path) = (self.client()?, path(line)?);
        let list = line.operand(1).ok_or(Refusal::Usage)?;
        let acls = read_acl(list, path)?;
        let version = version(line)?;
        let mut paths = vec![path.to_owned()];
        if line.has("R") {
            paths.extend(below(client, path).await?);
        }
        for path in &paths {
            let stat = client.set_acl(path, &acls, version).await.map_err(Refusal::zk(path))?;
            if line.has("s") {
                print_stat(&stat);
            }
        }
        Ok(())
    }
}

/// A list of ACLs for a znode.
fn read_acl(list: &str, path: &str) -> Result<Vec<zk::Acl>, Refusal> {
    acl::parse(list).map_err(|entry| {
        let words = format!("{entry} does not have the form scheme:id:perm\nAcl is not valid : {path}");
        Refusal::Words(words)
    })
}

/// The first operand, which names a znode.
pub(super) fn path(line: &Line) -> Result<&str, Refusal> {
    let path = line.operand(0).ok_or(Refusal::Usage)?;
    let wrong = |why: &str| Err(Refusal::Words(why.to_owned()));
    if !path.starts_with('/') {
        return wrong("Path must start with / character");
    }
    if path.len() > 1 && path.ends_with('/') {
        return wrong("Path must not end with / character");
    }
    Ok(path)
}

/// `-v`.
fn version(line: &Line) -> Result<Option<i32>, Refusal> {
    match line.value("v").map(str::parse) {
        None => Ok(None),
        // ZooKeeper's own word for any version.
        Some(Ok(-1)) => Ok(None),
        Some(Ok(version)) => Ok(Some(version)),
        Some(Err(_)) => Err(Refusal::Usage),
    }
}

pub(super) fn print_stat(stat: &zk::Stat) {
    output::write(&stat::lines(stat, &TimeZone::system()));
}

/// Prints a znode and everything below it, each before its children.
async fn descend(client: &zk::Client, path: &str) -> Result<(), Refusal> {
    output::line(path);
    for path in below(client, path).await? {
        output::line(path);
    }
    Ok(())
}

/// Everything below a znode, each before its children. What goes meanwhile is passed over.
pub(super) async fn below(client: &zk::Client, path: &str) -> Result<Vec<String>, Refusal> {
    let (mut found, mut open) = (Vec::new(), vec![path.to_owned()]);
    let mut first = true;
    while let Some(parent) = open.pop() {
        let mut children = match client.list_children(&parent).await {
            Ok(children) => children,
            Err(zk::Error::NoNode) if !first => continue,
            Err(error) => return Err(Refusal::ZooKeeper(error, parent)),
        };
        if !first {
            found.push(parent.clone());
        }
        first = false;
        children.sort_unstable_by(|a, b| b.cmp(a));
        let above = if parent == "/" { "" } else { parent.as_str() };
        open.extend(children.iter().map(|child| format!("{above}/{child}")));
    }
    Ok(found)
}
