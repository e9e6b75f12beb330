//! What a broker refuses, assigns and rewrites before it appends records.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use vltava_protocol::records::validate::{
    InvalidRecords, Origin, Rejection, Rules, TargetCompression, ValidBatches, validate,
};
use vltava_protocol::records::{
    Attributes, Batch, BatchBuilder, BatchHeader, BatchOptions, Codec, EndTxnMarker, Entries, Headers,
    Message, MessageSetBuilder, MessageSetOptions, Record, TimestampType, crc32, crc32c,
};

const NOW: i64 = 1_000_000;
const LIMIT: usize = 1 << 20;

fn batch(options: BatchOptions, keyed: bool) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
    for i in 0..3 {
        let key = (keyed || i != 1).then_some(&b"key"[..]);
        builder.append(NOW - 10 * i, key, Some(b"value"), &[(b"h", Some(b"x"))]).unwrap();
    }
    builder.finish().unwrap().0
}

fn messages(magic: i8, codec: Codec) -> Vec<u8> {
    let options = MessageSetOptions { magic, codec, level: None, log_append_time: None };
    let mut builder = MessageSetBuilder::new(Vec::new(), options).unwrap();
    for i in 0..3_i64 {
        builder.append(i, NOW - 10 * i, Some(b"key"), Some(format!("value {i}").as_bytes())).unwrap();
    }
    builder.finish().unwrap()
}

/// Every magic and codec of old messages.
fn old_kinds() -> impl Iterator<Item = (i8, Codec)> {
    [0, 1].into_iter().flat_map(|magic| Codec::ALL[..4].iter().map(move |codec| (magic, *codec)))
}

/// A batch with its header changed and its checksum made right again.
fn with_header(mut bytes: Vec<u8>, change: impl FnOnce(&mut BatchHeader)) -> Vec<u8> {
    let mut header = BatchHeader::parse(&bytes).unwrap();
    change(&mut header);
    bytes[..61].copy_from_slice(&header.to_bytes());
    header.crc = crc32c(&bytes[21..]);
    bytes[..61].copy_from_slice(&header.to_bytes());
    bytes
}

fn with_codec(codec: Codec) -> BatchOptions {
    BatchOptions { codec, ..Default::default() }
}

fn rules() -> Rules {
    Rules { now: NOW, origin: Origin::Client { produce_version: 9 }, ..Rules::default() }
}

fn client(produce_version: i16) -> Rules {
    Rules { origin: Origin::Client { produce_version }, ..rules() }
}

