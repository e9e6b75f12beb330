//! What 0.11's tools tell of segments: `GetOffsetShell` with several offsets, files that are not there; and options that do not go together.

use super::session::Counts::{AnyOrder, ExitCode};
use super::session::{Batch, Session, Step, run, run_for};

pub(crate) fn session() -> Session {
    let mut steps = vec![
        // A segment holds one batch and no second one.
        run(
            "kafka-topics.sh --create --zookeeper {zookeeper} --replication-factor 1 --partitions 2 --topic old --config segment.bytes=250",
        ),
        Step::Until("topics --describe --bootstrap-server {bootstrap}", "(?s)(Leader: 0.*){2}"),
    ];
    for time in [1_700_000_000_000, 1_700_000_001_000, 1_700_000_002_000] {
        steps.push(Step::Produce(batch(time)));
    }
    steps.extend(offsets());
    steps.extend(mistakes());
    Session { name: "segments", steps }
}

fn batch(time: i64) -> Batch {
    // As long as a segment by itself.
    const LONG: &str = "a value of which a segment does not hold another one, since it has a hundred bytes or more in it, as one sees";
    let records: &'static [_] = match time {
        1_700_000_000_000 => {
            &[(Some("a"), Some(LONG), 1_700_000_000_000), (None, Some("b"), 1_700_000_000_001)]
        }
        1_700_000_001_000 => &[(Some("c"), Some(LONG), 1_700_000_001_000)],
        _ => &[(Some("d"), Some(LONG), 1_700_000_002_000), (None, Some("e"), 1_700_000_002_001)],
    };
    Batch { topic: "old", partition: 0, codec: "none", records }
}

fn offsets() -> Vec<Step> {
    const SHELL: [&str; 6] = [
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic old --offsets 10",
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic old --time -2 --offsets 10",
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic old --time 1 --offsets 3",
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic old --time 1",
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic old --offsets 0 --max-wait-ms 5000",
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic old --partitions 0,7 --offsets 2",
    ];
    SHELL.iter().map(|line| run_for(AnyOrder, line)).collect()
}

fn mistakes() -> Vec<Step> {
    const LINES: [&str; 14] = [
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap}",
        "kafka-run-class.sh kafka.tools.GetOffsetShell --topic old",
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list nowhere --topic old",
        "kafka-run-class.sh kafka.tools.DumpLogSegments --files {data}/old-0/00000000000000000099.log",
        "kafka-run-class.sh kafka.tools.DumpLogSegments --files {data}/old-0/00000000000000000099.txnindex",
        "kafka-run-class.sh kafka.tools.DumpLogSegments --print-data-log",
        "kafka-topics.sh --zookeeper {zookeeper} --create --topic t --replica-assignment 0 --partitions 1",
        "kafka-topics.sh --zookeeper {zookeeper} --describe --if-exists",
        "kafka-topics.sh --zookeeper {zookeeper} --delete",
        "kafka-topics.sh --zookeeper {zookeeper} --alter --topic t --replication-factor 2",
        "kafka-topics.sh --zookeeper {zookeeper} --list --under-replicated-partitions",
        "kafka-topics.sh --zookeeper {zookeeper} --describe --topics-with-overrides --unavailable-partitions",
        "kafka-topics.sh --zookeeper {zookeeper} --create --topic t --if-exists --partitions 1 --replication-factor 1",
        "kafka-topics.sh --zookeeper {zookeeper} --nosuch",
    ];
    let mut steps: Vec<Step> = LINES.iter().map(|line| run(line)).collect();
    steps.push(run_for(
        ExitCode,
        "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list {bootstrap} --topic old --time soon",
    ));
    steps
}
