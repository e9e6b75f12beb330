//! What the network layer tells: connections by listener, bytes, and how idle the threads are.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{runtime::RuntimeMetrics, time::Instant};

use super::{Counter, Exposition, Source};
use crate::net::{ListenerCounts, Network};

/// The shortest time over which idleness is measured, so that two scrapers don't take each other's measure away.
const WINDOW: Duration = Duration::from_secs(5);

/// The network of a broker as a source of numbers.
#[derive(Debug)]
pub struct NetworkMetrics {
    network: Arc<Network>,
    listeners: Vec<(String, Arc<ListenerCounts>)>,
    idle: Mutex<IdleMeter>,
}

impl NetworkMetrics {
    /// Watches `network`, its `listeners` (name and counts) and the threads of `runtime`.
    pub fn new(
        network: Arc<Network>,
        listeners: Vec<(String, Arc<ListenerCounts>)>,
        runtime: RuntimeMetrics,
    ) -> Self {
        Self { network, listeners, idle: Mutex::new(IdleMeter::new(runtime)) }
    }
}

impl Source for NetworkMetrics {
    fn expose(&self, exposition: &mut Exposition) {
        let mut open =
            exposition.gauge("kafka_server_socket_server_metrics_connection_count", "Open connections.");
        for (name, counts) in &self.listeners {
            open.sample(&labels(name), counts.connections.get() as f64);
        }
        for (metric, help, of) in BY_LISTENER {
            let mut samples = exposition.counter(metric, help);
            for (name, counts) in &self.listeners {
                samples.sample(&labels(name), of(counts).get() as f64);
            }
        }
        exposition
            .gauge("kafka_network_socketserver_memorypoolused", "Bytes that requests hold.")
            .sample(&[], self.network.memory().used() as f64);
        // Requests are handled on the threads that read them: one measure under both of Kafka's names.
        let idle = self.idle.lock().fraction();
        exposition
            .gauge(
                "kafka_network_socketserver_networkprocessoravgidle_percent",
                "The part of the time in which network threads wait, 0 to 1.",
            )
            .sample(&[], idle);
        exposition
            .gauge(
                "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent",
                "The part of the time in which the threads that handle requests wait, 0 to 1.",
            )
            .sample(&[], idle);
    }
}

/// All threads serve all connections, so that there is one "processor".
fn labels(listener: &str) -> [(&str, &str); 2] {
    [("listener", listener), ("networkProcessor", "0")]
}

/// A number of each listener: its name, what it says, and where it is counted.
type OfListener = (&'static str, &'static str, fn(&ListenerCounts) -> &Counter);

const BY_LISTENER: [OfListener; 4] = [
    ("kafka_server_socket_server_metrics_connection_creation_total", "Connections accepted.", |counts| {
        &counts.accepted
    }),
    (
        "kafka_server_socket_server_metrics_connection_rejected_total",
        "Connections closed at once because of a limit.",
        |counts| &counts.rejected,
    ),
    (
        "kafka_server_socket_server_metrics_incoming_byte_total",
        "Bytes read from clients and brokers.",
        |counts| &counts.bytes_in,
    ),
    (
        "kafka_server_socket_server_metrics_outgoing_byte_total",
        "Bytes sent to clients and brokers.",
        |counts| &counts.bytes_out,
    ),
];

/// Measures how idle the runtime's threads were since the last measure.
#[derive(Debug)]
struct IdleMeter {
    runtime: RuntimeMetrics,
    since: Instant,
    busy: Duration,
    last: f64,
}

impl IdleMeter {
    fn new(runtime: RuntimeMetrics) -> Self {
        let busy = total_busy(&runtime);
        Self { runtime, since: Instant::now(), busy, last: 1.0 }
    }

    fn fraction(&mut self) -> f64 {
        let window = self.since.elapsed();
        if window < WINDOW {
            return self.last;
        }
        let busy = total_busy(&self.runtime);
        let possible = window.as_secs_f64() * self.runtime.num_workers() as f64;
        self.last = (1.0 - busy.saturating_sub(self.busy).as_secs_f64() / possible).clamp(0.0, 1.0);
        self.since = Instant::now();
        self.busy = busy;
        self.last
    }
}

fn total_busy(runtime: &RuntimeMetrics) -> Duration {
    (0..runtime.num_workers()).map(|worker| runtime.worker_total_busy_duration(worker)).sum()
}
