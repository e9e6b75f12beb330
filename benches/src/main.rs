//! `vltava-bench`: Vltava and Apache Kafka on the same machine in the same run, in turns, so that what the machine does to one it does
//! to the other. Only ratios of such a run mean anything; `RESULTS.md` says which run it was.

// A benchmark that cannot measure has nothing better to do than to say why and stop.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod brokers;
mod idle;
mod latency;
mod limits;
mod load;
mod measure;
mod report;
mod rows;

use std::path::PathBuf;

use clap::Parser;

/// Runs Vltava and Apache Kafka 3.9 and 4.x in turn and prints ratios; writes benches/RESULTS.md.
#[derive(Debug, Parser)]
#[command(name = "vltava-bench", version)]
struct Options {
    /// The rows to run, by the beginning of their names; all if none is given
    rows: Vec<String>,
    /// How many rounds; each runs every broker once
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// How many gigabytes a row moves whose result is CPU per gigabyte
    #[arg(long, default_value_t = 10.0)]
    gigabytes: f64,
    /// The brokers to run
    #[arg(long, value_delimiter = ',', default_value = "vltava,kafka-3.9,kafka-4")]
    brokers: Vec<brokers::Kind>,
    /// How long a row runs whose result is a latency, in seconds
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Where the results go
    #[arg(long, default_value = "benches/RESULTS.md")]
    output: PathBuf,
    /// A folder for data; by default a temporary one
    #[arg(long)]
    data: Option<PathBuf>,
}

fn main() {
    let options = Options::parse();
    let scale = rows::Scale { gigabytes: options.gigabytes, seconds: options.seconds };
    let wanted: Vec<&rows::Row> = rows::ROWS
        .iter()
        .filter(|row| {
            options.rows.is_empty() || options.rows.iter().any(|name| row.name.starts_with(name.as_str()))
        })
        .collect();
    assert!(!wanted.is_empty(), "no row begins with any of {:?}", options.rows);
    let mut results = report::Results::default();
    for round in 1..=options.rounds {
        for row in &wanted {
            for kind in &options.brokers {
                if row.only.is_some_and(|only| only != *kind) {
                    continue;
                }
                eprintln!("round {round} of {}: {} on {kind}", options.rounds, row.name);
                let folder = match &options.data {
                    Some(data) => tempfile::tempdir_in(data),
                    None => tempfile::tempdir(),
                }
                .expect("a folder for data");
                let figures = (row.run)(*kind, folder.path(), scale);
                for (name, value) in figures {
                    eprintln!("    {name}: {value:.3}");
                    results.add(row.name, name, *kind, value);
                }
            }
        }
    }
    let text = results.render(&options.brokers, options.rounds, scale);
    println!("{text}");
    std::fs::write(&options.output, text).unwrap_or_else(|e| panic!("{}: {e}", options.output.display()));
}
