//! The broker's clock, read once for each request and handed down.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970. Some 30 ns: the kernel answers without a system call.
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
