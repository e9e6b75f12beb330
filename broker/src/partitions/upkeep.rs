//! What has to be done for partitions while nobody asks: one task with one schedule for all of them, whatever their number.
//!
//! The task only keeps time; the work waits for disks and is done on the threads for file work, one round of a kind at a time. Nothing is done for a
//! partition that has nothing to do: high watermarks are written when one moved, flushes are asked of logs that have a limit.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vltava_log::TopicPartition;

use super::{Partition, Replicas, now_ms, steady_ms};
use crate::Broker;

/// How often each kind of work is done, in milliseconds; 0 turns it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// `log.retention.check.interval.ms`
    pub retention_ms: i64,
    /// `replica.high.watermark.checkpoint.interval.ms`
    pub high_watermark_ms: i64,
    /// `log.flush.offset.checkpoint.interval.ms`: recovery points and log starts.
    pub checkpoint_ms: i64,
    /// `producer.id.expiration.check.interval.ms`
    pub producers_ms: i64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { retention_ms: 300_000, high_watermark_ms: 5_000, checkpoint_ms: 60_000, producers_ms: 600_000 }
    }
}

/// How often disks are looked at, due files removed and flushes begun.
const ROUND: Duration = Duration::from_secs(1);

/// The kinds of work that come round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Disks,
    Retention,
    HighWatermarks,
    Checkpoints,
    Producers,
}

/// Keeps the partitions of a broker until it stops. Spawned once.
pub async fn keep(broker: Arc<Broker>, schedule: Schedule, stopping: CancellationToken) {
    let mut last: HashMap<&'static str, i64> = HashMap::new();
    let began = steady_ms();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        // A wall clock that is put back would keep the rounds waiting.
        let now = steady_ms();
        let mut due = vec![Work::Disks];
        for (name, work, every) in [
            ("retention", Work::Retention, schedule.retention_ms),
            ("high watermarks", Work::HighWatermarks, schedule.high_watermark_ms),
            ("checkpoints", Work::Checkpoints, schedule.checkpoint_ms),
            ("producers", Work::Producers, schedule.producers_ms),
        ] {
            let before = last.entry(name).or_insert(began);
            if every > 0 && now - *before >= every {
                *before = now;
                due.push(work);
            }
        }
        let keeper = broker.clone();
        let done = tokio::sync::oneshot::channel::<()>();
        let (finished, wait) = done;
        let queued = broker.replicas.files().upkeep(move || {
            for work in due {
                keeper.replicas.work(work);
            }
            let _ = finished.send(());
        });
        // A round that finds no place comes again; one that is slow is not overtaken by the next.
        if queued.is_ok() {
            let _ = wait.await;
        }
    }
}

impl Replicas {
    /// What is stored in records has its age by the clock on the wall; what waits here does so by the one that nobody sets.
    fn work(&self, work: Work) {
        match work {
            Work::Disks => self.look_after_disks(steady_ms()),
            Work::Retention => self.retain(now_ms()),
            Work::HighWatermarks => self.checkpoint_high_watermarks(),
            Work::Checkpoints => {
                self.storage().dirs().checkpoint();
                self.lose_failed_disks();
            }
            Work::Producers => {
                let now = now_ms();
                for partition in self.partitions() {
                    partition.with_log(|log| log.expire_producers(now));
                }
            }
        }
    }

    /// Disks that ran full or have room again (and the replicas that waited for it), directories that failed, files that are due, flushes by time.
    /// `now` is of [`steady_ms`].
    pub fn look_after_disks(&self, now: i64) {
        let mut healed = false;
        for disk in self.storage().disks() {
            healed |= disk.look();
        }
        self.give_up_failed_disks();
        self.storage().remove_due(now);
        self.open_where_room_came(healed, now_ms());
        for topic in self.topics() {
            if topic.peek_config().log.flush_ms == i64::MAX {
                continue;
            }
            for partition in online(&topic) {
                let job = partition.with_log(|log| log.is_flush_due(now).then(|| log.flush_job()).flatten());
                if let Some(job) = job {
                    partition.flush_later(job);
                }
            }
        }
    }

