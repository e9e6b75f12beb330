//! The manifest's changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Editors write a file in several steps: a change counts when it has been quiet for so long.
const QUIET: Duration = Duration::from_millis(100);

/// Tells when a file may have changed.
#[derive(Debug)]
pub(super) struct Watch {
    /// Kept, since dropping it ends the watch.
    _watcher: notify::RecommendedWatcher,
    events: mpsc::Receiver<()>,
    /// Since when the file may be other than it was when [`Watch::changed`] last returned.
    changed_at: Option<Instant>,
}

impl Watch {
    /// Watches a file through its directory, because editors replace files rather than write into them.
    pub(super) fn start(file: &Path) -> Result<Watch, notify::Error> {
        let (sender, events) = mpsc::channel(1);
        let name = file.file_name().map(ToOwned::to_owned);
        let mut watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            let ours = match event {
                // Reading the file is an event too, and our own.
                Ok(event) => {
                    !event.kind.is_access()
                        && (event.paths.is_empty()
                            || event.paths.iter().any(|path| path.file_name() == name.as_deref()))
                }
                // Lost events: look.
                Err(_) => true,
            };
            if ours {
                // One word in the channel is enough, however often the file changes.
                let _ = sender.try_send(());
            }
        })?;
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        Ok(Watch { _watcher: watcher, events, changed_at: None })
    }

    /// Returns when the file has changed and is quiet. Nothing is forgotten when the future is dropped before.
    pub(super) async fn changed(&mut self) {
        loop {
            let quiet_at = self.changed_at.map(|at| at + QUIET);
            let event = match quiet_at {
                None => self.events.recv().await,
                Some(at) => match tokio::time::timeout_at(at, self.events.recv()).await {
                    Ok(event) => event,
                    Err(_) => {
                        self.changed_at = None;
                        return;
                    }
                },
            };
            match event {
                Some(()) => self.changed_at = Some(Instant::now()),
                None => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_not_forgotten_when_something_else_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::start(&folder.path().join("file")).unwrap();
        let (sender, events) = mpsc::channel(1);
        watch.events = events;
        sender.send(()).await.unwrap();
        for _ in 0..20 {
            // As when the topics of a moment before are done within the quiet time.
            let done = tokio::time::timeout(QUIET / 10, watch.changed()).await;
            if done.is_ok() {
                return;
            }
        }
        panic!("the change was forgotten");
    }
}
