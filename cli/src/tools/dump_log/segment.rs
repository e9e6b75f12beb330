//! A `.log` file.

use std::{fmt::Write as _, path::Path};

use vltava_protocol::records::{
    ControlType, EndTxnMarker, Entry, Message, Record, RecordsError, TimestampType,
};

use super::{Era, Settings, base_offset, file::LogFile, mismatches::Mismatches, new_lines, old_lines};
use crate::tools::{failure::Failure, output};

/// A record as it is written, whatever the magic.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) record: &'a Record<'a>,
    /// Its sequence, -1 without one.
    pub(super) sequence: i32,
    /// Checksum and validity of a message of magic 0 or 1.
    pub(super) message: Option<(u32, bool)>,
}

/// Writes a line for each batch or record.
pub(super) fn dump(settings: &Settings, path: &Path, mismatches: &mut Mismatches) -> Result<(), Failure> {
    let start = base_offset(path)?;
    output::line(match settings.era {
        Era::Old => format!("Starting offset: {start}"),
        Era::New => format!("Log starting offset: {start}"),
    });
    let mut log = LogFile::open(path, settings.era)?;
    let mut last = None;
    let mut text = String::new();
    let mut valid = 0;
    loop {
        let position = log.position();
        let Some(entry) = log.next()? else { break };
        if position + entry.bytes().len() as u64 > settings.max_bytes {
            break;
        }
        text.clear();
        match settings.era {
            Era::New => new_lines::batch(&mut text, &entry, position)?,
            Era::Old if !settings.deep => old_lines::batch(&mut text, &entry, position)?,
            Era::Old => {}
        }
        if settings.deep {
            each_record(settings, &entry, |shown| {
                let offset = shown.record.offset;
                if let Some(last) = last.filter(|last| *last != offset - 1) {
                    mismatches.not_consecutive(path, last, offset);
                }
                last = Some(offset);
                match settings.era {
                    Era::New => new_lines::record(&mut text, settings, &entry, shown),
                    Era::Old => old_lines::record(&mut text, settings, &entry, shown, position),
                }
            })?;
        }
        output::write(&text);
        valid = log.position();
    }
    let trailing = log.length() - valid;
    if trailing > 0 && settings.max_bytes == i32::MAX as u64 {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        output::line(format_args!("Found {trailing} invalid bytes at the end of {name}"));
    }
    Ok(())
}

/// Hands over each record inside an entry.
fn each_record(
    settings: &Settings,
    entry: &Entry<'_>,
    mut show: impl FnMut(&Shown<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    match entry {
        Entry::Batch(batch) => {
            let mut records = batch.records(settings.output_limit()).map_err(|error| corrupt(&error))?;
            while let Some(record) = records.next().map_err(|error| corrupt(&error))? {
                let sequence = match batch.header.base_sequence {
                    base if base < 0 => base,
                    base => {
                        let delta = i32::try_from(record.offset - batch.header.base_offset).unwrap_or(0);
                        vltava_protocol::records::increment_sequence(base, delta)
                    }
                };
                show(&Shown { record: &record, sequence, message: None })?;
            }
        }
        Entry::Message(message) if message.is_wrapper() => {
            let mut messages = message.messages(settings.output_limit()).map_err(|error| corrupt(&error))?;
            while let Some(message) = messages.next().map_err(|error| corrupt(&error))? {
                show_message(&message, &mut show)?;
            }
        }
        Entry::Message(message) => show_message(message, &mut show)?,
    }
    Ok(())
}

fn show_message(
    message: &Message<'_>,
    show: &mut impl FnMut(&Shown<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let record = Record {
        offset: message.offset,
        timestamp: message.timestamp,
        key: message.key,
        value: message.value,
        headers: Default::default(),
    };
    let valid = message.verify_checksum().is_ok();
    show(&Shown { record: &record, sequence: -1, message: Some((message.crc, valid)) })
}

/// `CreateTime`, `LogAppendTime`, or `NoTimestampType` of magic 0.
pub(super) fn time_name(entry: &Entry<'_>) -> &'static str {
    match (entry.magic(), entry.timestamp_type()) {
        (0, _) => "NoTimestampType",
        (_, TimestampType::CreateTime) => "CreateTime",
        (_, TimestampType::LogAppendTime) => "LogAppendTime",
    }
}

/// The bytes of a key or value, -1 for a null.
pub(super) fn size(bytes: Option<&[u8]>) -> i64 {
    bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX))
}

/// `[h1,h2]`
pub(super) fn header_keys(record: &Record<'_>) -> String {
    let keys: Vec<_> =
        record.headers.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect();
    format!("[{}]", keys.join(","))
}

/// What a control record says, with a space in front.
pub(super) fn control(text: &mut String, record: &Record<'_>) -> Result<(), Failure> {
    let kind = ControlType::from_key(record.key).map_err(|error| corrupt(&error))?;
    let _ = match EndTxnMarker::parse(record.key, record.value).map_err(|error| corrupt(&error))? {
        Some(marker) => {
            let name = if marker.committed { "COMMIT" } else { "ABORT" };
            write!(text, " endTxnMarker: {name} coordinatorEpoch: {}", marker.coordinator_epoch)
        }
        None => write!(text, " controlType: {kind:?}({})", kind.id()),
    };
    Ok(())
}

/// The checksum as stored.
pub(super) fn checksum(entry: &Entry<'_>) -> u32 {
    match entry {
        Entry::Batch(batch) => batch.header.crc,
        Entry::Message(message) => message.crc,
    }
}

pub(super) fn corrupt(error: &RecordsError) -> Failure {
    Failure::new("org.apache.kafka.common.errors.CorruptRecordException", error.to_string())
}
