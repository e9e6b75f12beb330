//! Laws of record data: what is built is read, and no bytes make a reader panic, over-allocate or loop.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(unreachable_pub, dead_code, reason = "a library of its own for libFuzzer")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use vltava_protocol::records::{
    BatchBuilder, BatchHeader, BatchOptions, Codec, DownConversion, Entries, Entry, MessageSetBuilder,
    MessageSetOptions, crc32, crc32c, down_convert,
};

const LIMIT: usize = 1 << 16;

type Bytes = Option<Vec<u8>>;

#[derive(Debug, Clone)]
struct Given {
    timestamp: i64,
    key: Bytes,
    value: Bytes,
    headers: Vec<(Vec<u8>, Bytes)>,
}

fn given() -> impl Strategy<Value = Vec<Given>> {
    let bytes = || option::of(vec(any::<u8>(), 0..200));
    let record = (0..i64::MAX, bytes(), bytes(), vec((vec(any::<u8>(), 0..5), bytes()), 0..3))
        .prop_map(|(timestamp, key, value, headers)| Given { timestamp, key, value, headers });
    vec(record, 1..12)
}

fn codec() -> impl Strategy<Value = Codec> {
    prop::sample::select(&Codec::ALL[..])
}

fn build(given: &[Given], magic: i8, codec: Codec, base_offset: i64) -> Vec<u8> {
    if magic == 2 {
        let options = BatchOptions { codec, base_offset, ..Default::default() };
        let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
        for r in given {
            let headers: Vec<_> = r.headers.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
            builder.append(r.timestamp, r.key.as_deref(), r.value.as_deref(), &headers).unwrap();
        }
        return builder.finish().unwrap().0;
    }
    let codec = if codec == Codec::Zstd { Codec::Gzip } else { codec };
    let options = MessageSetOptions { magic, codec, level: None, log_append_time: None };
    let mut builder = MessageSetBuilder::new(Vec::new(), options).unwrap();
    for (offset, r) in (base_offset..).zip(given) {
        builder.append(offset, r.timestamp, r.key.as_deref(), r.value.as_deref()).unwrap();
    }
    builder.finish().unwrap()
}

/// Every record in the bytes, with its offset.
fn read(bytes: &[u8]) -> Vec<(i64, Given)> {
    let mut read = Vec::new();
    for entry in Entries::new(bytes, LIMIT) {
        let entry = entry.unwrap();
        entry.verify_checksum().unwrap();
        let mut records = entry.records(1 << 20).unwrap();
        while let Some(r) = records.next().unwrap() {
            let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
            let headers = r.headers.iter().map(|(key, value)| (key.to_vec(), owned(value))).collect();
            let given = Given { timestamp: r.timestamp, key: owned(r.key), value: owned(r.value), headers };
            read.push((r.offset, given));
        }
    }
    read
}

