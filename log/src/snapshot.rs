//! `.snapshot`: the producers as they were before the offset in the file's name.
//!
//! Version 1: version i16, CRC-32C u32 of all that follows it, count i32, then for each producer: id i64, epoch i16, last
//! sequence i32, last offset i64, offset delta i32, timestamp i64, coordinator epoch i32, first offset of the open
//! transaction i64 (-1: none). Only the last batch of each producer is kept, as in Kafka.

use std::path::Path;

use vltava_protocol::records::{NO_SEQUENCE, crc32c};

use crate::disk::{self, Durable, Result};
use crate::error::LogError;
use crate::producers::{ProducerEntry, Producers, RememberedBatch, is_expired};

const VERSION: i16 = 1;
const HEAD: usize = 10;
const ENTRY: usize = 46;
/// Producers of one partition, far above what memory would bear.
const MAX_BYTES: u64 = 1 << 30;

/// The bytes of a snapshot.
pub(crate) fn format(producers: &Producers) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + producers.entries().len() * ENTRY);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(producers.entries().len() as i32).to_be_bytes());
    for entry in producers.entries() {
        let (delta, timestamp) = entry
            .batches
            .back()
            .map_or((0, entry.last_timestamp), |b| (b.offset_delta, entry.last_timestamp.max(b.timestamp)));
        out.extend_from_slice(&entry.producer_id.to_be_bytes());
        out.extend_from_slice(&entry.epoch.to_be_bytes());
        out.extend_from_slice(&entry.last_sequence().to_be_bytes());
        out.extend_from_slice(&entry.last_offset().to_be_bytes());
        out.extend_from_slice(&delta.to_be_bytes());
        out.extend_from_slice(&timestamp.to_be_bytes());
        out.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
        out.extend_from_slice(&entry.txn_first_offset.unwrap_or(-1).to_be_bytes());
    }
    let crc = crc32c(&out[6..]);
    out[2..6].copy_from_slice(&crc.to_be_bytes());
    out
}

/// Reads a snapshot's bytes.
///
/// # Errors
/// What is wrong with them.
pub fn parse(bytes: &[u8]) -> Result<Vec<ProducerEntry>, String> {
    let mut at = bytes;
    let version = i16::from_be_bytes(take(&mut at).ok_or("too short")?);
    if version != VERSION {
        return Err(format!("Snapshot contained an unknown file version {version}"));
    }
    let stored = u32::from_be_bytes(take(&mut at).ok_or("too short")?);
    let computed = crc32c(at);
    if stored != computed {
        return Err(format!(
            "Snapshot is corrupt (CRC is no longer valid). Stored crc: {stored}. Computed crc: {computed}"
        ));
    }
    let count = i32::from_be_bytes(take(&mut at).ok_or("too short")?);
    if usize::try_from(count).ok().and_then(|n| n.checked_mul(ENTRY)) != Some(at.len()) {
        return Err(format!("{count} producers announced, {} bytes found", at.len()));
    }
    Ok(at.chunks_exact(ENTRY).filter_map(parse_entry).collect())
}

fn parse_entry(mut at: &[u8]) -> Option<ProducerEntry> {
    let producer_id = i64::from_be_bytes(take(&mut at)?);
    let epoch = i16::from_be_bytes(take(&mut at)?);
    let last_sequence = i32::from_be_bytes(take(&mut at)?);
    let last_offset = i64::from_be_bytes(take(&mut at)?);
    let offset_delta = i32::from_be_bytes(take(&mut at)?);
    let timestamp = i64::from_be_bytes(take(&mut at)?);
    let coordinator_epoch = i32::from_be_bytes(take(&mut at)?);
    let first = i64::from_be_bytes(take(&mut at)?);
    let batch = RememberedBatch { last_sequence, last_offset, offset_delta, timestamp };
    Some(ProducerEntry {
        producer_id,
        epoch,
        coordinator_epoch,
        last_timestamp: timestamp,
        txn_first_offset: (first >= 0).then_some(first),
        // A producer of which only a marker is known has no batch.
        batches: (last_offset >= 0 && last_sequence != NO_SEQUENCE).then_some(batch).into_iter().collect(),
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

/// Reads a snapshot, leaving out who has expired. `Ok(None)` where there is none; a corrupt one is an error.
pub(crate) fn load(path: &Path, now: i64, expiration_ms: i64) -> Result<Option<Producers>> {
    let Some(bytes) = disk::read_small(path, MAX_BYTES)? else { return Ok(None) };
    let entries = parse(&bytes).map_err(|reason| LogError::corrupt(path, 0, reason))?;
    let mut producers = Producers::default();
    entries.into_iter().filter(|e| !is_expired(e, now, expiration_ms)).for_each(|e| producers.load(e));
    Ok(Some(producers))
}

/// Writes a snapshot.
pub(crate) fn store(path: &Path, producers: &Producers, durable: Durable) -> Result<()> {
    disk::replace(path, &format(producers), durable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producers() -> Producers {
        let mut producers = Producers::default();
        producers.load(ProducerEntry {
            producer_id: 4000,
            epoch: 3,
            coordinator_epoch: 9,
            last_timestamp: 5_000,
            txn_first_offset: Some(17),
            batches: [RememberedBatch {
                last_sequence: 12,
                last_offset: 20,
                offset_delta: 2,
                timestamp: 5_000,
            }]
            .into(),
        });
        producers.load(ProducerEntry {
            producer_id: 4001,
            epoch: 0,
            coordinator_epoch: -1,
            last_timestamp: 100,
            txn_first_offset: None,
            batches: [RememberedBatch { last_sequence: 0, last_offset: 3, offset_delta: 0, timestamp: 100 }]
                .into(),
        });
        producers
    }

    #[test]
    fn a_snapshot_is_read_back_without_those_who_expired() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("00000000000000000021.snapshot");
        assert!(load(&path, 0, 1000).unwrap().is_none());
        store(&path, &producers(), Durable::Now).unwrap();
        let all = load(&path, 1000, 1000).unwrap().unwrap();
        assert_eq!(all.entry(4000), producers().entry(4000));
        assert_eq!(all.entry(4001), producers().entry(4001));
        assert_eq!(all.first_open(), Some(17));
        let later = load(&path, 100_000, 1000).unwrap().unwrap();
        assert!(later.entry(4000).is_some(), "its transaction is open");
        assert!(later.entry(4001).is_none());
    }

    #[test]
    fn no_damage_passes_for_a_snapshot() {
        let good = format(&producers());
        assert_eq!(parse(&good).unwrap().len(), 2);
        for cut in 0..good.len() {
            assert!(parse(&good[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            assert!(parse(&bad).is_err(), "flipped at {at}");
        }
    }
}
