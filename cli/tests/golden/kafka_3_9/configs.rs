//! `kafka-configs`: overrides of topics and brokers, the brokers' defaults, and where each value comes from.

use crate::session::{Session, Step, run};

pub(crate) fn session() -> Session {
    let mut steps = topics();
    steps.extend(brokers());
    Session { name: "configs", steps }
}

fn topics() -> Vec<Step> {
    vec![
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic golden --partitions 1"),
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic another --partitions 1 --config segment.ms=600000",
        ),
        Step::Until("topics --describe --bootstrap-server {bootstrap}", "(?s)(Leader: 0.*){2}"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type topics --entity-name golden",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type topics --entity-name golden --add-config retention.ms=86400000,max.message.bytes=128000",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type topics --entity-name golden",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --topic golden --all"),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type topics"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config cleanup.policy=[delete,compact],segment.bytes=1048576 --delete-config retention.ms",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --topic golden"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --delete-config segment.bytes,cleanup.policy",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --delete-config retention.ms",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --delete-config retention.ms,no.such",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config no.such=1"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config retention.ms=x",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config min.insync.replicas=0",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config cleanup.policy=burn",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config retention.ms",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic nosuch --add-config retention.ms=1",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic 'bad name' --add-config retention.ms=1",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --topic nosuch"),
        Step::File("more.properties", "# more\nretention.ms = 3600000\ncompression.type=lz4\n"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config-file more.properties",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic golden --add-config-file nosuch.properties",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --topic golden"),
    ]
}

fn brokers() -> Vec<Step> {
    vec![
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type brokers"),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --broker 0"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type brokers --entity-name 0 --add-config log.retention.ms=7200000,message.max.bytes=2000000",
        ),
        Step::Until(
            "configs --bootstrap-server {bootstrap} --describe --broker 0",
            "message.max.bytes=2000000",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type brokers --entity-name 0",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker-defaults --add-config message.max.bytes=3000000,num.io.threads=9",
        ),
        Step::Until(
            "configs --bootstrap-server {bootstrap} --describe --broker-defaults",
            "message.max.bytes=3000000",
        ),
        Step::Until(
            "configs --bootstrap-server {bootstrap} --describe --topic golden --all",
            "DYNAMIC_DEFAULT_BROKER_CONFIG:message.max.bytes=3000000",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type brokers --entity-default",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --broker-defaults"),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type brokers"),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --broker 0"),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --topic golden --all"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker 0 --delete-config message.max.bytes",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker 0 --delete-config message.max.bytes",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker 0 --add-config broker.id=5"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker 0 --add-config num.io.threads=x",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker 0 --add-config num.io.threads=900",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker 0 --add-config num.io.threads=3",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker-defaults --add-config log.dirs=/tmp/x",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker-defaults --delete-config message.max.bytes,num.io.threads",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type broker-loggers --entity-name 0 --add-config root=INFO",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker-logger 0 --add-config root=LOUD",
        ),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker-logger 0 --add-config no.such=INFO",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker-logger 0 --delete-config root"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --broker-logger x --add-config root=INFO",
        ),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --entity-type broker-loggers"),
        run(
            "kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type broker-loggers --add-config root=INFO",
        ),
        Step::Until("configs --bootstrap-server {bootstrap} --describe --broker-defaults", "are:\n$"),
        run("kafka-configs.sh --bootstrap-server {bootstrap} --describe --broker-defaults"),
    ]
}
