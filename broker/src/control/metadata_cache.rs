//! What clients are told about brokers, topics and leaders.
//!
//! Fed by UpdateMetadata alone, also when the controller is this very process. Readers take a snapshot and keep it for as long as they
//! answer: no lock, one atomic load. An update copies the maps' pointers, O(topics + brokers), and one topic's partitions for each topic that it
//! names; the controller sends few and large updates.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use tokio::sync::watch;
use vltava_protocol::{
    Uuid,
    messages::update_metadata::{UpdateMetadataBroker, UpdateMetadataPartitionState, UpdateMetadataRequest},
};

use super::alike::AlikeNames;

/// The leader that UpdateMetadata names for a partition that is going away.
const LEADER_DURING_DELETE: i32 = -2;

/// `type` in UpdateMetadata: all partitions there are, not only changes.
const FULL: i8 = 2;

/// An UpdateMetadata from a controller that has been replaced since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("controller epoch {sent} is older than {current}")]
pub struct StaleController {
    /// The epoch in the request.
    pub sent: i32,
    /// The highest epoch seen.
    pub current: i32,
}

/// See the module.
#[derive(Debug)]
pub struct MetadataCache {
    current: ArcSwap<Snapshot>,
    changes: watch::Sender<u64>,
    writing: Mutex<()>,
}

/// All there was to know at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    controller: Option<i32>,
    controller_epoch: i32,
    brokers: BTreeMap<i32, Arc<LiveBroker>>,
    topics: BTreeMap<Arc<str>, Arc<TopicMetadata>>,
    names: HashMap<Uuid, Arc<str>>,
    alike: AlikeNames,
}

/// A broker that can be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveBroker {
    /// `broker.id`.
    pub id: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Its addresses: listener, host, port.
    pub endpoints: Vec<(String, String, i32)>,
}

impl LiveBroker {
    /// Host and port on a listener; `None` when it has no such listener.
    #[must_use]
    pub fn endpoint(&self, listener: &str) -> Option<(&str, i32)> {
        let found = self.endpoints.iter().find(|(name, _, _)| name == listener)?;
        Some((&found.1, found.2))
    }
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// Its name.
    pub name: Arc<str>,
    /// Its id; zero where the controller gives none.
    pub id: Uuid,
    /// Its partitions by number.
    pub partitions: BTreeMap<i32, PartitionMetadata>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// The leading broker, -1 without one.
    pub leader: i32,
    /// Counts changes of the leader.
    pub leader_epoch: i32,
    /// All replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// The replicas in sync.
    pub isr: Vec<i32>,
    /// The replicas whose broker or directory is not there.
    pub offline: Vec<i32>,
}

impl Default for MetadataCache {
    fn default() -> Self {
        let (changes, _) = watch::channel(0);
        Self { current: ArcSwap::default(), changes, writing: Mutex::new(()) }
    }
}

impl MetadataCache {
    /// What is known now. Hold it briefly; [`Self::owned`] for across an await.
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// What is known now, to keep.
    pub fn owned(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Changes whenever the cache does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until `wanted` finds what it looks for, at most `patience`; `None` when the time is up.
    pub async fn wait_for<T>(
        &self,
        patience: Duration,
        mut wanted: impl FnMut(&Snapshot) -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.changes();
        let search = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = wanted(&self.snapshot()) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(patience, search).await.ok().flatten()
    }

    /// Obeys an UpdateMetadata.
    ///
    /// # Errors
    /// When its controller has been replaced since.
    pub fn update(&self, request: &UpdateMetadataRequest<'_>) -> Result<(), StaleController> {
        let _one_writer = self.writing.lock();
        let mut next = Snapshot::clone(&self.current.load());
        if request.controller_epoch < next.controller_epoch {
            return Err(StaleController { sent: request.controller_epoch, current: next.controller_epoch });
        }
        next.controller_epoch = request.controller_epoch;
        next.controller = (request.controller_id >= 0).then_some(request.controller_id);
        next.brokers =
            request.live_brokers.iter().map(|broker| (broker.id, Arc::new(live_broker(broker)))).collect();
        if request.r#type == FULL {
            next.topics.clear();
            next.names.clear();
            next.alike.clear();
        }
        for state in &request.ungrouped_partition_states {
            next.apply(&state.topic_name, Uuid::ZERO, std::slice::from_ref(state));
        }
        for topic in &request.topic_states {
            next.apply(&topic.topic_name, topic.topic_id, &topic.partition_states);
        }
        self.current.store(Arc::new(next));
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }
}

