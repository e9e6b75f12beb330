//! A topic going away: caches forget it, its replicas stop and delete their files, and when all have said so its znodes go.
//!
//! A replica on a dead broker holds the deletion up until the broker is back, as in Kafka: else it would return with the
//! topic's data. The name is free for a new topic only when the znode is gone.

use std::collections::BTreeSet;

use super::event::{Action, ClearIf, StopReplica, Write, WriteOutcome};
use super::machine::Controller;
use super::model::{EPOCH_DURING_DELETE, TopicName};
use super::topics::{Phase, Topic};

impl Controller {
    /// `/admin/delete_topics` was read.
    pub(super) fn observe_deletions(&mut self, requests: Vec<(TopicName, i64)>) {
        self.deletions = requests.into_iter().collect();
        if let Some(loading) = self.loading() {
            loading.deletions = true;
        }
        for name in self.deletions.keys().cloned().collect::<Vec<_>>() {
            if self.options.delete_topics {
                self.consider_deletion(&name);
            } else {
                self.outbox
                    .act(Action::Write(Write::ClearDeletion { topic: name, only_if: ClearIf::Always }));
            }
        }
    }

    /// Begins the deletion of a topic that is to be deleted, as soon as it is known.
    pub(super) fn consider_deletion(&mut self, name: &TopicName) {
        if self.is_loading() || !self.options.delete_topics {
            return;
        }
        let epoch = self.controller_epoch();
        let Some(topic) = self.topics.get_mut(name) else {
            // Not heard of: made a moment ago, or never there. Its znode decides.
            self.topics.insert(name.clone(), Topic::default());
            self.outbox.act(Action::ReadTopic(name.clone()));
            return;
        };
        if !topic.is_live() {
            return;
        }
        if let Some(&asked) = self.deletions.get(name).filter(|asked| **asked < topic.created) {
            // It was asked of another topic of that name, which is gone: nobody asked for the deletion of this one.
            self.deletions.remove(name);
            let write = Write::ClearDeletion { topic: name.clone(), only_if: ClearIf::Asked(asked) };
            self.outbox.act(Action::Write(write));
            return;
        }
        let awaiting = topic.replicas();
        topic.phase = Phase::Deleting { awaiting: awaiting.clone(), removing: false };
        let created = topic.created;
        self.outbox.retract(name, topic, epoch);
        for (partition, broker) in awaiting {
            self.outbox.stop(broker, delete_replica(name, created, partition));
        }
        self.remove_when_stopped(name);
    }

    /// Brokers that are back are asked to delete what they still hold.
    pub(super) fn resume_deletion(&mut self, name: &TopicName, new: &[i32]) {
        let Some(topic) = self.topics.get(name) else { return };
        let Phase::Deleting { awaiting, removing: false } = &topic.phase else { return };
        for &(partition, broker) in awaiting.iter().filter(|(_, broker)| new.contains(broker)) {
            self.outbox.stop(broker, delete_replica(name, topic.created, partition));
        }
    }

    /// A replica has stopped, or could not. One that could not is asked again when its broker returns.
    pub(super) fn replica_stopped(&mut self, broker: i32, replica: &StopReplica, done: bool) {
        if !done || !replica.delete {
            return;
        }
        let Some(topic) =
            self.topics.get_mut(&replica.topic).filter(|topic| topic.created == replica.created)
        else {
            return;
        };
        if let Phase::Deleting { awaiting, .. } = &mut topic.phase {
            awaiting.remove(&(replica.partition, broker));
        }
        self.remove_when_stopped(&replica.topic);
    }

    /// Deletes the znodes once no replica is left.
    pub(super) fn remove_when_stopped(&mut self, name: &TopicName) {
        let Some(topic) = self.topics.get_mut(name) else { return };
        let Phase::Deleting { awaiting, removing } = &mut topic.phase else { return };
        if !awaiting.is_empty() || *removing {
            return;
        }
        *removing = true;
        let write = Write::DeleteTopic { topic: name.clone(), created: topic.created };
        self.outbox.act(Action::Write(write));
    }

    /// The topic's znodes have been deleted, or could not be.
    pub(super) fn topic_deleted(&mut self, name: &TopicName, created: i64, outcome: WriteOutcome) {
        let Some(topic) = self.topics.get_mut(name).filter(|topic| topic.created == created) else { return };
        if let WriteOutcome::Done(_) = outcome {
            self.topics.remove(name);
            self.deletions.remove(name);
            // The name may have been taken again before this event came.
            self.outbox.act(Action::ReadTopics);
            self.outbox.act(Action::ReadDeletions);
            return;
        }
        // Another incarnation has its name, or the connection was lost: its znode tells.
        topic.phase = Phase::Deleting { awaiting: BTreeSet::new(), removing: false };
        self.outbox.act(Action::ReadTopic(name.clone()));
    }
}

fn delete_replica(name: &TopicName, created: i64, partition: i32) -> StopReplica {
    StopReplica { topic: name.clone(), created, partition, leader_epoch: EPOCH_DURING_DELETE, delete: true }
}
