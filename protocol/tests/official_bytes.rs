//! Messages that Apache Kafka's own classes wrote, read and written again: the same bytes, of the size foretold.

mod official;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use vltava_protocol::{catalog::MESSAGES, wire::Reader};
use vltava_testkit::{java, maven};

/// Messages of each version; the first release alone makes tens of thousands.
const SAMPLES: usize = 40;
const SEED: i64 = 20_261_123;

#[test]
fn bytes_of_kafka_3_9_survive() {
    survive(official::RELEASES[0]);
}

#[test]
fn bytes_of_kafka_4_survive() {
    survive(official::RELEASES[1]);
}

fn survive(release: &str) {
    let definitions = official::definitions(release);
    let written = write_by_kafka(release);
    let mut frames = Reader::new(&written);
    let mut seen = BTreeSet::new();
    while frames.remaining() > 0 {
        let (name, version, bytes) = next_frame(&mut frames);
        let (our_name, our_version) = official::ours(&name, version, &definitions[&name]);
        let entry = MESSAGES.iter().find(|entry| entry.schema.name == our_name).expect("asked for by name");
        let place = format!("{name} v{version} of {release}: {bytes:02x?}");
        let recoded = (entry.recode)(bytes, our_version).unwrap_or_else(|error| panic!("{error}: {place}"));
        assert_eq!(recoded.read, bytes.len(), "bytes left over: {place}");
        assert_eq!(recoded.written, bytes, "other bytes: {place}");
        assert_eq!(recoded.size, bytes.len(), "another size: {place}");
        assert!(recoded.same, "another message: {place}");
        seen.insert((name, version));
    }
    for (name, definition) in &definitions {
        for version in official::valid_versions(definition) {
            let (our_name, _) = official::ours(name, version, definition);
            if MESSAGES.iter().any(|entry| entry.schema.name == our_name) {
                assert!(seen.contains(&(name.clone(), version)), "{name} v{version} was not written");
            }
        }
    }
}

fn next_frame<'a>(frames: &mut Reader<'a>) -> (String, i16, &'a [u8]) {
    let length = u16::from_be_bytes(frames.take_array().unwrap());
    let name = String::from_utf8(frames.take(length.into()).unwrap().to_vec()).unwrap();
    let version = i16::from_be_bytes(frames.take_array().unwrap());
    let length = i32::from_be_bytes(frames.take_array().unwrap());
    (name, version, frames.take(length as usize).unwrap())
}

fn write_by_kafka(release: &str) -> Vec<u8> {
    let libraries = maven::class_path(&official::jars(release));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java");
    let classes: PathBuf = java::compile(&format!("write-messages-{release}"), &sources, &libraries);
    let class_path = format!("{}:{libraries}", classes.display());
    let mut command = java::program(&class_path, "dev.vltava.messages.WriteMessages");
    command.args([SEED.to_string(), SAMPLES.to_string()]);
    command.args(MESSAGES.iter().map(|entry| entry.schema.name));
    command.args(["LegacyOffsetCommitKey", "LegacyOffsetCommitValue"]);
    let output = command.output().expect("java starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
