//! Followers that have fallen behind leave the in-sync set: looked for every half of `replica.lag.time.max.ms`, so that one is found out within one
//! and a half of it, as in Kafka.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::Broker;

/// Looks until `stop`.
pub async fn look_for_laggards(broker: Arc<Broker>, lag_ms: i64, stop: CancellationToken) {
    let period = Duration::from_millis(u64::try_from(lag_ms / 2).unwrap_or(0).max(10));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(period) => {}
        }
        // A short lock for each partition that this broker leads.
        for partition in broker.replicas.partitions() {
            if partition.leadership().leader == broker.id {
                partition.look_for_laggards();
            }
        }
    }
}
