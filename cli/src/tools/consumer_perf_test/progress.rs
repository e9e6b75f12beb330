//! What has been consumed, and the lines about it, which are comma-separated values.

use super::super::java_text::{DateFormat, decimal};

const MEBI: f64 = 1024.0 * 1024.0;

/// Messages and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Counts {
    /// Counts a message of so many bytes.
    pub(super) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }

    fn mebibytes(self) -> f64 {
        self.bytes as f64 / MEBI
    }

    fn since(self, earlier: Counts) -> Counts {
        Counts { messages: self.messages - earlier.messages, bytes: self.bytes - earlier.bytes }
    }
}

/// What the old consumer has, and all that the new one adds to it.
const COLUMNS: &str = "data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec";
const MORE: &str = "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec";

/// The header of today's tool.
pub(super) fn header(detailed: bool) -> String {
    let first = if detailed { "time, threadId" } else { "start.time, end.time" };
    format!("{first}, {COLUMNS}, {MORE}")
}

/// The header of the old consumer; its detailed one has no name for the thread, which is there all the same.
pub(super) fn old_header(detailed: bool) -> String {
    let first = if detailed { "time" } else { "start.time, end.time" };
    format!("{first}, {COLUMNS}")
}

/// From one time to another, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Span {
    pub(super) fn millis(self) -> i64 {
        self.to - self.from
    }
}

/// The line about everything.
pub(super) fn total(dates: &DateFormat, span: Span, counts: Counts) -> String {
    let seconds = span.millis() as f64 / 1000.0;
    format!(
        "{}, {}, {}, {}, {}, {}",
        dates.format_millis(span.from),
        dates.format_millis(span.to),
        decimal(counts.mebibytes(), 4),
        decimal(counts.mebibytes() / seconds, 4),
        counts.messages,
        decimal(counts.messages as f64 / seconds, 4),
    )
}

/// What today's tool adds to it: the time without that of rebalances.
pub(super) fn total_without(rebalances: i64, span: Span, counts: Counts) -> String {
    let fetching = span.millis() - rebalances;
    let seconds = fetching as f64 / 1000.0;
    format!(
        ", {rebalances}, {fetching}, {}, {}",
        decimal(counts.mebibytes() / seconds, 4),
        decimal(counts.messages as f64 / seconds, 4)
    )
}

/// The line about one interval of a thread.
pub(super) fn interval(dates: &DateFormat, thread: usize, span: Span, before: Counts, now: Counts) -> String {
    let (millis, new) = (span.millis() as f64, now.since(before));
    format!(
        "{}, {thread}, {}, {}, {}, {}",
        dates.format_millis(span.to),
        decimal(now.mebibytes(), 4),
        decimal(1000.0 * new.mebibytes() / millis, 4),
        now.messages,
        decimal(new.messages as f64 / millis * 1000.0, 4),
    )
}

/// What today's tool adds to it.
pub(super) fn interval_without(rebalances: i64, span: Span, before: Counts, now: Counts) -> String {
    let (fetching, new) = (span.millis() - rebalances, now.since(before));
    let rate = |amount: f64| if fetching <= 0 { 0.0 } else { 1000.0 * amount / fetching as f64 };
    format!(
        ", {rebalances}, {fetching}, {}, {}",
        decimal(rate(new.mebibytes()), 4),
        decimal(rate(new.messages as f64), 4)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { from: 1_000, to: 3_000 };

    #[test]
    fn lines_have_kafkas_columns() {
        let dates = DateFormat::new("'T'").unwrap();
        let before = Counts { messages: 10, bytes: 1 << 20 };
        let now = Counts { messages: 50, bytes: 5 << 20 };
        assert_eq!(total(&dates, SPAN, now), "T, T, 5.0000, 2.5000, 50, 25.0000");
        assert_eq!(total_without(1_000, SPAN, now), ", 1000, 1000, 5.0000, 50.0000");
        assert_eq!(interval(&dates, 3, SPAN, before, now), "T, 3, 5.0000, 2.0000, 50, 20.0000");
        assert_eq!(interval_without(1_500, SPAN, before, now), ", 1500, 500, 8.0000, 80.0000");
        assert_eq!(interval_without(2_000, SPAN, before, now), ", 2000, 0, 0.0000, 0.0000");
    }
}
