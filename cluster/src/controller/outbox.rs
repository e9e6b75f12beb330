//! What brokers are to be told, gathered while one event is handled and sent at its end: one request of a kind per broker.

use std::collections::{BTreeMap, BTreeSet};

use super::election::Live;
use super::event::{Action, BrokerRequest, PartitionUpdate, StopReplica};
use super::model::{EPOCH_DURING_DELETE, LEADER_DURING_DELETE, LeaderAndIsr, NO_LEADER, TopicName};
use super::topics::{Partition, PartitionState, Topic, Topics};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    leader_and_isr: BTreeMap<i32, BTreeSet<(TopicName, i32, bool)>>,
    metadata: BTreeSet<(TopicName, i32)>,
    deleted: BTreeMap<(TopicName, i32), PartitionUpdate>,
    introduced: BTreeSet<i32>,
    everyone: bool,
    stop: BTreeMap<i32, Vec<StopReplica>>,
    actions: Vec<Action>,
}

impl Outbox {
    /// Do this first.
    pub(super) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Tell a broker to lead or follow a partition.
    pub(super) fn lead_or_follow(&mut self, broker: i32, topic: &TopicName, partition: i32, is_new: bool) {
        let partitions = self.leader_and_isr.entry(broker).or_default();
        partitions.insert((topic.clone(), partition, is_new));
    }

    /// Tell every live broker about a partition.
    pub(super) fn announce(&mut self, topic: &TopicName, partition: i32) {
        self.metadata.insert((topic.clone(), partition));
    }

    /// Tell every live broker that a topic is going away.
    pub(super) fn retract(&mut self, name: &TopicName, topic: &Topic, controller_epoch: i32) {
        for (&number, partition) in &topic.partitions {
            self.metadata.remove(&(name.clone(), number));
            for partitions in self.leader_and_isr.values_mut() {
                partitions.retain(|(topic, partition, _)| topic != name || *partition != number);
            }
            let gone = LeaderAndIsr {
                leader: LEADER_DURING_DELETE,
                leader_epoch: EPOCH_DURING_DELETE,
                isr: Vec::new(),
                recovering: false,
                controller_epoch,
            };
            let version = match &partition.state {
                PartitionState::Known { version, .. } => *version,
                PartitionState::Unread | PartitionState::Unreadable | PartitionState::New => 0,
            };
            let update = update(name, topic, number, partition, &gone, version, &Live::new(), false);
            self.deleted.insert((name.clone(), number), update);
        }
    }

    /// Tell one broker everything, and everyone who lives now. What the broker leads or follows is told besides.
    pub(super) fn introduce(&mut self, broker: i32) {
        self.introduced.insert(broker);
        self.leader_and_isr.entry(broker).or_default();
        self.everyone = true;
    }

    /// Tell every broker who lives now.
    pub(super) fn brokers_changed(&mut self) {
        self.everyone = true;
    }

    /// Tell a broker to stop a replica.
    pub(super) fn stop(&mut self, broker: i32, replica: StopReplica) {
        self.stop.entry(broker).or_default().push(replica);
    }

