//! `kafka-topics`: topics, through brokers or on ZooKeeper's znodes.

mod args;
mod new;
mod old;

use std::process::ExitCode;

pub(crate) use self::args::Args;
use super::{output, usage};

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    let old = args.zookeeper.is_some();
    let done = args.check().and_then(|()| {
        super::block_on(async { if old { old::run(args).await } else { new::run(args).await } })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        // Before the tool's own work begins: nothing of it is on standard output.
        Err(failure) if failure.is_of_connecting() => {
            eprintln!("{}", failure.message);
            ExitCode::FAILURE
        }
        Err(failure) => {
            output::line(format_args!("Error while executing topic command : {}", failure.message));
            let logger =
                if old { "kafka.admin.TopicCommand$" } else { "org.apache.kafka.tools.TopicCommand" };
            output::log_exception(&failure, logger);
            ExitCode::FAILURE
        }
    }
}

/// What is said before a topic is created whose name may collide with another's in metrics.
fn warn_of_collisions(topic: &str) {
    if super::topic_filter::has_collision_chars(topic) {
        output::line(
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.",
        );
    }
}

/// Ids with commas between.
fn ids(brokers: &[i32]) -> String {
    brokers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
