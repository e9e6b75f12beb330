//! Running test programs: one that ends by itself, and a consumer that stays until it is told to leave.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vltava_testkit::process::Running;
use vltava_testkit::vltava::Server;
use vltava_testkit::wait;

use crate::client::Client;
use crate::line::{self, Line, Record};

/// How long one step of a program may take when the machine is busy with other tests.
pub const LIMIT: Duration = Duration::from_secs(300);

static STARTED: AtomicUsize = AtomicUsize::new(0);

/// Starts a command of a client; its output goes to a file of its own below `folder`.
#[must_use]
pub fn start(client: &Client, folder: &Path, arguments: &[&str]) -> Running {
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let log: PathBuf = folder.join(format!("{}-{}-{number}.out", client.name, arguments[0]));
    Running::start(&format!("{} {}", client.name, arguments.join(" ")), client.command(arguments), &log)
}

/// Waits for the end of a command that must succeed; what it printed.
#[must_use]
pub fn finish(mut running: Running) -> Vec<Line> {
    let status = running.wait(LIMIT);
    assert!(status.success(), "the program ended with {status}:\n{}", running.output());
    line::parse(&running.output())
}

/// Runs a command that must succeed; what it printed.
#[must_use]
pub fn run(client: &Client, folder: &Path, arguments: &[&str]) -> Vec<Line> {
    finish(start(client, folder, arguments))
}

/// A member of a consumer group.
#[derive(Debug)]
pub struct Member {
    running: Running,
    name: String,
}

impl Member {
    /// Starts a member that reads `topic` from its beginning.
    #[must_use]
    pub fn join(client: &Client, server: &Server, folder: &Path, topic: &str, group: &str) -> Member {
        let through = if client.zookeeper_groups { server.zookeeper() } else { server.address() };
        let running = start(client, folder, &["consume", &through.to_string(), topic, group]);
        Member { running, name: format!("{} in {group}", client.name) }
    }

    /// What it printed until now.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        line::parse(&self.running.output())
    }

    /// Its whole output, the log of the library included.
    #[must_use]
    pub fn output(&self) -> String {
        self.running.output()
    }

    /// The records it read until now.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lines()
            .into_iter()
            .filter_map(|line| if let Line::Record(record) = line { Some(record) } else { None })
            .collect()
    }

    /// The partitions it owns now.
    #[must_use]
    pub fn owned(&self) -> BTreeSet<i32> {
        self.lines()
            .into_iter()
            .filter_map(|line| if let Line::Assigned(partitions) = line { Some(partitions) } else { None })
            .next_back()
            .unwrap_or_default()
    }

    /// Waits until it owns these partitions.
    pub fn wait_to_own(&mut self, partitions: &[i32]) {
        let wanted: BTreeSet<i32> = partitions.iter().copied().collect();
        wait::until(&format!("{} owns {wanted:?}", self.name), LIMIT, || {
            self.check_alive();
            (self.owned() == wanted).then_some(())
        });
    }

    /// Waits until it has read `count` records or more.
    pub fn wait_for_records(&mut self, count: usize) {
        wait::until(&format!("{} reads {count} records", self.name), LIMIT, || {
            self.check_alive();
            (self.records().len() >= count).then_some(())
        });
    }

    /// Panics with the output when the program has ended.
    pub fn check_alive(&mut self) {
        assert!(self.running.alive(), "{} ended:\n{}", self.name, self.output());
    }

    /// Lets it leave the group; every record it ever read.
    #[must_use]
    pub fn leave(mut self) -> Vec<Record> {
        self.running.stop(LIMIT);
        assert!(self.lines().contains(&Line::Left), "{} did not leave:\n{}", self.name, self.output());
        self.records()
    }
}

/// Waits until two members share `partitions`, each owning one at least.
pub fn wait_to_share(first: &mut Member, second: &mut Member, partitions: &[i32]) {
    let all: BTreeSet<i32> = partitions.iter().copied().collect();
    let what = format!("{} and {} share {all:?}", first.name, second.name);
    wait::until(&what, LIMIT, || {
        first.check_alive();
        second.check_alive();
        let (one, other) = (first.owned(), second.owned());
        let apart = one.is_disjoint(&other) && !one.is_empty() && !other.is_empty();
        (apart && &one | &other == all).then_some(())
    });
}

/// Waits until two members have read `count` records together.
pub fn wait_for_both(first: &mut Member, second: &mut Member, count: usize) {
    let what = format!("{} and {} read {count} records", first.name, second.name);
    wait::until(&what, LIMIT, || {
        first.check_alive();
        second.check_alive();
        (first.records().len() + second.records().len() >= count).then_some(())
    });
}
