//! The one place that decides on which threads connections and handlers run.
//!
//! One tokio runtime for all connections, with a thread a core. A runtime per core would save the stealing between threads and cost balance among
//! unequal connections; that choice is confined to this file.

use std::io;

use tokio::runtime::{Builder, Runtime};
use vltava_settings::{BrokerConfig, broker as keys};

/// Threads for what may block and is not file work, which has threads of its own (tokio's pool grows on demand and shrinks again).
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

/// Apache Kafka's default of `num.network.threads`, for threads that only move bytes.
const KAFKAS_DEFAULT: i32 = 3;

/// The network threads that an owner wants: `num.network.threads`, where it is not what every properties file of Apache Kafka's says.
pub fn threads(config: &BrokerConfig) -> usize {
    let wanted = config.get(keys::NUM_NETWORK_THREADS);
    if wanted == KAFKAS_DEFAULT { default_threads() } else { usize::try_from(wanted).unwrap_or(1) }
}

/// How many network threads serve best: one for each core that the process may use, as connections are answered where they are read.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use vltava_settings::Properties;

    use super::*;

    #[test]
    fn the_number_that_every_file_has_is_no_wish() {
        for (given, wanted) in [(None, default_threads()), (Some("3"), default_threads()), (Some("7"), 7)] {
            let mut properties = Properties::default();
            properties.set("zookeeper.connect", "localhost:2181");
            if let Some(given) = given {
                properties.set("num.network.threads", given);
            }
            let config = BrokerConfig::from_properties(&properties, &Properties::default()).unwrap();
            assert_eq!(threads(&config), wanted, "{given:?}");
        }
    }
}
