//! `kafka-reassign-partitions`: partitions go to other brokers, replicas to other directories.
//!
//! [`new`] asks the controller through brokers, [`old`] leaves the wish in ZooKeeper as tools before Kafka 2.6 did. Both read the same
//! [`plan`]s and propose by the same rules ([`spread`]).

mod args;
mod dirs;
mod new;
mod old;
mod plan;
mod spread;
mod throttles;

use std::process::ExitCode;

use vltava_client::ClientError;

pub(crate) use self::args::Args;
use self::args::{Action, Limits};
use super::{failure::Failure, output, usage};

/// What ends the tool early.
#[derive(Debug)]
enum Ended {
    /// What Kafka's tool says plainly.
    Told(String),
    /// What it shows as an exception.
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Ended {
        Ended::Failed(failure)
    }
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Ended {
        Ended::Failed(error.into())
    }
}

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    let action = match args.check() {
        Ok(action) => action,
        Err(failure) => return usage::<Args>(&failure.message),
    };
    if args.is_old() {
        return match super::block_on(old::run(args, action)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                output::line(format_args!("Partitions reassignment failed due to {}", failure.message));
                output::line(format_args!("{failure}\n"));
                // As Kafka's tool: scripts of its time read what it said.
                ExitCode::SUCCESS
            }
        };
    }
    // What is told plainly is a success to whoever runs futures, and a failure of the tool.
    let told = super::block_on(async {
        match new::run(args, action).await {
            Ok(()) => Ok(None),
            Err(Ended::Told(words)) => Ok(Some(words)),
            Err(Ended::Failed(failure)) => Err(failure),
        }
    });
    match told {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(words)) => output::line(words),
        Err(failure) => {
            output::line(format_args!("Error: {}", failure.message));
            output::line(format_args!("{failure}\n"));
        }
    }
    ExitCode::FAILURE
}
