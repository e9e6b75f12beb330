//! What the shell watches, and how it tells of changes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use tokio::task::AbortHandle;
use zookeeper_client as zk;

use super::{line::Line, refusal::Refusal};
use crate::tools::output;

/// What a watch is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A node's data, or whether it is there.
    Data,
    /// Its children.
    Children,
    /// Everything, for as long as the session lives.
    All,
}

impl About {
    /// The event that tells of a watch's end.
    fn removed(self) -> &'static str {
        match self {
            About::Data => "DataWatchRemoved",
            About::Children => "ChildWatchRemoved",
            About::All => "PersistentWatchRemoved",
        }
    }
}

/// The watches of a shell.
#[derive(Debug)]
pub(super) struct Watches {
    print: Arc<AtomicBool>,
    set: Mutex<Vec<Watch>>,
}

#[derive(Debug)]
struct Watch {
    path: String,
    about: About,
    /// What waits for the change; a watch is taken back where nobody waits.
    task: AbortHandle,
}

impl Watches {
    /// None yet; changes are told while `print` says so.
    pub(super) fn new(print: Arc<AtomicBool>) -> Watches {
        Watches { print, set: Mutex::default() }
    }

    /// Tells of one change when it comes.
    pub(super) fn once(&self, path: &str, about: About, watcher: zk::OneshotWatcher) {
        let print = self.print.clone();
        self.add(path, about, async move { tell(&print, &watcher.changed().await) });
    }

    /// Tells of every change until the session ends.
    pub(super) fn always(&self, path: &str, mut watcher: zk::PersistentWatcher) {
        let print = self.print.clone();
        self.add(path, About::All, async move {
            loop {
                let event = watcher.changed().await;
                let ended = event.session_state.is_terminated();
                // Of its session the shell tells itself.
                if event.event_type != zk::EventType::Session {
                    tell(&print, &event);
                }
                if ended {
                    return;
                }
            }
        });
    }

    fn add(&self, path: &str, about: About, wait: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(wait).abort_handle();
        let mut set = self.set.lock();
        set.retain(|watch| !watch.task.is_finished());
        set.push(Watch { path: path.to_owned(), about, task });
    }

    /// Takes the watches of a node back that are about these, or all of them, and tells of their end.
    pub(super) fn remove(&self, path: &str, about: Option<About>) -> Result<(), Refusal> {
        let taken: Vec<Watch> = {
            let mut set = self.set.lock();
            set.retain(|watch| !watch.task.is_finished());
            let meant =
                |watch: &mut Watch| watch.path == path && about.is_none_or(|about| watch.about == about);
            set.extract_if(.., meant).collect()
        };
        if taken.is_empty() {
            return Err(Refusal::ZooKeeper(zk::Error::NoWatcher, path.to_owned()));
        }
        let mut told = Vec::new();
        for watch in taken {
            watch.task.abort();
            if !told.contains(&watch.about) {
                told.push(watch.about);
                print(&self.print, watch.about.removed(), path);
            }
        }
        Ok(())
    }
}

fn tell(print_watches: &AtomicBool, event: &zk::WatchedEvent) {
    let kind = match event.event_type {
        zk::EventType::NodeCreated => "NodeCreated",
        zk::EventType::NodeDeleted => "NodeDeleted",
        zk::EventType::NodeDataChanged => "NodeDataChanged",
        zk::EventType::NodeChildrenChanged => "NodeChildrenChanged",
        zk::EventType::Session => "None",
    };
    print(print_watches, kind, &event.path);
}

fn print(print_watches: &AtomicBool, kind: &str, path: &str) {
    if print_watches.load(Ordering::Relaxed) {
        output::write(&format!("\nWATCHER::\n\nWatchedEvent state:SyncConnected type:{kind} path:{path}\n"));
    }
}

/// `addWatch`: of a node, or of everything below it too.
pub(super) async fn add(client: &zk::Client, watches: &Watches, line: &Line) -> Result<(), Refusal> {
    let [path] = &line.operands[..] else { return Err(Refusal::Usage) };
    let mode = match line.value("m").map(str::to_uppercase).as_deref() {
        None | Some("PERSISTENT_RECURSIVE") => zk::AddWatchMode::PersistentRecursive,
        Some("PERSISTENT") => zk::AddWatchMode::Persistent,
        Some(_) => return Err(Refusal::Usage),
    };
    let watcher = client.watch(path, mode).await.map_err(Refusal::zk(path))?;
    watches.always(path, watcher);
    Ok(())
}

/// `removewatches`.
pub(super) fn remove(watches: &Watches, line: &Line) -> Result<(), Refusal> {
    let path = line.operand(0).ok_or(Refusal::Usage)?;
    let about = match (line.has("c"), line.has("d")) {
        (true, _) => Some(About::Children),
        (false, true) => Some(About::Data),
        (false, false) => None,
    };
    watches.remove(path, about)
}
