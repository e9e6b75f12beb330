//! Batches and message sets as a producer sends them: every header, every record, every codec, with an output limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vltava_protocol::records::Entries;

const LARGEST_ENTRY: usize = 1 << 20;
const OUTPUT_LIMIT: usize = 1 << 22;

fuzz_target!(|bytes: &[u8]| {
    for entry in Entries::new(bytes, LARGEST_ENTRY) {
        let Ok(entry) = entry else { return };
        let _ = entry.verify_checksum();
        let Ok(mut records) = entry.records(OUTPUT_LIMIT) else { continue };
        while let Ok(Some(record)) = records.next() {
            std::hint::black_box(&record);
        }
    }
});
