//! Broker keys. Their areas are files; their constants are all here: `broker::NUM_PARTITIONS`.

mod dropped;
mod groups;
mod identity;
mod kraft;
mod log;
mod network;
mod quotas;
mod replication;
mod retention;
mod sasl;
mod security;
mod ssl;
mod tiered;
mod transactions;
mod vltava;
mod zookeeper;

pub use self::{
    dropped::*, groups::*, identity::*, kraft::*, log::*, network::*, quotas::*, replication::*,
    retention::*, sasl::*, security::*, ssl::*, tiered::*, transactions::*, vltava::*, zookeeper::*,
};
use crate::definition::Definition;

/// An area of the table: its title and keys, in the order in which they are documented.
pub(crate) const AREAS: [(&str, &[&Definition]); 16] = [
    ("The broker", identity::KEYS),
    ("Network", network::KEYS),
    ("Logs", log::KEYS),
    ("Retention and compaction", retention::KEYS),
    ("Replication", replication::KEYS),
    ("Consumer groups", groups::KEYS),
    ("Transactions", transactions::KEYS),
    ("ZooKeeper", zookeeper::KEYS),
    ("Quotas", quotas::KEYS),
    ("Vltava's own", vltava::KEYS),
    ("Security", security::KEYS),
    ("TLS", ssl::KEYS),
    ("SASL", sasl::KEYS),
    ("Remote storage", tiered::KEYS),
    ("KRaft mode", kraft::KEYS),
    ("Dropped by Apache Kafka", dropped::KEYS),
];
