//! The broker's clocks, read once for each request and handed down.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970. Some 30 ns: the kernel answers without a system call.
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Milliseconds of a clock that nobody sets: for whatever lasts or comes round.
pub fn steady_ms() -> i64 {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    i64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(i64::MAX)
}
