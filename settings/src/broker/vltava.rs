//! Vltava's own keys, prefix `vltava.`.

use crate::definition::*;

keys! {
    /// Where metrics (`/metrics`, for Prometheus), the state (`/status`, JSON) and health (`/healthz`, `/readyz`) are served
    /// over HTTP, as `host:port`; without a host on all addresses, and port 0 takes a free one. Empty: not at all, since a broker opens no port that
    /// its owner did not ask for.
    VLTAVA_METRICS_LISTENER: String = string("vltava.metrics.listener", "").medium();
}
