//! Committed offsets: OffsetCommit, OffsetFetch, OffsetDelete, and the deletion of a whole group.

use std::collections::{BTreeMap, HashSet};

use vltava_protocol::ErrorCode;

use super::action::{Action, Waiter, Write, WriteId};
use super::moment::Moment;
use super::state::{Group, State};

/// A partition of a topic by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// The partition's index.
    pub index: i32,
}

/// An offset as a group keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: i64,
    /// The leader epoch of the record before it, -1 where the client sent none.
    pub leader_epoch: i32,
    /// The client's own note.
    pub metadata: String,
    /// When it was committed, milliseconds.
    pub committed_at: i64,
    /// When it expires, from clients that could say so (OffsetCommit 2 to 4); else the broker's retention decides.
    pub expires_at: Option<i64>,
}

/// An OffsetCommit request for one group.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitRequest {
    /// The member's generation; -1 from a client that only keeps its offsets here.
    pub generation: i32,
    /// The member's id; empty likewise.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// The offsets, or for a partition that the broker refuses by itself its error code.
    pub offsets: Vec<(Partition, Result<CommittedOffset, ErrorCode>)>,
}

/// What is under way to the log.
#[derive(Debug)]
enum Pending {
    Commit {
        waiter: Waiter,
        offsets: Vec<(Partition, CommittedOffset)>,
        results: Vec<(Partition, ErrorCode)>,
    },
    Remove {
        waiter: Option<Waiter>,
        partitions: Vec<Partition>,
        results: Vec<(Partition, ErrorCode)>,
    },
    /// With the group's own record; `results` are those of an OffsetDelete that leaves nothing.
    Delete {
        waiter: Option<Waiter>,
        partitions: Vec<Partition>,
        results: Vec<(Partition, ErrorCode)>,
    },
}

/// All offsets of a group.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    /// By topic and partition; with each the place of its record in the log, so that of two commits the later one stands.
    committed: BTreeMap<String, BTreeMap<i32, (CommittedOffset, i64)>>,
    pending: BTreeMap<WriteId, Pending>,
}

impl Offsets {
    pub(super) fn is_empty(&self) -> bool {
        self.committed.is_empty() && self.pending.is_empty()
    }

    fn set(&mut self, partition: Partition, offset: CommittedOffset, at: i64) {
        let topic = self.committed.entry(partition.topic).or_default();
        match topic.get(&partition.index) {
            Some((_, later)) if *later > at => {}
            _ => {
                topic.insert(partition.index, (offset, at));
            }
        }
    }

    /// A tombstone lies at `at`: what was committed before it is forgotten.
    fn remove(&mut self, partition: &Partition, at: i64) {
        let Some(topic) = self.committed.get_mut(&partition.topic) else { return };
        if topic.get(&partition.index).is_some_and(|(_, place)| *place <= at) {
            topic.remove(&partition.index);
            if topic.is_empty() {
                self.committed.remove(&partition.topic);
            }
        }
    }

    /// The tombstones of write `id` lie at `at`. Replicas may confirm writes in another order than that of the log: commits that lie before
    /// the tombstones and are not confirmed yet do not bring their offsets back.
    fn remove_all(&mut self, partitions: &[Partition], id: WriteId, at: i64) {
        for partition in partitions {
            self.remove(partition, at);
        }
        let earlier = self.pending.range_mut(..id).filter_map(|(_, pending)| match pending {
            Pending::Commit { offsets, .. } => Some(offsets),
            Pending::Remove { .. } | Pending::Delete { .. } => None,
        });
        let mut earlier = earlier.peekable();
        if earlier.peek().is_none() {
            return;
        }
        let gone: HashSet<&Partition> = partitions.iter().collect();
        for offsets in earlier {
            offsets.retain(|(partition, _)| !gone.contains(partition));
        }
    }

