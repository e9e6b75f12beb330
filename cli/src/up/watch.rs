//! The manifest's changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// Editors write a file in several steps: a change counts when it has been quiet for so long.
const QUIET: Duration = Duration::from_millis(100);

/// Tells when a file may have changed.
#[derive(Debug)]
pub(super) struct Watch {
    /// Kept, since dropping it ends the watch.
    _watcher: notify::RecommendedWatcher,
    events: mpsc::Receiver<()>,
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
        Ok(Watch { _watcher: watcher, events })
    }

    /// Returns when the file has changed and is quiet.
    pub(super) async fn changed(&mut self) {
        if self.events.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(QUIET, self.events.recv()).await {}
    }
}
