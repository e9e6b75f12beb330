//! Batches and message sets as a producer sends them and a disk gives them back: every header, every record, every codec.

use vltava_protocol::records::{Batches, Entries, Entry};

/// The most that one entry may decompress to here.
pub const OUTPUT_LIMIT: usize = 1 << 16;

/// Any number of batches and messages of any magic.
pub fn run(bytes: &[u8]) {
    let mut size = 0;
    let mut entries = Entries::new(bytes, OUTPUT_LIMIT);
    for entry in entries.by_ref().flatten() {
        size += entry.bytes().len();
        read(&entry);
    }
    assert_eq!(size + entries.remainder().len(), bytes.len(), "bytes were lost or made up");

    let mut batches = Batches::new(bytes, OUTPUT_LIMIT);
    let batched: usize = batches.by_ref().flatten().map(|batch| batch.bytes().len()).sum();
    assert!(batched <= size);
}

fn read(entry: &Entry<'_>) {
    let _ = entry.verify_checksum();
    let (_, _, _) = (entry.base_offset(), entry.last_offset(), entry.max_timestamp());
    match entry {
        Entry::Batch(batch) => {
            let _ = batch.end_txn_marker();
            let (_, _) = (batch.header.last_sequence(), batch.header.delete_horizon());
        }
        Entry::Message(message) => {
            let Ok(mut messages) = message.messages(OUTPUT_LIMIT) else { return };
            while let Ok(Some(inner)) = messages.next() {
                let _ = inner.verify_checksum();
            }
        }
    }
    let Ok(mut records) = entry.records(OUTPUT_LIMIT) else { return };
    let mut count = 0;
    while let Ok(Some(record)) = records.next() {
        assert_eq!(record.headers.iter().count(), record.headers.len());
        count += 1;
        assert!(count <= OUTPUT_LIMIT, "more records than bytes");
    }
}
