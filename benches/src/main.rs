//! `vltava-bench`: Vltava and Apache Kafka on the same machine in the same run, in turns, so that what the machine does to one it does
//! to the other. Only ratios of such a run mean anything; `RESULTS.md` says which run it was.

// A benchmark that cannot measure has nothing better to do than to say why and stop.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod brokers;
mod goals;
mod idle;
mod latency;
mod limits;
mod load;
mod machine;
mod measure;
mod pages;
mod raw;
mod report;
mod rows;
mod starting;

use std::os::unix::process::CommandExt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::Command;

use clap::Parser;

use crate::brokers::Kind;

/// Runs Vltava and Apache Kafka 3.9 and 4.x in turn and prints ratios; writes benches/RESULTS.md.
#[derive(Debug, Parser)]
#[command(name = "vltava-bench", version)]
struct Options {
    /// The rows to run, by the beginning of their names; all if none is given
    rows: Vec<String>,
    /// How many rounds; each runs every broker once
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many gigabytes a row moves for each broker whose result is CPU per gigabyte, over all rounds together
    #[arg(long, default_value_t = 10.0)]
    gigabytes: f64,
    /// The contestants; the limit is the machine's own, without a broker
    #[arg(long, value_delimiter = ',', default_value = "vltava,kafka-3.9,kafka-4,limit")]
    brokers: Vec<Kind>,
    /// How long a row runs in each round whose result is a latency, in seconds
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Where the results go
    #[arg(long, default_value = "benches/RESULTS.md")]
    output: PathBuf,
    /// A folder for data; by default a temporary one
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Options {
    /// The command line that makes the same run, without where data and results go.
    fn command_line(&self) -> String {
        let brokers: Vec<&str> = self.brokers.iter().map(|kind| kind.argument()).collect();
        let (rounds, gigabytes, seconds) = (self.rounds, self.gigabytes, self.seconds);
        let mut line = format!(
            "vltava-bench --rounds {rounds} --gigabytes {gigabytes} --seconds {seconds} --brokers {}",
            brokers.join(",")
        );
        for row in &self.rows {
            line.push_str(&format!(" '{row}'"));
        }
        line
    }

    fn wanted(&self) -> Vec<&'static rows::Row> {
        let asked = |row: &&rows::Row| {
            self.rows.iter().any(|name| row.name.to_lowercase().starts_with(&name.to_lowercase()))
        };
        rows::ROWS.iter().filter(|row| self.rows.is_empty() || asked(row)).collect()
    }
}

/// What is measured is the `vltava` that was built beside this program, unless `$VLTAVA` names another. The environment is how the
/// processes that start it are told, and it is set for them by beginning again.
fn begin_with_program() {
    if std::env::var_os("VLTAVA").is_some() {
        return;
    }
    let this = std::env::current_exe().expect("this program's path");
    let program = this.with_file_name("vltava");
    assert!(program.is_file(), "{} is missing: `make bench` builds it", program.display());
    let error = Command::new(&this).args(std::env::args_os().skip(1)).env("VLTAVA", program).exec();
    panic!("{}: {error}", this.display());
}

fn main() {
    let options = Options::parse();
    begin_with_program();
    let wanted = options.wanted();
    assert!(!wanted.is_empty(), "no row begins with any of {:?}", options.rows);
    measure::raise_open_files();
    let scale = rows::Scale::new(options.gigabytes / f64::from(options.rounds), options.seconds);
    let mut results = report::Results::new(machine::Run {
        command_line: options.command_line(),
        rounds: options.rounds,
        gigabytes: options.gigabytes,
        seconds: options.seconds,
    });
    // A run that is cut short leaves what it has.
    let save = |results: &report::Results, rounds_done: u32| {
        let text = results.render(&options.brokers, rounds_done);
        std::fs::write(&options.output, text).unwrap_or_else(|e| panic!("{}: {e}", options.output.display()));
    };
    let pages = pages::UsedPages::new();
    for round in 1..=options.rounds {
        for row in &wanted {
            for kind in options.brokers.iter().filter(|kind| row.runs_on.contains(kind)) {
                eprintln!("round {round} of {}: {} on {kind}", options.rounds, row.name);
                let folder = match &options.data {
                    Some(data) => tempfile::tempdir_in(data),
                    None => tempfile::tempdir(),
                }
                .expect("a folder for data");
                pages.take();
                // Who fails says why as it fails; the other rows are worth having.
                let outcome =
                    std::panic::catch_unwind(AssertUnwindSafe(|| (row.run)(*kind, folder.path(), &scale)));
                match outcome {
                    Ok(figures) => {
                        for (figure, value) in figures {
                            eprintln!("    {figure}: {}", report::number(value));
                            results.add(round, row.name, figure, *kind, value);
                        }
                    }
                    Err(_) => results.failed(round, row.name, *kind),
                }
            }
            save(&results, round - 1);
        }
        save(&results, round);
    }
    println!("{}", results.render(&options.brokers, options.rounds));
    assert!(!results.has_failures(), "some rows failed");
}
