//! The console consumer over ZooKeeper, a member of a group of Kafka 0.8.

use std::time::Duration;

use vltava_broker::control::{Session, znodes::paths};

use super::super::{
    failure::Failure,
    signals::Stop,
    zookeeper,
    zookeeper_consumer::{self, Joined, Membership, Wanted},
};
use super::{
    options::{Settings, Topics},
    process::{Ending, Source, process},
    record::Record,
};

/// Consumes as a member of the group. When this returns, offsets are committed, the partitions are free, and the tree of a group
/// that only this process was ever in is gone.
pub(super) fn consume(settings: &Settings, stop: &Stop) -> Result<Ending, Failure> {
    let membership = Membership {
        zookeeper: settings.zookeeper.as_deref().unwrap_or_default(),
        group: &settings.group,
        client: &settings.client,
        // Kafka's tool registers a topic as a pattern too.
        topics: match &settings.topics {
            Topics::One(regex) | Topics::Matching(regex) => Wanted::Matching(regex),
            Topics::NotMatching(regex) => Wanted::NotMatching(regex),
        },
        threads: 1,
        safe: None,
    };
    let joined = Joined::join(&membership, async |session: &Session| refusal(session, settings).await)?;
    let mut member = match joined {
        Ok(member) => member,
        Err(refusal) => {
            eprintln!("{refusal}");
            return Ok(Ending::Refused);
        }
    };
    let ending = process(settings, stop, &mut member);
    member.leave(!settings.named_group)?;
    Ok(ending)
}

/// Why the group can't be joined, if it can't. With `--delete-consumer-offsets` it begins anew; without, a group that has offsets
/// cannot begin at the beginning.
async fn refusal(session: &Session, settings: &Settings) -> Result<Option<String>, Failure> {
    if !zookeeper::exists(session, paths::BROKER_IDS).await? {
        return Ok(Some("No brokers found in ZK.".to_owned()));
    }
    let group = &settings.group;
    let tree = zookeeper_consumer::group(group);
    if settings.delete_offsets {
        zookeeper::delete_tree(session, &tree).await?;
    } else if settings.from_beginning && zookeeper::exists(session, &format!("{tree}/offsets")).await? {
        return Ok(Some(format!(
            "Found previous offset information for this group {group}. Please use --delete-consumer-offsets to delete previous offsets \
             metadata"
        )));
    }
    Ok(None)
}

/// A member's affairs are attended to between records.
impl Source for Joined {
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Record<'_>)) -> Result<bool, Failure> {
        Joined::poll(self, wait, &mut |message| take(&Record::of(message)))
    }
}
