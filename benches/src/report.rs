//! From figures to ratios, and from ratios to what is decided.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::brokers::Kind;
use crate::goals::{self, Better, Bound, GOALS, Goal};
use crate::machine::{self, Run};
use crate::rows::{FETCH, LARGEST_BATCH, WARMING_FETCHES};

/// A spread of a row's values over the rounds, in parts of their median, beyond which the row decides nothing.
const UNDECIDED: f64 = 0.15;

/// The figures of all rounds, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Results {
    run: Run,
    /// As it was at the start: writing the results changes the checkout.
    machine: String,
    rows: Vec<(&'static str, &'static str)>,
    /// By round: a row that failed in one is missing there.
    values: BTreeMap<(&'static str, &'static str, Kind), BTreeMap<u32, f64>>,
    failures: Vec<String>,
}

/// The values of one comparison, one a round.
#[derive(Debug)]
struct Paired(Vec<f64>);

impl Paired {
    fn median(&self) -> f64 {
        median(&self.0)
    }

    fn low(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn high(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn is_undecided(&self) -> bool {
        self.0.len() > 1 && (self.high() - self.low()) / self.median() > UNDECIDED
    }

    /// The median, the extremes, and whether they lie too far from each other to tell anything.
    fn shown(&self) -> String {
        let verdict = if self.is_undecided() { ", undecided" } else { "" };
        format!("{} ({} to {}{verdict})", number(self.median()), number(self.low()), number(self.high()))
    }

    /// Whether the median is on the right side; where the rounds differ by more than they may, how many are.
    fn verdict(&self, meets: impl Fn(f64) -> bool) -> String {
        let met = if meets(self.median()) { "met" } else { "not met" };
        if self.is_undecided() {
            let rounds = self.0.iter().filter(|value| meets(**value)).count();
            return format!("undecided: {met} by the median and by {rounds} of {} rounds", self.0.len());
        }
        met.to_owned()
    }
}

impl Results {
    pub(crate) fn new(run: Run) -> Self {
        Self {
            machine: machine::describe(&run),
            run,
            rows: Vec::new(),
            values: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    /// A row that gave nothing: said in the results, and the rest goes on.
    pub(crate) fn failed(&mut self, round: u32, row: &str, kind: Kind) {
        self.failures.push(format!("round {round}: {row} on {kind} failed"));
    }

    pub(crate) fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }

    pub(crate) fn add(
        &mut self,
        round: u32,
        row: &'static str,
        figure: &'static str,
        kind: Kind,
        value: f64,
    ) {
        if !self.rows.contains(&(row, figure)) {
            self.rows.push((row, figure));
        }
        self.values.entry((row, figure, kind)).or_default().insert(round, value);
    }

    fn of(&self, row: &'static str, figure: &'static str, kind: Kind) -> Option<Paired> {
        Some(Paired(self.values.get(&(row, figure, kind))?.values().copied().collect()))
    }

    /// Vltava's figure to another's in the same round.
    fn ratios(&self, row: &'static str, figure: &'static str, other: Kind) -> Option<Paired> {
        let ours = self.values.get(&(row, figure, Kind::Vltava))?;
        let theirs = self.values.get(&(row, figure, other))?;
        let paired: Vec<f64> =
            ours.iter().filter_map(|(round, ours)| Some(ours / theirs.get(round)?)).collect();
        (!paired.is_empty()).then_some(Paired(paired))
    }

    /// Everything, as Markdown.
    pub(crate) fn render(&self, kinds: &[Kind], rounds_done: u32) -> String {
        let mut text = self.introduction(rounds_done);
        text.push_str("\n## Goals\n\n");
        text.push_str(&self.goals());
        text.push_str("\n## Figures\n\n");
        text.push_str(&self.figures(kinds));
        text
    }

    fn introduction(&self, rounds_done: u32) -> String {
        let Run { rounds, gigabytes, seconds, .. } = &self.run;
        let each = gigabytes / f64::from(*rounds);
        let mut cut = if rounds_done < *rounds {
            format!("\n**Only {rounds_done} of {rounds} rounds were done.**\n")
        } else {
            String::new()
        };
        for failure in &self.failures {
            let _ = writeln!(cut, "\n**{failure}.**");
        }
        format!(
            "# Results\n\nWritten by `make bench`; not edited.\n{cut}\n{}\n\
             Vltava and Apache Kafka run in turn, {rounds} interleaved rounds, each from nothing: one broker, one topic of one partition where a row \
             says nothing else, librdkafka as the client with acks=all, all on this machine over loopback. Only ratios within a run mean \
             anything. A ratio is the median over the rounds of Vltava's figure to the other's in the same round, with the lowest and the highest; \
             one that varies by more than {:.0} % is undecided.\n\n\
             - A row with CPU per gigabyte moves {gigabytes} GB of records for each broker over the {rounds} rounds, {each:.2} GB in each, after half of \
             that to warm up; what is read is read before in {WARMING_FETCHES} fetches of {FETCH} bytes. A gigabyte is 10⁹ bytes of values as the producer made them, before compression. CPU is user and system time of the broker's \
             process; its ZooKeeper, a process of its own, is not counted.\n\
             - The limit is a thread that receives, computes CRC-32C and calls `pwrite`, or calls `sendfile`: as many bytes as the mean \
             batch that Vltava was sent in the same round (at most {LARGEST_BATCH} by the producer's `batch.size`) at a time.\n\
             - A row with latencies runs for {seconds} s in each round after a third of that to warm up; a record's time counts from when it was due, \
             in a request of its own.\n\
             - Memory is resident memory, idle after the start with one topic, and the most of it while 50 producers send without linger.\n\
             - Starts are the median of five in each round: from `exec` until a record sent over a raw socket is acknowledged.\n",
            self.machine,
            UNDECIDED * 100.0,
        )
    }

    fn goals(&self) -> String {
        let mut text = String::from("| goal | measured | |\n|---|---|---|\n");
        for goal in GOALS {
            if let Some(line) = self.judge(goal) {
                text.push_str(&line);
            }
        }
        let mut behind = Vec::new();
        let (mut met, mut undecided) = (0, 0);
        for (row, figure) in &self.rows {
            for kafka in Kind::KAFKAS {
                let Some(ratios) = self.ratios(row, figure, *kafka) else { continue };
                let Some(better) = goals::better(figure) else { continue };
                let advantage = match better {
                    Better::Higher => ratios,
                    Better::Lower => Paired(ratios.0.iter().map(|ratio| 1.0 / ratio).collect()),
                };
                if advantage.median() >= goals::NOT_BEHIND {
                    met += 1;
                    undecided += usize::from(advantage.is_undecided() && advantage.low() < goals::NOT_BEHIND);
                } else {
                    let verdict = advantage.verdict(|value| value >= goals::NOT_BEHIND);
                    behind.push(format!(
                        "| {row}, {figure}: not behind {kafka} | {} | {verdict} |\n",
                        advantage.shown()
                    ));
                }
            }
        }
        if met + behind.len() > 0 {
            let verdict = match (behind.is_empty(), undecided) {
                (true, 0) => "met".to_owned(),
                (true, n) => format!("met by the medians; {n} undecided"),
                (false, _) => "not met".to_owned(),
            };
            let _ = writeln!(
                text,
                "| no figure behind Kafka's (the other's to ours, or ours to the other's where more is better, at least {}) | {met} of {} | {verdict} |",
                goals::NOT_BEHIND,
                met + behind.len()
            );
        }
        text.extend(behind);
        text
    }

    fn judge(&self, goal: &Goal) -> Option<String> {
        let Goal { row, figure, bound } = *goal;
        let (wanted, values, verdict) = match bound {
            Bound::AtMost(most) => {
                let values = self.of(row, figure, Kind::Vltava)?;
                let verdict = values.verdict(|value| value <= most);
                (format!("at most {}", number(most)), values, verdict)
            }
            Bound::TimesOf(kind, most) => {
                let values = self.ratios(row, figure, kind)?;
                let verdict = values.verdict(|value| value <= most);
                (format!("at most {} of {kind}", number(most)), values, verdict)
            }
            Bound::AtLeastTimesOf(kind, least) => {
                let values = self.ratios(row, figure, kind)?;
                let verdict = values.verdict(|value| value >= least);
                (format!("at least {} of {kind}", number(least)), values, verdict)
            }
        };
        Some(format!("| {row}, {figure}: {wanted} | {} | {verdict} |\n", values.shown()))
    }

    /// Medians, and Vltava's ratio to each other.
    fn figures(&self, kinds: &[Kind]) -> String {
        let others: Vec<Kind> = kinds.iter().copied().filter(|kind| *kind != Kind::Vltava).collect();
        let mut text = String::from("| row | figure |");
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
                let values = self.of(row, figure, *kind);
                let _ =
                    write!(text, " {} |", values.map_or_else(String::new, |values| number(values.median())));
            }
            for kind in &others {
                let ratios = self.ratios(row, figure, *kind).filter(|_| goals::better(figure).is_some());
                let _ = write!(text, " {} |", ratios.map_or_else(String::new, |ratios| ratios.shown()));
            }
            text.push('\n');
        }
        text
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Three digits of it, or all that stand before the point.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
