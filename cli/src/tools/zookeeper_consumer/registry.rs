//! The group's znodes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use vltava_broker::control::{
    Session,
    znodes::{self, BrokerRegistration, paths},
};
use zookeeper_client as zk;

use super::super::{failure::Failure, java_regex::WholeName, zookeeper};
use super::Wanted;

/// An ephemeral znode for everybody.
const EPHEMERAL: zk::CreateOptions<'static> = zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all());

/// Topics that a pattern does not mean.
const INTERNAL: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

/// The tree of a group.
pub(crate) fn group(group: &str) -> String {
    format!("/consumers/{group}")
}

/// The parent of its members.
pub(super) fn ids(group: &str) -> String {
    format!("/consumers/{group}/ids")
}

/// Who consumes a partition.
pub(super) fn owner(group: &str, topic: &str, partition: i32) -> String {
    format!("/consumers/{group}/owners/{topic}/{partition}")
}

/// How far the group has come in a partition.
pub(super) fn offset(group: &str, topic: &str, partition: i32) -> String {
    format!("/consumers/{group}/offsets/{topic}/{partition}")
}

/// The content of a member's znode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Registration {
    version: i32,
    /// Topic or pattern to number of threads.
    subscription: BTreeMap<String, u32>,
    /// `static`, `white_list` or `black_list`; absent in 0.7's.
    #[serde(default = "fixed")]
    pattern: String,
    #[serde(default)]
    timestamp: String,
}

fn fixed() -> String {
    "static".to_owned()
}

