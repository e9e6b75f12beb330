//! The embedded ZooKeeper's numbers for Prometheus, where `metricsProvider.*` asks for them: under the names of Apache's provider, and under those that the
//! dashboards of Kafka's operators ask for.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;
use vltava_broker::{
    http::{Figures, HttpError, HttpListener},
    metrics::{Exposition, Source},
};
use vltava_zookeeper::{ZooKeeperConfig, server::Monitor};

/// Numbers of dashboards, and Apache's names of the same.
const DASHBOARDS: [(&str, &str, &str); 10] = [
    ("zookeeper_numaliveconnections", "num_alive_connections", "Connections of clients."),
    ("zookeeper_outstandingrequests", "outstanding_requests", "Requests that are not answered yet."),
    ("zookeeper_avgrequestlatency", "avg_latency", "Mean time of a request, milliseconds."),
    ("zookeeper_minrequestlatency", "min_latency", "Shortest time of a request, milliseconds."),
    ("zookeeper_maxrequestlatency", "max_latency", "Longest time of a request, milliseconds."),
    ("zookeeper_packetsreceived", "packets_received", "Packets received since the start or the word srst."),
    ("zookeeper_packetssent", "packets_sent", "Packets sent since the start or the word srst."),
    ("zookeeper_inmemorydatatree_nodecount", "znode_count", "Znodes."),
    ("zookeeper_inmemorydatatree_watchcount", "watch_count", "Watches."),
    ("zookeeper_inmemorydatatree_ephemeralscount", "ephemerals_count", "Ephemeral znodes."),
];

/// A monitor as a source of metrics.
struct Numbers(Monitor);

impl Source for Numbers {
    fn expose(&self, exposition: &mut Exposition) {
        let figures = self.0.figures();
        exposition.gauge("zookeeper_quorumsize", "Servers of the ensemble.").sample(&[], 1.0);
        for (name, apaches, help) in DASHBOARDS {
            let mut samples = exposition.gauge(name, help);
            for (_, value) in figures.iter().filter(|(figure, _)| *figure == apaches) {
                samples.sample(&[], *value);
            }
        }
        for (name, value) in figures {
            exposition.gauge(name, "As the four letter word mntr tells it.").sample(&[], value);
        }
    }
}

/// Opens the listener that the configuration asks for. Must be called within a runtime.
pub(super) fn listen(config: &ZooKeeperConfig) -> Result<Option<HttpListener>, HttpError> {
    config
        .metrics
        .as_deref()
        .map(|address| HttpListener::bind("metricsProvider.httpPort", address))
        .transpose()
}

/// Serves until what it gives back is dropped.
pub(super) fn serve(listener: HttpListener, monitor: Monitor) -> AbortOnDropHandle<()> {
    tracing::info!("metrics at http://{}/metrics", listener.address());
    let site = Figures::new(vec![Arc::new(Numbers(monitor))]);
    AbortOnDropHandle::new(tokio::spawn(listener.serve(Arc::new(site))))
}
