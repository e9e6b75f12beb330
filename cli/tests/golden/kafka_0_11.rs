//! A first day with Kafka 0.11's tools: topics and configuration in ZooKeeper, records, groups of both kinds, offsets, dumps.

use super::session::Counts::{AnyOrder, Everything, FirstLine, Output, Squeezed};
use super::session::{Session, Step, run, run_for, run_with};

pub(crate) fn session() -> Session {
    let mut steps = topics();
    steps.extend(configs());
    steps.extend(records_and_groups());
    steps.extend(what_is_on_disk());
    Session { name: "first-day", steps }
}

fn topics() -> Vec<Step> {
    vec![
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --replication-factor 1 --partitions 3 --topic golden",
        ),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --replication-factor 1 --partitions 3 --topic golden",
        ),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --if-not-exists --replication-factor 1 --partitions 3 --topic golden",
        ),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --replication-factor 1 --partitions 1 --topic golden.cfg --config cleanup.policy=compact --config segment.bytes=1048576",
        ),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --replication-factor 5 --partitions 1 --topic bad",
        ),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --replication-factor 1 --partitions 1 --topic 'bad name'",
        ),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --replication-factor 1 --partitions 1 --topic bad --config no.such=1",
        ),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --topic golden-assigned --replica-assignment 0,0,0",
        ),
        run("kafka-topics.sh --create --zookeeper {zookeeper} --topic bad --replica-assignment 0:0"),
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --topic golden_cfg --replication-factor 1 --partitions 1",
        ),
        run("kafka-topics.sh --create --zookeeper {zookeeper} --topic bad --partitions 1"),
        run("kafka-topics.sh --create --zookeeper {zookeeper} --topic bad"),
        run("kafka-topics.sh --zookeeper {zookeeper} --list --create"),
        Step::Until("topics --describe --bootstrap-server {bootstrap}", "(?s)(Leader: 0.*){7}"),
        run("kafka-topics.sh --list --zookeeper {zookeeper}"),
        run("kafka-topics.sh --describe --zookeeper {zookeeper} --topic golden"),
        run("kafka-topics.sh --describe --zookeeper {zookeeper} --topic golden.cfg"),
        run("kafka-topics.sh --describe --zookeeper {zookeeper} --topic nosuch"),
        run("kafka-topics.sh --describe --zookeeper {zookeeper} --topics-with-overrides"),
        run("kafka-topics.sh --describe --zookeeper {zookeeper} --under-replicated-partitions"),
        run("kafka-topics.sh --describe --zookeeper {zookeeper} --unavailable-partitions"),
        run("kafka-topics.sh --alter --zookeeper {zookeeper} --topic golden --partitions 4"),
        run("kafka-topics.sh --alter --zookeeper {zookeeper} --topic golden --partitions 2"),
        run("kafka-topics.sh --alter --zookeeper {zookeeper} --topic nosuch --partitions 2"),
        run("kafka-topics.sh --alter --zookeeper {zookeeper} --topic nosuch --partitions 2 --if-exists"),
        run(
            "kafka-topics.sh --alter --zookeeper {zookeeper} --topic golden --config max.message.bytes=2000000",
        ),
        run(
            "kafka-topics.sh --alter --zookeeper {zookeeper} --topic golden --delete-config max.message.bytes",
        ),
        Step::Until(
            "topics --describe --bootstrap-server {bootstrap} --topic golden",
            "(?s)(Leader: 0.*){4}",
        ),
    ]
}

fn configs() -> Vec<Step> {
    vec![
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type topics --entity-name golden --add-config retention.ms=86400000,max.message.bytes=128000",
        ),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type topics --entity-name golden"),
        run_for(AnyOrder, "kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type topics"),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type topics --entity-name golden --delete-config retention.ms",
        ),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type topics --entity-name golden --delete-config retention.ms",
        ),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type topics --entity-name golden --add-config no.such=1",
        ),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type topics --entity-name nosuch --add-config retention.ms=1",
        ),
        // The warning that no broker enforces it is Vltava's.
        run_for(
            Output,
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type clients --entity-name clientA --add-config producer_byte_rate=1048576,consumer_byte_rate=2097152",
        ),
        run_for(
            Output,
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type users --entity-name user1 --entity-type clients --entity-name clientA --add-config request_percentage=50",
        ),
        run_for(
            Output,
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type users --entity-default --add-config producer_byte_rate=4096",
        ),
        run_for(
            Output,
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type users --entity-name alice --add-config SCRAM-SHA-256=[iterations=8192,password=alice-secret],SCRAM-SHA-512=[password=alice-secret]",
        ),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type users --entity-name alice"),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type users --entity-name alice --add-config SCRAM-SHA-256=[iterations=100,password=x]",
        ),
        run_for(
            Output,
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type users --entity-name alice --delete-config SCRAM-SHA-512",
        ),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type clients"),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type users"),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type brokers --entity-name 0"),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type brokers --entity-name 0 --add-config leader.replication.throttled.rate=10485760",
        ),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type brokers --entity-name 0"),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type brokers --entity-name 0 --add-config follower.replication.throttled.rate=-1",
        ),
        run(
            "kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type brokers --entity-name 0 --delete-config leader.replication.throttled.rate",
        ),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe --entity-type nosuch"),
        run("kafka-configs.sh --zookeeper {zookeeper} --describe"),
        run("kafka-configs.sh --zookeeper {zookeeper} --alter --entity-type topics --entity-name golden"),
    ]
}

