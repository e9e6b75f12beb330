//! `kafka-consumer-groups`: offsets reset in every way, groups listed, described, and forgotten.

use crate::session::Counts::{AnyOrder, Output, Unbroken};
use crate::session::{Batch, Session, Step, run, run_for};

/// 2023-11-14T22:13:20Z.
const START: i64 = 1_700_000_000_000;

pub(crate) fn session() -> Session {
    let mut steps = set_up();
    steps.extend(resets());
    steps.extend(lists_and_descriptions());
    steps.extend(a_live_group());
    steps.extend(deletions());
    Session { name: "groups", steps }
}

fn set_up() -> Vec<Step> {
    let batch =
        |partition, records| Step::Produce(Batch { topic: "golden", partition, codec: "none", records });
    vec![
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic golden --partitions 2 --config retention.ms=-1",
        ),
        run("kafka-topics.sh --bootstrap-server {bootstrap} --create --topic another --partitions 1"),
        Step::Until("topics --describe --bootstrap-server {bootstrap}", "(?s)(Leader: 0.*){3}"),
        batch(
            0,
            &[(None, Some("a"), START), (None, Some("b"), START + 1000), (None, Some("c"), START + 2000)],
        ),
        batch(1, &[(None, Some("d"), START + 500), (None, Some("e"), START + 1500)]),
        run("kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list"),
        run("kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --state"),
        run(
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group nosuch",
        ),
        run(
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group nosuch --members",
        ),
        run(
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group nosuch --state",
        ),
        run(
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --all-groups",
        ),
    ]
}

fn resets() -> Vec<Step> {
    vec![
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --to-earliest",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --to-latest --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --topic another --reset-offsets --to-latest --execute",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:0 --reset-offsets --to-offset 2 --execute",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:0,1 --reset-offsets --shift-by -1 --execute",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:0 --reset-offsets --shift-by 100 --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:0 --reset-offsets --shift-by -100 --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:0 --reset-offsets --to-offset 999 --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --all-topics --reset-offsets --to-current --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g0 --topic golden --reset-offsets --to-current --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g0 --topic golden --reset-offsets --shift-by 1 --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g0 --all-topics --reset-offsets --to-earliest --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --to-datetime 2023-11-14T22:13:21.000 --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --to-datetime 2023-11-15T00:13:20.100+02:00 --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --to-datetime 2023-11-14T22:13:20.001Z --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic another --reset-offsets --to-datetime 2023-11-14T22:13:21.000 --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:0 --reset-offsets --to-datetime yesterday --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --by-duration P20000D --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --by-duration PT0S --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:0 --reset-offsets --by-duration long --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden --reset-offsets --to-earliest --export --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --group g2 --topic golden --reset-offsets --to-earliest --export --execute",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --all-groups --all-topics --reset-offsets --to-latest --dry-run",
        ),
        Step::File("one.csv", "golden,0,1\ngolden,1,2\n"),
        Step::File("two.csv", "g1,golden,0,2\ng2,golden,1,99\n"),
        Step::File("bad.csv", "golden,zero,1\n"),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --reset-offsets --from-file one.csv --execute",
        ),
        // Kafka tries the other form of the file first, and prints the trace of that.
        run_for(
            Output,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --group g2 --reset-offsets --from-file two.csv --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --reset-offsets --from-file bad.csv --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --reset-offsets --from-file nosuch.csv --dry-run",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group g1 --topic golden:x --reset-offsets --to-earliest --dry-run",
        ),
    ]
}

fn lists_and_descriptions() -> Vec<Step> {
    vec![
        run_for(AnyOrder, "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list"),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --state",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --state stable,EMPTY",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --state Stable",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --state nonsense",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --type",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --type classic --state",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --type nonsense",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1 --offsets",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1 --offsets --verbose",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1 --members",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1 --members --verbose",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1 --state",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1 --state --verbose",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1 --group nosuch",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --all-groups",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --all-groups --state",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1",
        ),
    ]
}

fn a_live_group() -> Vec<Step> {
    vec![
        Step::Join { group: "live", topic: "golden", client: "live-1" },
        Step::Until(
            "consumer-groups --bootstrap-server {bootstrap} --describe --group live --offsets",
            r"(?s)(golden +\d +(\d+) +\d+ +0 .*live-1-.*){2}",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group live",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group live --members",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group live --members --verbose",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group live --state",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list --state",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group live --topic golden --reset-offsets --to-earliest --execute",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete --group live",
        ),
        run_for(
            Unbroken,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete-offsets --group live --topic golden",
        ),
        Step::Leave,
        Step::Until(
            "consumer-groups --bootstrap-server {bootstrap} --describe --group live --state",
            "Empty",
        ),
    ]
}

fn deletions() -> Vec<Step> {
    vec![
        run_for(
            Unbroken,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete-offsets --group g1 --topic golden:0",
        ),
        run_for(
            Unbroken,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete-offsets --group g1 --topic another",
        ),
        run_for(
            Unbroken,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete-offsets --group nosuch --topic golden",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --describe --group g1",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete --group nosuch",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete --group g1 --group nosuch",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete --group g2",
        ),
        run_for(
            AnyOrder,
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --delete --all-groups",
        ),
        run_for(AnyOrder, "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --list"),
    ]
}
