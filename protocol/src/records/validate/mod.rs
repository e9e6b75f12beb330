//! What a broker checks and assigns before records are appended: the behaviour of Kafka's `LogValidator`, without an offset.
//!
//! As in Kafka every record is looked at, compressed ones too: what lies in a log can be read, whoever wrote it. A batch of magic 2 that needs nothing keeps
//! its body as it is, and nothing of it is copied. What it costs beside the checksum: `make codec`.

mod inspect;
mod legacy;
mod rebuild;
mod rejection;
mod rules;
mod valid;
mod walk;

use std::borrow::Cow;

use smallvec::smallvec;

pub use rejection::{InvalidRecords, MAX_RECORD_ERRORS, RecordError, Rejection};
pub use rules::{Origin, Rules, TargetCompression};
pub use valid::{ValidBatch, ValidBatches};

use self::inspect::inspect;
use self::rejection::RecordErrors;
use super::{
    Batch, BatchHeader, CHECKSUMMED_FROM, Codec, Entries, Entry, LOG_OVERHEAD, NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType,
};

/// Checks the records of one partition in a request, and rewrites what the rules ask to have rewritten.
///
/// Pure: no lock, clock or offset. For one uncompressed batch of magic 2 that needs nothing: one pass for the checksum and a walk over the fields of its records
/// without their values, no allocation, and no copy. A compressed one is decompressed through a window of its largest record. `LogAppendTime` costs
/// a second pass for the new checksum.
pub fn validate<'a>(records: &'a [u8], rules: &Rules) -> Result<ValidBatches<'a>, InvalidRecords> {
    if rules.origin == Origin::Replication {
        return replicated(records, rules);
    }
    let Some(set) = Survey::of(records, rules)? else { return Ok(ValidBatches::default()) };
    let target = target_codec(&set.first, set.codec, rules);
    let compressed = set.codec != Codec::None || target != Codec::None;
    if compressed && set.entries > 1 && (set.codec != Codec::None || set.first.magic() == 2) {
        return Err(invalid("Compressed outer record has more than one batch"));
    }
    if set.first.magic() != rules.target_magic || set.codec != target {
        return rebuild::rebuild(records, &set, target, rules);
    }
    if set.first.magic() < 2 {
        return match legacy::keep(records, &set, rules)? {
            Some(run) => Ok(ValidBatches { batches: smallvec![run], converted: 0 }),
            None => rebuild::rebuild(records, &set, target, rules),
        };
    }
    let mut valid = ValidBatches::default();
    let mut index = 0;
    for entry in Entries::new(records, usize::MAX) {
        if let Entry::Batch(batch) = entry? {
            let Some(passed) = pass(&batch, index, rules)? else {
                return rebuild::rebuild(records, &set, target, rules);
            };
            valid.batches.push(passed);
            index = index.saturating_add(batch.header.count);
        }
    }
    Ok(valid)
}

/// What the shallow pass over a partition's records has seen.
struct Survey<'a> {
    first: Entry<'a>,
    entries: usize,
    /// That of the last compressed entry.
    codec: Codec,
}

impl<'a> Survey<'a> {
    /// Checks every entry by its header and checksum. `None` where there are no records, which old requests may send.
    fn of(records: &'a [u8], rules: &Rules) -> Result<Option<Self>, InvalidRecords> {
        let mut survey: Option<Self> = None;
        let mut entries = Entries::new(records, usize::MAX);
        for entry in entries.by_ref() {
            let entry = entry?;
            check_request(&entry, survey.is_some(), rules)?;
            check_entry(&entry, rules)?;
            let codec = entry.codec()?;
            let survey = survey.get_or_insert(Self { first: entry, entries: 0, codec: Codec::None });
            if survey.first.magic() != entry.magic() {
                return Err(invalid(format!(
                    "Batch magic {} is not the same as the first batch's magic byte {}",
                    entry.magic(),
                    survey.first.magic()
                )));
            }
            survey.entries += 1;
            if codec != Codec::None {
                survey.codec = codec;
            }
        }
        match (rules.origin, &survey) {
            (Origin::Client { produce_version: 3.. }, None) => {
                Err(invalid("Produce requests must have at least one record batch per partition"))
            }
            _ if !entries.remainder().is_empty() => {
                Err(InvalidRecords::new(Rejection::Corrupt, "The last record batch or message is cut off"))
            }
            _ => Ok(survey),
        }
    }
}

