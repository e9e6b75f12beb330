//! Apache Kafka's own classes read what we write, and we read what they write; so with conversion and validation.
//!
//! One run of `java-records/RecordsOracle.java` answers for all tests: it works through a folder of our files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use vltava_protocol::records::validate::{Origin, Rules, TargetCompression, validate};
use vltava_protocol::records::{
    BatchBuilder, BatchOptions, Codec, DownConversion, Entries, Entry, MessageSetBuilder, MessageSetOptions,
    TimestampType, down_convert,
};
use vltava_testkit::{apache, java};

const LIMIT: usize = 1 << 22;
const NOW: i64 = 1_700_000_000_000;
const APPEND_TIME: i64 = 1_600_000_009_999;

struct Oracle {
    _folder: tempfile::TempDir,
    root: PathBuf,
    cases: Vec<Case>,
}

/// Runs the Java program once for this process.
fn oracle() -> &'static Oracle {
    static ORACLE: OnceLock<Oracle> = OnceLock::new();
    ORACLE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let ours = root.join("ours");
        fs::create_dir(&ours).unwrap();
        for (name, magic, codec, append_time) in kinds() {
            fs::write(ours.join(format!("{name}.bin")), sample(magic, codec, append_time, 100)).unwrap();
            fs::write(ours.join(format!("{name}.produced")), sample(magic, codec, append_time, 0)).unwrap();
        }
        let cases = cases();
        let list: Vec<_> = cases.iter().enumerate().map(|(i, case)| case.line(i)).collect();
        fs::write(ours.join("validate.list"), list.join("\n")).unwrap();

        let class_path = apache::Version::V3_9.class_path();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java-records");
        let classes = java::compile("java-records", &sources, &class_path);
        let class_path = format!("{}:{class_path}", classes.display());
        let output = java::program(&class_path, "RecordsOracle").arg(&root).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Oracle { _folder: folder, root, cases }
    })
}

/// Names, magics, codecs and append times of the samples.
fn kinds() -> Vec<(String, i8, Codec, Option<i64>)> {
    let mut kinds = Vec::new();
    for magic in 0..=2_i8 {
        for codec in Codec::ALL {
            for (kind, append_time) in [("CreateTime", None), ("LogAppendTime", Some(APPEND_TIME))] {
                if (codec != Codec::Zstd || magic == 2) && (magic > 0 || append_time.is_none()) {
                    kinds.push((format!("m{magic}-{codec}-{kind}"), magic, codec, append_time));
                }
            }
        }
    }
    kinds
}

/// The records that `RecordsOracle.sample` builds.
fn sample(magic: i8, codec: Codec, log_append_time: Option<i64>, base_offset: i64) -> Vec<u8> {
    let mut batch = None;
    let mut set = None;
    if magic == 2 {
        let options = BatchOptions {
            base_offset,
            leader_epoch: 5,
            codec,
            log_append_time,
            producer_id: 77,
            producer_epoch: 3,
            base_sequence: 12,
            ..Default::default()
        };
        batch = Some(BatchBuilder::new(Vec::new(), options).unwrap());
    } else {
        let options = MessageSetOptions { magic, codec, level: None, log_append_time };
        set = Some(MessageSetBuilder::new(Vec::new(), options).unwrap());
    }
    for i in 0..300_i64 {
        let key = (i % 3 != 0).then(|| format!("key-{i}").into_bytes());
        let value = (i % 7 != 3).then(|| format!("value {i} ").repeat((i % 20) as usize).into_bytes());
        let timestamp = if magic == 0 { -1 } else { 1_600_000_000_000 + (i * 37) % 1000 };
        let (key, value) = (key.as_deref(), value.as_deref());
        if let Some(batch) = &mut batch {
            let text = format!("v{i}");
            let headers: [(&[u8], Option<&[u8]>); 3] =
                [(b"h0", Some(text.as_bytes())), (b"h1", None), (b"h2", Some(text.as_bytes()))];
            batch.append(timestamp, key, value, &headers[..(i % 4) as usize]).unwrap();
        }
        if let Some(set) = &mut set {
            set.append(base_offset + i, timestamp, key, value).unwrap();
        }
    }
    batch.map_or_else(|| set.unwrap().finish().unwrap(), |batch| batch.finish().unwrap().0)
}

