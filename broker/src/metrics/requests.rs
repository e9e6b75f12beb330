//! Requests by API.

use vltava_protocol::ApiKey;

use super::Counter;

/// API keys are far below this.
const KEYS: usize = 128;

/// How many requests of each API have come.
#[derive(Debug)]
pub struct RequestCounts(Box<[Counter]>);

impl Default for RequestCounts {
    fn default() -> Self {
        Self((0..KEYS).map(|_| Counter::default()).collect())
    }
}

impl RequestCounts {
    /// Counts a request.
    pub fn count(&self, key: ApiKey) {
        if let Some(counter) = self.counter(key) {
            counter.increment();
        }
    }

    /// Requests so far.
    pub fn of(&self, key: ApiKey) -> u64 {
        self.counter(key).map_or(0, Counter::get)
    }

    fn counter(&self, key: ApiKey) -> Option<&Counter> {
        self.0.get(usize::try_from(i16::from(key)).ok()?)
    }
}
