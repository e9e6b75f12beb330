//! The `vltava` program.

mod completion;
mod logging;
mod server;
mod tools;
mod up;
mod zookeeper;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Gives memory back to the system promptly and costs little per thread. Without huge pages (`no_thp`): with them a broker with nothing to do had 27 MB
/// and one with 50 producers 110, and no load of ours took less CPU. Version 2, which returns what is free after 10 ms: version 3 keeps it for a
/// second, and a broker with 50 producers had 48 to 69 MB, against 33 to 36 (`vltava-bench memory`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Kafka for Kubernetes: the broker, the ZooKeeper it can bring along, and the tools.
#[derive(Debug, Parser)]
#[command(name = "vltava", version, propagate_version = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a broker with a properties file, as kafka-server-start.sh does
    Server(server::Args),
    /// Make a manifest true on this machine: brokers, ZooKeeper and topics, and follow its changes
    Up(up::Args),
    /// Run the embedded one-node ZooKeeper with a properties file, as zookeeper-server-start.sh does
    Zookeeper(zookeeper::Args),
    /// Read lines from standard input and publish them, as kafka-console-producer.sh does
    ConsoleProducer(Box<tools::console_producer::Args>),
    /// Read records and write them to standard output, as kafka-console-consumer.sh does
    ConsoleConsumer(Box<tools::console_consumer::Args>),
    /// Measure how fast records can be produced, as kafka-producer-perf-test.sh does
    ProducerPerfTest(Box<tools::producer_perf_test::Args>),
    /// Measure how fast records can be consumed, as kafka-consumer-perf-test.sh does
    ConsumerPerfTest(Box<tools::consumer_perf_test::Args>),
    /// Send numbers and write a line of JSON for each that arrives, as kafka-verifiable-producer.sh does
    VerifiableProducer(tools::verifiable_producer::Args),
    /// Consume in a group and write a line of JSON for all that happens, as kafka-verifiable-consumer.sh does
    VerifiableConsumer(Box<tools::verifiable_consumer::Args>),
    /// Copy the records of topics from one cluster to another, as kafka-mirror-maker.sh does
    MirrorMaker(Box<tools::mirror_maker::Args>),
    /// Write what is in a partition's files, as kafka-dump-log.sh does
    DumpLog(tools::dump_log::Args),
    /// Create, list, describe, alter and delete topics, as kafka-topics.sh does
    Topics(Box<tools::topics::Args>),
    /// Show and change the configuration of topics, brokers, clients and users, as kafka-configs.sh does
    Configs(Box<tools::configs::Args>),
    /// List, describe, delete and reset consumer groups, as kafka-consumer-groups.sh does
    ConsumerGroups(Box<tools::consumer_groups::Args>),
    /// Show the offsets of partitions, as kafka-get-offsets.sh and GetOffsetShell do
    GetOffsets(tools::get_offsets::Args),
    /// Show which requests the brokers serve, and in which versions, as kafka-broker-api-versions.sh does
    BrokerApiVersions(tools::broker_api_versions::Args),
    /// Delete the records before an offset, as kafka-delete-records.sh does
    DeleteRecords(tools::delete_records::Args),
    /// Elect the preferred or any live replica of partitions as their leader, as kafka-leader-election.sh does
    LeaderElection(tools::leader_election::Args),
    /// Give leadership back to preferred replicas, as kafka-preferred-replica-election.sh does
    PreferredReplicaElection(tools::preferred_replica_election::Args),
    /// Move partitions to other brokers and replicas to other directories, as kafka-reassign-partitions.sh does
    ReassignPartitions(Box<tools::reassign_partitions::Args>),
    /// Show the log directories of brokers, and the partitions in them, as kafka-log-dirs.sh does
    LogDirs(tools::log_dirs::Args),
    /// Read and write znodes, as zookeeper-shell.sh and zkCli.sh do
    ZookeeperShell(tools::zookeeper_shell::Args),
    /// Write the script by which a shell completes these subcommands and their options
    Completion(completion::Args),
}

fn main() -> ExitCode {
    up::end_with_parent();
    let cli = match tools::arguments::parse::<Cli>() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match cli.command {
        Command::Server(args) => server::run(&args),
        Command::Up(args) => up::run(&args),
        Command::Zookeeper(args) => zookeeper::run(&args),
        Command::ConsoleProducer(args) => tools::console_producer::run(&args),
        Command::ConsoleConsumer(args) => tools::console_consumer::run(&args),
        Command::ProducerPerfTest(args) => tools::producer_perf_test::run(&args),
        Command::ConsumerPerfTest(args) => tools::consumer_perf_test::run(&args),
        Command::VerifiableProducer(args) => tools::verifiable_producer::run(&args),
        Command::VerifiableConsumer(args) => tools::verifiable_consumer::run(&args),
        Command::MirrorMaker(args) => tools::mirror_maker::run(&args),
        Command::DumpLog(args) => tools::dump_log::run(&args),
        Command::Topics(args) => tools::topics::run(&args),
        Command::Configs(args) => tools::configs::run(&args),
        Command::ConsumerGroups(args) => tools::consumer_groups::run(&args),
        Command::GetOffsets(args) => tools::get_offsets::run(&args),
        Command::BrokerApiVersions(args) => tools::broker_api_versions::run(&args),
        Command::DeleteRecords(args) => tools::delete_records::run(&args),
        Command::LeaderElection(args) => tools::leader_election::run(&args),
        Command::PreferredReplicaElection(args) => tools::preferred_replica_election::run(&args),
        Command::ReassignPartitions(args) => tools::reassign_partitions::run(&args),
        Command::LogDirs(args) => tools::log_dirs::run(&args),
        Command::ZookeeperShell(args) => tools::zookeeper_shell::run(&args),
        Command::Completion(args) => completion::run::<Cli>(&args),
    }
}
