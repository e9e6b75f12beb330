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

const COLUMNS: &str = "data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec";
/// What 2.0 has added.
const MORE: &str = "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec";

/// How lines look, and times in them.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) dates: DateFormat,
    /// A column of 0.8's: the bytes of a fetch.
    pub(super) fetch_size: Option<u32>,
    /// Whether the columns of 2.0 and later are there.
    pub(super) rebalances: bool,
}

impl Form {
    /// The header. That of intervals before 2.0 has no name for the thread, which is there all the same.
    pub(super) fn header(&self, detailed: bool) -> String {
        let first = match (detailed, self.rebalances) {
            (true, true) => "time, threadId",
            (true, false) => "time",
            (false, _) => "start.time, end.time",
        };
        let fetch_size = if self.fetch_size.is_some() { ", fetch.size" } else { "" };
        let more = if self.rebalances { format!(", {MORE}") } else { String::new() };
        format!("{first}{fetch_size}, {COLUMNS}{more}")
    }

    fn fetch_size(&self) -> String {
        self.fetch_size.map_or_else(String::new, |size| format!(", {size}"))
    }

    /// The line about everything; `rebalances` is how long the group was without partitions, in milliseconds.
    pub(super) fn total(&self, span: Span, counts: Counts, rebalances: i64) -> String {
        let seconds = span.millis() as f64 / 1000.0;
        let mut line = format!(
            "{}, {}{}, {}, {}, {}, {}",
            self.dates.format_millis(span.from),
            self.dates.format_millis(span.to),
            self.fetch_size(),
            decimal(counts.mebibytes(), 4),
            decimal(counts.mebibytes() / seconds, 4),
            counts.messages,
            decimal(counts.messages as f64 / seconds, 4),
        );
        if self.rebalances {
            let fetching = span.millis() - rebalances;
            let seconds = fetching as f64 / 1000.0;
            line += &format!(
                ", {rebalances}, {fetching}, {}, {}",
                decimal(counts.mebibytes() / seconds, 4),
                decimal(counts.messages as f64 / seconds, 4)
            );
        }
        line
    }

    /// The line about one interval of a thread.
    pub(super) fn interval(&self, thread: usize, span: Span, counts: Interval, rebalances: i64) -> String {
        let Interval { before, now } = counts;
        let (millis, new) = (span.millis() as f64, now.since(before));
        let mut line = format!(
            "{}, {thread}{}, {}, {}, {}, {}",
            self.dates.format_millis(span.to),
            self.fetch_size(),
            decimal(now.mebibytes(), 4),
            decimal(1000.0 * new.mebibytes() / millis, 4),
            now.messages,
            decimal(new.messages as f64 / millis * 1000.0, 4),
        );
        if self.rebalances {
            let fetching = span.millis() - rebalances;
            let rate = |amount: f64| if fetching <= 0 { 0.0 } else { 1000.0 * amount / fetching as f64 };
            line += &format!(
                ", {rebalances}, {fetching}, {}, {}",
                decimal(rate(new.mebibytes()), 4),
                decimal(rate(new.messages as f64), 4)
            );
        }
        line
    }
}

/// What had been consumed before an interval, and what at its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) before: Counts,
    pub(super) now: Counts,
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

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { from: 1_000, to: 3_000 };

    fn form(fetch_size: Option<u32>, rebalances: bool) -> Form {
        Form { dates: DateFormat::new("'T'").unwrap(), fetch_size, rebalances }
    }

    #[test]
    fn lines_have_the_columns_of_each_era() {
        let counts = Interval {
            before: Counts { messages: 10, bytes: 1 << 20 },
            now: Counts { messages: 50, bytes: 5 << 20 },
        };
        let (v3_9, v0_11, v0_8) = (form(None, true), form(None, false), form(Some(1024), false));
        assert_eq!(
            v3_9.total(SPAN, counts.now, 1_000),
            "T, T, 5.0000, 2.5000, 50, 25.0000, 1000, 1000, 5.0000, 50.0000"
        );
        assert_eq!(v0_11.total(SPAN, counts.now, 1_000), "T, T, 5.0000, 2.5000, 50, 25.0000");
        assert_eq!(v0_8.total(SPAN, counts.now, 1_000), "T, T, 1024, 5.0000, 2.5000, 50, 25.0000");
        assert_eq!(
            v3_9.interval(3, SPAN, counts, 1_500),
            "T, 3, 5.0000, 2.0000, 50, 20.0000, 1500, 500, 8.0000, 80.0000"
        );
        assert!(v3_9.interval(3, SPAN, counts, 2_000).ends_with(", 2000, 0, 0.0000, 0.0000"));
        assert_eq!(v0_11.interval(3, SPAN, counts, 0), "T, 3, 5.0000, 2.0000, 50, 20.0000");
        assert_eq!(v0_8.interval(3, SPAN, counts, 0), "T, 3, 1024, 5.0000, 2.0000, 50, 20.0000");
        assert_eq!(
            v0_8.header(false),
            "start.time, end.time, fetch.size, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec"
        );
        assert_eq!(v0_11.header(true), "time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec");
        assert!(v3_9.header(true).starts_with("time, threadId, data.consumed.in.MB, "));
        assert!(v3_9.header(true).ends_with(", fetch.nMsg.sec"));
    }
}
