//! The one place that decides on which threads connections and handlers run.
//!
//! One tokio runtime for all connections, with a thread a core. A runtime per core would save the stealing between threads and cost balance among
//! unequal connections; that choice is confined to this file.

use std::io;

use tokio::runtime::{Builder, Runtime};
use vltava_settings::{BrokerConfig, broker as keys};

/// Threads for file work that may block (tokio's pool grows on demand and shrinks again).
const BLOCKING: usize = 64;

/// Builds the runtime of a broker with `threads` network threads (at least one).
pub fn build(threads: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .max_blocking_threads(BLOCKING)
        .thread_name("vltava-network")
        .enable_all()
        .build()
}

/// The network threads that an owner wants: `num.network.threads` where it is given.
pub fn threads(config: &BrokerConfig) -> usize {
    let key = keys::NUM_NETWORK_THREADS;
    if config.is_given(key.name()) {
        usize::try_from(config.get(key)).unwrap_or(1)
    } else {
        default_threads()
    }
}

/// How many network threads serve best: one for each core that the process may use, as connections are answered where they are read.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
