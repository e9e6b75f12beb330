//! ListOffsets: where a partition begins and ends, and which record a time points to.
//!
//! Beginnings and ends are atomics. Looking for a time reads the time index and a batch, from a disk that may be slow: such requests are answered on a
//! thread for file work.

use std::{collections::HashSet, sync::Arc};

use vltava_protocol::{
    ErrorCode,
    messages::{
        ListOffsetsRequest, ListOffsetsResponse,
        list_offsets::{ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    },
};

use crate::{
    Broker,
    net::RequestContext,
    partitions::{Isolation, Partition, PartitionError, now_ms},
};

/// The end that a reader sees.
const LATEST: i64 = -1;
/// The log start offset.
const EARLIEST: i64 = -2;
/// The record with the largest timestamp (KIP-734).
const MAX_TIMESTAMP: i64 = -3;
/// The first record on local disks (KIP-405): without tiered storage, the log start offset.
const EARLIEST_LOCAL: i64 = -4;
/// The last record in tiered storage (KIP-1005): there is none.
const LATEST_TIERED: i64 = -5;
/// The first record that is not in tiered storage yet (KIP-1023): there is no tiered storage.
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// No offset was found.
const UNKNOWN: i64 = -1;

const READ_COMMITTED: i8 = 1;

/// After so many partitions the thread's other connections have their turn.
const AT_A_TIME: usize = 1024;

/// Answers a ListOffsets.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: ListOffsetsRequest<'_>,
) -> ListOffsetsResponse<'static> {
    // Below version 1 nobody minded.
    let repeated = if request.version >= 1 { repeated(&body) } else { HashSet::new() };
    let mut answered = 0_usize;
    let mut response = ListOffsetsResponse::default();
    for topic in &body.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in &topic.partitions {
            partitions.push(if repeated.contains(&(&*topic.name, wanted.partition_index)) {
                failed(wanted, ErrorCode::InvalidRequest)
            } else {
                answer(broker, request.version, &body, &topic.name, wanted).await
            });
            answered += 1;
            if answered.is_multiple_of(AT_A_TIME) {
                tokio::task::yield_now().await;
            }
        }
        let name = topic.name.clone().into_owned().into();
        response.topics.push(ListOffsetsTopicResponse { name, partitions, ..Default::default() });
    }
    response
}

/// The partitions that are asked for more than once.
fn repeated<'a>(body: &'a ListOffsetsRequest<'_>) -> HashSet<(&'a str, i32)> {
    let asked = body
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|wanted| (&*topic.name, wanted.partition_index)));
    let mut seen = HashSet::new();
    asked.filter(|partition| !seen.insert(*partition)).collect()
}

async fn answer(
    broker: &Arc<Broker>,
    version: i16,
    body: &ListOffsetsRequest<'_>,
    topic: &str,
    wanted: &ListOffsetsPartition,
) -> ListOffsetsPartitionResponse {
    match try_answer(broker, version, body, topic, wanted).await {
        Ok(answer) => answer,
        Err(Failure::Code(code)) => failed(wanted, code),
        Err(Failure::Partition(error)) => failed(wanted, error.code()),
    }
}

enum Failure {
    Code(ErrorCode),
    Partition(PartitionError),
}

impl From<PartitionError> for Failure {
    fn from(error: PartitionError) -> Self {
        Self::Partition(error)
    }
}

