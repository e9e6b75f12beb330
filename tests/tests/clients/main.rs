//! Real client libraries of every era, one by one and all at once, against one broker.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod alone;
mod together;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vltava_testkit::vltava::Server;

/// The executable of `src/bin/librdkafka.rs`.
const LIBRDKAFKA: &str = env!("CARGO_BIN_EXE_librdkafka");

/// A broker whose topics have three partitions and whose groups do not wait for more members.
fn server(folder: &Path) -> Server {
    let overrides =
        ["num.partitions=3", "group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=5"];
    Server::start(folder, &overrides)
}

/// A time in the past hour, in milliseconds: retention keeps it, and it is not the time of writing.
fn an_hour_ago() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from((now - Duration::from_secs(3600)).as_millis()).unwrap()
}
