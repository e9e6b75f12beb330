//! Kafka's command-line tools: their options, words, streams and exit codes, over `vltava-client` or ZooKeeper's znodes.
//!
//! A tool is a folder or a file with `Args` and `run`. What all share: [`arguments`] reads the command line as Kafka's tools do,
//! [`brokers`] and [`zookeeper`] connect, [`failure`] says what went wrong under the name that Kafka gives it, [`output`] writes.

pub(crate) mod arguments;
pub(crate) mod broker_api_versions;
mod brokers;
mod client;
pub(crate) mod configs;
pub(crate) mod console_consumer;
pub(crate) mod console_producer;
pub(crate) mod consumer_groups;
pub(crate) mod consumer_perf_test;
pub(crate) mod delete_records;
mod deserializer;
pub(crate) mod dump_log;
mod era;
mod events;
mod failure;
pub(crate) mod get_offsets;
mod group_records;
mod input_file;
mod java_order;
mod java_regex;
mod java_text;
pub(crate) mod leader_election;
pub(crate) mod log_dirs;
pub(crate) mod mirror_maker;
pub(crate) mod output;
pub(crate) mod preferred_replica_election;
pub(crate) mod producer_perf_test;
pub(crate) mod reassign_partitions;
mod replica_lists;
mod scala_order;
mod signals;
mod throttle;
mod topic_filter;
pub(crate) mod topics;
mod transaction_records;
pub(crate) mod verifiable_consumer;
pub(crate) mod verifiable_producer;
mod zookeeper;
mod zookeeper_consumer;
pub(crate) mod zookeeper_shell;

use std::process::ExitCode;

use self::failure::Failure;

/// Runs a tool's work on one thread: it asks one question at a time.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("java.io.IOException", error.to_string()))?;
    runtime.block_on(work)
}

/// How a tool is called, in one line, as argparse4j begins its errors.
fn usage_line<C: clap::CommandFactory>(name: &'static str) -> String {
    C::command().name(name).render_usage().to_string().replace("Usage:", "usage:")
}

/// Ends a tool of Java's tools package: its mistakes of options as argparse4j tells them, others as a JVM does.
fn ended<C: clap::CommandFactory>(name: &'static str, done: Result<ExitCode, Failure>) -> ExitCode {
    match done {
        Ok(code) => return code,
        Err(failure) if failure.usage => {
            eprintln!("{}", usage_line::<C>(name));
            eprintln!("{name}: error: {}", failure.message);
        }
        Err(failure) => eprintln!("Exception in thread \"main\" {failure}"),
    }
    ExitCode::FAILURE
}

/// A failure that Kafka's parser of options has found: the message and the tool's options on standard error, exit code 1.
fn usage<C: clap::CommandFactory>(message: &str) -> ExitCode {
    eprintln!("{message}");
    eprintln!("{}", C::command().render_help());
    ExitCode::FAILURE
}
