//! `kafka-get-offsets`, `kafka-delete-records`, `kafka-leader-election`, `kafka-log-dirs` and `kafka-broker-api-versions`.

use crate::session::Counts::FirstLine;
use crate::session::{Batch, Session, Step, run, run_for};

/// 2023-11-14T22:13:20Z.
const START: i64 = 1_700_000_000_000;

pub(crate) fn session() -> Session {
    let mut steps = set_up();
    steps.extend(offsets());
    steps.extend(deleted_records());
    steps.extend(directories());
    Session { name: "offsets", steps }
}

fn set_up() -> Vec<Step> {
    let batch =
        |partition, records| Step::Produce(Batch { topic: "golden", partition, codec: "none", records });
    vec![
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic golden --partitions 3 --config retention.ms=-1",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic another --partitions 1"),
        Step::Until("topics --describe --bootstrap-server {bootstrap}", "(?s)(Leader: 0.*){4}"),
        batch(
            0,
            &[(None, Some("a"), START), (None, Some("b"), START + 9000), (None, Some("c"), START + 2000)],
        ),
        batch(1, &[(None, Some("d"), START + 500)]),
        // So that there is an internal topic.
        run(
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group readers --topic golden:0 --reset-offsets --to-earliest --execute",
        ),
    ]
}

fn offsets() -> Vec<Step> {
    vec![
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --exclude-internal-topics"),
        run("kafka-get-offsets.sh --broker-list {bootstrap} --topic golden --time -1"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time -2"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time -3"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time earliest"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time latest"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time max-timestamp"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time earliest-local"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time latest-tiered"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time 1700000000501"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time 1800000000000"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time soon"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --partitions 0,2"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --partitions 0"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --partitions 7"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --partitions x"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic gol.*,another"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic nosuch"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions golden:0-2,another"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions golden:1-"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions golden:-1"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions g.*:0"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions :2"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions golden:x"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions golden --topic golden"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic-partitions golden --partitions 0"),
        run("kafka-get-offsets.sh --topic golden"),
        Step::File("client.properties", "client.id=somebody\nrequest.timeout.ms=20000\n"),
        run(
            "kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --command-config client.properties",
        ),
        run(
            "kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --command-config nosuch.properties",
        ),
        run("kafka-get-offsets.sh --bootstrap-server nowhere --topic golden"),
    ]
}

fn deleted_records() -> Vec<Step> {
    vec![
        Step::File(
            "good.json",
            r#"{"partitions":[{"topic":"golden","partition":0,"offset":1}],"version":1}"#,
        ),
        run(
            "kafka-leader-election.sh --bootstrap-server {bootstrap} --election-type preferred --topic golden --partition 0",
        ),
        run(
            "kafka-leader-election.sh --bootstrap-server {bootstrap} --election-type UNCLEAN --all-topic-partitions",
        ),
        run(
            "kafka-leader-election.sh --bootstrap-server {bootstrap} --election-type UNCLEAN --topic nosuch --partition 0",
        ),
        Step::File(
            "elect.json",
            r#"{"partitions":[{"topic":"golden","partition":0},{"topic":"golden","partition":2},{"topic":"another","partition":0},{"topic":"golden","partition":9}]}"#,
        ),
        run(
            "kafka-leader-election.sh --bootstrap-server {bootstrap} --election-type PREFERRED --path-to-json-file elect.json",
        ),
        Step::File(
            "elect-twice.json",
            r#"{"partitions":[{"topic":"a","partition":0},{"topic":"a","partition":0}]}"#,
        ),
        run(
            "kafka-leader-election.sh --bootstrap-server {bootstrap} --election-type PREFERRED --path-to-json-file elect-twice.json",
        ),
        Step::File("elect-none.json", "{}"),
        run(
            "kafka-leader-election.sh --bootstrap-server {bootstrap} --election-type PREFERRED --path-to-json-file elect-none.json",
        ),
        Step::File("all.json", r#"{"partitions":[{"topic":"golden","partition":1,"offset":-1}]}"#),
        Step::File(
            "beyond.json",
            r#"{"partitions":[{"topic":"golden","partition":0,"offset":99}],"version":1}"#,
        ),
        Step::File(
            "twice.json",
            r#"{"partitions":[{"topic":"golden","partition":0,"offset":1},{"topic":"golden","partition":0,"offset":2}]}"#,
        ),
        Step::File("version.json", r#"{"partitions":[],"version":2}"#),
        Step::File("empty.json", r#"{"version":1}"#),
        Step::File("broken.json", "{"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file good.json"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file all.json"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file beyond.json"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file twice.json"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file version.json"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file empty.json"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file broken.json"),
        run("kafka-delete-records.sh --bootstrap-server {bootstrap} --offset-json-file nosuch.json"),
        run("kafka-get-offsets.sh --bootstrap-server {bootstrap} --topic golden --time earliest"),
    ]
}

fn directories() -> Vec<Step> {
    vec![
        run("kafka-log-dirs.sh --bootstrap-server {bootstrap} --describe --topic-list another"),
        run(
            "kafka-log-dirs.sh --bootstrap-server {bootstrap} --describe --topic-list another --broker-list 0",
        ),
        run("kafka-log-dirs.sh --bootstrap-server {bootstrap} --describe --topic-list nosuch"),
        run("kafka-log-dirs.sh --bootstrap-server {bootstrap} --describe --broker-list 7,8"),
        run("kafka-log-dirs.sh --bootstrap-server {bootstrap} --describe --broker-list x"),
        run_for(FirstLine, "kafka-log-dirs.sh --bootstrap-server {bootstrap} --describe"),
        run_for(FirstLine, "kafka-broker-api-versions.sh --bootstrap-server {bootstrap}"),
    ]
}
