//! The lines of Kafka 3.9's tool.

use std::fmt::Write as _;

use vltava_protocol::records::Entry;

use super::{
    Settings,
    segment::{Shown, checksum, control, corrupt, header_keys, size, time_name},
};
use crate::tools::failure::Failure;

/// The line of a batch.
pub(super) fn batch(text: &mut String, entry: &Entry<'_>, position: u64) -> Result<(), Failure> {
    let _ = match entry {
        Entry::Batch(batch) => {
            let header = &batch.header;
            let horizon = header.delete_horizon();
            let horizon =
                horizon.map_or("OptionalLong.empty".to_owned(), |time| format!("OptionalLong[{time}]"));
            write!(
                text,
                "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
                 partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {horizon}",
                header.base_offset,
                header.last_offset(),
                header.count,
                header.base_sequence,
                header.last_sequence(),
                header.producer_id,
                header.producer_epoch,
                header.leader_epoch,
                header.attributes.is_transactional(),
                header.attributes.is_control(),
            )
        }
        Entry::Message(message) => write!(text, "offset: {}", message.offset),
    };
    let _ = writeln!(
        text,
        " position: {position} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}",
        time_name(entry),
        entry.max_timestamp(),
        entry.bytes().len(),
        entry.magic(),
        entry.codec().map_err(|error| corrupt(&error))?.name(),
        checksum(entry),
        entry.verify_checksum().is_ok(),
    );
    Ok(())
}

/// The line of a record.
pub(super) fn record(
    text: &mut String,
    settings: &Settings,
    entry: &Entry<'_>,
    shown: &Shown<'_>,
) -> Result<(), Failure> {
    let record = shown.record;
    // Once, before whatever comes first of what may have something before it.
    let mut prefix = "| ";
    if !settings.skip_metadata {
        let _ = write!(
            text,
            "{prefix}offset: {} {}: {} keySize: {} valueSize: {}",
            record.offset,
            time_name(entry),
            record.timestamp,
            size(record.key),
            size(record.value)
        );
        prefix = " ";
        if entry.magic() >= 2 {
            let _ = write!(text, " sequence: {} headerKeys: {}", shown.sequence, header_keys(record));
        }
        if let Some((crc, valid)) = shown.message {
            // The brace too many is Kafka's.
            let _ = write!(text, " isValid: {valid} crc: {crc}}}");
        }
        if entry.is_control() {
            control(text, record)?;
        }
    }
    if settings.contents && !entry.is_control() {
        let (key, payload) = settings.decoder.decode(record, settings.era)?;
        if let Some(key) = key {
            let _ = write!(text, "{prefix}key: {key}");
        }
        if let Some(payload) = payload {
            let _ = write!(text, " payload: {payload}");
        }
    }
    text.push('\n');
    Ok(())
}