    fn give_up_failed_disks(&self) {
        for disk in self.storage().disks() {
            if let Some(failure) = disk.take_failure() {
                self.storage().dirs().fail(failure);
                self.disk_lost(disk);
            }
        }
    }

    /// Takes out of use what is past retention or below the log start.
    pub fn retain(&self, now: i64) {
        for partition in self.partitions() {
            let mark = partition.high_watermark();
            match partition.with_log(|log| log.delete_retention(now, mark)) {
                Ok(retained) => {
                    if retained.segments > 0 {
                        info!(
                            topic = %partition.topic.name,
                            partition = partition.index,
                            segments = retained.segments,
                            bytes = retained.bytes,
                            "segments past retention are out of use"
                        );
                    }
                    if let Some(job) = retained.rolled {
                        partition.flush_later(job);
                    }
                    if let Some(removal) = retained.removal {
                        self.storage().remove_later(removal, now);
                    }
                }
                Err(error) => {
                    warn!(topic = %partition.topic.name, partition = partition.index, %error, "retention failed");
                    partition.judge(&error);
                }
            }
        }
    }

    /// Writes `replication-offset-checkpoint` if a high watermark moved since it was last written.
    pub fn checkpoint_high_watermarks(&self) {
        if !self.surroundings.high_watermark_moved.swap(false, Ordering::AcqRel) {
            return;
        }
        // What the controller has not assigned yet keeps its own: the file is written whole. Taken first, since one that is assigned meanwhile is no longer among
        // those and is among the others.
        let mut marks: HashMap<TopicPartition, i64> =
            self.storage().unassigned_watermarks().into_iter().collect();
        marks.extend(self.partitions().iter().map(|partition| {
            let name = TopicPartition::new(&*partition.topic.name, partition.index);
            (name, partition.high_watermark())
        }));
        self.storage().dirs().checkpoint_high_watermarks(&marks);
        self.lose_failed_disks();
    }

    /// Writes the log start offsets of these partitions, durably. Answers those that are not written. Waits for the disk.
    pub fn checkpoint_log_starts(&self, partitions: &[TopicPartition]) -> Vec<TopicPartition> {
        let unwritten = self.storage().dirs().checkpoint_log_starts(partitions);
        self.lose_failed_disks();
        unwritten
    }

    /// Closes every log and says that the stop was a clean one, of each directory where that is true. After the network has
    /// stopped; waits for the disk.
    pub fn close(&self, broker_epoch: i64) {
        // A disk that failed since the last round of upkeep is not clean.
        self.give_up_failed_disks();
        self.surroundings.high_watermark_moved.store(true, Ordering::Release);
        self.checkpoint_high_watermarks();
        for partition in self.partitions() {
            let closed = partition.with_log(vltava_log::Log::close);
            partition.go_away();
            if let Err(error) = closed {
                self.storage()
                    .dirs()
                    .not_closed(&TopicPartition::new(&*partition.topic.name, partition.index));
                warn!(topic = %partition.topic.name, partition = partition.index, %error, "the log was not closed cleanly");
            }
        }
        self.storage().close_unassigned();
        let _ = self.storage().dirs().mark_clean_shutdown(broker_epoch);
        if let Some(left) = self.files().stop() {
            error!("a disk does not answer: {left}");
        }
    }

    /// Directories that went offline by themselves are lost with their disks, and everything on them.
    pub(super) fn lose_failed_disks(&self) {
        for disk in self.storage().lose_disks() {
            self.disk_lost(&disk);
        }
    }
}

fn online(topic: &super::Topic) -> Vec<Arc<Partition>> {
    let partitions = topic.partitions().into_iter();
    partitions
        .filter_map(|(_, hosted)| match hosted {
            super::Hosted::Online(partition) => Some(partition),
            super::Hosted::Offline => None,
        })
        .collect()
}
