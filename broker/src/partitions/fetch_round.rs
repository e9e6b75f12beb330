//! One look at all partitions that a fetch wants: what each has to say, and whether that is enough to answer.

use std::{cell::Cell, sync::Arc, time::Duration};

use smallvec::SmallVec;
use vltava_cluster::replication::{EpochAndEnd, EpochError, FollowerFetch, divergence};
use vltava_log::{AbortedTxn, EpochEnd, FileSlice};

use super::{
    Isolation, Leadership, Partition, PartitionError, Read, ReadLimit, Replicas,
    fetch_sessions::{TopicRef, Wanted},
    waiting::{Ticket, Until, Waiter},
};

/// Places in the older parts of logs that one look without waiting finds, at some five microseconds each: the other connections of its thread
/// wait meanwhile.
const PLACES_AT_ONCE: usize = 64;

/// How a round reads one partition; no answer ends the round.
trait Reading: Fn(&Partition, i64, Isolation, ReadLimit) -> Result<Option<Read>, PartitionError> {}

impl<F: Fn(&Partition, i64, Isolation, ReadLimit) -> Result<Option<Read>, PartitionError>> Reading for F {}

/// What a fetch asks of all its partitions together.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// What may be seen.
    pub isolation: Isolation,
    /// The follower that asks; `None` for a consumer.
    pub replica: Option<i32>,
    /// The follower's registration, as Fetch says it from version 15 on (KIP-903); -1 where it does not.
    pub replica_epoch: i64,
    /// Only the leader may answer: followers and consumers before KIP-392.
    pub leader_only: bool,
    /// Versions up to 2 never get more than they asked for, and get batches that are cut off.
    pub hard_limit: bool,
    /// At most so many bytes, but for a first batch that is larger.
    pub max_bytes: u64,
    /// Not answered before so many bytes are there, or the time is up.
    pub min_bytes: u64,
}

/// What one partition has to say.
#[derive(Debug)]
pub struct Found {
    /// The partition, if this broker has it.
    pub partition: Option<Arc<Partition>>,
    /// What was read, or why not.
    pub read: Result<Read, PartitionError>,
    /// The aborted transactions that touch what was read, for a reader of committed records. A look leaves this empty: the list is in a file.
    pub aborted: Vec<AbortedTxn>,
    /// The client's log diverges: where the epoch that it asked for ends here (KIP-595).
    pub diverging: Option<EpochEnd>,
    /// The end that was readable when it was read.
    seen_end: i64,
    /// Who led when it was read.
    seen_leader: Leadership,
}

/// What all partitions have to say, in the order of the request.
#[derive(Debug)]
pub struct Round {
    /// One for each wanted partition.
    pub found: Vec<Found>,
    /// Bytes found.
    pub bytes: u64,
    /// There is something that no client should wait to hear: an error, a diverging epoch.
    is_urgent: bool,
}

impl Round {
    /// Looks at every partition without waiting for a disk; `None` if finding the place of what a partition is asked for would have to wait, since its index or
    /// its batch's head is not cached, or if more than `PLACES_AT_ONCE` places are to be found that are not recent.
    ///
    /// Cost for each partition: a map look-up, atomics and, if there is data, one or two `pread`s of 4 KiB. Where the data is not recent, a binary search in
    /// the index comes on top: about four `pread`s of cached bytes, a few microseconds, instead of waking another thread and being woken by it.
    pub fn look_without_waiting(replicas: &Replicas, wanted: &[Wanted], query: &Query) -> Option<Self> {
        let places = Cell::new(PLACES_AT_ONCE);
        Self::look_by(replicas, wanted, query, |partition, offset, isolation, limit| {
            if !partition.is_recent(offset) {
                let Some(left) = places.get().checked_sub(1) else { return Ok(None) };
                places.set(left);
            }
            partition.read_without_waiting(offset, isolation, limit)
        })
    }

    /// Looks at every partition, and waits for the disk if need be: on a thread for file work.
    pub fn look(replicas: &Replicas, wanted: &[Wanted], query: &Query) -> Self {
        let all = Self::look_by(replicas, wanted, query, |partition, offset, isolation, limit| {
            partition.read(offset, isolation, limit).map(Some)
        });
        all.unwrap_or_else(Self::nothing)
    }

    /// No partition at all.
    pub fn nothing() -> Self {
        Self { found: Vec::new(), bytes: 0, is_urgent: true }
    }

    fn look_by(replicas: &Replicas, wanted: &[Wanted], query: &Query, read: impl Reading) -> Option<Self> {
        let mut round = Self { found: Vec::with_capacity(wanted.len()), bytes: 0, is_urgent: false };
        for want in wanted {
            let found = round.look_at(replicas, want, query, &read)?;
            round.is_urgent |= found.read.is_err() || found.diverging.is_some();
            round.bytes += found.length();
            round.found.push(found);
        }
        Some(round)
    }

    /// Whether the answer is due without waiting.
    pub fn suffices(&self, query: &Query) -> bool {
        self.is_urgent || self.found.is_empty() || self.bytes >= query.min_bytes
    }

