//! Vltava's command-line tools beside Apache Kafka's: the same sessions, typed once at Apache's tools and broker and once at Vltava's
//! `bin/` and broker, must print the same.
//!
//! Compared are standard output, the first line of standard error and the exit code of each command. Stack traces are the JVM's, and
//! what follows the first line of a mistake's explanation, the list of options, is the tool's own. [`verdict`] lists what differs from
//! run to run: times, random ids, and addresses; a session says where the order of lines comes from a hash map.
//!
//! Apache's side is recorded once and kept in the tests' cache until the session or the version changes.
//!
//! Left out of the sessions, because what they are about is not built yet, or needs more than one broker:
//! - `kafka-acls`;
//! - the words on standard error when a quota or a SCRAM credential is set: Vltava's tool writes it as Kafka's does, and warns that no broker obeys it;
//! - quotas through brokers (`kafka-configs --bootstrap-server` for users, clients and ips), which only Apache's broker keeps: see
//!   `tests/quotas.rs`;
//! - `kafka-reassign-partitions` and `kafka-preferred-replica-election`: see `tests/reassign`;
//! - the offset of an assigned partition without records: Kafka's consumer commits it, librdkafka's does not;
//! - a topic whose assignment names a broker that is not there: Apache's broker makes it, and then cannot delete it;
//! - a partition that a topic does not have, in `kafka-consumer-groups --reset-offsets`: Apache's tool asks for it until its time is over;
//! - the versions in `kafka-broker-api-versions`: they are each broker's own.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod kafka_0_11;
mod kafka_0_11_segments;
mod kafka_3_9;
mod play;
mod session;
mod stage;
mod verdict;
mod zookeeper;

use session::Session;
use vltava_testkit::apache::Version;

fn compare(version: Version, session: &Session) {
    let apache = play::apache(version, session);
    let vltava = play::vltava(version, session);
    verdict::same(session, &apache, &vltava);
}

#[test]
fn a_session_of_0_11() {
    compare(Version::V0_11, &kafka_0_11::session());
}

#[test]
fn segments_of_0_11() {
    compare(Version::V0_11, &kafka_0_11_segments::session());
}

#[test]
fn topics_of_3_9() {
    compare(Version::V3_9, &kafka_3_9::topics::session());
}

#[test]
fn configs_of_3_9() {
    compare(Version::V3_9, &kafka_3_9::configs::session());
}

#[test]
fn consumer_groups_of_3_9() {
    compare(Version::V3_9, &kafka_3_9::groups::session());
}

#[test]
fn offsets_and_records_of_3_9() {
    compare(Version::V3_9, &kafka_3_9::offsets::session());
}

#[test]
fn dumped_logs_of_3_9() {
    compare(Version::V3_9, &kafka_3_9::dumps::session());
}

#[test]
fn mistakes_of_3_9() {
    compare(Version::V3_9, &kafka_3_9::mistakes::session());
}

#[test]
fn znodes_by_3_9s_shell() {
    compare(Version::V3_9, &zookeeper::session());
}
