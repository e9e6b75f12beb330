//! `kafka-consumer-perf-test`: how fast records can be consumed.
//!
//! [`today`] is a member of a group at the brokers, [`old`] one of a group in ZooKeeper, which prints fewer columns.

mod old;
mod options;
mod progress;
mod today;

use std::process::ExitCode;

pub(crate) use self::options::Args;
use super::output;

/// Consumes what is asked for and prints how fast that was.
pub(crate) fn run(args: &Args) -> ExitCode {
    if args.warns_of_threads() {
        output::line(
            "WARNING: option [threads] and [num-fetch-threads] have been deprecated and will be ignored by the test",
        );
    }
    let outcome = args.settings().and_then(|settings| {
        if settings.zookeeper.is_some() { old::run(&settings) } else { today::run(&settings) }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => super::usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("{}\n{failure}", failure.message);
            ExitCode::FAILURE
        }
    }
}
