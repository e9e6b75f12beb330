//! What the figures have to be.

use crate::brokers::Kind;

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// Figures that are not compared: one says how a row was run, and a connection's memory disappears in a JVM's heap, which is resident with or without
/// it, so that only the whole can be compared.
const NOT_COMPARED: &[&str] = &["bytes a batch", "KB a connection"];

/// Which way a figure is better; `None` for one that is not compared.
pub(crate) fn better(figure: &str) -> Option<Better> {
    if NOT_COMPARED.contains(&figure) {
        return None;
    }
    Some(if figure.ends_with("/s") { Better::Higher } else { Better::Lower })
}

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// At most so much.
    AtMost(f64),
    /// At most so many times another's figure in the same round.
    TimesOf(Kind, f64),
    /// At least so many times another's figure in the same round.
    AtLeastTimesOf(Kind, f64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) row: &'static str,
    pub(crate) figure: &'static str,
    pub(crate) bound: Bound,
}

/// How far behind Kafka a row may be: that far two runs of one program differ.
pub(crate) const NOT_BEHIND: f64 = 0.95;

const fn goal(row: &'static str, figure: &'static str, bound: Bound) -> Goal {
    Goal { row, figure, bound }
}

const MANY: &str = "produce 100 B, 50 producers, no linger";
const THIRD: f64 = 1.0 / 3.0;

/// Beside these, no figure of any row may be behind Kafka's.
pub(crate) const GOALS: &[Goal] = &[
    goal("produce 1 KiB", "CPU s/GB", Bound::TimesOf(Kind::Limit, 1.3)),
    goal(MANY, "CPU s/GB", Bound::TimesOf(Kind::Kafka39, THIRD)),
    goal(MANY, "CPU s/GB", Bound::TimesOf(Kind::Kafka4, THIRD)),
    goal(MANY, "records/s", Bound::AtLeastTimesOf(Kind::Kafka39, 1.5)),
    goal(MANY, "records/s", Bound::AtLeastTimesOf(Kind::Kafka4, 1.5)),
    goal("latency at 10,000/s", "cores", Bound::AtMost(0.25)),
    goal("latency at 1,000/s", "p99.9 ms", Bound::TimesOf(Kind::Kafka39, THIRD)),
    goal("latency at 1,000/s", "p99.9 ms", Bound::TimesOf(Kind::Kafka4, THIRD)),
    goal("latency at 10,000/s", "p99.9 ms", Bound::TimesOf(Kind::Kafka39, THIRD)),
    goal("latency at 10,000/s", "p99.9 ms", Bound::TimesOf(Kind::Kafka4, THIRD)),
    goal("start with an existing topic", "ms from exec to the first record", Bound::AtMost(50.0)),
    goal("memory", "idle MB", Bound::AtMost(20.0)),
    goal("memory", "under 50 producers MB", Bound::AtMost(60.0)),
    goal("10,000 idle connections", "KB a connection", Bound::AtMost(10.0)),
];
