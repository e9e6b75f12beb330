//! `kafka-topics`: made, listed, described by every filter, grown, deleted.

use crate::session::Counts::AnyOrder;
use crate::session::{Session, Step, run, run_for};

pub(crate) fn session() -> Session {
    let mut steps = made();
    steps.extend(described());
    steps.extend(grown_and_deleted());
    Session { name: "topics", steps }
}

fn made() -> Vec<Step> {
    vec![
        run("kafka-topics.sh --bootstrap-server {bootstrap} --list"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe"),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic golden --partitions 3 --replication-factor 1 --config retention.ms=-1",
        ),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic golden --partitions 3 --config retention.ms=-1",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --if-not-exists --topic golden"),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic golden.cfg --config cleanup.policy=compact --config segment.bytes=1048576",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic defaults"),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic assigned --replica-assignment 0,0",
        ),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic strict --config min.insync.replicas=2",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic golden_cfg"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --replication-factor 5"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic 'bad name'"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --config no.such=1"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --config retention.ms=x"),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --config cleanup.policy=burn",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --config nothing"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --partitions 0"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --replication-factor 0"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --replica-assignment 0:0"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --replica-assignment 0,0:1"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic bad --replica-assignment x"),
        Step::Until("topics --describe --bootstrap-server {bootstrap}", "(?s)(Leader: 0.*){8}"),
        Step::Produce(crate::session::Batch {
            topic: "golden",
            partition: 0,
            codec: "none",
            records: &[(None, Some("a"), 1_700_000_000_000)],
        }),
        // So that there is an internal topic.
        run(
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group readers --topic golden:0 --reset-offsets --to-earliest --execute",
        ),
    ]
}

fn described() -> Vec<Step> {
    vec![
        Step::Keep(
            "id",
            "topics --describe --bootstrap-server {bootstrap} --topic golden",
            r"TopicId: (\S+)",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --list"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --list --exclude-internal"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --list --topic golden.*"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --list --topic golden,strict"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --list --topic nosuch"),
        run_for(AnyOrder, "kafka-topics.sh --bootstrap-server {bootstrap} --describe --exclude-internal"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic golden"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic golden.cfg"),
        run_for(AnyOrder, "kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic golden.*"),
        run_for(
            AnyOrder,
            "kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic __consumer_offsets",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic nosuch"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic nosuch --if-exists"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic-id {id}"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic-id dGhlcmUgaXMgbm8gaWQhIQ"),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic-id dGhlcmUgaXMgbm8gaWQhIQ --if-exists",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic-id nonsense"),
        run_for(
            AnyOrder,
            "kafka-topics.sh --bootstrap-server {bootstrap} --describe --topics-with-overrides",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --under-replicated-partitions"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --unavailable-partitions"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --under-min-isr-partitions"),
        run_for(
            AnyOrder,
            "kafka-topics.sh --bootstrap-server {bootstrap} --describe --at-min-isr-partitions --exclude-internal",
        ),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic golden --partition-size-limit-per-response 1",
        ),
    ]
}

fn grown_and_deleted() -> Vec<Step> {
    vec![
        run("kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic golden --partitions 4"),
        Step::Until(
            "topics --describe --bootstrap-server {bootstrap} --topic golden",
            "(?s)(Leader: 0.*){4}",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic golden --partitions 2"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic golden --partitions 4"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic golden --partitions 0"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic nosuch --partitions 2"),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic nosuch --partitions 2 --if-exists",
        ),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic golden --partitions 5 --replica-assignment 0,0,0,0,9",
        ),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --alter --topic golden --partitions 6 --replica-assignment 0,0,0,0,0,0",
        ),
        Step::Until(
            "topics --describe --bootstrap-server {bootstrap} --topic golden",
            "(?s)(Leader: 0.*){6}",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --describe --topic golden"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --delete --topic assigned"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --delete --topic nosuch"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --delete --topic nosuch --if-exists"),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --delete --topic golden.+,bad"),
        Step::Until(
            "zookeeper-shell {zookeeper} ls /brokers/topics",
            r"\[__consumer_offsets, defaults, golden, strict\]",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --list"),
    ]
}