    /// Whether any write of offsets is under way.
    pub(super) fn is_writing(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The partitions of which an offset, or the end of one, is under way to the log.
    pub(super) fn being_written(&self) -> HashSet<(&str, i32)> {
        fn name(partition: &Partition) -> (&str, i32) {
            (partition.topic.as_str(), partition.index)
        }
        let mut found = HashSet::new();
        for pending in self.pending.values() {
            match pending {
                Pending::Commit { offsets, .. } => found.extend(offsets.iter().map(|(p, _)| name(p))),
                Pending::Remove { partitions, .. } | Pending::Delete { partitions, .. } => {
                    found.extend(partitions.iter().map(name));
                }
            }
        }
        found
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, i32, &CommittedOffset)> {
        let topics = self.committed.iter();
        topics.flat_map(|(topic, partitions)| {
            partitions.iter().map(move |(index, (offset, _))| (topic.as_str(), *index, offset))
        })
    }
}

impl Group {
    /// Commits offsets. The answer comes when they are written.
    pub fn commit(&mut self, request: CommitRequest, waiter: Waiter, now: Moment, out: &mut Vec<Action>) {
        if let Err(error) = self.may_commit(&request, now) {
            let results = request.offsets.into_iter().map(|(partition, _)| (partition, error)).collect();
            out.push(Action::Commit(waiter, results));
            return;
        }
        let mut offsets = Vec::with_capacity(request.offsets.len());
        let mut results = Vec::with_capacity(request.offsets.len());
        for (partition, offset) in request.offsets {
            let result = match offset {
                Err(error) => error,
                Ok(offset) if offset.metadata.len() > self.limits.max_offset_metadata => {
                    ErrorCode::OffsetMetadataTooLarge
                }
                Ok(offset) => {
                    offsets.push((partition.clone(), offset));
                    ErrorCode::None
                }
            };
            results.push((partition, result));
        }
        if offsets.is_empty() {
            out.push(Action::Commit(waiter, results));
            return;
        }
        let records =
            offsets.iter().map(|(partition, offset)| (partition.clone(), Some(offset.clone()))).collect();
        let write = self.write(Write::Offsets(records), out);
        self.offsets.pending.insert(write, Pending::Commit { waiter, offsets, results });
    }

