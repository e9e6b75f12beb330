//! Well-formed record data of every kind there is, and a way to make checksums right again after damage.

use vltava_protocol::records::{
    Attributes, BATCH_OVERHEAD, BatchBuilder, BatchHeader, BatchOptions, Codec, EndTxnMarker, Entries,
    MessageSetBuilder, MessageSetOptions, crc32, crc32c,
};

/// A batch of each codec and kind, a message set of each old magic and codec, and joins of them.
pub(crate) fn all() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for log_append_time in [None, Some(999_000)] {
        for codec in Codec::ALL {
            seeds.push(batch(BatchOptions { codec, log_append_time, ..BatchOptions::default() }));
            for magic in 0..=1 {
                if codec != Codec::Zstd {
                    seeds.push(messages(magic, codec, log_append_time));
                }
            }
        }
    }
    let producer =
        BatchOptions { producer_id: 5, producer_epoch: 1, base_sequence: 3, ..BatchOptions::default() };
    seeds.push(batch(BatchOptions { transactional: true, ..producer.clone() }));
    seeds.push(batch(BatchOptions { base_offset: 77, delete_horizon: Some(5), ..producer }));
    for committed in [false, true] {
        let marker = EndTxnMarker { committed, coordinator_epoch: 4 };
        seeds.push(marker.write_batch(Vec::new(), 0, 2, 999_000, (5, 1)).unwrap().0);
    }
    seeds.push(raw_snappy());
    let joined = [seeds[0].clone(), seeds[1].clone(), seeds[2].clone(), seeds[3].clone()].concat();
    seeds.push(joined);
    seeds
}

fn batch(options: BatchOptions) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
    for (number, timestamp) in (0..4_u8).zip(998_000..) {
        let key = (number != 2).then_some(&b"key"[..]);
        builder.append(timestamp, key, Some(&[number; 40]), &[(b"h", Some(b"x")), (b"", None)]).unwrap();
    }
    builder.finish().unwrap().0
}

fn messages(magic: i8, codec: Codec, log_append_time: Option<i64>) -> Vec<u8> {
    let options = MessageSetOptions { magic, codec, level: None, log_append_time };
    let mut builder = MessageSetBuilder::new(Vec::new(), options).unwrap();
    for (number, timestamp) in (0..4_u8).zip(998_000..) {
        let value = [number; 40];
        let value = (number != 2).then_some(&value[..]);
        builder.append(number.into(), timestamp, Some(b"key"), value).unwrap();
    }
    builder.finish().unwrap()
}

/// A batch whose body is one raw block, as clients that are not Java's write it.
fn raw_snappy() -> Vec<u8> {
    let plain = batch(BatchOptions::default());
    let body = snap::raw::Encoder::new().compress_vec(&plain[BATCH_OVERHEAD..]).unwrap();
    let mut header = BatchHeader::parse(&plain).unwrap();
    header.attributes = Attributes::default().with_codec(Codec::Snappy);
    header.length = (BATCH_OVERHEAD - 12 + body.len()) as i32;
    let mut bytes = [&header.to_bytes()[..], &body].concat();
    repair(&mut bytes);
    bytes
}

/// Makes the checksum of every entry right, so that what lies behind it is reached.
pub(crate) fn repair(bytes: &mut [u8]) {
    let mut at = 0;
    let mut sums = Vec::new();
    for entry in Entries::new(bytes, usize::MAX).flatten() {
        let (entry_bytes, old) = (entry.bytes(), entry.magic() < 2);
        sums.push(if old {
            (at + 12, crc32(&entry_bytes[16..]))
        } else {
            (at + 17, crc32c(&entry_bytes[21..]))
        });
        at += entry_bytes.len();
    }
    for (at, sum) in sums {
        bytes[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    }
}
