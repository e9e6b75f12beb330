//! The thread that writes the log: it takes all steps that wait, makes them durable with one `fdatasync`, and commits them. While it
//! waits for the disk, the next steps gather: the slower the disk, the larger the groups.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::shared::Shared;
use crate::storage::txnlog::AppendError;
use crate::storage::{MOST_TXNS_AT_ONCE, Storage, purge, snapshot};

/// Steps that go to the disk together at most, so that nobody waits long for the lock while they are applied.
const MOST_STEPS: usize = MOST_TXNS_AT_ONCE;

/// Starts the thread. It ends when the state says `stopping` and no step is left.
pub(super) fn start(shared: Arc<Shared>, storage: Storage, replayed: u64) -> std::io::Result<JoinHandle<()>> {
    let committer = Committer { shared, storage, since_snapshot: replayed, snapshot: None, refusing: false };
    std::thread::Builder::new().name("zookeeper-log".into()).spawn(move || committer.run())
}

struct Committer {
    shared: Arc<Shared>,
    storage: Storage,
    since_snapshot: u64,
    snapshot: Option<JoinHandle<()>>,
    /// Whether the last append was refused, so that one line is logged for many.
    refusing: bool,
}

impl Committer {
    fn run(mut self) {
        loop {
            let steps = {
                let mut state = self.shared.state.lock();
                while !state.engine.has_steps() && !state.stopping {
                    self.shared.work.wait(&mut state);
                }
                if !state.engine.has_steps() {
                    break;
                }
                state.engine.take_steps(MOST_STEPS)
            };
            let txns = steps.iter().filter(|step| step.txn.is_some()).count() as u64;
            match self.storage.append(&steps) {
                Ok(()) => {
                    if std::mem::take(&mut self.refusing) {
                        tracing::info!("the log is written again");
                    }
                    self.shared.with(|engine, now| engine.commit(steps, now));
                    self.since_snapshot += txns;
                    if self.since_snapshot >= self.shared.config.snap_count {
                        self.begin_snapshot();
                    }
                }
                Err(AppendError::Refused(error)) => {
                    if !std::mem::replace(&mut self.refusing, true) {
                        tracing::error!(%error, "writes are refused until the log can be written");
                    }
                    self.shared.with(|engine, now| engine.abort(steps, now));
                    // The next attempt will hardly fare better at once.
                    self.pause(Duration::from_millis(50));
                }
                Err(AppendError::Unknown(error)) => {
                    tracing::error!(%error, "the disk failed: no write is served until a restart, which reads what the disk really has");
                    self.shared.with(|engine, now| engine.lose_log(steps, now));
                }
            }
        }
        if let Some(running) = self.snapshot.take() {
            let _ = running.join();
        }
        if let Err(error) = self.storage.roll() {
            tracing::warn!(%error, "the log file keeps its reserved space");
        }
    }

    fn pause(&self, most: Duration) {
        let mut state = self.shared.state.lock();
        if !state.stopping {
            self.shared.work.wait_for(&mut state, most);
        }
    }

    /// Takes a snapshot of this very moment, beside the work: under the lock only the tree's pointers are copied.
    fn begin_snapshot(&mut self) {
        if self.snapshot.as_ref().is_some_and(|running| !running.is_finished()) {
            return;
        }
        if let Err(error) = self.storage.roll() {
            tracing::warn!(%error, "the log file keeps its reserved space");
        }
        let (tree, mut sessions) =
            self.shared.with(|engine, _| (engine.tree.clone(), engine.sessions.iter().collect::<Vec<_>>()));
        sessions.sort_unstable();
        self.since_snapshot = 0;
        let (snapshots, logs) = (self.storage.snapshot_dir().to_owned(), self.storage.log_dir().to_owned());
        let keep =
            self.shared.config.purge_interval.is_none().then_some(self.shared.config.snap_retain_count);
        let write = move || {
            let result = snapshot::write(&snapshots, &tree, &sessions)
                .and_then(|()| keep.map_or(Ok(0), |keep| purge(&snapshots, &logs, keep)));
            if let Err(error) = result {
                // The log has everything; the next snapshot is one more try.
                tracing::error!(%error, "no snapshot was taken");
            }
        };
        match std::thread::Builder::new().name("zookeeper-snap".into()).spawn(write) {
            Ok(running) => self.snapshot = Some(running),
            Err(error) => tracing::error!(%error, "no snapshot was taken"),
        }
    }
}
