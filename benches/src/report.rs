//! From figures to ratios.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::brokers::Kind;
use crate::rows::Scale;

/// A spread of ratios beyond which a row decides nothing.
const UNDECIDED: f64 = 0.15;

/// The figures of all rounds, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Results {
    rows: Vec<(&'static str, &'static str)>,
    values: BTreeMap<(&'static str, &'static str, Kind), Vec<f64>>,
}

impl Results {
    pub(crate) fn add(&mut self, row: &'static str, figure: &'static str, kind: Kind, value: f64) {
        if !self.rows.contains(&(row, figure)) {
            self.rows.push((row, figure));
        }
        self.values.entry((row, figure, kind)).or_default().push(value);
    }

    /// A table of medians, and of Vltava's ratio to each other broker: the median of the rounds' own ratios.
    pub(crate) fn render(&self, kinds: &[Kind], rounds: u32, scale: Scale) -> String {
        let mut text = format!(
            "# Results\n\nMade by `make bench`: {rounds} interleaved rounds, {} GB a row of CPU per gigabyte, {} s a row of latency, one broker, \
             librdkafka as the client, everything on one machine over loopback. Only ratios within a run mean anything. A ratio is the \
             median over rounds of Vltava's figure to the other's in the same round; one that varies by more than 15 % is undecided.\n\n",
            scale.gigabytes, scale.seconds
        );
        let others: Vec<Kind> = kinds.iter().copied().filter(|kind| *kind != Kind::Vltava).collect();
        text.push_str("| row | figure |");
        for kind in kinds {
            let _ = write!(text, " {kind} |");
        }
        for kind in &others {
            let _ = write!(text, " to {kind} |");
        }
        text.push_str("\n|---|---|");
        text.push_str(&"---|".repeat(kinds.len() + others.len()));
        text.push('\n');
        for (row, figure) in &self.rows {
            let _ = write!(text, "| {row} | {figure} |");
            for kind in kinds {
                let median = self.values.get(&(*row, *figure, *kind)).map(|values| median(values));
                let _ = write!(text, " {} |", median.map_or_else(|| "-".to_owned(), number));
            }
            for kind in &others {
                let _ = write!(text, " {} |", self.ratio(row, figure, *kind));
            }
            text.push('\n');
        }
        text
    }

    fn ratio(&self, row: &'static str, figure: &'static str, other: Kind) -> String {
        let ours = self.values.get(&(row, figure, Kind::Vltava));
        let theirs = self.values.get(&(row, figure, other));
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return "-".to_owned() };
        let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let middle = median(&ratios);
        let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let high = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let spread = (high - low) / middle;
        let verdict = if spread > UNDECIDED { ", undecided" } else { "" };
        format!("{middle:.2} ({low:.2} to {high:.2}{verdict})")
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

fn number(value: f64) -> String {
    if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}
