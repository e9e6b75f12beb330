//! `kafka-console-consumer`: records become text on standard output.
//!
//! [`kafka`] is the consumer of today, [`old`] the one of Kafka 0.8 over ZooKeeper; both hand their records to [`process`].

mod formatter;
mod group_json;
mod group_records;
mod json;
mod kafka;
mod old;
mod options;
mod process;
mod record;
mod transactions;

use std::process::ExitCode;

pub(crate) use self::options::Args;
use self::process::Ending;
use super::{failure::Failure, output, signals::Stop};

/// Where Kafka's tool logs.
const LOGGER: &str = "kafka.tools.ConsoleConsumer$";

/// Consumes until there is a reason to end.
pub(crate) fn run(args: &Args) -> ExitCode {
    for warning in args.warnings() {
        output::log_warning(warning, LOGGER);
    }
    if let Some(renamed) = args.renamed_formatter() {
        eprintln!("{renamed}");
    }
    let settings = match args.settings() {
        Ok(settings) => settings,
        Err(failure) if failure.usage => return super::usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("{}", failure.message);
            return ExitCode::FAILURE;
        }
    };
    if settings.zookeeper.is_some() {
        eprintln!(
            "Using the ConsoleConsumer with old consumer is deprecated and will be removed in a future major release. \
             Consider using the new consumer by passing [bootstrap-server] instead of [zookeeper]."
        );
    }
    let ending = Stop::new().and_then(|stop| {
        if settings.zookeeper.is_some() {
            old::consume(&settings, &stop)
        } else {
            kafka::consume(&settings, &stop)
        }
    });
    match ending {
        Ok(ending) => {
            if settings.systest_events && ending != Ending::Refused {
                output::line("shutdown_complete");
            }
            ending.exit_code()
        }
        Err(failure) => unknown(&failure),
    }
}

/// What Kafka's tool says of a consumer that could not be made.
fn unknown(failure: &Failure) -> ExitCode {
    output::log_caused("Unknown error when running consumer: ", LOGGER, failure);
    ExitCode::FAILURE
}

impl Ending {
    /// As Kafka's tool exits: what ends the client, a timeout among it, is logged and no failure of the tool.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Done | Self::Timeout | Self::Terminated => ExitCode::SUCCESS,
            Self::Failed | Self::Refused => ExitCode::FAILURE,
            Self::Signal(code) => ExitCode::from(*code),
        }
    }
}
