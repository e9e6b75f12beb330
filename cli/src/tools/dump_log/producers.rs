//! `.txnindex` and `.snapshot` files.

use std::path::Path;

use vltava_log::{AbortedTxn, read_producer_snapshot};
use vltava_protocol::records::increment_sequence;

use super::file;
use crate::tools::{failure::Failure, output};

/// Writes each aborted transaction. A segment without any has no file: one that is missing holds none, as in Kafka's tool.
pub(super) fn dump_aborted(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return Ok(());
    }
    for entry in file::read(path)?.chunks_exact(AbortedTxn::SIZE) {
        let Some(aborted) = AbortedTxn::parse(entry) else {
            let text =
                format!("{} holds something else than aborted transactions of version 0", path.display());
            return Err(Failure::new("org.apache.kafka.common.KafkaException", text));
        };
        output::line(format_args!(
            "version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}",
            aborted.producer_id, aborted.first_offset, aborted.last_offset, aborted.last_stable_offset
        ));
    }
    Ok(())
}

/// Writes each producer.
pub(super) fn dump_snapshot(path: &Path) -> Result<(), Failure> {
    let entries = read_producer_snapshot(&file::read(path)?).map_err(|reason| {
        Failure::new("org.apache.kafka.storage.internals.log.CorruptSnapshotException", reason)
    })?;
    for entry in entries {
        let first = entry
            .txn_first_offset
            .map_or("OptionalLong.empty".to_owned(), |first| format!("OptionalLong[{first}]"));
        let mut text = format!(
            "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {first} lastTimestamp: {} ",
            entry.producer_id, entry.epoch, entry.coordinator_epoch, entry.last_timestamp
        );
        if let Some(batch) = entry.batches.front() {
            text.push_str(&format!(
                "firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
                first_sequence(batch.last_sequence, batch.offset_delta),
                batch.last_sequence,
                batch.last_offset,
                batch.offset_delta,
                batch.timestamp
            ));
        }
        output::line(text);
    }
    Ok(())
}

/// The sequence `delta` before `last`, which wraps below 0 to `i32::MAX`.
fn first_sequence(last: i32, delta: i32) -> i32 {
    if last >= delta { last - delta } else { increment_sequence(i32::MAX, last - delta + 1) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sequences_wrap() {
        for (last, delta, first) in [(5, 2, 3), (2, 2, 0), (0, 1, i32::MAX), (1, 3, i32::MAX - 1)] {
            assert_eq!(super::first_sequence(last, delta), first, "{last} - {delta}");
        }
    }
}
