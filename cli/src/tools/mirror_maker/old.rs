//! A stream from a group of Kafka 0.8, in ZooKeeper.

use std::{sync::Arc, time::Duration};

use super::{options::Topics, target::Target};
use crate::tools::{
    client::ClientProperties,
    failure::Failure,
    signals::Stop,
    zookeeper_consumer::{Joined, Membership, Wanted},
};

/// The longest single wait for a record.
const TURN: Duration = Duration::from_millis(100);

/// Copies until a signal comes or somebody has failed. When this returns, what has arrived is committed and the group left. The member's
/// partitions count as those of so many threads, as other members of the group see it.
pub(super) fn copy(
    (client, threads): (&ClientProperties, u32),
    topics: &Topics,
    every: Duration,
    target: &Arc<Target>,
    stop: &Stop,
) -> Result<(), Failure> {
    let mut client = client.clone();
    // The member commits, whenever it is due, what the target has.
    client.set("auto.commit.enable", "true");
    client.set("enable.auto.commit", "true");
    client.set("auto.commit.interval.ms", every.as_millis());
    let flushed = target.clone();
    let membership = Membership {
        zookeeper: client.get("zookeeper.connect").unwrap_or_default(),
        group: client.get("group.id").unwrap_or_default(),
        client: &client,
        topics: match topics {
            Topics::Matching(pattern) => Wanted::Matching(pattern),
            Topics::NotMatching(pattern) => Wanted::NotMatching(pattern),
        },
        threads,
        safe: Some(Arc::new(move || flushed.flush())),
    };
    let joined: Result<Joined, std::convert::Infallible> = Joined::join(&membership, async |_| Ok(None))?;
    let mut member = match joined {
        Ok(member) => member,
        Err(never) => match never {},
    };
    while stop.code().is_none() && !target.has_failed() {
        if let Err(failure) = member.poll(TURN, &mut |record| target.send(record)) {
            target.fail();
            member.leave(false)?;
            return Err(failure);
        }
    }
    member.leave(false)
}
