//! The lines of Kafka 0.11's tool.

use std::fmt::Write as _;

use vltava_protocol::records::Entry;

use super::{
    Settings,
    segment::{Shown, checksum, control, corrupt, header_keys, size, time_name},
};
use crate::tools::failure::Failure;

/// The line of a batch, of which no record is written.
pub(super) fn batch(text: &mut String, entry: &Entry<'_>, position: u64) -> Result<(), Failure> {
    let _ = match entry {
        Entry::Batch(batch) => {
            let header = &batch.header;
            write!(
                text,
                "baseOffset: {} lastOffset: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
                 partitionLeaderEpoch: {} isTransactional: {}",
                header.base_offset,
                header.last_offset(),
                header.base_sequence,
                header.last_sequence(),
                header.producer_id,
                header.producer_epoch,
                header.leader_epoch,
                header.attributes.is_transactional(),
            )
        }
        Entry::Message(message) => write!(text, "offset: {}", message.offset),
    };
    let _ = writeln!(
        text,
        " position: {position} {}: {} isvalid: {} size: {} magic: {} compresscodec: {} crc: {}",
        time_name(entry),
        entry.max_timestamp(),
        entry.verify_checksum().is_ok(),
        entry.bytes().len(),
        entry.magic(),
        codec(entry)?,
        checksum(entry),
    );
    Ok(())
}

/// The line of a record.
pub(super) fn record(
    text: &mut String,
    settings: &Settings,
    entry: &Entry<'_>,
    shown: &Shown<'_>,
    position: u64,
) -> Result<(), Failure> {
    let record = shown.record;
    let valid = shown.message.map_or_else(|| entry.verify_checksum().is_ok(), |(_, valid)| valid);
    let _ = write!(
        text,
        "offset: {} position: {position} {}: {} isvalid: {valid} keysize: {} valuesize: {} magic: {} compresscodec: {}",
        record.offset,
        time_name(entry),
        record.timestamp,
        size(record.key),
        size(record.value),
        entry.magic(),
        codec(entry)?,
    );
    let _ = match (entry, shown.message) {
        (Entry::Batch(batch), _) => write!(
            text,
            " producerId: {} producerEpoch: {} sequence: {} isTransactional: {} headerKeys: {}",
            batch.header.producer_id,
            batch.header.producer_epoch,
            shown.sequence,
            batch.header.attributes.is_transactional(),
            header_keys(record)
        ),
        (Entry::Message(message), None) => write!(text, " crc: {}", message.crc),
        (Entry::Message(_), Some((crc, _))) => write!(text, " crc: {crc}"),
    };
    if entry.is_control() {
        control(text, record)?;
    } else if settings.contents {
        let (key, payload) = settings.decoder.decode(record, settings.era)?;
        if let Some(key) = key {
            let _ = write!(text, " key: {key}");
        }
        if let Some(payload) = payload {
            let _ = write!(text, " payload: {payload}");
        }
    }
    text.push('\n');
    Ok(())
}

fn codec(entry: &Entry<'_>) -> Result<String, Failure> {
    Ok(entry.codec().map_err(|error| corrupt(&error))?.name().to_ascii_uppercase())
}