/// What a Produce request of a version may carry at all.
fn check_request(entry: &Entry<'_>, is_later: bool, rules: &Rules) -> Result<(), InvalidRecords> {
    let Origin::Client { produce_version: version } = rules.origin else { return Ok(()) };
    if version < 7 && entry.codec().is_ok_and(|codec| codec == Codec::Zstd) {
        return Err(InvalidRecords::new(
            Rejection::UnsupportedCompression,
            format!("Produce requests with version {version} are not allowed to use ZStandard compression"),
        ));
    }
    if version >= 3 && entry.magic() != 2 {
        return Err(invalid(format!(
            "Produce requests with version {version} are only allowed to contain record batches with magic version 2"
        )));
    }
    if version >= 3 && is_later {
        return Err(invalid(format!(
            "Produce requests with version {version} are only allowed to contain exactly one record batch per partition"
        )));
    }
    Ok(())
}

/// Size, checksum, and the header of a batch.
fn check_entry(entry: &Entry<'_>, rules: &Rules) -> Result<(), InvalidRecords> {
    let (size, maximum) = (entry.bytes().len(), rules.max_message_bytes);
    if size > maximum {
        return Err(InvalidRecords::new(
            Rejection::TooLarge,
            format!(
                "The record batch size in the append is {size} bytes which exceeds the maximum configured value of {maximum}."
            ),
        ));
    }
    entry.verify_checksum()?;
    let Entry::Batch(Batch { header, .. }) = entry else { return Ok(()) };
    if header.base_offset != 0 {
        return Err(invalid(format!(
            "The baseOffset of the record batch in the append should be 0, but it is {}",
            header.base_offset
        )));
    }
    let last = header.last_offset();
    if header.last_offset_delta < 0 {
        return Err(invalid(format!("Batch has an invalid offset range: [0, {last}]")));
    }
    if header.count <= 0 {
        return Err(invalid(format!("Invalid reported count for record batch: {}", header.count)));
    }
    if i64::from(header.count) != last + 1 {
        return Err(invalid(format!(
            "Inconsistent batch offset range [0, {last}] and count of records {}",
            header.count
        )));
    }
    if let Origin::Client { .. } = rules.origin {
        if header.attributes.is_control() {
            return Err(invalid("Clients are not allowed to write control records"));
        }
        if header.has_producer_id() && header.base_sequence < 0 {
            return Err(invalid(format!(
                "Invalid sequence number {} in record batch with producerId {}",
                header.base_sequence, header.producer_id
            )));
        }
    }
    for (is, what) in
        [(header.attributes.is_transactional(), "Transactional"), (header.has_producer_id(), "Idempotent")]
    {
        if is && rules.target_magic < 2 {
            return Err(InvalidRecords::new(
                Rejection::UnsupportedForFormat,
                format!("{what} records cannot be used with magic version {}", rules.target_magic),
            ));
        }
    }
    Ok(())
}

/// Whether what these records begin with is of another magic or codec than it is to be stored in, so that [`validate`] writes all of them anew. Looks at the first header.
pub fn is_written_anew(records: &[u8], rules: &Rules) -> bool {
    let Ok(entry) = Entry::parse(records) else { return false };
    let Ok(codec) = entry.codec() else { return false };
    codec != target_codec(&entry, codec, rules) || entry.magic() != rules.target_magic
}

/// The codec in which records are stored that came in `codec`.
fn target_codec(first: &Entry<'_>, codec: Codec, rules: &Rules) -> Codec {
    match rules.compression {
        // Control batches stay as they were written.
        TargetCompression::Codec(target, _) if !first.is_control() => target,
        TargetCompression::Codec(..) | TargetCompression::Producer => codec,
    }
}