fn live_broker(broker: &UpdateMetadataBroker<'_>) -> LiveBroker {
    let mut endpoints: Vec<(String, String, i32)> = broker
        .endpoints
        .iter()
        .map(|endpoint| {
            // Versions 1 and 2 name listeners for their protocols.
            let listener = match (endpoint.listener.as_ref(), endpoint.security_protocol) {
                ("", 0) => "PLAINTEXT",
                ("", 1) => "SSL",
                ("", 2) => "SASL_PLAINTEXT",
                ("", 3) => "SASL_SSL",
                (name, _) => name,
            };
            (listener.to_owned(), endpoint.host.to_string(), endpoint.port)
        })
        .collect();
    if endpoints.is_empty() && !broker.v0_host.is_empty() {
        endpoints.push(("PLAINTEXT".to_owned(), broker.v0_host.to_string(), broker.v0_port));
    }
    LiveBroker { id: broker.id, rack: broker.rack.as_deref().map(str::to_owned), endpoints }
}

impl Snapshot {
    /// The topic with that name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicMetadata>> {
        self.topics.get(name)
    }

    /// The name of the topic with that id.
    #[must_use]
    pub fn name(&self, id: &Uuid) -> Option<&Arc<str>> {
        self.names.get(id)
    }

    /// A topic whose name differs from this one only in '.' and '_'.
    #[must_use]
    pub fn topic_like(&self, name: &str) -> Option<&str> {
        self.alike.like(name)
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicMetadata>> {
        self.topics.values()
    }

    /// The topics from `name` on, by name.
    pub fn topics_from<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Arc<TopicMetadata>> {
        self.topics
            .range::<str, _>((std::ops::Bound::Included(name), std::ops::Bound::Unbounded))
            .map(|(_, topic)| topic)
    }

    /// One partition.
    #[must_use]
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&PartitionMetadata> {
        self.topics.get(topic)?.partitions.get(&partition)
    }

    /// The live broker with that id.
    #[must_use]
    pub fn broker(&self, id: i32) -> Option<&Arc<LiveBroker>> {
        self.brokers.get(&id)
    }

    /// All live brokers, by id.
    pub fn brokers(&self) -> impl Iterator<Item = &Arc<LiveBroker>> {
        self.brokers.values()
    }

    /// How many brokers live.
    #[must_use]
    pub fn broker_count(&self) -> usize {
        self.brokers.len()
    }

    /// The controller, if one has been heard of.
    #[must_use]
    pub fn controller(&self) -> Option<i32> {
        self.controller
    }

    /// Whether an UpdateMetadata has ever come.
    #[must_use]
    pub fn is_initialized(&self) -> bool {
        self.controller.is_some()
    }

    fn apply(&mut self, name: &str, id: Uuid, states: &[UpdateMetadataPartitionState<'_>]) {
        let known = self.topics.remove(name);
        if let Some(known) = &known {
            self.names.remove(&known.id);
        }
        let mut topic = match known {
            // A topic made again under its name shares nothing with the former one.
            Some(known) if known.id == id || id.is_zero() => Arc::unwrap_or_clone(known),
            Some(known) => TopicMetadata { name: known.name.clone(), id, partitions: BTreeMap::new() },
            None => TopicMetadata { name: name.into(), id, partitions: BTreeMap::new() },
        };
        for state in states {
            if state.leader == LEADER_DURING_DELETE {
                topic.partitions.remove(&state.partition_index);
                continue;
            }
            let partition = PartitionMetadata {
                leader: state.leader,
                leader_epoch: state.leader_epoch,
                replicas: state.replicas.clone(),
                isr: state.isr.clone(),
                offline: state.offline_replicas.clone(),
            };
            topic.partitions.insert(state.partition_index, partition);
        }
        if topic.partitions.is_empty() {
            self.alike.remove(&topic.name);
            return;
        }
        self.alike.insert(&topic.name);
        if !topic.id.is_zero() {
            self.names.insert(topic.id, topic.name.clone());
        }
        self.topics.insert(topic.name.clone(), Arc::new(topic));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vltava_protocol::messages::update_metadata::{UpdateMetadataEndpoint, UpdateMetadataTopicState};

    fn state(partition: i32, leader: i32) -> UpdateMetadataPartitionState<'static> {
        UpdateMetadataPartitionState {
            partition_index: partition,
            leader,
            replicas: vec![1, 2],
            isr: vec![1],
            ..Default::default()
        }
    }

    fn request(
        epoch: i32,
        topic: &'static str,
        id: u128,
        leaders: &[(i32, i32)],
    ) -> UpdateMetadataRequest<'static> {
        let endpoint = UpdateMetadataEndpoint {
            port: 9092,
            host: "h".into(),
            listener: "IN".into(),
            ..Default::default()
        };
        UpdateMetadataRequest {
            controller_id: 7,
            controller_epoch: epoch,
            live_brokers: vec![UpdateMetadataBroker {
                id: 1,
                endpoints: vec![endpoint],
                ..Default::default()
            }],
            topic_states: vec![UpdateMetadataTopicState {
                topic_name: topic.into(),
                topic_id: Uuid::from(id),
                partition_states: leaders
                    .iter()
                    .map(|&(partition, leader)| state(partition, leader))
                    .collect(),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn an_update_adds_to_what_is_known() {
        let cache = MetadataCache::default();
        assert!(!cache.snapshot().is_initialized());
        cache.update(&request(3, "a", 5, &[(0, 1)])).expect("first");
        cache.update(&request(3, "a", 5, &[(1, 2)])).expect("second");
        cache.update(&request(3, "b", 6, &[(0, -1)])).expect("third");
        let now = cache.owned();
        assert_eq!(now.topic("a").expect("a").partitions.len(), 2);
        assert_eq!(now.partition("b", 0).expect("b").leader, -1);
        assert_eq!(now.name(&Uuid::from(6)).map(AsRef::as_ref), Some("b"));
        assert_eq!(now.broker(1).expect("broker").endpoint("IN"), Some(("h", 9092)));
        assert_eq!((now.broker(1).expect("broker").endpoint("OUT"), now.controller()), (None, Some(7)));
        assert_eq!(now.topics_from("aa").map(|topic| topic.name.to_string()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn deleted_partitions_are_forgotten_with_their_topic() {
        let cache = MetadataCache::default();
        cache.update(&request(3, "a", 5, &[(0, 1), (1, 1)])).expect("made");
        cache.update(&request(3, "a", 5, &[(0, -2), (1, -2)])).expect("deleted");
        assert!(cache.snapshot().topic("a").is_none());
        assert!(cache.snapshot().name(&Uuid::from(5)).is_none());
        // A late deletion of what is not there is no harm.
        cache.update(&request(3, "a", 5, &[(0, -2)])).expect("again");
        assert!(cache.snapshot().topic("a").is_none());
    }

    #[test]
    fn a_topic_made_again_has_none_of_the_old_partitions() {
        let cache = MetadataCache::default();
        cache.update(&request(3, "a", 5, &[(0, 1), (1, 1)])).expect("made");
        cache.update(&request(3, "a", 9, &[(0, 2)])).expect("made again");
        let now = cache.owned();
        assert_eq!(now.topic("a").expect("a").partitions.keys().copied().collect::<Vec<_>>(), [0]);
        assert_eq!((now.name(&Uuid::from(5)), now.name(&Uuid::from(9)).is_some()), (None, true));
    }

    #[test]
    fn a_topic_is_found_by_a_name_like_its_own_until_it_goes() {
        let cache = MetadataCache::default();
        cache.update(&request(3, "a.b", 5, &[(0, 1)])).expect("made");
        assert_eq!(
            (cache.snapshot().topic_like("a_b"), cache.snapshot().topic_like("a.b")),
            (Some("a.b"), None)
        );
        cache.update(&request(3, "a.b", 5, &[(0, -2)])).expect("deleted");
        assert_eq!(cache.snapshot().topic_like("a_b"), None);
        cache.update(&request(3, "a.b", 6, &[(0, 1)])).expect("made again");
        let full = UpdateMetadataRequest { r#type: FULL, ..request(3, "c", 7, &[(0, 1)]) };
        cache.update(&full).expect("full");
        assert_eq!(cache.snapshot().topic_like("a_b"), None);
    }

    #[test]
    fn a_full_update_replaces_everything_and_an_old_controller_is_refused() {
        let cache = MetadataCache::default();
        cache.update(&request(3, "a", 5, &[(0, 1)])).expect("made");
        let full = UpdateMetadataRequest { r#type: FULL, ..request(4, "b", 6, &[(0, 1)]) };
        cache.update(&full).expect("full");
        assert_eq!(cache.snapshot().topics().map(|topic| topic.name.to_string()).collect::<Vec<_>>(), ["b"]);
        let stale = StaleController { sent: 3, current: 4 };
        assert_eq!(cache.update(&request(3, "c", 7, &[(0, 1)])), Err(stale));
    }

    #[tokio::test]
    async fn waiting_ends_when_the_wanted_thing_is_there_or_the_time_is_up() {
        let cache = Arc::new(MetadataCache::default());
        let waiting = {
            let cache = cache.clone();
            tokio::spawn(async move {
                cache.wait_for(Duration::from_secs(30), |now| now.partition("a", 0).map(|p| p.leader)).await
            })
        };
        cache.update(&request(3, "b", 6, &[(0, 1)])).expect("another");
        cache.update(&request(3, "a", 5, &[(0, 4)])).expect("the one");
        assert_eq!(waiting.await.expect("no panic"), Some(4));
        let never = cache.wait_for(Duration::from_millis(5), |now| now.topic("never").map(|_| ())).await;
        assert_eq!(never, None);
    }
}
