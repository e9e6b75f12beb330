//! What to do when what ZooKeeper held differs from the map.

use std::collections::BTreeSet;

use super::event::{Action, ClearIf, StopReplica, Write};
use super::machine::{Controller, is_newer};
use super::model::{Broker, StateNode, TopicName, TopicNode};
use super::topics::{PartitionState, Phase, Topic};

/// The leader epoch of a StopReplica that stops a replica without regard to its epoch and keeps its files.
const NO_EPOCH: i32 = -1;

impl Controller {
    /// Brokers came, went, came back, or changed their addresses.
    pub(super) fn observe_brokers(&mut self, brokers: Vec<Broker>) {
        let read = brokers.into_iter().map(|broker| (broker.id, broker)).collect();
        let before = std::mem::replace(&mut self.brokers, read);
        if self.is_loading() {
            if let Some(loading) = self.loading() {
                loading.brokers = true;
            }
            return;
        }
        if before == self.brokers {
            return;
        }
        let is_known =
            |broker: &Broker| before.get(&broker.id).is_some_and(|known| known.epoch == broker.epoch);
        // Who has gone, or come back since, is not about to stop any more.
        let brokers = &self.brokers;
        self.leaving.retain(|id| brokers.get(id).is_some_and(is_known));
        let new: Vec<i32> =
            self.brokers.values().filter(|broker| !is_known(broker)).map(|broker| broker.id).collect();
        let gone: Vec<i32> = before.keys().filter(|id| !self.brokers.contains_key(id)).copied().collect();
        self.note_arrivals(&new);
        self.forget_failures(&new);
        self.forget_failures(&gone);
        self.outbox.brokers_changed();
        for &broker in &new {
            self.introduce(broker);
        }
        let names: Vec<TopicName> = self.topics.keys().cloned().collect();
        for name in names {
            self.announce_replicas_of(&name, &gone, &new);
            self.reconcile(&name);
            self.resume_deletion(&name, &new);
        }
    }

    /// The caches' lists of offline replicas change with the brokers.
    fn announce_replicas_of(&mut self, name: &TopicName, gone: &[i32], new: &[i32]) {
        let Some(topic) = self.topics.get(name).filter(|topic| topic.is_live()) else { return };
        for (&number, partition) in &topic.partitions {
            if partition.assignment.replicas.iter().any(|id| gone.contains(id) || new.contains(id)) {
                self.outbox.announce(name, number);
            }
        }
    }

    /// Topics appeared or disappeared.
    pub(super) fn observe_topics(&mut self, names: Vec<TopicName>) {
        let names: BTreeSet<TopicName> = names.into_iter().collect();
        let gone: Vec<TopicName> =
            self.topics.keys().filter(|name| !names.contains(*name)).cloned().collect();
        for name in gone {
            // Between its creation and this list's reading; its own znode decides.
            self.outbox.act(Action::ReadTopic(name));
        }
        for name in names {
            if !self.topics.contains_key(&name) {
                self.topics.insert(name.clone(), Topic::default());
                self.outbox.act(Action::ReadTopic(name));
            }
        }
        if let Some(loading) = self.loading() {
            loading.topics = true;
        }
    }

    /// A topic's znode was read.
    pub(super) fn observe_topic(&mut self, name: &TopicName, node: Option<TopicNode>) {
        let Some(node) = node else { return self.topic_is_gone(name) };
        let Some(topic) = self.topics.get(name) else { return };
        if topic.created > node.created {
            return;
        }
        if topic.created != 0 && topic.created < node.created {
            // Deleted and made again: the old incarnation ends here, whatever it was doing.
            self.forget(name);
            self.topics.insert(name.clone(), Topic::default());
        }
        let Some(topic) = self.topics.get_mut(name) else { return };
        if topic.phase != Phase::Reading && topic.version >= node.version {
            self.remove_when_stopped(name);
            return;
        }
        topic.created = node.created;
        let before = topic.assignment();
        let unread = topic.adopt(&node);
        let needs_id = self.options.topic_ids;
        if node.assignment.topic_id.is_none() && needs_id {
            // Tools before 2.8 write no topic id: a known one is put back, else the writer gives a new one.
            let assignment = topic.assignment();
            let (created, expected) = (topic.created, topic.version);
            let write = Write::SetTopic { topic: name.clone(), created, assignment, expected };
            self.outbox.act(Action::Write(write));
        }
        let id = topic.assignment().topic_id;
        if id.is_none() && needs_id {
            return;
        }
        if topic.phase == Phase::Reading {
            topic.phase = Phase::Live;
        }
        let created = topic.created;
        let known =
            topic.partitions.iter().filter(|(_, partition)| partition.state != PartitionState::Unread);
        let changed: Vec<i32> = known
            .filter(|(number, partition)| before.partitions.get(number) != Some(&partition.assignment))
            .map(|(&number, _)| number)
            .collect();
        let mut to_read: BTreeSet<i32> = unread.into_iter().collect();
        if before.topic_id != id || id.is_none() {
            // Held back until the topic had its id.
            let held =
                topic.partitions.iter().filter(|(_, partition)| partition.state == PartitionState::Unread);
            to_read.extend(held.map(|(&number, _)| number));
        }
        if !to_read.is_empty() {
            let partitions = to_read.into_iter().collect();
            self.outbox.act(Action::ReadStates { topic: name.clone(), created, partitions });
        }
        for number in changed {
            self.tell(name, number, false);
        }
        if self.deletions.contains_key(name) {
            self.consider_deletion(name);
        }
    }

