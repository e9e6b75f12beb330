//! DescribeLogDirs: how large each replica is, on which disk, and how much room that has.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use vltava_log::{LogDir, PartitionSize};
use vltava_protocol::{
    ErrorCode,
    messages::{
        DescribeLogDirsRequest, DescribeLogDirsResponse,
        describe_log_dirs::{DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic},
    },
};

use crate::{Broker, net::RequestContext};

/// Answers a DescribeLogDirs. Asking a file system for its room may wait for it, so it is done on a thread for file work.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: DescribeLogDirsRequest<'_>,
) -> DescribeLogDirsResponse<'static> {
    let wanted: Option<HashSet<(String, i32)>> = body.topics.map(|topics| {
        let partitions = topics.iter().flat_map(|t| t.partitions.iter().map(|p| (t.topic.to_string(), *p)));
        partitions.collect()
    });
    let worker = broker.clone();
    let described = broker.replicas.files().read(move || {
        let dirs = worker.replicas.storage().dirs().directories();
        dirs.iter().map(|dir| describe(&worker, dir, wanted.as_ref())).collect()
    });
    match described.await {
        Ok(results) => DescribeLogDirsResponse { results, ..Default::default() },
        Err(_) => {
            DescribeLogDirsResponse { error_code: ErrorCode::KafkaStorageError.into(), ..Default::default() }
        }
    }
}

fn describe(
    broker: &Broker,
    dir: &LogDir,
    wanted: Option<&HashSet<(String, i32)>>,
) -> DescribeLogDirsResult<'static> {
    let path = std::path::absolute(dir.path()).unwrap_or_else(|_| dir.path().to_owned());
    let mut result =
        DescribeLogDirsResult { log_dir: path.to_string_lossy().into_owned().into(), ..Default::default() };
    if !dir.is_online() {
        result.error_code = ErrorCode::KafkaStorageError.into();
        return result;
    }
    match dir.space() {
        Ok((total, usable)) => {
            result.total_bytes = i64::try_from(total).unwrap_or(i64::MAX);
            result.usable_bytes = i64::try_from(usable).unwrap_or(i64::MAX);
        }
        Err(error) => {
            tracing::warn!(%error, "the room of a log directory is not known");
        }
    }
    let mut topics: BTreeMap<String, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for size in dir.sizes() {
        let name = (size.partition.topic.clone(), size.partition.partition);
        if wanted.is_none_or(|wanted| wanted.contains(&name)) {
            let lag = lag(broker, &size);
            topics.entry(name.0).or_default().push(DescribeLogDirsPartition {
                partition_index: name.1,
                partition_size: i64::try_from(size.bytes).unwrap_or(i64::MAX),
                offset_lag: lag,
                is_future_key: size.future,
                ..Default::default()
            });
        }
    }
    result.topics = topics
        .into_iter()
        .map(|(name, mut partitions)| {
            partitions.sort_by_key(|partition| (partition.partition_index, partition.is_future_key));
            DescribeLogDirsTopic { name: name.into(), partitions, ..Default::default() }
        })
        .collect();
    result
}

/// How far a replica is behind: the current one behind the high watermark, one that moves in behind the current one.
fn lag(broker: &Broker, size: &PartitionSize) -> i64 {
    let Ok(current) = broker.replicas.partition(&size.partition.topic, size.partition.partition) else {
        return -1;
    };
    if size.future {
        current.log_end() - size.log_end_offset
    } else {
        (current.high_watermark() - size.log_end_offset).max(0)
    }
}