/// Record data as `RecordsOracle.text` prints it.
fn text(bytes: &[u8]) -> String {
    let hex = |field: Option<&[u8]>, prefix: &str| {
        field.map_or("null".to_owned(), |bytes| {
            bytes.iter().fold(prefix.to_owned(), |mut out, byte| {
                write!(out, "{byte:02x}").unwrap();
                out
            })
        })
    };
    let mut out = String::new();
    for entry in Entries::new(bytes, LIMIT) {
        let entry = entry.unwrap();
        entry.verify_checksum().unwrap();
        let timestamp_type = match (entry.magic(), entry.timestamp_type()) {
            (0, _) => "NoTimestampType",
            (_, TimestampType::CreateTime) => "CreateTime",
            (_, TimestampType::LogAppendTime) => "LogAppendTime",
        };
        let producer = match &entry {
            Entry::Batch(batch) => {
                let h = &batch.header;
                let (transactional, control) = (h.attributes.is_transactional(), h.attributes.is_control());
                let (id, epoch, sequence) = (h.producer_id, h.producer_epoch, h.base_sequence);
                format!("{id} {epoch} {sequence} {transactional} {control}")
            }
            Entry::Message(_) => "-1 -1 -1 false false".to_owned(),
        };
        let (magic, codec) = (entry.magic(), entry.codec().unwrap());
        let (last, largest) = (entry.last_offset(), entry.max_timestamp());
        writeln!(out, "batch {magic} {codec} {last} {largest} {timestamp_type} {producer}").unwrap();
        let mut records = entry.records(LIMIT).unwrap();
        while let Some(record) = records.next().unwrap() {
            let (key, value) = (hex(record.key, "x"), hex(record.value, "x"));
            write!(out, "{} {} {key} {value}", record.offset, record.timestamp).unwrap();
            for (key, value) in record.headers.iter() {
                write!(out, " {}={}", std::str::from_utf8(key).unwrap(), hex(value, "")).unwrap();
            }
            out.push('\n');
        }
    }
    out
}

/// Equal, or the first line that is not: the whole would be hundreds of lines.
fn assert_same(name: &str, ours: &str, kafkas: &str) {
    let first = ours.lines().zip(kafkas.lines()).find(|(ours, kafkas)| ours != kafkas);
    assert_eq!(first.map(|f| f.0), first.map(|f| f.1), "{name}");
    assert_eq!(ours.lines().count(), kafkas.lines().count(), "{name}");
}

#[test]
fn we_read_what_kafka_writes() {
    for (name, ..) in kinds() {
        let java = oracle().root.join("java");
        let bytes = fs::read(java.join(format!("{name}.bin"))).unwrap();
        let kafkas = fs::read_to_string(java.join(format!("{name}.txt"))).unwrap();
        assert!(kafkas.lines().count() > 300, "{name}");
        assert_same(&name, &text(&bytes), &kafkas);
    }
}

#[test]
fn kafka_reads_what_we_write() {
    for (name, ..) in kinds() {
        let ours = oracle().root.join("ours");
        let bytes = fs::read(ours.join(format!("{name}.bin"))).unwrap();
        let kafkas = fs::read_to_string(ours.join(format!("{name}.txt"))).unwrap();
        assert_same(&name, &text(&bytes), &kafkas);
    }
}

#[test]
fn uncompressed_bytes_are_the_very_same() {
    for (name, _, codec, _) in kinds() {
        let read = |folder: &str| fs::read(oracle().root.join(folder).join(format!("{name}.bin"))).unwrap();
        if codec == Codec::None {
            assert_eq!(read("ours"), read("java"), "{name}");
        }
    }
}

#[test]
fn conversion_for_old_consumers_gives_what_kafkas_gives() {
    for ((name, magic, codec, _), folder) in
        kinds().into_iter().flat_map(|kind| [(kind.clone(), "java"), (kind, "ours")])
    {
        let folder = oracle().root.join(folder);
        let bytes = fs::read(folder.join(format!("{name}.bin"))).unwrap();
        for (target_magic, from_offset) in [(0, 0), (0, 250), (1, 0), (1, 250)] {
            let ask = DownConversion { target_magic, from_offset, limit: LIMIT, output_limit: LIMIT };
            let ours = down_convert(&bytes, &ask);
            let kafkas = folder.join(format!("{name}.to{target_magic}from{from_offset}"));
            let what = format!("{name} to {target_magic} from {from_offset}");
            if codec == Codec::Zstd {
                assert!(ours.is_err() && !kafkas.exists(), "{what}");
                continue;
            }
            let ours = ours.unwrap();
            assert_same(&what, &text(&ours.bytes), &text(&fs::read(kafkas).unwrap()));
            assert_eq!((ours.consumed, ours.next_offset, ours.unreadable), (bytes.len(), Some(400), 0));
            let converts = magic > target_magic;
            let whole = codec != Codec::None || from_offset == 0 || magic == 1;
            if converts && whole && codec != Codec::None {
                assert_eq!(ours.records, 300, "{what}");
            }
        }
    }
}

