//! Where the part of a log begins that was written a short while ago, and is in the page cache.

use std::collections::VecDeque;

/// Bytes at the end of a log that count as recent, in [`RECENT_STEPS`] steps.
const RECENT_BYTES: usize = 64 << 20;
const RECENT_STEPS: usize = 8;

/// Remembers where the last bytes of a log begin: an offset for every step, so that it costs an addition for each append.
#[derive(Debug, Default)]
pub(super) struct Recent {
    steps: VecDeque<i64>,
    bytes: usize,
}

impl Recent {
    /// Notes an append; answers where the recent part begins now, if that moved.
    pub(super) fn appended(&mut self, first_offset: i64, bytes: usize) -> Option<i64> {
        self.bytes += bytes;
        if self.bytes < RECENT_BYTES / RECENT_STEPS {
            return None;
        }
        self.bytes = 0;
        self.steps.push_back(first_offset);
        (self.steps.len() > RECENT_STEPS).then(|| self.steps.pop_front()).flatten()
    }
}
