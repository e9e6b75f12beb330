//! What a partition takes from its leader: records, the high watermark, the log's start; and where it cuts itself off to agree with it.
//!
//! Each call names the leader epoch in which the leader was asked. Under the lock it is compared with the present one: what came late changes nothing.

use std::sync::Arc;

use vltava_cluster::replication::{Effect, EpochAndEnd, Role, truncation};
use vltava_log::{AppendError, LogError, ReadError};
use vltava_protocol::records::validate::{Origin, Rules, validate};

use super::{Partition, partition::State};

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// This replica leads, has stopped, or follows in another epoch by now.
    #[error("the leadership has changed")]
    NoLonger,
    /// The leader's records are damaged, or do not follow on what is here.
    #[error("the leader's records cannot be taken: {0}")]
    Records(String),
    /// The disk failed or is full.
    #[error("the log cannot be written: {0}")]
    Storage(String),
}

/// Where a follower stands, which a Fetch tells the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The log end offset.
    pub offset: i64,
    /// The epoch of the last record; -1 while there is none.
    pub last_epoch: i32,
    /// The log start offset.
    pub log_start: i64,
}

/// What a Fetch brought.
#[derive(Debug, Clone, Copy)]
pub struct FromLeader<'a> {
    /// The epoch in which it was asked for.
    pub leader_epoch: i32,
    /// From which offset it was asked for.
    pub offset: i64,
    /// Batches; the last may be cut off.
    pub records: &'a [u8],
    /// The leader's high watermark.
    pub high_watermark: i64,
    /// The leader's log start offset.
    pub log_start: i64,
}

impl Partition {
    /// Where this follower stands.
    pub fn position(&self, leader_epoch: i32) -> Result<Position, FollowError> {
        let state = self.state.lock();
        self.check_follows(&state, leader_epoch)?;
        Ok(Position {
            offset: state.log.log_end_offset(),
            last_epoch: state.log.latest_epoch().unwrap_or(-1),
            log_start: state.log.log_start_offset(),
        })
    }

    /// Appends what the leader sent and learns what it knows. Answers the bytes that were appended.
    ///
    /// Cost: CRC-32C over the records before the lock; under it one `pwritev`. The records stay where they were received.
    pub fn take(self: &Arc<Self>, from: FromLeader<'_>, now: i64) -> Result<usize, FollowError> {
        let rules = Rules { origin: Origin::Replication, now, ..Rules::default() };
        let batches = if from.records.is_empty() {
            None
        } else {
            let valid = validate(from.records, &rules);
            Some(valid.map_err(|invalid| FollowError::Records(format!("{invalid:?}")))?)
        };
        let mut appended = None;
        let effect = {
            let mut state = self.state.lock();
            self.check_follows(&state, from.leader_epoch)?;
            if state.log.log_end_offset() != from.offset {
                return Err(FollowError::NoLonger);
            }
            if let Some(batches) = batches.as_ref().filter(|batches| !batches.batches.is_empty()) {
                if self.disk().refuses_appends() {
                    return Err(FollowError::Storage("the disk is full or offline".to_owned()));
                }
                let done = match state.log.append_as_follower(batches, now) {
                    Ok(done) => done,
                    Err(AppendError::Storage(error)) => return Err(self.storage_failed(&state, &error)),
                    Err(error) => return Err(FollowError::Records(error.to_string())),
                };
                let end = state.log.log_end_offset();
                let _ = state.replication.on_append(end, 0);
                self.note_recent(&mut state.recent, &done);
                appended = Some(done);
            }
            let mut effect = state.replication.on_leader_high_watermark(from.high_watermark);
            if from.log_start > state.log.log_start_offset() {
                // Never above what is committed here: what the leader deleted it had committed.
                let bound = from.log_start.min(state.log.log_end_offset());
                if let Err(ReadError::Storage(error)) = state.log.increment_log_start_offset(bound, bound) {
                    return Err(self.storage_failed(&state, &error));
                }
                let moved = state.replication.on_log_start(bound);
                effect.high_watermark = effect.high_watermark.max(moved.high_watermark);
            }
            self.publish(effect);
            effect
        };
        let bytes = appended.as_ref().map_or(0, |done| done.bytes);
        self.announce(effect, i64::try_from(bytes).unwrap_or(i64::MAX));
        if let Some(mut done) = appended {
            self.after_append(&mut done);
        }
        Ok(bytes)
    }

    /// Cuts the log off where it diverges from the leader's. Answers the log's end then, if anything went, and whether the logs agree.
    pub fn agree(
        &self,
        leader_epoch: i32,
        leader: EpochAndEnd,
        now: i64,
    ) -> Result<(Option<i64>, bool), FollowError> {
        let mut state = self.state.lock();
        self.check_follows(&state, leader_epoch)?;
        let (end, mark) = (state.log.log_end_offset(), state.replication.high_watermark());
        let cut = truncation(leader, end, mark, |epoch| {
            let own = state.log.end_of_epoch(epoch);
            EpochAndEnd { epoch: own.epoch, end: own.end_offset }
        });
        Ok((self.cut(&mut state, cut.offset, now)?, cut.is_final))
    }

    /// Cuts off what is not known to be committed: the leader can't say where its epochs end.
    pub fn cut_to_high_watermark(&self, leader_epoch: i32, now: i64) -> Result<Option<i64>, FollowError> {
        let mut state = self.state.lock();
        self.check_follows(&state, leader_epoch)?;
        let mark = state.replication.high_watermark();
        self.cut(&mut state, mark, now)
    }

    /// The leader's log ends before this one: what is behind its end goes.
    pub fn cut_to_end_of_leader(
        &self,
        leader_epoch: i32,
        end: i64,
        now: i64,
    ) -> Result<Option<i64>, FollowError> {
        let mut state = self.state.lock();
        self.check_follows(&state, leader_epoch)?;
        self.cut(&mut state, end, now)
    }

    /// The leader's log starts behind this one's end: begins anew at its start.
    pub fn start_over(&self, leader_epoch: i32, start: i64, now: i64) -> Result<(), FollowError> {
        let mut state = self.state.lock();
        self.check_follows(&state, leader_epoch)?;
        if let Err(error) = state.log.truncate_fully_and_start_at(start, now) {
            return Err(self.storage_failed(&state, &error));
        }
        let _ = state.replication.on_append(start, 0);
        let effect = state.replication.on_log_start(start);
        self.publish(effect);
        Ok(())
    }

    fn cut(&self, state: &mut State, offset: i64, now: i64) -> Result<Option<i64>, FollowError> {
        let before = state.log.log_end_offset();
        // Also at the end itself: an epoch that begins there has no records, and would be asked about for ever.
        let end = match state.log.truncate_to(offset, now) {
            Ok(end) => end,
            Err(error) => return Err(self.storage_failed_held(&error)),
        };
        if end >= before {
            return Ok(None);
        }
        let effect: Effect = state.replication.on_truncate(end);
        self.publish(effect);
        Ok(Some(end))
    }

    fn check_follows(&self, state: &State, leader_epoch: i32) -> Result<(), FollowError> {
        let follows = matches!(state.replication.role(), Role::Follower { .. })
            && state.replication.leader_epoch() == leader_epoch;
        if follows && self.is_online() { Ok(()) } else { Err(FollowError::NoLonger) }
    }

    fn storage_failed(&self, _held: &State, error: &LogError) -> FollowError {
        self.storage_failed_held(error)
    }

    fn storage_failed_held(&self, error: &LogError) -> FollowError {
        self.judge(error);
        FollowError::Storage(error.to_string())
    }
}
