//! What a test starts from.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vltava_testkit::vltava::Server;

/// A broker whose topics have three partitions and whose groups do not wait for more members.
#[must_use]
pub fn server(folder: &Path) -> Server {
    let overrides =
        ["num.partitions=3", "group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=5"];
    Server::start(folder, &overrides)
}

/// A time in the past hour, in milliseconds: retention keeps it, and it is not the time of writing.
#[must_use]
pub fn an_hour_ago() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from((now - Duration::from_secs(3600)).as_millis()).expect("a clock before the year 292 million")
}