impl Registration {
    /// What a member with so many threads registers.
    pub(super) fn of(topics: Wanted<'_>, threads: u32) -> Self {
        let (pattern, wanted) = match topics {
            Wanted::Topic(topic) => ("static", topic.to_owned()),
            Wanted::Matching(regex) => ("white_list", clean(regex)),
            Wanted::NotMatching(regex) => ("black_list", clean(regex)),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Self {
            version: 1,
            subscription: BTreeMap::from([(wanted, threads)]),
            pattern: pattern.to_owned(),
            timestamp: now.to_string(),
        }
    }

    /// The topics it means among those there are, each with its number of threads.
    pub(super) fn topics(
        &self,
        existing: &BTreeSet<String>,
        with_internal: bool,
    ) -> Result<BTreeMap<String, u32>, Failure> {
        let wanted = match self.pattern.as_str() {
            "white_list" => true,
            "black_list" => false,
            // Also topics that do not exist yet: they have no partitions.
            _ => return Ok(self.subscription.clone()),
        };
        let Some((regex, threads)) = self.subscription.first_key_value() else { return Ok(BTreeMap::new()) };
        let regex = WholeName::new(regex)
            .map_err(|error| Failure::new("java.util.regex.PatternSyntaxException", error))?;
        let means = |topic: &&String| {
            regex.is_match(topic) == wanted && (with_internal || !INTERNAL.contains(&topic.as_str()))
        };
        Ok(existing.iter().filter(means).map(|topic| (topic.clone(), *threads)).collect())
    }
}

/// A pattern as Kafka's `TopicFilter` cleans it.
fn clean(regex: &str) -> String {
    regex.trim().replace(',', "|").replace(' ', "").trim_matches(['"', '\'']).to_owned()
}

/// Makes a member's znode.
pub(super) async fn register(
    session: &Session,
    group: &str,
    id: &str,
    registration: &Registration,
) -> Result<(), Failure> {
    let parent = ids(group);
    session.make_path(&parent).await?;
    let path = format!("{parent}/{id}");
    let data = serde_json::to_vec(registration).map_err(|error| Failure::illegal(error.to_string()))?;
    let (path, data) = (&path, &data);
    match session
        .persist(|client| async move { client.create(path, data, &EPHEMERAL).await.map(|_| ()) })
        .await
    {
        Ok(()) => Ok(()),
        // The first answer was lost, or somebody has the name: then the data tell.
        Err(zk::Error::NodeExists) => {
            let (found, stat) = session.read(path).await?.unwrap_or_default_node();
            if found == *data && stat == session.client().session_id().0 {
                Ok(())
            } else {
                Err(Failure::new("org.I0Itec.zkclient.exception.ZkNodeExistsException", path.clone()))
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// A node's data and its ephemeral owner, nothing and nobody without one.
trait OrNothing {
    fn unwrap_or_default_node(self) -> (Vec<u8>, i64);
}

impl OrNothing for Option<(Vec<u8>, zk::Stat)> {
    fn unwrap_or_default_node(self) -> (Vec<u8>, i64) {
        self.map_or((Vec::new(), 0), |(data, stat)| (data, stat.ephemeral_owner))
    }
}

/// The threads of every member by topic.
pub(super) async fn consumers(
    session: &Session,
    group: &str,
    existing: &BTreeSet<String>,
    with_internal: bool,
) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let parent = ids(group);
    let mut consumers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in zookeeper::children(session, &parent).await? {
        let path = format!("{parent}/{id}");
        // A member may have gone since it was listed.
        let Some((data, _)) = session.read(&path).await? else { continue };
        let registration: Registration = serde_json::from_slice(&data)
            .map_err(|error| Failure::new("kafka.common.KafkaException", format!("{path}: {error}")))?;
        for (topic, threads) in registration.topics(existing, with_internal)? {
            consumers.entry(topic).or_default().extend((0..threads).map(|thread| format!("{id}-{thread}")));
        }
    }
    Ok(consumers)
}

/// Where clients connect: each broker's plaintext listener, or its first where it has none.
pub(super) fn addresses(brokers: &BTreeMap<i32, BrokerRegistration>) -> String {
    const PLAINTEXT: i16 = 0;
    let address = |broker: &BrokerRegistration| {
        let plain = broker.endpoints.iter().find(|endpoint| endpoint.security_protocol == PLAINTEXT);
        plain.or(broker.endpoints.first()).map(|endpoint| format!("{}:{}", endpoint.host, endpoint.port))
    };
    brokers.values().filter_map(address).collect::<Vec<_>>().join(",")
}

/// The partitions of a topic; none of a topic that is not there.
pub(super) async fn partitions(session: &Session, topic: &str) -> Result<BTreeSet<i32>, Failure> {
    let path = paths::topic(topic);
    let Some((data, _)) = session.read(&path).await? else { return Ok(BTreeSet::new()) };
    Ok(znodes::decode_topic(&path, &data)?.partitions.keys().copied().collect())
}

/// Where the group goes on in a partition.
pub(super) async fn committed(
    session: &Session,
    group: &str,
    topic: &str,
    partition: i32,
) -> Result<Option<i64>, Failure> {
    let path = offset(group, topic, partition);
    let Some((data, _)) = session.read(&path).await? else { return Ok(None) };
    let text = String::from_utf8_lossy(&data);
    text.trim().parse().map(Some).map_err(|_| {
        Failure::new("java.lang.NumberFormatException", format!("For input string: \"{text}\" in {path}"))
    })
}

/// Writes where the group goes on.
pub(super) async fn commit(
    session: &Session,
    group: &str,
    topic: &str,
    partition: i32,
    next: i64,
) -> Result<(), Failure> {
    let path = offset(group, topic, partition);
    let (path, data) = (&path, next.to_string());
    let data = data.as_bytes();
    match session.persist(|client| async move { client.set_data(path, data, None).await }).await {
        Ok(_) => Ok(()),
        Err(zk::Error::NoNode) => zookeeper::create(session, path, data).await.map(|_| ()),
        Err(error) => Err(error.into()),
    }
}

/// Takes a partition: `false` while somebody else has it.
pub(super) async fn own(
    session: &Session,
    group: &str,
    topic: &str,
    partition: i32,
    thread: &str,
) -> Result<bool, Failure> {
    let path = owner(group, topic, partition);
    if let Some((parent, _)) = path.rsplit_once('/') {
        session.make_path(parent).await?;
    }
    let path = &path;
    let data = thread.as_bytes();
    match session
        .persist(|client| async move { client.create(path, data, &EPHEMERAL).await.map(|_| ()) })
        .await
    {
        Ok(()) => Ok(true),
        Err(zk::Error::NodeExists) => {
            let (found, by) = session.read(path).await?.unwrap_or_default_node();
            Ok(found == data && by == session.client().session_id().0)
        }
        Err(error) => Err(error.into()),
    }
}

/// Lets go of a partition.
pub(super) async fn release(
    session: &Session,
    group: &str,
    topic: &str,
    partition: i32,
) -> Result<(), Failure> {
    delete(session, &owner(group, topic, partition)).await
}

/// Removes a member's znode.
pub(super) async fn unregister(session: &Session, group: &str, id: &str) -> Result<(), Failure> {
    delete(session, &format!("{}/{id}", ids(group))).await
}

async fn delete(session: &Session, path: &str) -> Result<(), Failure> {
    match session.persist(|client| async move { client.delete(path, None).await }).await {
        Ok(()) | Err(zk::Error::NoNode) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(json: &str) -> Vec<String> {
        let existing = ["golden", "orders", "__consumer_offsets"].map(str::to_owned).into();
        let registration: Registration = serde_json::from_str(json).unwrap();
        registration.topics(&existing, false).unwrap().into_keys().collect()
    }

    #[test]
    fn a_registration_says_which_topics_it_means() {
        assert_eq!(
            topics(r#"{"version":1,"subscription":{"new":2},"pattern":"static","timestamp":"1"}"#),
            ["new"]
        );
        assert_eq!(
            topics(r#"{"version":1,"subscription":{"gold.*|x":1},"pattern":"white_list"}"#),
            ["golden"]
        );
        assert_eq!(
            topics(r#"{"version":1,"subscription":{"gold":1},"pattern":"black_list"}"#),
            ["golden", "orders"]
        );
    }

    #[test]
    fn ours_is_written_as_kafkas() {
        let mut registration = Registration::of(Wanted::Matching("golden"), 1);
        registration.timestamp = "1500000000000".to_owned();
        assert_eq!(
            serde_json::to_string(&registration).unwrap(),
            r#"{"version":1,"subscription":{"golden":1},"pattern":"white_list","timestamp":"1500000000000"}"#
        );
    }
}
