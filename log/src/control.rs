//! Transaction markers: the one record of a control batch.

use vltava_protocol::records::Batch;

use crate::producers::EndMarker;

/// Control records are tiny; more than this is none.
const LIMIT: usize = 1 << 16;

const ABORT: i16 = 0;
const COMMIT: i16 = 1;

/// Reads the marker of a control batch. `Ok(None)` is a control record of another kind (of Raft, or of the future).
pub(crate) fn end_marker(batch: &Batch<'_>) -> Result<Option<EndMarker>, String> {
    let mut records = batch.records(LIMIT).map_err(|e| e.to_string())?;
    // A batch that compaction emptied keeps its header only.
    let Some(record) = records.next().map_err(|e| e.to_string())? else { return Ok(None) };
    let key = record.key.ok_or("the control record has no key")?;
    let [_, _, high, low] = *key.first_chunk::<4>().ok_or("the control record's key is too short")?;
    let commit = match i16::from_be_bytes([high, low]) {
        ABORT => false,
        COMMIT => true,
        _ => return Ok(None),
    };
    let value = record.value.ok_or("the transaction marker has no value")?;
    let [_, _, epoch @ ..] =
        *value.first_chunk::<6>().ok_or("the transaction marker's value is too short")?;
    Ok(Some(EndMarker { commit, coordinator_epoch: i32::from_be_bytes(epoch) }))
}