struct Case {
    name: String,
    magic: i8,
    bytes: Vec<u8>,
    codec: Option<Codec>,
    target_magic: i8,
    timestamp_type: TimestampType,
    compacted: bool,
    before: i64,
    after: i64,
}

impl Case {
    fn line(&self, index: usize) -> String {
        let codec = self.codec.map_or("producer", Codec::name);
        let timestamp_type = match self.timestamp_type {
            TimestampType::CreateTime => "CreateTime",
            TimestampType::LogAppendTime => "LogAppendTime",
        };
        let Self { name, target_magic, compacted, before, after, .. } = self;
        format!(
            "case{index} {name}.produced {codec} {target_magic} {timestamp_type} {compacted} {before} {after} CLIENT"
        )
    }

    fn rules(&self) -> Rules {
        Rules {
            origin: Origin::Client { produce_version: if self.magic == 2 { 9 } else { 2 } },
            target_magic: self.target_magic,
            compression: self
                .codec
                .map_or(TargetCompression::Producer, |c| TargetCompression::Codec(c, None)),
            timestamp_type: self.timestamp_type,
            before_max_ms: self.before,
            after_max_ms: self.after,
            compacted: self.compacted,
            max_message_bytes: LIMIT,
            output_limit: LIMIT,
            now: NOW,
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, magic, codec, append_time) in kinds() {
        let targets = [None, Some(Codec::None), Some(Codec::Gzip), Some(Codec::Lz4)];
        let types = [TimestampType::CreateTime, TimestampType::LogAppendTime];
        // A tenth of the samples' records is more than this behind.
        let behind = NOW - 1_600_000_000_100;
        let limits = [(false, i64::MAX, i64::MAX), (true, i64::MAX, i64::MAX), (false, behind, i64::MAX)];
        let bytes = sample(magic, codec, append_time, 0);
        for target in targets {
            for target_magic in 0..=2 {
                for timestamp_type in types {
                    for (compacted, before, after) in limits {
                        cases.push(Case {
                            name: name.clone(),
                            magic,
                            bytes: bytes.clone(),
                            codec: target,
                            target_magic,
                            timestamp_type,
                            compacted,
                            before,
                            after,
                        });
                    }
                }
            }
        }
    }
    cases
}

#[test]
fn validation_gives_what_kafkas_gives() {
    let oracle = oracle();
    assert!(oracle.cases.len() > 1000);
    for (index, case) in oracle.cases.iter().enumerate() {
        let kafkas = fs::read_to_string(oracle.root.join(format!("ours/case{index}.validated"))).unwrap();
        let what = case.line(index);
        match validate(&case.bytes, &case.rules()) {
            Ok(valid) => {
                let mut log = Vec::new();
                let mut next = 1000;
                for batch in &valid.batches {
                    log = batch.write_to(next, 7, LIMIT, log).unwrap();
                    next += i64::from(batch.header.last_offset_delta) + 1;
                }
                assert_same(&what, &text(&log), &kafkas);
            }
            Err(error) => {
                let code = format!("error {}", error.kind.error_code());
                let mut words = kafkas.split_whitespace();
                let kafkas_code = [words.next(), words.next()].map(Option::unwrap_or_default).join(" ");
                assert_eq!(code, kafkas_code, "{what}: {error}");
                // Kafka counts plain old messages each as a batch of its own.
                if let Some(kafkas) = words.next()
                    && kafkas != "0"
                {
                    let ours: Vec<_> =
                        error.record_errors.iter().map(|e| e.batch_index.to_string()).collect();
                    assert_eq!(ours.join(","), kafkas, "{what}");
                }
            }
        }
    }
}
