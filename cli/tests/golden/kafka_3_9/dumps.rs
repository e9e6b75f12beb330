//! `kafka-dump-log`: what is in a partition's files. The records are the same to the byte on both sides.

use crate::session::{Batch, Session, Step, run};

/// 2023-11-14T22:13:20Z.
const START: i64 = 1_700_000_000_000;

pub(crate) fn session() -> Session {
    Session { name: "dumps", steps: steps() }
}

fn steps() -> Vec<Step> {
    let batch = |codec, records| Step::Produce(Batch { topic: "logged", partition: 0, codec, records });
    vec![
        // A segment holds two or three batches.
        run(
            "kafka-topics.sh --bootstrap-server {bootstrap} --create --topic logged --partitions 1 --config segment.bytes=220 --config index.interval.bytes=0 --config retention.ms=-1",
        ),
        Step::Until("topics --describe --bootstrap-server {bootstrap}", "Leader: 0"),
        batch(
            "none",
            &[
                (Some("k"), Some("plain"), START),
                (None, Some("no key"), START + 1),
                (Some("gone"), None, START + 2),
            ],
        ),
        batch(
            "gzip",
            &[
                (Some("k"), Some("gzipped gzipped gzipped"), START + 3),
                (None, Some("gzipped gzipped"), START + 4),
            ],
        ),
        batch("snappy", &[(Some("k"), Some("snappy snappy snappy snappy"), START + 5)]),
        batch("lz4", &[(Some("k"), Some("lz4 lz4 lz4 lz4 lz4 lz4"), START + 6)]),
        batch("zstd", &[(Some("k"), Some("zstd zstd zstd zstd zstd"), START + 7)]),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log"),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --print-data-log"),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --deep-iteration"),
        run(
            "kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --print-data-log --skip-record-metadata",
        ),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --skip-record-metadata"),
        run(
            "kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --print-data-log --max-bytes 10",
        ),
        run(
            "kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --print-data-log --max-message-size 50",
        ),
        run(
            "kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --value-decoder-class org.apache.kafka.tools.api.StringDecoder",
        ),
        run(
            "kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --key-decoder-class kafka.serializer.StringDecoder --print-data-log",
        ),
        run(
            "kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log --value-decoder-class no.such.Decoder",
        ),
        run(
            "kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.log,{data}/logged-0/00000000000000000000.index,{data}/logged-0/00000000000000000000.timeindex",
        ),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.index --verify-index-only"),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.index --index-sanity-check"),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.timeindex --verify-index-only"),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.timeindex --index-sanity-check"),
        run("kafka-dump-log.sh --files {data}/logged-0/00000000000000000000.index"),
        run("kafka-dump-log.sh --files {data}/logged-0/partition.metadata"),
        run("kafka-dump-log.sh --files /nowhere/00000000000000000000.log"),
        run("kafka-dump-log.sh --files /nowhere/00000000000000000000.index"),
        run("kafka-dump-log.sh --files {data}/logged-0/nonsense.log"),
        // "readers" has its offsets in partition 28 of the 50, "live" in 42.
        run(
            "kafka-consumer-groups.sh --bootstrap-server {bootstrap} --timeout 60000 --group readers --topic logged --reset-offsets --to-earliest --execute",
        ),
        Step::Join { group: "live", topic: "logged", client: "live-1" },
        Step::Until(
            "consumer-groups --bootstrap-server {bootstrap} --describe --group live --offsets",
            r"logged +\d +(\d+) +\d+ +0 .*live-1-",
        ),
        Step::Leave,
        run(
            "kafka-dump-log.sh --files {data}/__consumer_offsets-28/00000000000000000000.log --offsets-decoder",
        ),
        run(
            "kafka-dump-log.sh --files {data}/__consumer_offsets-28/00000000000000000000.log --offsets-decoder --skip-record-metadata",
        ),
        // The group with its member; how many commits follow depends on how long that member takes to go.
        run(
            "kafka-dump-log.sh --files {data}/__consumer_offsets-42/00000000000000000000.log --offsets-decoder --max-bytes 300",
        ),
    ]
}