    /// Waits until enough bytes may have come, something changed or the time ran out; answers whether a new look is worth it.
    pub async fn wait(&self, query: &Query, at_most: Duration) -> bool {
        let lacks = query.min_bytes.saturating_sub(self.bytes).max(1);
        let waiter = Waiter::new(i64::try_from(lacks).unwrap_or(i64::MAX));
        let until = if query.isolation == Isolation::Replica { Until::Appended } else { Until::Bytes };
        let present = self.found.iter().filter_map(|found| Some((found, found.partition.as_ref()?)));
        let places = Places(
            present
                .clone()
                .map(|(_, partition)| (partition, partition.waits.enter(&waiter, until)))
                .collect(),
        );
        // What came after the look and before the registration has woken nobody.
        let is_overtaken = present.into_iter().any(|(found, partition)| {
            !partition.is_online()
                || partition.leadership() != found.seen_leader
                || partition.readable_end(query.isolation) != found.seen_end
        });
        let woken = is_overtaken || waiter.sleep(at_most).await;
        drop(places);
        woken
    }

    fn look_at(
        &self,
        replicas: &Replicas,
        want: &Wanted,
        query: &Query,
        read: &impl Reading,
    ) -> Option<Found> {
        let nothing = |error| Found {
            partition: None,
            read: Err(error),
            aborted: Vec::new(),
            diverging: None,
            seen_end: -1,
            seen_leader: Leadership { leader: -1, epoch: -1 },
        };
        let located = match &want.topic {
            TopicRef::Name(name) => replicas.partition(name, want.partition),
            TopicRef::Id(id) => replicas.partition_by_id(id, want.partition),
        };
        let partition = match located {
            Ok(partition) => partition,
            Err(error) => return Some(nothing(error)),
        };
        let seen_leader = partition.leadership();
        let seen_end = partition.readable_end(query.isolation);
        let mut diverging = None;
        let read = self.read(&partition, want, query, &mut diverging, read).transpose()?;
        Some(Found {
            partition: Some(partition),
            read,
            aborted: Vec::new(),
            diverging,
            seen_end,
            seen_leader,
        })
    }

    fn read(
        &self,
        partition: &Arc<Partition>,
        want: &Wanted,
        query: &Query,
        diverging: &mut Option<EpochEnd>,
        read: &impl Reading,
    ) -> Result<Option<Read>, PartitionError> {
        match partition.check_leader(want.current_leader_epoch) {
            Err(PartitionError::NotLeader) if !query.leader_only && partition.leadership().epoch >= 0 => {}
            checked => {
                checked?;
            }
        }
        let mut limit = ReadLimit {
            max_bytes: u64::try_from(want.max_bytes)
                .unwrap_or(0)
                .min(query.max_bytes.saturating_sub(self.bytes)),
            min_one_batch: !query.hard_limit && self.bytes == 0,
        };
        if want.last_fetched_epoch >= 0 {
            let end = partition.reader().end_of_epoch(want.last_fetched_epoch);
            if end.epoch < 0 || end.end_offset < 0 {
                return Err(PartitionError::OffsetOutOfRange(format!(
                    "The end of the last fetched epoch {} is not known.",
                    want.last_fetched_epoch
                )));
            }
            // As in Kafka, whether or not the logs diverge: what lies below the log start is gone, and no end below it helps.
            let start = partition.reader().log_start_offset();
            if want.fetch_offset < start {
                return Err(PartitionError::OffsetOutOfRange(format!(
                    "Offset {} is below the log start offset {start}.",
                    want.fetch_offset
                )));
            }
            let known = EpochAndEnd { epoch: end.epoch, end: end.end_offset };
            if divergence(want.last_fetched_epoch, want.fetch_offset, known).is_some() {
                *diverging = Some(end);
                limit = ReadLimit { max_bytes: 0, min_one_batch: false };
            }
        }
        let at = if diverging.is_some() { partition.log_end() } else { want.fetch_offset };
        let Some(mut read) = read(partition, at, query.isolation, limit)? else { return Ok(None) };
        // From version 3 on a client is never sent a part of a batch alone: it could make no progress with it.
        if read.data.first_entry_incomplete && !query.hard_limit {
            read.data.slice = None;
        }
        if let Some(follower) = query.replica
            && diverging.is_none()
        {
            let fetch = FollowerFetch {
                follower,
                broker_epoch: query.replica_epoch,
                leader_epoch: want.current_leader_epoch,
                log_end: want.fetch_offset,
                log_start: want.log_start_offset,
            };
            partition.follower_fetched(fetch).map_err(|error| {
                // As Kafka: who knows the leader's epoch, and is no replica, knows of a newer state of the partition than this leader.
                match (error, want.current_leader_epoch) {
                    (PartitionError::NotReplica(_), requested @ 0..) => {
                        EpochError::Unknown { requested, current: partition.leadership().epoch }.into()
                    }
                    (other, _) => other,
                }
            })?;
            read.high_watermark = partition.high_watermark();
        }
        Ok(Some(read))
    }
}

impl Found {
    /// The records found.
    pub fn slice(&self) -> Option<&FileSlice> {
        self.read.as_ref().ok()?.data.slice.as_ref()
    }

    /// Whether there are records, and any of them may be of an aborted transaction.
    pub fn may_hold_aborted(&self) -> bool {
        match (&self.partition, &self.read) {
            (Some(partition), Ok(read)) if read.data.slice.is_some() => {
                partition.reader().may_have_aborted(read.data.start.offset.min(read.data.first_offset))
            }
            _ => false,
        }
    }

    /// Bytes found.
    pub fn length(&self) -> u64 {
        self.slice().map_or(0, |slice| slice.length)
    }
}

/// Registrations, taken back when the wait is over, also when its future is dropped with its connection.
struct Places<'a>(SmallVec<[(&'a Arc<Partition>, Ticket); 4]>);

impl Drop for Places<'_> {
    fn drop(&mut self) {
        for (partition, ticket) in &self.0 {
            partition.waits.leave(*ticket);
        }
    }
}