    /// The actions of this event, in order: reads and writes; then who lives; then deletions leave the caches before replicas stop; then
    /// replicas change before the caches name their leaders, so that a client finds a leader where metadata sends it.
    pub(super) fn flush(&mut self, controller_epoch: i32, live: &Live, topics: &Topics) -> Vec<Action> {
        let gathered = std::mem::take(self);
        let mut actions = gathered.actions;
        let brokers: Vec<_> = live.values().cloned().collect();
        // A follower has to know where its leader is before it is told to follow: Kafka's refuses to, and is not told again. A broker alone needs nobody.
        let told_who_lives = gathered.everyone && live.len() > 1;
        if told_who_lives {
            actions.extend(live.keys().map(|&broker| Action::Send {
                broker,
                request: BrokerRequest::UpdateMetadata {
                    controller_epoch,
                    brokers: brokers.clone(),
                    full: false,
                    partitions: Vec::new(),
                },
            }));
        }
        if !gathered.deleted.is_empty() {
            let partitions: Vec<PartitionUpdate> = gathered.deleted.into_values().collect();
            actions.extend(live.keys().map(|&broker| Action::Send {
                broker,
                request: BrokerRequest::UpdateMetadata {
                    controller_epoch,
                    brokers: brokers.clone(),
                    full: false,
                    partitions: partitions.clone(),
                },
            }));
        }
        for (broker, replicas) in gathered.stop {
            if live.contains_key(&broker) {
                let request = BrokerRequest::StopReplica { controller_epoch, replicas };
                actions.push(Action::Send { broker, request });
            }
        }
        for (broker, partitions) in gathered.leader_and_isr {
            if !live.contains_key(&broker) {
                continue;
            }
            let partitions: Vec<PartitionUpdate> = partitions
                .into_iter()
                .filter_map(|(name, number, is_new)| {
                    let mut update = current(topics, &name, number, live, is_new)?;
                    if leads_too_early(topics, &update, broker) {
                        update.state.leader = NO_LEADER;
                    }
                    Some(update)
                })
                .collect();
            let leaders: BTreeSet<i32> = partitions.iter().map(|partition| partition.state.leader).collect();
            let live_leaders = leaders.iter().filter_map(|id| live.get(id)).cloned().collect();
            let full = gathered.introduced.contains(&broker);
            if full || !partitions.is_empty() {
                let request =
                    BrokerRequest::LeaderAndIsr { controller_epoch, full, partitions, live_leaders };
                actions.push(Action::Send { broker, request });
            }
        }
        if !gathered.everyone && gathered.metadata.is_empty() {
            return actions;
        }
        let changed: Vec<PartitionUpdate> = gathered
            .metadata
            .iter()
            .filter_map(|(name, number)| current(topics, name, *number, live, false))
            .collect();
        for &broker in live.keys() {
            let full = gathered.introduced.contains(&broker);
            let partitions = if full { everything(topics, live) } else { changed.clone() };
            if told_who_lives && !full && partitions.is_empty() {
                continue;
            }
            let brokers = brokers.clone();
            let request = BrokerRequest::UpdateMetadata { controller_epoch, brokers, full, partitions };
            actions.push(Action::Send { broker, request });
        }
        actions
    }
}

/// Whether a broker would be told to lead that has been away: until another state is written, nobody leads.
fn leads_too_early(topics: &Topics, update: &PartitionUpdate, broker: i32) -> bool {
    let partition = topics.get(&update.topic).and_then(|topic| topic.partitions.get(&update.partition));
    update.state.leader == broker && partition.is_some_and(|partition| partition.may_not_lead_yet(broker))
}

/// Every partition that has a state and is not going away.
fn everything(topics: &Topics, live: &Live) -> Vec<PartitionUpdate> {
    topics
        .iter()
        .flat_map(|(name, topic)| {
            topic.partitions.keys().filter_map(move |number| current(topics, name, *number, live, false))
        })
        .collect()
}

/// The partition as it is now, if it has a state and is not going away.
fn current(
    topics: &Topics,
    name: &TopicName,
    number: i32,
    live: &Live,
    is_new: bool,
) -> Option<PartitionUpdate> {
    let topic = topics.get(name).filter(|topic| topic.is_live())?;
    let partition = topic.partitions.get(&number)?;
    match &partition.state {
        PartitionState::Known { state, version } => {
            Some(update(name, topic, number, partition, state, *version, live, is_new))
        }
        PartitionState::Unread | PartitionState::Unreadable | PartitionState::New => None,
    }
}

#[allow(clippy::too_many_arguments)]
fn update(
    name: &TopicName,
    topic: &Topic,
    number: i32,
    partition: &Partition,
    state: &LeaderAndIsr,
    version: i32,
    live: &Live,
    is_new: bool,
) -> PartitionUpdate {
    let assignment = &partition.assignment;
    PartitionUpdate {
        topic: name.clone(),
        topic_id: topic.id,
        partition: number,
        state: state.clone(),
        version,
        replicas: assignment.replicas.clone(),
        adding: assignment.adding.clone(),
        removing: assignment.removing.clone(),
        offline: {
            let is_offline = |id: &i32| !live.contains_key(id) || partition.failed.contains(id);
            assignment.replicas.iter().copied().filter(is_offline).collect()
        },
        is_new,
    }
}