fn records_and_groups() -> Vec<Step> {
    vec![
        // Some for each partition: Kafka's consumer commits the offset of an empty one too, librdkafka's does not.
        run_with(
            "k1\tv1\nk2\tv2\nk3\tv3\nk4\tv4\nk8\tv5\nk14\tv6\n",
            Everything,
            "kafka-console-producer.sh --broker-list {bootstrap} --topic golden --property parse.key=true",
        ),
        run_for(
            AnyOrder,
            "kafka-console-consumer.sh --bootstrap-server {bootstrap} --topic golden --from-beginning --property print.key=true --property print.timestamp=true --timeout-ms 8000 --consumer-property group.id=golden-group",
        ),
        run(
            "kafka-console-consumer.sh --bootstrap-server {bootstrap} --topic golden --partition 0 --offset earliest --timeout-ms 8000",
        ),
        run_for(
            AnyOrder,
            "kafka-console-consumer.sh --zookeeper {zookeeper} --topic golden --from-beginning --max-messages 6 --consumer-property group.id=golden-old-group --timeout-ms 15000",
        ),
        run("kafka-consumer-groups.sh --bootstrap-server {bootstrap} --list"),
        run("kafka-consumer-groups.sh --zookeeper {zookeeper} --list"),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --describe --group golden-group",
        ),
        run("kafka-consumer-groups.sh --zookeeper {zookeeper} --describe --group golden-old-group"),
        run("kafka-consumer-groups.sh --bootstrap-server {bootstrap} --describe --group nosuch"),
        run("kafka-consumer-groups.sh --zookeeper {zookeeper} --describe --group nosuch"),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --group golden-group --topic golden --reset-offsets --to-earliest",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --group golden-group --topic golden --reset-offsets --to-earliest --execute",
        ),
        Step::Start(
            "kafka-console-consumer.sh --bootstrap-server {bootstrap} --topic golden --consumer-property group.id=golden-live --consumer-property client.id=golden-live-1 --from-beginning",
        ),
        // All four partitions are owned and their offsets committed.
        Step::Until(
            "consumer-groups --bootstrap-server {bootstrap} --describe --group golden-live --offsets",
            r"(?s)(golden +\d +(\d+) +\d+ +0 .*golden-live-1-.*){4}",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --describe --group golden-live",
        ),
        Step::Stop,
        run("kafka-consumer-groups.sh --zookeeper {zookeeper} --delete --group nosuch"),
        run("kafka-consumer-groups.sh --zookeeper {zookeeper} --delete --group golden-old-group"),
        run("kafka-consumer-groups.sh --bootstrap-server {bootstrap} --describe"),
        run("kafka-consumer-groups.sh --list"),
        run_for(
            AnyOrder,
            "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic golden --time -1",
        ),
        run_for(
            AnyOrder,
            "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic golden --time -2",
        ),
        run_for(
            AnyOrder,
            "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic golden --time -1 --partitions 0,1",
        ),
        run_for(FirstLine, "kafka-broker-api-versions.sh --bootstrap-server {bootstrap}"),
    ]
}

fn what_is_on_disk() -> Vec<Step> {
    vec![
        run(
            "kafka-run-class.sh kafka.tools.DumpLogSegments --files {data}/golden-0/00000000000000000000.log --print-data-log --deep-iteration",
        ),
        run(
            "kafka-run-class.sh kafka.tools.DumpLogSegments --files {data}/golden-0/00000000000000000000.log",
        ),
        run(
            "kafka-run-class.sh kafka.tools.DumpLogSegments --files {data}/golden-0/00000000000000000000.index",
        ),
        run_for(
            Squeezed,
            "kafka-run-class.sh kafka.tools.DumpLogSegments --files {data}/golden-0/00000000000000000000.timeindex",
        ),
        Step::File(
            "delete.json",
            r#"{"partitions":[{"topic":"golden","partition":0,"offset":1}],"version":1}"#,
        ),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file delete.json"),
        run("kafka-topics.sh --delete --zookeeper {zookeeper} --topic golden-assigned"),
        run("kafka-topics.sh --delete --zookeeper {zookeeper} --topic nosuch"),
        run("kafka-topics.sh --delete --zookeeper {zookeeper} --topic nosuch --if-exists"),
        Step::Until(
            "zookeeper-shell {zookeeper} ls /brokers/topics",
            r"\[__consumer_offsets, golden, golden.cfg\]",
        ),
        run("kafka-topics.sh --list --zookeeper {zookeeper}"),
    ]
}