/// Makes the checksum of the first entry right, so that what lies behind it is reached.
fn mend(bytes: &mut [u8]) {
    let Ok(entry) = Entry::parse(bytes) else { return };
    let size = entry.bytes().len();
    if entry.magic() == 2 {
        let crc = crc32c(&bytes[21..size]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    } else {
        let crc = crc32(&bytes[16..size]);
        bytes[12..16].copy_from_slice(&crc.to_be_bytes());
    }
}

/// Does everything that a broker does with bytes from outside; the results do not matter, that they come does.
fn work_through(bytes: &[u8]) {
    targets::records::run(bytes);
    for (origin, magic, codec) in demands() {
        targets::conversion::run(&[&[origin | magic << 2 | COMPACTED, codec], bytes].concat());
    }
}

/// Every origin, every magic of a log, and a codec of its own or none: see `targets::conversion`.
fn demands() -> impl Iterator<Item = (u8, u8, u8)> {
    (0..4).flat_map(|origin| (0..3).flat_map(move |magic| [2, 5].map(|codec| (origin, magic, codec))))
}

const COMPACTED: u8 = 64;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_built_is_read(given in given(), magic in 0..=2_i8, codec in codec(), base in 0..1_i64 << 50) {
        let read = read(&build(&given, magic, codec, base));
        prop_assert_eq!(read.len(), given.len());
        for (i, ((offset, read), given)) in read.iter().zip(&given).enumerate() {
            prop_assert_eq!(*offset, base + i as i64);
            prop_assert_eq!(read.timestamp, if magic == 0 { -1 } else { given.timestamp });
            prop_assert_eq!(&read.key, &given.key);
            prop_assert_eq!(&read.value, &given.value);
            if magic == 2 {
                prop_assert_eq!(&read.headers, &given.headers);
            }
        }
    }

    #[test]
    fn conversion_keeps_offsets_keys_and_values(given in given(), codec in codec(), target in 0..=1_i8) {
        let codec = if codec == Codec::Zstd { Codec::None } else { codec };
        let bytes = build(&given, 2, codec, 70);
        let ask = DownConversion { target_magic: target, from_offset: 0, limit: 0, output_limit: 1 << 20 };
        let converted = down_convert(&bytes, &ask).unwrap();
        prop_assert_eq!(converted.records, given.len() as u64);
        for (i, ((offset, read), given)) in read(&converted.bytes).iter().zip(&given).enumerate() {
            prop_assert_eq!(*offset, 70 + i as i64);
            prop_assert_eq!((&read.key, &read.value), (&given.key, &given.value));
        }
    }

    #[test]
    fn mutated_bytes_are_survived(
        given in given(),
        magic in 0..=2_i8,
        codec in codec(),
        mutations in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
        mends in any::<bool>(),
    ) {
        let mut bytes = build(&given, magic, codec, 0);
        for (at, to) in mutations {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        if mends {
            mend(&mut bytes);
        }
        work_through(&bytes);
    }

    #[test]
    fn garbage_is_survived(bytes in vec(any::<u8>(), 0..300), magic in 0..=2_u8, length in 0..300_i32) {
        work_through(&bytes);
        let mut bytes = bytes;
        if bytes.len() > 20 {
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            bytes[16] = magic;
            mend(&mut bytes);
            work_through(&bytes);
        }
    }
}

#[test]
fn a_batch_with_a_broken_body_does_not_hide_the_ones_behind_it_from_old_consumers() {
    let given = [
        Given { timestamp: 1, key: None, value: Some(vec![1; 50]), headers: vec![] },
        Given { timestamp: 2, key: None, value: Some(vec![2; 50]), headers: vec![] },
    ];
    for codec in [Codec::None, Codec::Gzip] {
        let mut bytes = build(&given, 2, codec, 10);
        let mut header = BatchHeader::parse(&bytes).unwrap();
        bytes.truncate(bytes.len() - 9);
        header.length -= 9;
        bytes[..61].copy_from_slice(&header.to_bytes());
        mend(&mut bytes);
        bytes.extend(build(&given, 2, codec, 12));
        let ask = DownConversion { target_magic: 1, from_offset: 10, limit: LIMIT, output_limit: LIMIT };
        let converted = down_convert(&bytes, &ask).unwrap();
        assert_eq!((converted.unreadable, converted.next_offset), (1, Some(14)), "{codec}");
        let offsets: Vec<_> = read(&converted.bytes).iter().map(|r| r.0).collect();
        assert!(offsets.ends_with(&[12, 13]), "{codec}: {offsets:?}");
    }
}

#[test]
fn the_limit_stops_behind_the_first_entry() {
    let given = [Given { timestamp: 1, key: None, value: Some(vec![7; 500]), headers: vec![] }];
    let bytes: Vec<u8> = (0..10).flat_map(|offset| build(&given, 2, Codec::None, offset)).collect();
    for (limit, expected) in [(0, 1), (600, 1), (1200, 2), (LIMIT, 10)] {
        let ask = DownConversion { target_magic: 1, from_offset: 0, limit, output_limit: LIMIT };
        let converted = down_convert(&bytes, &ask).unwrap();
        assert_eq!(
            (converted.records, converted.next_offset),
            (expected, Some(expected as i64)),
            "limit {limit}"
        );
        assert_eq!(converted.consumed, bytes.len() / 10 * expected as usize);
    }
}
