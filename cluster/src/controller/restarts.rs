//! Brokers that start again between two looks: they are live before and after, and may have lost what they had not flushed meanwhile. So they leave the
//! in-sync sets and their leaderships as if they had been seen to go, and come back by catching up; Kafka's controller does the same with a broker
//! whose epoch has changed ("bounced").
//!
//! Leaving them where they are would lose records: the log of a leader that goes on in its old epoch ends earlier than before, followers cut theirs off
//! to agree, and what it writes next has the offsets and the epoch of what was acknowledged. A controller that was not in office meanwhile tells
//! from the order in which ZooKeeper was written: a member that registered after the state that names it has been away since.

use std::collections::BTreeSet;

use super::election::Live;
use super::machine::Controller;
use super::model::NO_LEADER;
use super::topics::{Partition, PartitionState};

impl Partition {
    /// Notes members of the in-sync set that registered after the state was written. With no leader nobody's absence has been overlooked.
    pub(super) fn note_later_registrations(&mut self, modified: i64, live: &Live) {
        let PartitionState::Known { state, .. } = &self.state else { return };
        if modified == 0 || state.leader == NO_LEADER || self.assignment.replicas.len() < 2 {
            return;
        }
        let is_later = |id: &&i32| live.get(id).is_some_and(|broker| broker.epoch > modified);
        self.away.extend(state.isr.iter().chain([&state.leader]).filter(is_later));
    }

    /// Those who are back, and of whose absence the state knows nothing.
    pub(super) fn returned(&mut self, live: &Live) -> BTreeSet<i32> {
        if let PartitionState::Known { state, .. } = &self.state {
            self.away.retain(|id| state.leader == *id || state.isr.contains(id));
        }
        self.away.iter().copied().filter(|id| live.contains_key(id)).collect()
    }

    /// Whether it leads by a state that knows nothing of its absence: it must not.
    pub(super) fn may_not_lead_yet(&self, broker: i32) -> bool {
        self.away.contains(&broker) || self.accounted.contains(&broker)
    }

    /// A write is under way that takes account of all who were away, and of all who are.
    pub(super) fn account(&mut self, live: &Live) {
        self.accounted = std::mem::take(&mut self.away);
        if let PartitionState::Known { state, .. } = &self.state {
            let named = state.isr.iter().chain([&state.leader]);
            self.accounted.extend(named.filter(|id| !live.contains_key(id)));
        }
    }

    /// That write has ended.
    pub(super) fn accounted_for(&mut self, is_done: bool) {
        let accounted = std::mem::take(&mut self.accounted);
        if !is_done {
            self.away.extend(accounted);
        }
    }
}

impl Controller {
    /// Brokers have come with another registration than before, or for the first time.
    pub(super) fn note_arrivals(&mut self, new: &[i32]) {
        for partition in self.topics.values_mut().flat_map(|topic| topic.partitions.values_mut()) {
            let replicas = &partition.assignment.replicas;
            // The last ones of the in-sync set have been seen to go, and are waited for.
            let is_waiting = !partition.in_flight
                && matches!(&partition.state, PartitionState::Known { state, .. } if state.leader == NO_LEADER);
            if replicas.len() > 1 && !is_waiting {
                let accounted = &partition.accounted;
                let comes = |id: &&i32| replicas.contains(id) && !accounted.contains(id);
                partition.away.extend(new.iter().filter(comes));
            }
        }
    }
}
