//! Counts and latencies, as Kafka's `ProducerPerformance` counts and prints them.

use std::time::Duration;

use super::super::{era::Era, java_text::decimal};

/// How long a window is.
const WINDOW: Duration = Duration::from_secs(5);
/// How many latencies are kept at most: of more records every n-th counts.
const SAMPLES: u64 = 500_000;
const MEBI: f64 = 1024.0 * 1024.0;

/// What has been acknowledged. Times are those since the start.
#[derive(Debug)]
pub(super) struct Stats {
    every: u64,
    latencies: Vec<u32>,
    all: Counts,
    window: Counts,
    window_start: Duration,
    era: Era,
}

#[derive(Debug, Clone, Default)]
struct Counts {
    records: u64,
    bytes: u64,
    total_latency: u64,
    max_latency: u32,
}

impl Counts {
    fn add(&mut self, bytes: usize, latency: u32) {
        self.records += 1;
        self.bytes += bytes as u64;
        self.total_latency += u64::from(latency);
        self.max_latency = self.max_latency.max(latency);
    }

    /// Records and mebibytes a second.
    fn rates(&self, elapsed: Duration) -> (f64, f64) {
        let millis = elapsed.as_millis() as f64;
        (1000.0 * self.records as f64 / millis, 1000.0 * self.bytes as f64 / millis / MEBI)
    }

    fn average_latency(&self) -> f64 {
        self.total_latency as f64 / self.records as f64
    }
}

impl Stats {
    /// Nothing yet of so many records.
    pub(super) fn new(records: u64, era: Era) -> Stats {
        let every = (records / records.clamp(1, SAMPLES)).max(1);
        let room = usize::try_from(records / every).unwrap_or_default();
        Stats {
            every,
            latencies: Vec::with_capacity(room + 1),
            all: Counts::default(),
            window: Counts::default(),
            window_start: Duration::ZERO,
            era,
        }
    }

    /// Counts an acknowledged record. The line of a window that it ends.
    pub(super) fn record(&mut self, bytes: usize, latency: Duration, now: Duration) -> Option<String> {
        let latency = u32::try_from(latency.as_millis()).unwrap_or(u32::MAX);
        if self.all.records.is_multiple_of(self.every) {
            self.latencies.push(latency);
        }
        self.all.add(bytes, latency);
        self.window.add(bytes, latency);
        let elapsed = now.saturating_sub(self.window_start);
        if elapsed < WINDOW {
            return None;
        }
        let line = self.window_line(elapsed);
        self.window = Counts::default();
        self.window_start = now;
        Some(line)
    }

    fn window_line(&self, elapsed: Duration) -> String {
        let (records, mebibytes) = self.window.rates(elapsed);
        format!(
            "{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} {}max latency.",
            self.window.records,
            decimal(records, 1),
            decimal(mebibytes, 2),
            decimal(self.window.average_latency(), 1),
            decimal(f64::from(self.window.max_latency), 1),
            // A unit that was long forgotten.
            if self.era == Era::Old { "" } else { "ms " },
        )
    }

    /// The last line.
    pub(super) fn total_line(&mut self, elapsed: Duration) -> String {
        let (records, mebibytes) = self.all.rates(elapsed);
        self.latencies.sort_unstable();
        let size = self.latencies.len();
        let at = |part: f64| self.latencies.get((part * size as f64) as usize).copied().unwrap_or_default();
        format!(
            "{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} ms max latency, {} ms 50th, {} ms 95th, {} ms 99th, \
             {} ms 99.9th.",
            self.all.records,
            decimal(records, 6),
            decimal(mebibytes, 2),
            decimal(self.all.average_latency(), 2),
            decimal(f64::from(self.all.max_latency), 2),
            at(0.5),
            at(0.95),
            at(0.99),
            at(0.999),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_total_are_counted_as_kafka_counts() {
        let mut stats = Stats::new(4, Era::New);
        let ms = Duration::from_millis;
        assert_eq!(stats.record(1 << 20, ms(2), ms(2)), None);
        assert_eq!(
            stats.record(1 << 20, ms(4), ms(5_000)).unwrap(),
            "2 records sent, 0.4 records/sec (0.40 MB/sec), 3.0 ms avg latency, 4.0 ms max latency."
        );
        assert_eq!(stats.record(1 << 20, ms(1), ms(5_001)), None);
        assert_eq!(stats.record(1 << 20, ms(9), ms(7_000)), None);
        assert_eq!(
            stats.total_line(ms(8_000)),
            "4 records sent, 0.500000 records/sec (0.50 MB/sec), 4.00 ms avg latency, 9.00 ms max latency, 4 ms 50th, 9 ms 95th, \
             9 ms 99th, 9 ms 99.9th."
        );
    }

    #[test]
    fn a_window_of_0_11_forgets_a_unit() {
        let mut stats = Stats::new(1, Era::Old);
        let line = stats.record(1 << 20, Duration::from_millis(4), Duration::from_secs(5)).unwrap();
        assert_eq!(
            line,
            "1 records sent, 0.2 records/sec (0.20 MB/sec), 4.0 ms avg latency, 4.0 max latency."
        );
    }

    #[test]
    fn nothing_at_all_has_no_average() {
        let line = Stats::new(1, Era::New).total_line(Duration::from_secs(1));
        assert!(line.starts_with("0 records sent, 0.000000 records/sec (0.00 MB/sec), NaN ms avg"), "{line}");
    }

    #[test]
    fn of_many_records_only_some_latencies_are_kept() {
        let mut stats = Stats::new(5 * SAMPLES, Era::New);
        for _ in 0..100 {
            stats.record(1, Duration::ZERO, Duration::ZERO);
        }
        assert_eq!(stats.latencies.len(), 20);
    }
}
