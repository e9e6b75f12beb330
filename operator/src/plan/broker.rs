//! From a `KafkaCluster` to each broker's id, log directories and properties.

use std::path::PathBuf;

use vltava_settings::{Effect, Key, Properties, broker};

use crate::api::{KafkaCluster, ListenerSpec, ListenerType, Pool};

/// Where a listener of one broker is, on some platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address it binds; empty is every address.
    pub bind_host: String,
    /// The port it binds.
    pub bind_port: u16,
    /// The host that clients are told.
    pub advertised_host: String,
    /// The port that clients are told.
    pub advertised_port: u16,
}

/// What differs between Kubernetes and a laptop: addresses and paths.
pub trait Platform {
    /// The ensemble's address.
    fn zookeeper_connect(&self, cluster: &KafkaCluster) -> String;
    /// Where a listener of a broker is.
    fn address(&self, broker: i32, listener: &ListenerSpec) -> Address;
    /// The log directories of a broker, one for each volume of its pool.
    fn log_dirs(&self, broker: i32, volumes: usize) -> Vec<PathBuf>;
    /// Where a broker serves metrics and health.
    fn metrics_listener(&self, broker: i32) -> Option<String>;
}

/// One broker, as it should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerPlan {
    /// Its id.
    pub id: i32,
    /// The pool that it is of.
    pub pool: String,
    /// Its log directories.
    pub log_dirs: Vec<PathBuf>,
    /// Its properties file, whole.
    pub properties: Properties,
}

/// A platform that is nowhere: for checking properties without running them.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Platform for Nowhere {
    fn zookeeper_connect(&self, _: &KafkaCluster) -> String {
        "localhost:2181".to_owned()
    }

    fn address(&self, _: i32, listener: &ListenerSpec) -> Address {
        let port = u16::try_from(listener.port).unwrap_or_default();
        let host = "localhost".to_owned();
        Address { bind_host: String::new(), bind_port: port, advertised_host: host, advertised_port: port }
    }

    fn log_dirs(&self, _: i32, volumes: usize) -> Vec<PathBuf> {
        (0..volumes).map(|volume| PathBuf::from(format!("/data/{volume}"))).collect()
    }

    fn metrics_listener(&self, _: i32) -> Option<String> {
        None
    }
}

/// The ids of all brokers, ascending in each pool.
#[must_use]
pub fn broker_ids(cluster: &KafkaCluster) -> Vec<i32> {
    cluster.spec.pools.iter().flat_map(ids_of).collect()
}

/// The schema bounds both numbers, so the range is short and does not overflow.
fn ids_of(pool: &Pool) -> impl Iterator<Item = i32> + use<> {
    let (first, replicas) = (pool.first_broker_id, pool.replicas.clamp(0, 1_000));
    (0..replicas).map(move |index| first.saturating_add(index))
}

/// The listeners of the cluster: its own, or the one that it has without any.
#[must_use]
pub fn listeners(cluster: &KafkaCluster) -> Vec<ListenerSpec> {
    cluster.spec.listeners.clone().unwrap_or_else(|| {
        vec![ListenerSpec {
            name: "plaintext".to_owned(),
            port: 9092,
            kind: ListenerType::Internal,
            tls: None,
            authentication: None,
            advertised: None,
        }]
    })
}

/// Every broker, as it should run on the platform.
#[must_use]
pub fn brokers(cluster: &KafkaCluster, platform: &impl Platform) -> Vec<BrokerPlan> {
    let pools = cluster.spec.pools.iter();
    pools.flat_map(|pool| ids_of(pool).map(|id| plan_broker(cluster, pool, id, platform))).collect()
}

fn plan_broker(cluster: &KafkaCluster, pool: &Pool, id: i32, platform: &impl Platform) -> BrokerPlan {
    let volumes = pool.storage.as_ref().and_then(|storage| storage.volumes.as_ref()).map_or(1, Vec::len);
    let log_dirs = platform.log_dirs(id, volumes);
    let mut properties = Properties::default();
    replication_defaults(&mut properties, broker_ids(cluster).len());
    for (key, value) in cluster.spec.config.iter().flatten() {
        properties.set(key, value.to_string());
    }
    // What follows from other fields comes last: the configuration can't reach it, also if it was not validated.
    set(&mut properties, broker::BROKER_ID, id);
    set(&mut properties, broker::ZOOKEEPER_CONNECT, platform.zookeeper_connect(cluster));
    let dirs: Vec<String> = log_dirs.iter().map(|dir| dir.display().to_string()).collect();
    set(&mut properties, broker::LOG_DIRS, dirs.join(","));
    set_listeners(&mut properties, &listeners(cluster), id, platform);
    if let Some(listener) = platform.metrics_listener(id) {
        set(&mut properties, broker::VLTAVA_METRICS_LISTENER, listener);
    }
    BrokerPlan { id, pool: pool.name.clone(), log_dirs, properties }
}

/// Kafka's defaults ask for three replicas of its internal topics: right from three brokers on, and never reached with fewer.
fn replication_defaults(properties: &mut Properties, brokers: usize) {
    let replicas = brokers.clamp(1, 3);
    set_effective(properties, broker::DEFAULT_REPLICATION_FACTOR, replicas);
    set_effective(properties, broker::OFFSETS_TOPIC_REPLICATION_FACTOR, replicas);
    set_effective(properties, broker::TRANSACTION_STATE_LOG_REPLICATION_FACTOR, replicas);
    set_effective(properties, broker::TRANSACTION_STATE_LOG_MIN_ISR, replicas.min(2));
    set_effective(properties, broker::MIN_INSYNC_REPLICAS, if replicas == 3 { 2 } else { 1 });
}

/// Sets a key that has an effect; a broker warns of the others, which nobody asked for here.
fn set_effective<T>(properties: &mut Properties, key: Key<T>, value: impl ToString) {
    if key.definition().effect == Effect::Effective {
        set(properties, key, value);
    }
}

fn set_listeners(properties: &mut Properties, listeners: &[ListenerSpec], id: i32, platform: &impl Platform) {
    let (mut binds, mut advertised, mut protocols) = (Vec::new(), Vec::new(), Vec::new());
    for listener in listeners {
        let name = listener.name.to_uppercase();
        let at = platform.address(id, listener);
        binds.push(format!("{name}://{}:{}", bracketed(&at.bind_host), at.bind_port));
        advertised.push(format!("{name}://{}:{}", bracketed(&at.advertised_host), at.advertised_port));
        protocols.push(format!("{name}:PLAINTEXT"));
    }
    set(properties, broker::LISTENERS, binds.join(","));
    set(properties, broker::ADVERTISED_LISTENERS, advertised.join(","));
    set(properties, broker::LISTENER_SECURITY_PROTOCOL_MAP, protocols.join(","));
    if let Some(internal) = listeners.iter().find(|listener| listener.kind == ListenerType::Internal) {
        set(properties, broker::INTER_BROKER_LISTENER_NAME, internal.name.to_uppercase());
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn set<T>(properties: &mut Properties, key: Key<T>, value: impl ToString) {
    properties.set(key.name(), value.to_string());
}
