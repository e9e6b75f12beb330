//! Down-conversion: what a log holds in magic 2 or 1, for consumers that know less (Fetch 0 and 1 read magic 0, 2 and 3 magic 1).
//!
//! Conversion upwards happens when old producers' messages are appended; see [`validate`](super::validate()).

use super::{
    Batch, BatchHeader, Codec, Entries, Entry, Message, MessageSetBuilder, MessageSetOptions, RecordsError,
    TimestampType,
};

/// What an old consumer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownConversion {
    /// The magic that it knows: 0 or 1. Entries that are not newer stay as they are.
    pub target_magic: i8,
    /// The offset that it asked for: uncompressed records before it are left out.
    pub from_offset: i64,
    /// The most bytes to answer with; the first entry that has any record is answered with whatever its size.
    pub limit: usize,
    /// The most that one batch may decompress to.
    pub output_limit: usize,
}

/// Records for an old consumer, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Converted {
    /// Messages of the target magic or older.
    pub bytes: Vec<u8>,
    /// Bytes of the input that have been dealt with: whole entries.
    pub consumed: usize,
    /// The offset behind them; `None` where nothing was consumed.
    ///
    /// Where `bytes` is empty, all entries so far were control batches or unreadable: an old consumer that gets nothing asks
    /// for the same offset for ever, so read on from here before answering.
    pub next_offset: Option<i64>,
    /// Records written in another magic (`FetchMessageConversionsPerSec`).
    pub records: u64,
    /// Batches whose body could not be read to its end; what could be read of them is there.
    pub unreadable: u32,
}

/// Converts entries, in order, until the input ends or the limit is reached.
///
/// As in Kafka: control batches and headers are dropped, a batch keeps its codec, and a compressed batch is answered whole
/// though it may begin before the offset asked for. Memory: the answer, and one batch decompressed a window at a time.
///
/// A batch with a broken body gives the records before the break and does not stop the ones behind it. Fails only where the
/// first entry is no entry, or is compressed by zstd, which no old magic has.
pub fn down_convert(records: &[u8], ask: &DownConversion) -> Result<Converted, RecordsError> {
    let mut converted = Converted::default();
    let mut entries = Entries::new(records, usize::MAX);
    loop {
        let step = match entries.next() {
            None => break,
            Some(Ok(entry)) => convert(&entry, ask, &mut converted).map(|done| done.then_some(entry)),
            Some(Err(error)) => Err(error),
        };
        match step {
            Ok(Some(entry)) => {
                converted.consumed += entry.bytes().len();
                converted.next_offset = Some(entry.last_offset().wrapping_add(1));
            }
            Ok(None) => break,
            // Answer with what there is; the consumer's next request begins here and fails.
            Err(_) if converted.consumed > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(converted)
}

/// Appends one entry to the answer; `false` where it would not fit behind what is there.
fn convert(entry: &Entry<'_>, ask: &DownConversion, to: &mut Converted) -> Result<bool, RecordsError> {
    if entry.is_control() {
        return Ok(true);
    }
    let codec = entry.codec()?;
    if codec == Codec::Zstd {
        return Err(RecordsError::Unsupported { magic: ask.target_magic, what: "zstd" });
    }
    let before = to.bytes.len();
    let room = ask.limit.saturating_sub(before);
    if entry.magic() <= ask.target_magic {
        if before > 0 && entry.bytes().len() > room {
            return Ok(false);
        }
        to.bytes.extend_from_slice(entry.bytes());
        return Ok(true);
    }
    if before > 0 && room == 0 {
        return Ok(false);
    }
    let options = MessageSetOptions {
        magic: ask.target_magic,
        codec,
        level: None,
        log_append_time: append_time(entry),
    };
    let mut builder = MessageSetBuilder::new(std::mem::take(&mut to.bytes), options)?;
    let (count, broken) = copy(entry, codec, ask, &mut builder)?;
    to.bytes = builder.finish()?;
    if before > 0 && to.bytes.len() > ask.limit {
        to.bytes.truncate(before);
        return Ok(false);
    }
    to.records += count;
    to.unreadable += u32::from(broken);
    Ok(true)
}

/// Copies the records that can be read: their number, and whether reading broke off.
fn copy(
    entry: &Entry<'_>,
    codec: Codec,
    ask: &DownConversion,
    builder: &mut MessageSetBuilder,
) -> Result<(u64, bool), RecordsError> {
    let mut count = 0;
    let Ok(mut records) = entry.records(ask.output_limit) else { return Ok((0, true)) };
    loop {
        let record = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => return Ok((count, false)),
            Err(_) => return Ok((count, true)),
        };
        if codec == Codec::None && record.offset < ask.from_offset {
            continue;
        }
        // Offsets that do not grow are a broken body too.
        if builder.append(record.offset, record.timestamp, record.key, record.value).is_err() {
            return Ok((count, true));
        }
        count += 1;
    }
}

fn append_time(entry: &Entry<'_>) -> Option<i64> {
    let (Entry::Batch(Batch { header: BatchHeader { max_timestamp: time, .. }, .. })
    | Entry::Message(Message { timestamp: time, .. })) = entry;
    (entry.timestamp_type() == TimestampType::LogAppendTime).then_some(*time)
}
