//! `kafka-configs`: overrides of topics, brokers, clients and users, through brokers or in ZooKeeper's znodes.

mod args;
mod changes;
mod entity;
mod new;
mod old;
mod quotas;
mod scram;
mod whose;

use std::process::ExitCode;

pub(crate) use self::args::Args;
use super::{failure::Failure, output, usage};

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    let old = args.zookeeper.is_some();
    let target = match args.check() {
        Ok(target) => target,
        Err(failure) if old && !failure.usage => {
            eprintln!("Exception in thread \"main\" {failure}");
            return ExitCode::FAILURE;
        }
        Err(failure) => return refuse(&failure),
    };
    let done = super::block_on(async {
        if old { old::run(args, &target).await } else { new::run(args, &target).await }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // 0.11's tool prints what has happened, with a stack trace in the place of the empty line, and ends well.
        Err(failure) if old && !failure.usage => {
            output::write(&format!(
                "Error while executing config command {}\n{failure}\n\n",
                failure.message
            ));
            ExitCode::SUCCESS
        }
        Err(failure) => refuse(&failure),
    }
}

/// What 3.9's tool says of a failure.
fn refuse(failure: &Failure) -> ExitCode {
    match failure {
        failure if failure.usage => usage::<Args>(&failure.message),
        // The user's mistakes need no stack trace.
        failure
            if failure.class == "java.lang.IllegalArgumentException"
                || failure.class.ends_with(".InvalidConfigurationException") =>
        {
            eprintln!("{}", failure.message);
            ExitCode::FAILURE
        }
        failure => {
            let words: Vec<String> = std::env::args().skip(2).map(|word| scram::hidden(&word)).collect();
            eprintln!("Error while executing config command with args '{}'", words.join(" "));
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
