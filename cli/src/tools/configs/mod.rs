//! `kafka-configs`: overrides of topics, brokers, clients and users, through brokers or in ZooKeeper's znodes.

mod args;
mod changes;
mod entity;
mod new;
mod old;

use std::process::ExitCode;

pub(crate) use self::args::Args;
use super::usage;

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    let old = args.zookeeper.is_some();
    let done = args.check().and_then(|target| {
        super::block_on(async {
            if old { old::run(args, &target).await } else { new::run(args, &target).await }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        // The user's mistakes need no stack trace.
        Err(failure)
            if failure.class == "java.lang.IllegalArgumentException"
                || failure.class.ends_with(".InvalidConfigurationException") =>
        {
            eprintln!("{}", failure.message);
            ExitCode::FAILURE
        }
        Err(failure) => {
            let words: Vec<String> = std::env::args().skip(2).collect();
            eprintln!("Error while executing config command with args '{}'", words.join(" "));
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
