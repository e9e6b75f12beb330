//! What a server waits for.

use std::{sync::Arc, time::Duration};

use crate::Broker;

/// How often the log directories are looked at. Upkeep finds a failure within a second; this only adds them up.
const LOOK: Duration = Duration::from_secs(2);

/// Returns when the controller's UpdateMetadata has named this broker, or when it can only come by a listener, from another broker; or after
/// `patience`.
pub(super) async fn first_metadata(broker: &Broker, patience: Duration) {
    let mut changes = broker.metadata.changes();
    let known = async {
        while broker.metadata.snapshot().broker(broker.id).is_none() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    let mut status = broker.control.controller_status();
    let elsewhere = status.wait_for(|status| status.elsewhere);
    let begun = async {
        tokio::select! {
            () = known => {}
            _ = elsewhere => {}
        }
    };
    if tokio::time::timeout(patience, begun).await.is_err() {
        tracing::warn!(
            "no controller has told this broker about its cluster within {patience:?}; it serves what it has"
        );
    }
}

/// Returns when no log directory is left: then there is nothing to serve, and a restart may find the disks again.
pub(super) async fn all_directories_lost(broker: &Arc<Broker>) -> String {
    loop {
        tokio::time::sleep(LOOK).await;
        if broker.replicas.storage().disks().iter().all(|disk| disk.is_offline()) {
            return "all log directories have failed".to_owned();
        }
    }
}
