//! `/brokers/topics/T` and below.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};
use vltava_cluster::controller::{LeaderAndIsr, ReplicaAssignment, TopicAssignment};
use vltava_protocol::Uuid;

use super::{ZnodeError, from_json, to_json};

/// A partition number, which JSON spells as a string where it is a key.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Number(i32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a partition number")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                match i32::from_str(text) {
                    Ok(number) if number >= 0 => Ok(Number(number)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[derive(Deserialize)]
struct TopicRead {
    partitions: BTreeMap<Number, Vec<i32>>,
    #[serde(default)]
    topic_id: Option<String>,
    #[serde(default)]
    adding_replicas: BTreeMap<Number, Vec<i32>>,
    #[serde(default)]
    removing_replicas: BTreeMap<Number, Vec<i32>>,
}

#[derive(Serialize)]
struct TopicWritten<'a> {
    partitions: BTreeMap<i32, &'a [i32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_id: Option<String>,
    adding_replicas: BTreeMap<i32, &'a [i32]>,
    removing_replicas: BTreeMap<i32, &'a [i32]>,
    version: i32,
}

/// Reads a topic's assignment: version 1 (0.8 to 2.3), 2 (2.4 to 2.7) or 3.
///
/// # Errors
/// When it isn't JSON of that shape, a partition has no replicas or one twice, or the topic id isn't one.
pub fn decode_topic(path: &str, data: &[u8]) -> Result<TopicAssignment, ZnodeError> {
    let mut read: TopicRead = from_json(path, data)?;
    let topic_id = match read.topic_id.as_deref() {
        None | Some("") => None,
        Some(text) => Some(Uuid::from_str(text).map_err(|error| ZnodeError::new(path, error))?),
    };
    let mut partitions = BTreeMap::new();
    for (number, replicas) in read.partitions {
        let distinct: std::collections::BTreeSet<_> = replicas.iter().collect();
        if replicas.is_empty() || distinct.len() != replicas.len() {
            let reason = format_args!("partition {} has the replicas {replicas:?}", number.0);
            return Err(ZnodeError::new(path, reason));
        }
        let adding = read.adding_replicas.remove(&number).unwrap_or_default();
        let removing = read.removing_replicas.remove(&number).unwrap_or_default();
        partitions.insert(number.0, ReplicaAssignment { replicas, adding, removing });
    }
    Ok(TopicAssignment { topic_id, partitions })
}

/// Writes a topic's assignment in version 3.
#[must_use]
pub fn encode_topic(assignment: &TopicAssignment) -> Vec<u8> {
    let of = |pick: fn(&ReplicaAssignment) -> &Vec<i32>, all: bool| {
        let entry = |(&number, replicas)| (number, pick(replicas).as_slice());
        assignment
            .partitions
            .iter()
            .map(entry)
            .filter(|(_, ids): &(i32, &[i32])| all || !ids.is_empty())
            .collect()
    };
    to_json(&TopicWritten {
        partitions: of(|assignment| &assignment.replicas, true),
        topic_id: assignment.topic_id.map(|id| id.to_string()),
        adding_replicas: of(|assignment| &assignment.adding, false),
        removing_replicas: of(|assignment| &assignment.removing, false),
        version: 3,
    })
}

#[derive(Serialize, Deserialize)]
struct State {
    controller_epoch: i32,
    leader: i32,
    #[serde(default = "one")]
    version: i32,
    leader_epoch: i32,
    isr: Vec<i32>,
    #[serde(default, skip_serializing_if = "is_recovered")]
    leader_recovery_state: i32,
}

const fn one() -> i32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde calls
const fn is_recovered(state: &i32) -> bool {
    *state == 0
}

/// Reads a partition's state.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_state(path: &str, data: &[u8]) -> Result<LeaderAndIsr, ZnodeError> {
    let read: State = from_json(path, data)?;
    Ok(LeaderAndIsr {
        leader: read.leader,
        leader_epoch: read.leader_epoch,
        isr: read.isr,
        recovering: read.leader_recovery_state != 0,
        controller_epoch: read.controller_epoch,
    })
}

/// Writes a partition's state.
#[must_use]
pub fn encode_state(state: &LeaderAndIsr) -> Vec<u8> {
    to_json(&State {
        controller_epoch: state.controller_epoch,
        leader: state.leader,
        version: 1,
        leader_epoch: state.leader_epoch,
        isr: state.isr.clone(),
        leader_recovery_state: i32::from(state.recovering),
    })
}

#[derive(Deserialize)]
struct IsrChange {
    partitions: Vec<TopicPartition>,
}

#[derive(Deserialize)]
struct TopicPartition {
    topic: String,
    partition: i32,
}

