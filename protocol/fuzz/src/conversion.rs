//! Records converted down for old consumers, and validated, converted up and compressed anew for the log.

use vltava_protocol::records::{
    Codec, DownConversion, Entries, TimestampType, down_convert,
    validate::{Origin, Rules, TargetCompression, validate},
};

use super::records::OUTPUT_LIMIT;

/// Two bytes choose what is asked; the rest are the records.
pub fn run(input: &[u8]) {
    let &[how, codec, ref records @ ..] = input else { return };
    down(records, how);
    append(records, how, codec);
}

fn down(records: &[u8], how: u8) {
    let ask = DownConversion {
        target_magic: i8::from(how & 1 != 0),
        from_offset: i64::from(how >> 4),
        limit: if how & 2 == 0 { OUTPUT_LIMIT } else { 100 },
        output_limit: OUTPUT_LIMIT,
    };
    let Ok(converted) = down_convert(records, &ask) else { return };
    assert!(converted.consumed <= records.len());
    assert_eq!(
        converted.consumed > 0,
        converted.next_offset.is_some(),
        "a consumer would ask the same again"
    );
    let mut entries = Entries::new(&converted.bytes, usize::MAX);
    for entry in entries.by_ref() {
        let entry = entry.expect("what is answered can be read");
        assert!(entry.magic() <= ask.target_magic, "an old consumer got magic {}", entry.magic());
    }
    assert!(entries.remainder().is_empty());
}

fn append(records: &[u8], how: u8, codec: u8) {
    let origin = match how & 3 {
        0 => Origin::Client { produce_version: 2 },
        1 => Origin::Client { produce_version: 9 },
        2 => Origin::Coordinator,
        _ => Origin::Replication,
    };
    let codecs = Codec::ALL;
    let rules = Rules {
        origin,
        target_magic: (how >> 2 & 3).min(2) as i8,
        compression: match codecs.get(usize::from(codec) % (codecs.len() + 1)) {
            Some(codec) => TargetCompression::Codec(*codec, None),
            None => TargetCompression::Producer,
        },
        timestamp_type: if how & 16 == 0 { TimestampType::CreateTime } else { TimestampType::LogAppendTime },
        after_max_ms: if how & 32 == 0 { i64::MAX } else { 3_600_000 },
        compacted: how & 64 != 0,
        max_message_bytes: OUTPUT_LIMIT,
        output_limit: OUTPUT_LIMIT,
        now: 1_000_000,
        ..Rules::default()
    };
    let Ok(valid) = validate(records, &rules) else { return };
    assert!(valid.offsets() >= valid.batches.len() as i64, "a batch takes no offset");
    for batch in &valid.batches {
        // What was accepted can be appended, and read again.
        let written =
            batch.write_to(1000, 1, OUTPUT_LIMIT, Vec::new()).expect("what is valid can be written");
        let mut entries = Entries::new(&written, usize::MAX);
        for entry in entries.by_ref() {
            let entry = entry.expect("what was written can be read");
            entry.verify_checksum().expect("what was written has its checksum");
        }
        assert!(entries.remainder().is_empty());
    }
}