/// A batch whose magic and codec may stay; `None` where its records do not count their offsets one by one, and must be written anew.
fn pass<'a>(
    batch: &Batch<'a>,
    first_index: i32,
    rules: &Rules,
) -> Result<Option<ValidBatch<'a>>, InvalidRecords> {
    let mut header = batch.header;
    let create_time = rules.timestamp_type == TimestampType::CreateTime;
    // A control batch is the broker's own.
    if !header.attributes.is_control() {
        let is_plain = batch.codec()? == Codec::None;
        let quick = is_plain.then(|| walk::walk(&header, batch.body(), rules)).flatten();
        let looked = match quick {
            Some(largest) => Some(largest),
            None => look_closely(batch, first_index, rules)?,
        };
        let Some(largest) = looked else { return Ok(None) };
        header.max_timestamp = largest;
    }
    header.attributes = header.attributes.with_timestamp_type(rules.timestamp_type);
    if !create_time {
        header.max_timestamp = rules.now;
    }
    if header != batch.header {
        header.crc = checksum(&header, batch.body());
    }
    Ok(Some(ValidBatch { magic: 2, header, keep_offsets: false, data: Cow::Borrowed(batch.body()) }))
}

/// The largest timestamp of a batch's records; `None` where they do not count their offsets one by one.
fn look_closely(batch: &Batch<'_>, first_index: i32, rules: &Rules) -> Result<Option<i64>, InvalidRecords> {
    let mut errors = RecordErrors::default();
    let mut largest = NO_TIMESTAMP;
    let mut next = batch.header.base_offset;
    let mut in_place = true;
    inspect(&Entry::Batch(*batch), first_index, rules, &mut errors, |record| {
        largest = largest.max(record.timestamp);
        in_place &= record.offset == next;
        next += 1;
        Ok(())
    })?;
    errors.into_result()?;
    Ok(in_place.then_some(largest))
}

/// Records from the partition's leader: whole entries with right checksums, their offsets kept.
fn replicated<'a>(records: &'a [u8], rules: &Rules) -> Result<ValidBatches<'a>, InvalidRecords> {
    let mut valid = ValidBatches::default();
    // The size is the leader's affair: its topic may have allowed more when the batch was appended.
    for entry in Entries::new(records, usize::MAX) {
        let entry = entry?;
        entry.verify_checksum()?;
        debug_assert_eq!(rules.origin, Origin::Replication);
        let (header, data) = match entry {
            Entry::Batch(batch) => {
                let (first, delta) = (batch.header.base_offset, batch.header.last_offset_delta);
                // The log's end is made of these: a leader gone wrong must not move it back or beyond what there is.
                if first < 0 || delta < 0 || first.checked_add(i64::from(delta)).is_none() {
                    return Err(InvalidRecords::new(
                        Rejection::Corrupt,
                        format!("Batch has an invalid offset range: {delta} behind {first}"),
                    ));
                }
                (batch.header, batch.body())
            }
            Entry::Message(message) => {
                let facts = Facts { count: 1, first: message.timestamp, largest: message.timestamp };
                let mut header = facts.header(message.bytes().len(), message.attributes);
                header.base_offset = message.offset;
                (header, message.bytes())
            }
        };
        valid.batches.push(ValidBatch {
            magic: entry.magic(),
            header,
            keep_offsets: true,
            data: Cow::Borrowed(data),
        });
    }
    Ok(valid)
}

/// What is known of a run of messages, for a header that was never stored.
#[derive(Debug, Clone, Copy)]
struct Facts {
    count: i32,
    first: i64,
    largest: i64,
}

impl Facts {
    fn header(self, size: usize, attributes: super::Attributes) -> BatchHeader {
        BatchHeader {
            base_offset: 0,
            length: i32::try_from(size.saturating_sub(LOG_OVERHEAD)).unwrap_or(i32::MAX),
            leader_epoch: super::NO_LEADER_EPOCH,
            crc: 0,
            attributes,
            last_offset_delta: self.count - 1,
            base_timestamp: self.first,
            max_timestamp: self.largest,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            count: self.count,
        }
    }
}

/// The CRC-32C of a batch whose header and body lie apart.
fn checksum(header: &BatchHeader, body: &[u8]) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(&header.to_bytes()[CHECKSUMMED_FROM..]);
    digest.update(body);
    digest.finalize() as u32
}

fn invalid(message: impl Into<String>) -> InvalidRecords {
    InvalidRecords::new(Rejection::InvalidRecord, message)
}