async fn try_answer(
    broker: &Arc<Broker>,
    version: i16,
    body: &ListOffsetsRequest<'_>,
    topic: &str,
    wanted: &ListOffsetsPartition,
) -> Result<ListOffsetsPartitionResponse, Failure> {
    let found = broker.replicas.partition(topic, wanted.partition_index);
    let partition = found.map_err(|error| {
        super::locate::elsewhere(broker, topic, &Default::default(), wanted.partition_index, error)
    })?;
    let leadership = partition.check_leader(wanted.current_leader_epoch)?;
    let isolation = match (body.replica_id, body.isolation_level) {
        (0.., _) => Isolation::Replica,
        (_, READ_COMMITTED) => Isolation::ReadCommitted,
        _ => Isolation::ReadUncommitted,
    };
    if version == 0 {
        let offsets = before(broker, &partition, isolation, wanted).await?;
        return Ok(ListOffsetsPartitionResponse {
            partition_index: wanted.partition_index,
            old_style_offsets: offsets,
            ..Default::default()
        });
    }
    if version < first_with(wanted.timestamp) {
        return Err(Failure::Code(ErrorCode::UnsupportedVersion));
    }
    // A new leader whose high watermark is older than its epoch would tell an end that goes backwards (KIP-207); what lies before it is known.
    let knows_its_end = isolation == Isolation::Replica || partition.knows_its_end();
    let not_yet = if version >= 5 { ErrorCode::OffsetNotAvailable } else { ErrorCode::LeaderNotAvailable };
    let end = partition.readable_end(isolation);
    let epoch_of = |offset: i64| partition.reader().epoch_at(offset).unwrap_or(-1);
    let (timestamp, offset, leader_epoch) = match wanted.timestamp {
        LATEST if !knows_its_end => return Err(Failure::Code(not_yet)),
        LATEST => (UNKNOWN, end, leadership.epoch),
        EARLIEST | EARLIEST_LOCAL => {
            let start = partition.log_start();
            (UNKNOWN, start, epoch_of(start))
        }
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => (UNKNOWN, UNKNOWN, -1),
        time => match by_time(broker, &partition, time).await? {
            Some((timestamp, offset)) if offset < end => (timestamp, offset, epoch_of(offset)),
            _ if !knows_its_end => return Err(Failure::Code(not_yet)),
            _ => (UNKNOWN, UNKNOWN, -1),
        },
    };
    Ok(ListOffsetsPartitionResponse {
        partition_index: wanted.partition_index,
        timestamp,
        offset,
        leader_epoch: if version >= 4 { leader_epoch } else { -1 },
        ..Default::default()
    })
}

/// The version from which on a time may be asked for: negative ones are questions of their own.
fn first_with(timestamp: i64) -> i16 {
    match timestamp {
        0.. | LATEST | EARLIEST => 1,
        MAX_TIMESTAMP => 7,
        EARLIEST_LOCAL => 8,
        LATEST_TIERED => 9,
        EARLIEST_PENDING_UPLOAD => 11,
        _ => i16::MAX,
    }
}

/// The first record of that time or later, or the one with the largest.
async fn by_time(
    broker: &Broker,
    partition: &Arc<Partition>,
    time: i64,
) -> Result<Option<(i64, i64)>, PartitionError> {
    let reader = partition.reader().clone();
    let look = move || {
        if time == MAX_TIMESTAMP { reader.max_timestamp_offset() } else { reader.offset_for_timestamp(time) }
    };
    match broker.replicas.files().read(look).await {
        Ok(Ok(found)) => Ok(found.map(|found| (found.timestamp, found.offset))),
        Ok(Err(error)) => Err(partition.read_failed(&error)),
        Err(_) => Err(PartitionError::Storage),
    }
}

/// Version 0: offsets where segments begin that were last written at the time or before, the newest first; what a reader of 0.8 finds its way by.
async fn before(
    broker: &Broker,
    partition: &Arc<Partition>,
    isolation: Isolation,
    wanted: &ListOffsetsPartition,
) -> Result<Vec<i64>, PartitionError> {
    let reader = partition.reader().clone();
    let starts = match broker.replicas.files().read(move || reader.segment_starts()).await {
        Ok(Ok(starts)) => starts,
        Ok(Err(error)) => return Err(partition.read_failed(&error)),
        Err(_) => return Err(PartitionError::Storage),
    };
    let mut known: Vec<(i64, i64)> = starts;
    // The end counts as a segment of this moment, unless the last segment is empty and begins there.
    let end = partition.log_end();
    if known.last().is_none_or(|(base, _)| *base < end) {
        known.push((end, now_ms()));
    }
    // The first segment may begin below the log start.
    if let Some(first) = known.first_mut() {
        first.0 = first.0.max(partition.log_start());
    }
    let count = match wanted.timestamp {
        LATEST => known.len(),
        EARLIEST => 1,
        time => known.iter().rposition(|(_, written)| *written <= time).map_or(0, |last| last + 1),
    };
    let most = usize::try_from(wanted.max_num_offsets).unwrap_or(0);
    let mut offsets: Vec<i64> = known[..count].iter().rev().take(most).map(|(base, _)| *base).collect();
    offsets.sort_unstable_by(|a, b| b.cmp(a));
    // A consumer is not sent beyond what it may read.
    let readable = partition.readable_end(isolation);
    if offsets.iter().any(|offset| *offset > readable) {
        offsets.retain(|offset| *offset <= readable);
        offsets.insert(0, readable);
    }
    Ok(offsets)
}

fn failed(wanted: &ListOffsetsPartition, code: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse {
        partition_index: wanted.partition_index,
        error_code: code.into(),
        ..Default::default()
    }
}