    fn may_commit(&mut self, request: &CommitRequest, now: Moment) -> Result<(), ErrorCode> {
        if self.state == State::Dead {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let is_member =
            request.generation >= 0 || !request.member_id.is_empty() || request.instance_id.is_some();
        if !is_member {
            // A client that assigns its partitions itself may keep offsets in a group as long as nobody has joined it.
            return if self.state == State::Empty { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        }
        if request.generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        self.validate(&request.member_id, request.instance_id.as_deref())?;
        if request.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        match self.state {
            State::CompletingRebalance => Err(ErrorCode::RebalanceInProgress),
            State::Empty | State::Dead => Err(ErrorCode::UnknownMemberId),
            State::Stable | State::PreparingRebalance => {
                self.heard_of(&request.member_id, now);
                Ok(())
            }
        }
    }

    /// A committed offset.
    #[must_use]
    pub fn offset(&self, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.offsets.committed.get(topic)?.get(&partition).map(|(offset, _)| offset)
    }

    /// All committed offsets by topic and partition.
    pub fn offsets(&self) -> impl Iterator<Item = (&str, i32, &CommittedOffset)> {
        self.offsets.iter()
    }

    /// OffsetDelete: forgets offsets of topics that no member reads (KIP-496). `subscribed` reads the topics out of a member's
    /// subscription, `None` if it is not of a consumer. The answer comes when tombstones are written.
    pub fn delete_offsets(
        &mut self,
        partitions: Vec<Partition>,
        subscribed: impl Fn(&[u8]) -> Option<Vec<String>>,
        waiter: Waiter,
        out: &mut Vec<Action>,
    ) -> Result<(), ErrorCode> {
        let read = match self.state {
            State::Dead => return Err(ErrorCode::GroupIdNotFound),
            State::Empty => Vec::new(),
            _ => self.subscription(subscribed).ok_or(ErrorCode::NonEmptyGroup)?,
        };
        let verdict = |partition: Partition| {
            let error = if read.contains(&partition.topic) {
                ErrorCode::GroupSubscribedToTopic
            } else {
                ErrorCode::None
            };
            (partition, error)
        };
        let results: Vec<_> = partitions.into_iter().map(verdict).collect();
        let gone: Vec<Partition> = results
            .iter()
            .filter(|(partition, error)| {
                *error == ErrorCode::None && self.offset(&partition.topic, partition.index).is_some()
            })
            .map(|(partition, _)| partition.clone())
            .collect();
        if gone.is_empty() {
            out.push(Action::Commit(waiter, results));
            return Ok(());
        }
        let nothing_is_left = gone.len() == self.offsets().count() && !self.offsets.is_writing();
        if self.state == State::Empty && self.pending_assignment.is_none() && nothing_is_left {
            // As in Kafka, the group goes with its last offset where nobody is in it.
            self.remove_group(gone, Some(waiter), results, out);
        } else {
            self.remove_offsets(gone, Some(waiter), results, out);
        }
        Ok(())
    }

    pub(super) fn remove_offsets(
        &mut self,
        partitions: Vec<Partition>,
        waiter: Option<Waiter>,
        results: Vec<(Partition, ErrorCode)>,
        out: &mut Vec<Action>,
    ) {
        let write = self.write(Write::Tombstones { offsets: partitions.clone(), group: false }, out);
        self.offsets.pending.insert(write, Pending::Remove { waiter, partitions, results });
    }

    fn remove_group(
        &mut self,
        partitions: Vec<Partition>,
        waiter: Option<Waiter>,
        results: Vec<(Partition, ErrorCode)>,
        out: &mut Vec<Action>,
    ) {
        let write = self.write(Write::Tombstones { offsets: partitions.clone(), group: true }, out);
        self.offsets.pending.insert(write, Pending::Delete { waiter, partitions, results });
    }

    /// DeleteGroups. The answer comes as an [`Action::Commit`] without partitions when the tombstones are written.
    pub fn delete(&mut self, waiter: Option<Waiter>, out: &mut Vec<Action>) -> Result<(), ErrorCode> {
        match self.state {
            State::Dead => Err(ErrorCode::GroupIdNotFound),
            State::Empty if self.pending_assignment.is_none() => {
                let name = |(topic, index, _): (&str, i32, &CommittedOffset)| Partition {
                    topic: topic.to_owned(),
                    index,
                };
                let partitions: Vec<Partition> = self.offsets.iter().map(name).collect();
                self.remove_group(partitions, waiter, Vec::new(), out);
                Ok(())
            }
            _ => Err(ErrorCode::NonEmptyGroup),
        }
    }

    pub(super) fn offsets_written(
        &mut self,
        id: WriteId,
        result: Result<i64, ErrorCode>,
        out: &mut Vec<Action>,
    ) {
        match (self.offsets.pending.remove(&id), result) {
            (None, _) => {}
            (Some(Pending::Commit { waiter, offsets, results }), Ok(at)) => {
                for (partition, offset) in offsets {
                    self.offsets.set(partition, offset, at);
                }
                out.push(Action::Commit(waiter, results));
            }
            (Some(Pending::Remove { waiter, partitions, results }), Ok(at)) => {
                self.offsets.remove_all(&partitions, id, at);
                if let Some(waiter) = waiter {
                    out.push(Action::Commit(waiter, results));
                }
            }
            (Some(Pending::Delete { waiter, partitions, results }), Ok(at)) => {
                self.offsets.remove_all(&partitions, id, at);
                // Whoever joined or commits while the tombstones were written has the group back: its records lie behind them.
                if self.state == State::Empty && self.offsets.is_empty() {
                    self.state = State::Dead;
                }
                if let Some(waiter) = waiter {
                    out.push(Action::Commit(waiter, results));
                }
            }
            (Some(Pending::Commit { waiter, results, .. }), Err(error)) => {
                out.push(Action::Commit(waiter, failed(results, error)));
            }
            (Some(Pending::Remove { waiter, results, .. }), Err(error)) => {
                if let Some(waiter) = waiter {
                    out.push(Action::Commit(waiter, failed(results, error)));
                }
            }
            (Some(Pending::Delete { waiter, results, .. }), Err(error)) => {
                if let Some(waiter) = waiter {
                    let none = Partition { topic: String::new(), index: -1 };
                    let failed =
                        if results.is_empty() { vec![(none, error)] } else { failed(results, error) };
                    out.push(Action::Commit(waiter, failed));
                }
            }
        }
    }

    /// An offset record read back from the log; `None` is a tombstone. `at` is its place in the log.
    pub fn load_offset(&mut self, partition: Partition, offset: Option<CommittedOffset>, at: i64) {
        match offset {
            Some(offset) => self.offsets.set(partition, offset, at),
            None => self.offsets.remove(&partition, at),
        }
    }
}

/// What was refused stays refused; what was to be written failed.
fn failed(results: Vec<(Partition, ErrorCode)>, error: ErrorCode) -> Vec<(Partition, ErrorCode)> {
    let mark = |(partition, result)| (partition, if result == ErrorCode::None { error } else { result });
    results.into_iter().map(mark).collect()
}
