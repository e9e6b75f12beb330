//! Numbers about the server, for the word `mntr` and for metrics.

use std::sync::Arc;

use super::four_letter::{VERSION, decimal, node_count};
use super::shared::{Shared, State};
use crate::engine::ResponseBytes;

/// Looks at the numbers of a server, also while its owner stops it.
#[derive(Debug, Clone)]
pub struct Monitor(pub(super) Arc<Shared>);

impl Monitor {
    /// The numbers, by the names that Apache's metrics for Prometheus and its word `mntr` (there with `zk_` before them) give them.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        let state = self.0.state.lock();
        let rows = rows(&self.0, &state);
        drop(state);
        rows.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect()
    }
}

/// What the word `mntr` and the metrics tell, under the names of both.
pub(super) fn rows(shared: &Shared, state: &State) -> [(&'static str, String); 28] {
    let (engine, latency) = (&state.engine, state.engine.latency());
    let ephemerals: usize = engine.tree.ephemerals().map(|(_, paths)| paths.len()).sum();
    let (local, remote): (Vec<_>, Vec<_>) = state.outboxes.values().partition(|(peer, _)| {
        let address = peer.ip().to_canonical();
        address.is_loopback() || address == shared.local_addr.ip().to_canonical()
    });
    let responses = latency.response_bytes;
    let bytes = |of: fn(ResponseBytes) -> i64| responses.map_or(-1, of).to_string();
    // Apache's rows of one server, without those of its internal queues, of ensembles and of TLS.
    [
        ("version", VERSION.into()),
        ("server_state", "standalone".into()),
        ("ephemerals_count", ephemerals.to_string()),
        ("min_latency", latency.min.to_string()),
        ("avg_latency", decimal(latency.average())),
        ("max_latency", latency.max.to_string()),
        ("num_alive_connections", state.outboxes.len().to_string()),
        ("outstanding_requests", engine.queued().to_string()),
        ("znode_count", node_count(state).to_string()),
        ("watch_count", engine.watches.counts().1.to_string()),
        ("approximate_data_size", engine.tree.data_bytes().to_string()),
        ("packets_received", latency.received.to_string()),
        ("packets_sent", latency.sent.to_string()),
        ("global_sessions", engine.sessions.len().to_string()),
        ("local_sessions", "0".into()),
        ("uptime", shared.started.elapsed().as_millis().to_string()),
        ("open_file_descriptor_count", count_entries("/proc/self/fd").to_string()),
        ("max_client_response_size", bytes(|bytes| bytes.max)),
        ("min_client_response_size", bytes(|bytes| bytes.min)),
        ("last_client_response_size", bytes(|bytes| bytes.last)),
        // Apache counts those of TLS alone, which is not served here.
        ("auth_failed_count", "0".into()),
        ("non_mtls_local_conn_count", local.len().to_string()),
        ("non_mtls_remote_conn_count", remote.len().to_string()),
        ("bytes_received_count", latency.received_bytes.to_string()),
        ("connection_request_count", state.connections_asked.to_string()),
        ("connection_rejected", state.connections_rejected.to_string()),
        ("unrecoverable_error_count", u8::from(engine.log_lost()).to_string()),
        ("connection_drop_probability", "0.0".into()),
    ]
}

fn count_entries(dir: &str) -> usize {
    std::fs::read_dir(dir).map_or(0, Iterator::count)
}
