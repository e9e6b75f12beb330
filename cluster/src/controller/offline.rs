//! Replicas that a live broker cannot serve, because their files are broken or their log directory is lost (KIP-112): they neither lead nor count as
//! in sync until their broker starts again.

use std::{borrow::Cow, collections::BTreeSet};

use vltava_protocol::Uuid;

use super::{
    election::Live,
    machine::Controller,
    model::TopicName,
    topics::{Partition, PartitionState},
};

impl Partition {
    /// The live brokers as this partition may use them: without those whose replica has failed.
    pub(super) fn usable<'a>(&self, brokers: &'a Live) -> Cow<'a, Live> {
        if self.failed.is_empty() {
            return Cow::Borrowed(brokers);
        }
        let usable = brokers.iter().filter(|(id, _)| !self.failed.contains(id));
        Cow::Owned(usable.map(|(&id, broker)| (id, broker.clone())).collect())
    }
}

impl Controller {
    /// A broker answered that it cannot serve these replicas: others lead, if there are any.
    pub(super) fn replicas_failed(&mut self, broker: i32, replicas: Vec<(TopicName, Uuid, i32)>) {
        if !self.brokers.contains_key(&broker) {
            return;
        }
        let mut changed = BTreeSet::new();
        for (name, id, number) in replicas {
            // A topic that was deleted and made again is another.
            let topic = self.topics.get_mut(&name).filter(|topic| topic.is_live() && topic.id == id);
            let Some(partition) = topic.and_then(|topic| topic.partitions.get_mut(&number)) else { continue };
            if partition.assignment.replicas.contains(&broker) && partition.failed.insert(broker) {
                if matches!(partition.state, PartitionState::Known { .. }) {
                    self.outbox.announce(&name, number);
                }
                changed.insert(name);
            }
        }
        for name in changed {
            self.reconcile(&name);
        }
    }

    /// Log directories failed: LeaderAndIsr for all replicas of a broker changes nothing where they work, and is refused where they don't (KIP-112).
    pub(super) fn log_dirs_failed(&mut self, brokers: &[i32]) {
        if self.is_loading() {
            // They are told everything when the loading ends.
            return;
        }
        for broker in
            brokers.iter().filter(|broker| self.brokers.contains_key(broker)).copied().collect::<Vec<_>>()
        {
            self.tell_replicas_of(broker);
        }
    }

    /// Brokers that started again, or are gone: whether a replica works is asked anew.
    pub(super) fn forget_failures(&mut self, brokers: &[i32]) {
        for partition in self.topics.values_mut().flat_map(|topic| topic.partitions.values_mut()) {
            partition.failed.retain(|id| !brokers.contains(id));
        }
    }
}
