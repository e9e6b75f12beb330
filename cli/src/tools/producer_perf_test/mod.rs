//! `kafka-producer-perf-test`: how fast records can be produced.
//!
//! Two tools have had this name, and their options tell which is meant: [`today`] measures latencies (`--num-records`,
//! `--record-size`, `--throughput`), [`scala`] is that of 0.8 to 1.x, which sends from several threads (`--messages`, `--threads`).

mod options;
mod payload;
mod scala;
mod stats;
mod today;

use std::process::ExitCode;

use clap::CommandFactory as _;

pub(crate) use self::options::Args;
use super::{failure::Failure, output};

/// Sends what is asked for and prints how fast that was.
pub(crate) fn run(args: &Args) -> ExitCode {
    // The program and the subcommand: without a word more Kafka's tool explains itself.
    if std::env::args_os().len() <= 2 {
        output::write(&Args::command().name("producer-perf-test").render_long_help().to_string());
        return ExitCode::SUCCESS;
    }
    if let Some(warning) = args.warning() {
        output::log_warning(warning, scala::LOGGER);
    }
    if args.is_scala() {
        return match args.scala().and_then(|settings| scala::run(&settings)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) if failure.usage => super::usage::<Args>(&failure.message),
            Err(failure) => thrown(&failure),
        };
    }
    match args.today().and_then(|settings| today::run(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        // As argparse4j does.
        Err(failure) if failure.usage => {
            eprintln!("{}", super::usage_line::<Args>("producer-performance"));
            eprintln!("producer-performance: error: {}", failure.message);
            ExitCode::FAILURE
        }
        Err(failure) => thrown(&failure),
    }
}

/// As the JVM reports an exception that nobody catches.
fn thrown(failure: &Failure) -> ExitCode {
    eprintln!("Exception in thread \"main\" {failure}");
    ExitCode::FAILURE
}