/// Writes a child of `/isr_change_notification`.
#[must_use]
pub fn encode_isr_change(changed: &[(String, i32)]) -> Vec<u8> {
    let partitions = changed
        .iter()
        .map(|(topic, partition)| serde_json::json!({ "topic": topic, "partition": partition }));
    serde_json::json!({ "version": 1, "partitions": partitions.collect::<Vec<_>>() }).to_string().into_bytes()
}

/// Reads a child of `/isr_change_notification`: the partitions whose ISR a leader has changed.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_isr_change(path: &str, data: &[u8]) -> Result<Vec<(String, i32)>, ZnodeError> {
    let read: IsrChange = from_json(path, data)?;
    Ok(read.partitions.into_iter().map(|changed| (changed.topic, changed.partition)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/brokers/topics/t";

    #[test]
    fn topics_of_every_version_are_read() {
        let replicas = BTreeMap::from([
            (0, ReplicaAssignment::of(vec![0, 1, 2])),
            (1, ReplicaAssignment::of(vec![1, 2, 0])),
        ]);
        let cases = [
            (r#"{"version":1,"partitions":{"1":[1,2,0],"0":[0,1,2]}}"#, None),
            (
                r#"{"version":2,"partitions":{"1":[1,2,0],"0":[0,1,2]},"adding_replicas":{},"removing_replicas":{}}"#,
                None,
            ),
            (
                r#"{"partitions":{"0":[0,1,2],"1":[1,2,0]},"topic_id":"sZkXyFAHQ8aYTbxpjzmJiw","adding_replicas":{},"removing_replicas":{},"version":3}"#,
                Some("sZkXyFAHQ8aYTbxpjzmJiw".parse().expect("an id")),
            ),
            (r#"{"version":9,"later":{"x":[1]},"partitions":{"1":[1,2,0],"0":[0,1,2]}}"#, None),
        ];
        for (text, topic_id) in cases {
            let expected = TopicAssignment { topic_id, partitions: replicas.clone() };
            assert_eq!(decode_topic(PATH, text.as_bytes()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_topic_is_written_as_3_9_writes_it() {
        let golden = r#"{"partitions":{"0":[0,1,2],"1":[2,0,1],"2":[1,2,0]},"topic_id":"sZkXyFAHQ8aYTbxpjzmJiw","adding_replicas":{},"removing_replicas":{},"version":3}"#;
        let read = decode_topic(PATH, golden.as_bytes()).expect("golden");
        assert_eq!(String::from_utf8_lossy(&encode_topic(&read)), golden);
        let moving = r#"{"partitions":{"0":[0,1]},"topic_id":"sZkXyFAHQ8aYTbxpjzmJiw","adding_replicas":{"0":[1]},"removing_replicas":{"0":[0]},"version":3}"#;
        let read = decode_topic(PATH, moving.as_bytes()).expect("moving");
        assert_eq!(read.partitions[&0].adding, [1]);
        assert_eq!(String::from_utf8_lossy(&encode_topic(&read)), moving);
    }

    #[test]
    fn a_state_is_written_as_3_9_writes_it() {
        let golden = r#"{"controller_epoch":1,"leader":2,"version":1,"leader_epoch":0,"isr":[2,0,1]}"#;
        let read = decode_state("/s", golden.as_bytes()).expect("golden");
        assert_eq!((read.leader, read.isr.as_slice(), read.recovering), (2, [2, 0, 1].as_slice(), false));
        assert_eq!(String::from_utf8_lossy(&encode_state(&read)), golden);
        let recovering = r#"{"controller_epoch":1,"leader":2,"version":1,"leader_epoch":3,"isr":[2],"leader_recovery_state":1}"#;
        let read = decode_state("/s", recovering.as_bytes()).expect("recovering");
        assert!(read.recovering);
        assert_eq!(String::from_utf8_lossy(&encode_state(&read)), recovering);
    }

    #[test]
    fn an_isr_change_names_its_partitions() {
        let text = br#"{"version":1,"partitions":[{"topic":"a","partition":3},{"topic":"b","partition":0}]}"#;
        assert_eq!(decode_isr_change("/i", text), Ok(vec![("a".into(), 3), ("b".into(), 0)]));
        let changed = vec![("a".to_owned(), 3), ("b".to_owned(), 0)];
        assert_eq!(decode_isr_change("/i", &encode_isr_change(&changed)), Ok(changed));
    }

    #[test]
    fn nonsense_is_refused_by_path_and_reason() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "EOF"),
            (b"null", "invalid type: null"),
            (br#"{"version":1}"#, "missing field `partitions`"),
            (br#"{"partitions":{"-1":[0]}}"#, "a partition number"),
            (br#"{"partitions":{"0":[]}}"#, "partition 0 has the replicas []"),
            (br#"{"partitions":{"0":[1,1]}}"#, "partition 0 has the replicas [1, 1]"),
        ];
        for (data, reason) in cases {
            let error = decode_topic(PATH, data).expect_err("nonsense").to_string();
            assert!(error.contains(PATH) && error.contains(reason), "{error}");
        }
    }
}