    /// A topic's znode is not there: a finished deletion, an administrator's `rmr`, or a name that never was.
    fn topic_is_gone(&mut self, name: &TopicName) {
        if self.topics.contains_key(name) {
            self.forget(name);
            // A list that was read later, with a topic of that name made again, may have been seen before this: it told nothing then.
            self.outbox.act(Action::ReadTopics);
        }
        if self.deletions.contains_key(name) {
            self.outbox.act(Action::Write(Write::ClearDeletion {
                topic: name.clone(),
                only_if: ClearIf::TopicAbsent,
            }));
        }
    }

    /// Stops serving a topic whose znode is gone. Files stay: nobody asked for their deletion.
    pub(super) fn forget(&mut self, name: &TopicName) {
        let Some(topic) = self.topics.remove(name) else { return };
        if topic.partitions.is_empty() || self.is_loading() {
            return;
        }
        self.outbox.retract(name, &topic, self.controller_epoch());
        if topic.is_live() {
            for (partition, broker) in topic.replicas() {
                let replica = StopReplica {
                    topic: name.clone(),
                    created: topic.created,
                    partition,
                    leader_epoch: NO_EPOCH,
                    delete: false,
                };
                self.outbox.stop(broker, replica);
            }
        }
    }

    /// Partition states were read.
    pub(super) fn observe_states(
        &mut self,
        name: &TopicName,
        created: i64,
        states: Vec<(i32, Option<StateNode>)>,
    ) {
        let epoch = self.controller_epoch();
        let is_loading = self.is_loading();
        let mut changed = Vec::new();
        let Some(topic) = self.topics.get_mut(name).filter(|topic| topic.created == created) else { return };
        for (number, node) in states {
            let Some(partition) = topic.partitions.get_mut(&number) else { continue };
            partition.in_doubt = false;
            match node {
                None if partition.state == PartitionState::Unread => partition.state = PartitionState::New,
                None => {}
                Some(node) if node.state.controller_epoch > epoch => {
                    // Another controller has been elected since: the epoch's fence would say the same on the next write.
                    self.outbox.act(Action::Resign);
                    return;
                }
                Some(node) if is_newer(&partition.state, node.version) => {
                    partition.state = PartitionState::Known { state: node.state, version: node.version };
                    if is_loading {
                        // Who lives is perhaps not known yet.
                        partition.read_at = node.modified;
                    } else {
                        partition.note_later_registrations(node.modified, &self.brokers);
                    }
                    changed.push(number);
                }
                Some(_) => {}
            }
        }
        for number in changed {
            self.tell(name, number, false);
        }
        self.reconcile(name);
    }

    /// A znode of a topic, or the state of one of its partitions, makes no sense. What is served stays served, what is not
    /// served yet is left alone until the znode changes; nothing is ever written over it.
    pub(super) fn observe_unreadable(&mut self, name: &TopicName, number: Option<i32>) {
        let Some(topic) = self.topics.get_mut(name) else { return };
        match number {
            None if topic.phase == Phase::Reading => {
                self.topics.remove(name);
            }
            None => {}
            Some(number) => {
                if let Some(partition) = topic.partitions.get_mut(&number)
                    && partition.state == PartitionState::Unread
                {
                    partition.state = PartitionState::Unreadable;
                }
            }
        }
    }
}
