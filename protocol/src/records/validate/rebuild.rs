//! Records written anew: in another magic, codec or timestamp type.

use std::borrow::Cow;

use smallvec::smallvec;

use super::{
    Facts, InvalidRecords, RecordErrors, Rejection, Rules, Survey, TargetCompression, ValidBatch,
    ValidBatches, inspect, invalid,
};
use crate::records::message_builder::{MessageSetBuilder, MessageSetOptions};
use crate::records::{
    Attributes, BATCH_OVERHEAD, BatchBuilder, BatchHeader, BatchOptions, Codec, Entries, Entry, Record,
    RecordsError, TimestampType,
};

/// All records as one batch, or as one run of messages, of the target magic and codec; offsets count from 0.
pub(super) fn rebuild<'a>(
    records: &[u8],
    set: &Survey<'_>,
    codec: Codec,
    rules: &Rules,
) -> Result<ValidBatches<'a>, InvalidRecords> {
    let mut sink = Sink::new(set, codec, rules)?;
    let mut facts: Option<Facts> = None;
    let mut index = 0;
    for entry in Entries::new(records, usize::MAX) {
        // As in Kafka, each plain old message is a batch of its own, and the first at fault is the one named.
        let mut errors = RecordErrors::default();
        let read = inspect(&entry?, index, rules, &mut errors, |record| {
            let facts =
                facts.get_or_insert(Facts { count: 0, first: record.timestamp, largest: record.timestamp });
            sink.append(&Record { offset: i64::from(facts.count), ..*record })?;
            facts.largest = facts.largest.max(record.timestamp);
            facts.count = facts.count.checked_add(1).ok_or(RecordsError::Overflow {
                what: "the number of records",
                value: i64::from(facts.count),
            })?;
            Ok(())
        })?;
        errors.into_result()?;
        index = index.saturating_add(read);
    }
    let facts = facts.ok_or_else(|| invalid("there are no records in the batch"))?;
    let batch = sink.finish(facts, codec, rules)?;
    let (size, maximum) = (batch.size(), rules.max_message_bytes);
    // Of plain messages each has its own limit, and has passed it.
    if size > maximum && (batch.magic == 2 || codec != Codec::None) {
        return Err(InvalidRecords::new(
            Rejection::TooLarge,
            format!(
                "Message batch size is {size} bytes in append which exceeds the maximum configured size of {maximum}."
            ),
        ));
    }
    Ok(ValidBatches { batches: smallvec![batch], converted: facts.count.unsigned_abs() })
}

/// Where the records go.
enum Sink {
    Batch(Box<BatchBuilder>),
    Messages(Box<MessageSetBuilder>),
}

impl Sink {
    fn new(set: &Survey<'_>, codec: Codec, rules: &Rules) -> Result<Self, RecordsError> {
        let level = match rules.compression {
            TargetCompression::Producer => None,
            TargetCompression::Codec(_, level) => level,
        };
        let log_append_time = append_time(rules);
        let out = Vec::with_capacity(set.first.bytes().len());
        if rules.target_magic < 2 {
            let options = MessageSetOptions { magic: rules.target_magic, codec, level, log_append_time };
            return Ok(Self::Messages(Box::new(MessageSetBuilder::new(out, options)?)));
        }
        let mut options = BatchOptions { codec, level, log_append_time, ..BatchOptions::default() };
        if let Entry::Batch(batch) = &set.first {
            let header: &BatchHeader = &batch.header;
            options.producer_id = header.producer_id;
            options.producer_epoch = header.producer_epoch;
            options.base_sequence = header.base_sequence;
            options.transactional = header.attributes.is_transactional();
            options.control = header.attributes.is_control();
        }
        Ok(Self::Batch(Box::new(BatchBuilder::new(out, options)?)))
    }

    fn append(&mut self, record: &Record<'_>) -> Result<(), RecordsError> {
        match self {
            Self::Batch(builder) => builder.append_record(record),
            Self::Messages(builder) => builder.append_record(record),
        }
    }

    fn finish(self, facts: Facts, codec: Codec, rules: &Rules) -> Result<ValidBatch<'static>, RecordsError> {
        let (header, data) = match self {
            Self::Batch(builder) => {
                let (mut bytes, header) = builder.finish()?;
                bytes.drain(..BATCH_OVERHEAD);
                (header, bytes)
            }
            Self::Messages(builder) => {
                let data = builder.finish()?;
                let largest = append_time(rules).unwrap_or(facts.largest);
                let attributes = Attributes::default().with_codec(codec).with_timestamp_type(
                    append_time(rules).map_or(TimestampType::CreateTime, |_| rules.timestamp_type),
                );
                (Facts { largest, ..facts }.header(data.len(), attributes), data)
            }
        };
        Ok(ValidBatch { magic: rules.target_magic, header, keep_offsets: false, data: Cow::Owned(data) })
    }
}

fn append_time(rules: &Rules) -> Option<i64> {
    (rules.timestamp_type == TimestampType::LogAppendTime && rules.target_magic > 0).then_some(rules.now)
}
