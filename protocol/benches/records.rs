//! What record data costs: checksums in GB/s, the rest in nanoseconds and allocations an operation.
//!
//! `cargo bench -p vltava-protocol --bench records`

#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vltava_protocol::records::validate::{Origin, Rules, validate};
use vltava_protocol::records::{
    Batch, BatchBuilder, BatchOptions, Codec, DownConversion, Entries, TimestampType, crc32c, down_convert,
};

/// The system's allocator, counted.
struct Counted;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[allow(unsafe_code)] // Both calls go to the system's allocator as they came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// Runs `operation` for a third of a second, three times, and prints the best.
fn measure(name: &str, bytes: usize, mut operation: impl FnMut()) {
    operation();
    let mut best = f64::MAX;
    let mut allocations = 0.0;
    for _ in 0..3 {
        let (before, start, mut count) = (ALLOCATIONS.load(Ordering::Relaxed), Instant::now(), 0_u32);
        while start.elapsed() < Duration::from_millis(330) {
            for _ in 0..10 {
                operation();
            }
            count += 10;
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(count));
        allocations = (ALLOCATIONS.load(Ordering::Relaxed) - before) as f64 / f64::from(count);
    }
    println!("{name:<52} {best:>12.0} ns {:>8.2} GB/s {allocations:>8.1} allocations", bytes as f64 / best);
}

/// A batch of about `size` bytes of records of 100 bytes.
fn batch(size: usize, codec: Codec) -> Vec<u8> {
    batch_of(size, 100, codec)
}

fn batch_of(size: usize, value: usize, codec: Codec) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new(), BatchOptions { codec, ..Default::default() }).unwrap();
    let text = b"the river runs through the town and on to the sea, ";
    for i in 0..size / (value + 10) {
        let bytes: Vec<u8> = text.iter().cycle().skip(i * 7 % 50).take(value).copied().collect();
        builder.append(1_700_000_000_000 + i as i64, None, Some(&bytes), &[]).unwrap();
    }
    builder.finish().unwrap().0
}

fn main() {
    let rules = Rules { origin: Origin::Client { produce_version: 9 }, ..Rules::default() };
    for size in [1 << 10, 16 << 10, 1 << 20] {
        let bytes = vec![0x5a; size];
        measure(&format!("CRC-32C of {size} bytes"), size, || {
            black_box(crc32c(black_box(&bytes)));
        });
    }
    let plain = batch(16 << 10, Codec::None);
    measure("validate 16 KiB, kept as it is", plain.len(), || {
        black_box(validate(black_box(&plain), &rules).unwrap());
    });
    for codec in [Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bytes = batch(16 << 10, codec);
        measure(&format!("validate 16 KiB, {codec}, kept as it is"), plain.len(), || {
            black_box(validate(black_box(&bytes), &rules).unwrap());
        });
    }
    let large = batch_of(1_000_000, 1024, Codec::None);
    measure("validate 1 MB of records of 1 KiB, kept as it is", large.len(), || {
        black_box(validate(black_box(&large), &rules).unwrap());
    });
    let append_time = Rules { timestamp_type: TimestampType::LogAppendTime, ..rules.clone() };
    measure("validate 16 KiB, LogAppendTime", plain.len(), || {
        black_box(validate(black_box(&plain), &append_time).unwrap());
    });
    let tiny = batch(220, Codec::None);
    measure("validate 220 bytes, kept as it is", tiny.len(), || {
        black_box(validate(black_box(&tiny), &rules).unwrap());
    });
    let many: Vec<u8> = (0..1000).flat_map(|_| batch(1100, Codec::None)).collect();
    measure("iterate over 1,000 batches of 1 KiB", many.len(), || {
        for entry in Entries::new(black_box(&many), usize::MAX) {
            black_box(entry.unwrap());
        }
    });
    for codec in Codec::ALL {
        let bytes = batch(16 << 10, codec);
        let batch = Batch::parse(&bytes).unwrap();
        measure(&format!("read the records of 16 KiB, {codec}"), plain.len(), || {
            let mut records = batch.records(1 << 20).unwrap();
            while let Some(record) = records.next().unwrap() {
                black_box(record);
            }
        });
    }
    for codec in [Codec::None, Codec::Lz4, Codec::Gzip] {
        let bytes = batch(16 << 10, codec);
        let ask = DownConversion { target_magic: 1, from_offset: 0, limit: 1 << 20, output_limit: 1 << 20 };
        measure(&format!("down-convert 16 KiB to magic 1, {codec}"), plain.len(), || {
            black_box(down_convert(black_box(&bytes), &ask).unwrap());
        });
    }
    for codec in Codec::ALL {
        measure(&format!("build 16 KiB, {codec}"), plain.len(), || {
            black_box(batch(16 << 10, codec));
        });
    }
}
