//! Brokers of one cluster are restarted one after the other: the next when every replica has caught up, so that records with acks=all and
//! `min.insync.replicas` go on to be taken.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use vltava_client::{Client, Options};

/// How long a broker may take to catch up before the next is restarted all the same: what holds it up does not go away by waiting.
const CATCH_UP: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(200);

/// Waits until `brokers` brokers live and every partition of every topic has all its replicas in sync. `false` when it takes too long.
pub(super) async fn all_in_sync(bootstrap: &str, brokers: usize) -> bool {
    let end = Instant::now() + CATCH_UP;
    while Instant::now() < end {
        if timeout(CATCH_UP, are_in_sync(bootstrap, brokers)).await.is_ok_and(|are| are == Some(true)) {
            return true;
        }
        sleep(LOOK).await;
    }
    false
}

/// Whether as many brokers live as there should be: before that topics would be refused for want of brokers.
pub(super) async fn all_live(bootstrap: &str, brokers: usize) -> bool {
    let look = async {
        let options = Options { timeout: Duration::from_secs(5), ..Options::new(bootstrap).ok()? };
        let mut client = Client::connect(options).await.ok()?;
        let metadata = client.metadata(Some(&[])).await.ok()?;
        Some(metadata.brokers.len() >= brokers)
    };
    look.await == Some(true)
}

/// `None` while no broker answers.
async fn are_in_sync(bootstrap: &str, brokers: usize) -> Option<bool> {
    let options = Options { timeout: Duration::from_secs(5), ..Options::new(bootstrap).ok()? };
    let mut client = Client::connect(options).await.ok()?;
    let metadata = client.metadata(None).await.ok()?;
    let mut partitions = metadata.topics.iter().flat_map(|topic| &topic.partitions);
    let is_whole = partitions.all(|partition| partition.isr_nodes.len() == partition.replica_nodes.len());
    Some(metadata.brokers.len() >= brokers && is_whole)
}