#[derive(Debug, PartialEq)]
struct Stored {
    offset: i64,
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

/// What lies in the log after an append at `base`.
fn appended(valid: &ValidBatches<'_>, base: i64) -> Vec<Stored> {
    let mut log = Vec::new();
    let mut next = base;
    for batch in &valid.batches {
        log = batch.write_to(next, 7, LIMIT, log).unwrap();
        next += i64::from(batch.header.last_offset_delta) + 1;
    }
    assert_eq!(next - base, valid.offsets());
    let mut records = Vec::new();
    for entry in Entries::new(&log, LIMIT) {
        let entry = entry.unwrap();
        entry.verify_checksum().unwrap();
        let mut reader = entry.records(LIMIT).unwrap();
        while let Some(record) = reader.next().unwrap() {
            records.push(Stored {
                offset: record.offset,
                timestamp: record.timestamp,
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(<[u8]>::to_vec),
            });
        }
    }
    records
}

fn offsets(records: &[Stored]) -> Vec<i64> {
    records.iter().map(|record| record.offset).collect()
}

fn rejected(records: &[u8], rules: &Rules) -> InvalidRecords {
    validate(records, rules).expect_err("should be rejected")
}

#[test]
fn a_batch_that_needs_nothing_passes_untouched() {
    for codec in Codec::ALL {
        let bytes = batch(with_codec(codec), false);
        let valid = validate(&bytes, &rules()).unwrap();
        let [only] = &valid.batches[..] else { panic!("one batch") };
        assert_eq!(only.body().as_ptr(), bytes[61..].as_ptr(), "{codec}: the body is borrowed");
        assert_eq!(only.header, Batch::parse(&bytes).unwrap().header);
        assert_eq!((only.size(), valid.size(), valid.converted), (bytes.len(), bytes.len(), 0));
        let head = only.stamped_header(42, 7).unwrap();
        let stored = [&head[..], only.body()].concat();
        let stored = Batch::parse_checked(&stored).unwrap();
        assert_eq!((stored.header.base_offset, stored.header.leader_epoch), (42, 7));
        assert_eq!(offsets(&appended(&valid, 42)), [42, 43, 44]);
    }
}

#[test]
fn a_batch_is_rejected_for_what_its_header_says() {
    use Rejection::*;
    let plain = || batch(BatchOptions::default(), true);
    let idempotent = || {
        let options =
            BatchOptions { producer_id: 5, producer_epoch: 0, base_sequence: 0, ..Default::default() };
        batch(options, true)
    };
    let change = |change: fn(&mut BatchHeader)| with_header(plain(), change);
    let flip = |at: usize, to: u8| {
        let mut bytes = plain();
        bytes[at] = to;
        bytes
    };
    let short = [&[0; 11][..], &[3], &[0; 40]].concat();
    let zstd = batch(with_codec(Codec::Zstd), true);
    let marker = EndTxnMarker { committed: true, coordinator_epoch: 1 };
    let control = marker.write_batch(Vec::new(), 0, -1, NOW, (5, 0)).unwrap().0;
    let old = Rules { target_magic: 1, ..rules() };
    let small = Rules { max_message_bytes: 70, ..rules() };
    let two = [plain(), plain()].concat();
    let cases: &[(&str, Vec<u8>, Rules, Rejection, &str)] = &[
        ("no batch", vec![], client(3), InvalidRecord, "at least one record batch"),
        ("two batches", two, client(3), InvalidRecord, "exactly one record batch"),
        ("an old message", messages(1, Codec::None), client(3), InvalidRecord, "magic version 2"),
        ("a flipped bit", flip(80, 0x55), rules(), Corrupt, "Record is corrupt"),
        ("a cut batch", plain()[..80].to_vec(), client(2), Corrupt, "cut off"),
        ("garbage", vec![0; 50], rules(), Corrupt, "less than the minimum"),
        ("a length of 3", short, rules(), Corrupt, "less than the minimum"),
        ("magic 3", flip(16, 3), rules(), Corrupt, "Invalid magic"),
        ("an unknown codec", change(|h| h.attributes = Attributes(6)), rules(), Corrupt, "type id: 6"),
        ("zstd, too early", zstd, client(6), UnsupportedCompression, "ZStandard"),
        ("too large", plain(), small, TooLarge, "exceeds the maximum configured value of 70"),
        ("an offset", change(|h| h.base_offset = 9), rules(), InvalidRecord, "should be 0, but it is 9"),
        ("no records", change(|h| h.count = 0), rules(), InvalidRecord, "Invalid reported count"),
        ("fewer records", change(|h| h.count = 2), rules(), InvalidRecord, "Inconsistent batch offset range"),
        ("a delta of -1", change(|h| h.last_offset_delta = -1), rules(), InvalidRecord, "offset range"),
        (
            "no sequence",
            with_header(idempotent(), |h| h.base_sequence = -1),
            rules(),
            InvalidRecord,
            "sequence",
        ),
        ("a marker", control, rules(), InvalidRecord, "not allowed to write control"),
        ("idempotent, old log", idempotent(), old.clone(), UnsupportedForFormat, "Idempotent"),
        ("headers, old log", plain(), old, UnsupportedForFormat, "record headers"),
    ];
    for (name, bytes, rules, kind, text) in cases {
        let error = rejected(bytes, rules);
        assert_eq!(error.kind, *kind, "{name}: {error}");
        assert!(error.message.contains(text), "{name}: {error}");
    }
}

#[test]
fn a_leader_gone_wrong_does_not_move_the_end_of_a_log_back() {
    let replication = Rules { origin: Origin::Replication, ..rules() };
    for (first, delta) in [(9, -1), (9, i32::MIN), (-1, 2), (i64::MAX - 1, 2)] {
        let bytes = with_header(batch(BatchOptions::default(), true), |header| {
            (header.base_offset, header.last_offset_delta) = (first, delta);
        });
        let error = rejected(&bytes, &replication);
        assert_eq!(error.kind, Rejection::Corrupt, "{error}");
        assert!(error.message.contains("invalid offset range"), "{error}");
    }
}

#[test]
fn records_at_fault_are_named() {
    let compacted = Rules { compacted: true, ..rules() };
    let ahead = Rules { after_max_ms: 5, now: NOW - 7, ..rules() };
    let behind = Rules { before_max_ms: 15, ..rules() };
    let difference = rules().with_timestamp_difference(15);
    let append_time = Rules { timestamp_type: TimestampType::LogAppendTime, ..rules() };
    for codec in Codec::ALL {
        let plain = batch(with_codec(codec), false);
        let claiming = batch(BatchOptions { log_append_time: Some(NOW), ..with_codec(codec) }, true);
        let cases = [
            (&plain, &compacted, Rejection::InvalidRecord, vec![1], "without key"),
            (&plain, &ahead, Rejection::InvalidTimestamp, vec![0], "within [-"),
            (&plain, &behind, Rejection::InvalidTimestamp, vec![2], "is out of range"),
            (&plain, &difference, Rejection::InvalidTimestamp, vec![2], "[999985, 1000015]"),
            (&claiming, &append_time, Rejection::InvalidTimestamp, vec![0, 1, 2], "should not set"),
        ];
        for (bytes, rules, kind, at_fault, text) in cases {
            let error = rejected(bytes, rules);
            assert_eq!(error.kind, kind, "{error}");
            let indexes: Vec<_> = error.record_errors.iter().map(|error| error.batch_index).collect();
            assert_eq!(indexes, at_fault, "{text}");
            assert!(error.record_errors[0].message.contains(text), "{:?}", error.record_errors);
        }
        assert!(validate(&batch(with_codec(codec), true), &compacted).is_ok());
    }
}

#[test]
fn append_time_is_stamped_without_touching_the_body() {
    let rules = Rules { timestamp_type: TimestampType::LogAppendTime, now: 5_000_000, ..rules() };
    for codec in Codec::ALL {
        let bytes = batch(with_codec(codec), true);
        let valid = validate(&bytes, &rules).unwrap();
        assert_eq!(valid.batches[0].header.timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!(valid.batches[0].body().as_ptr(), bytes[61..].as_ptr());
        assert!(appended(&valid, 3).iter().all(|record| record.timestamp == 5_000_000));
    }
}

#[test]
fn another_codec_compresses_again_and_keeps_the_producer() {
    for (from, to) in Codec::ALL.into_iter().flat_map(|from| Codec::ALL.map(|to| (from, to))) {
        let options = BatchOptions {
            producer_id: 9,
            producer_epoch: 2,
            base_sequence: 30,
            transactional: true,
            ..with_codec(from)
        };
        let bytes = batch(options, false);
        let rules = Rules { compression: TargetCompression::Codec(to, None), ..rules() };
        let valid = validate(&bytes, &rules).unwrap();
        let header = &valid.batches[0].header;
        assert_eq!(header.attributes.codec().unwrap(), to);
        assert_eq!(valid.converted, if from == to { 0 } else { 3 });
        assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (9, 2, 30));
        assert!(header.attributes.is_transactional());
        assert_eq!((header.count, header.last_offset_delta, header.max_timestamp), (3, 2, NOW));
        let unchanged = validate(&bytes, &self::rules()).unwrap();
        assert_eq!(appended(&valid, 100), appended(&unchanged, 100), "{from} to {to}");
    }
}

#[test]
fn old_messages_become_one_batch() {
    for (magic, codec) in old_kinds() {
        let bytes = messages(magic, codec);
        let valid = validate(&bytes, &client(2)).unwrap();
        let [only] = &valid.batches[..] else { panic!("one batch") };
        assert_eq!((only.magic, valid.converted, only.header.count), (2, 3, 3));
        assert_eq!(only.header.attributes.codec().unwrap(), codec);
        let expected: Vec<_> = (0..3)
            .map(|i| Stored {
                offset: 50 + i,
                timestamp: if magic == 0 { -1 } else { NOW - 10 * i },
                key: Some(b"key".to_vec()),
                value: Some(format!("value {i}").into_bytes()),
            })
            .collect();
        assert_eq!(appended(&valid, 50), expected, "magic {magic}, {codec}");
    }
}

#[test]
fn old_messages_keep_their_magic_in_an_old_log_and_take_any_offset() {
    for (magic, codec) in old_kinds() {
        let bytes = messages(magic, codec);
        let valid = validate(&bytes, &Rules { target_magic: magic, ..client(2) }).unwrap();
        let [only] = &valid.batches[..] else { panic!("one run") };
        assert_eq!((only.magic, valid.converted, valid.offsets()), (magic, 0, 3));
        assert_eq!(only.body().as_ptr(), bytes.as_ptr(), "magic {magic}, {codec}: borrowed");
        assert_eq!(only.header.max_timestamp, if magic == 0 { -1 } else { NOW });
        for base in [0, 7, 1 << 40] {
            let records = appended(&valid, base);
            assert_eq!(offsets(&records), [base, base + 1, base + 2]);
            assert_eq!(records[2].value, Some(b"value 2".to_vec()));
        }
        let valid = validate(&bytes, &Rules { target_magic: 1 - magic, ..client(2) }).unwrap();
        assert_eq!((valid.batches[0].magic, valid.converted), (1 - magic, 3));
        assert_eq!(offsets(&appended(&valid, 9)), [9, 10, 11]);
    }
}

#[test]
fn inner_offsets_of_magic_1_that_have_gaps_are_corrected() {
    let options = MessageSetOptions { magic: 1, codec: Codec::Gzip, level: None, log_append_time: None };
    let mut builder = MessageSetBuilder::new(Vec::new(), options).unwrap();
    for offset in [5, 9, 30] {
        builder.append(offset, NOW, None, Some(b"v")).unwrap();
    }
    let bytes = builder.finish().unwrap();
    let valid = validate(&bytes, &Rules { target_magic: 1, ..client(2) }).unwrap();
    assert_eq!(valid.converted, 3);
    assert_eq!(offsets(&appended(&valid, 70)), [70, 71, 72]);
}

#[test]
fn a_flipped_bit_inside_a_wrapper_is_corrupt() {
    // Snappy keeps the first value as a literal; the wrapper's own checksum is made right.
    let mut bytes = messages(1, Codec::Snappy);
    let at = bytes.windows(7).position(|window| window == b"value 0").unwrap();
    bytes[at] ^= 1;
    let crc = crc32(&bytes[16..]);
    bytes[12..16].copy_from_slice(&crc.to_be_bytes());
    assert!(Message::parse(&bytes).unwrap().verify_checksum().is_ok());
    assert_eq!(rejected(&bytes, &client(2)).kind, Rejection::Corrupt);
}

#[test]
fn append_time_of_old_messages_is_written_into_each() {
    for codec in [Codec::None, Codec::Lz4] {
        let bytes = messages(1, codec);
        let rules =
            Rules { target_magic: 1, timestamp_type: TimestampType::LogAppendTime, now: 77, ..client(2) };
        let valid = validate(&bytes, &rules).unwrap();
        assert_eq!(valid.batches[0].header.max_timestamp, 77);
        assert!(appended(&valid, 1).iter().all(|record| record.timestamp == 77));
    }
}

#[test]
fn a_body_that_is_cut_off_is_refused() {
    for codec in Codec::ALL {
        let mut bytes = batch(with_codec(codec), true);
        let cut = bytes.len() - 5;
        bytes.truncate(cut);
        let bytes = with_header(bytes, |header| header.length -= 5);
        let error = rejected(&bytes, &rules());
        assert!(matches!(error.kind, Rejection::Corrupt | Rejection::InvalidRecord), "{codec}: {error:?}");
    }
}

#[test]
fn a_header_that_counts_other_records_than_there_are_is_refused() {
    for codec in Codec::ALL {
        for (count, what) in [(2, "fewer"), (4, "more"), (1_000_000, "many more")] {
            let bytes = with_header(batch(with_codec(codec), true), |header| {
                header.count = count;
                header.last_offset_delta = count - 1;
            });
            assert_eq!(rejected(&bytes, &rules()).kind, Rejection::InvalidRecord, "{codec}, {what}");
        }
    }
}

/// A producer that gives its records other offsets than one after another gets those.
#[test]
fn records_are_counted_anew_where_they_do_not_count_themselves() {
    for codec in [Codec::None, Codec::Lz4] {
        let options = BatchOptions { codec, ..Default::default() };
        let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
        for (offset, value) in [(0, "a"), (5, "b"), (6, "c")] {
            let record = Record {
                offset,
                timestamp: NOW,
                key: None,
                value: Some(value.as_bytes()),
                headers: Headers::default(),
            };
            builder.append_record(&record).unwrap();
        }
        let bytes = with_header(builder.finish().unwrap().0, |header| header.last_offset_delta = 2);
        let stored = appended(&validate(&bytes, &rules()).unwrap(), 100);
        assert_eq!(offsets(&stored), [100, 101, 102], "{codec}");
        assert_eq!(stored[1].value.as_deref(), Some(&b"b"[..]));
    }
}

#[test]
fn the_largest_timestamp_is_that_of_the_records() {
    let bytes = with_header(batch(BatchOptions::default(), true), |header| header.max_timestamp = NOW - 5000);
    let valid = validate(&bytes, &rules()).unwrap();
    assert_eq!(valid.batches[0].header.max_timestamp, NOW);
    assert_eq!(appended(&valid, 0).len(), 3);
}

/// Whatever a client makes of one byte of a body: the batch is refused, or every record of it can be read.
#[test]
fn what_passes_can_be_read() {
    for codec in Codec::ALL {
        let whole = batch(with_codec(codec), false);
        for at in 61..whole.len() {
            for flip in [0x01, 0x02, 0x10, 0x7f, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                let bytes = with_header(bytes, |_| ());
                let Ok(valid) = validate(&bytes, &rules()) else { continue };
                let stored = appended(&valid, 7);
                assert_eq!(offsets(&stored), [7, 8, 9], "{codec}, byte {at} ^ {flip:#x}");
                let largest = stored.iter().map(|record| record.timestamp).max().unwrap();
                assert_eq!(valid.batches[0].header.max_timestamp, largest, "{codec}, byte {at} ^ {flip:#x}");
            }
        }
    }
}

#[test]
fn a_bomb_is_too_large() {
    let mut builder = BatchBuilder::new(Vec::new(), with_codec(Codec::Zstd)).unwrap();
    builder.append(NOW, Some(b"k"), Some(&vec![0; 8 << 20]), &[]).unwrap();
    let bytes = builder.finish().unwrap().0;
    let rules = Rules { compacted: true, output_limit: LIMIT, ..rules() };
    assert_eq!(rejected(&bytes, &rules).kind, Rejection::TooLarge);
}

#[test]
fn replicated_records_keep_every_byte() {
    let marker = EndTxnMarker { committed: false, coordinator_epoch: 1 };
    let mut bytes = messages(0, Codec::Gzip);
    bytes[..8].copy_from_slice(&400_i64.to_be_bytes());
    bytes.extend(batch(BatchOptions { base_offset: 500, leader_epoch: 3, ..Default::default() }, false));
    bytes = marker.write_batch(bytes, 503, 3, NOW, (5, 0)).unwrap().0;
    let whole = bytes.len();
    bytes.extend_from_slice(&batch(BatchOptions::default(), true)[..70]);
    let rules = Rules { origin: Origin::Replication, max_message_bytes: 10, ..rules() };
    let valid = validate(&bytes, &rules).unwrap();
    assert_eq!(valid.batches.len(), 3);
    let log = valid.batches.iter().fold(Vec::new(), |log, batch| {
        batch.write_to(batch.header.base_offset, batch.header.leader_epoch, LIMIT, log).unwrap()
    });
    assert_eq!(log, bytes[..whole]);
    let mut torn = bytes.clone();
    torn[whole - 1] ^= 1;
    assert_eq!(rejected(&torn, &rules).kind, Rejection::Corrupt);
}

#[test]
fn a_coordinator_may_write_markers_and_they_are_not_compressed() {
    let marker = EndTxnMarker { committed: true, coordinator_epoch: 1 };
    let bytes = marker.write_batch(Vec::new(), 0, -1, NOW, (5, 0)).unwrap().0;
    let compression = TargetCompression::Codec(Codec::Gzip, None);
    let rules = Rules { origin: Origin::Coordinator, compression, ..rules() };
    let valid = validate(&bytes, &rules).unwrap();
    assert!(valid.batches[0].header.attributes.is_control());
    assert_eq!(valid.batches[0].header.attributes.codec().unwrap(), Codec::None);
}

#[test]
fn an_old_request_without_records_is_nothing() {
    assert_eq!(validate(&[], &client(2)).unwrap(), ValidBatches::default());
}
