//! `/admin`: what administrators ask of the controller.

use serde::Deserialize;

use super::{ZnodeError, from_json, paths};

/// `/admin/preferred_replica_election`: the partitions whose preferred replica shall lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreferredElection(pub Vec<(String, i32)>);

/// `/admin/reassign_partitions`: the partitions that shall have other replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment(pub Vec<(String, i32, Vec<i32>)>);

#[derive(Deserialize)]
struct Partitions {
    partitions: Vec<Partition>,
}

#[derive(Deserialize)]
struct Partition {
    topic: String,
    partition: i32,
    #[serde(default)]
    replicas: Vec<i32>,
}

/// Reads a request for preferred leaders.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_preferred_election(data: &[u8]) -> Result<PreferredElection, ZnodeError> {
    let read: Partitions = from_json(paths::PREFERRED_ELECTION, data)?;
    Ok(PreferredElection(read.partitions.into_iter().map(|p| (p.topic, p.partition)).collect()))
}

/// Reads a request for other replicas.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_reassignment(data: &[u8]) -> Result<Reassignment, ZnodeError> {
    let read: Partitions = from_json(paths::REASSIGN_PARTITIONS, data)?;
    Ok(Reassignment(read.partitions.into_iter().map(|p| (p.topic, p.partition, p.replicas)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_the_old_tools_are_read() {
        let election =
            br#"{"version":1,"partitions":[{"topic":"t","partition":1},{"topic":"u","partition":0}]}"#;
        let read = decode_preferred_election(election);
        assert_eq!(read, Ok(PreferredElection(vec![("t".into(), 1), ("u".into(), 0)])));
        let reassignment =
            br#"{"version":1,"partitions":[{"topic":"t","partition":1,"replicas":[2,0],"log_dirs":["any","any"]}]}"#;
        assert_eq!(decode_reassignment(reassignment), Ok(Reassignment(vec![("t".into(), 1, vec![2, 0])])));
        assert!(decode_reassignment(b"").is_err() && decode_preferred_election(b"[]").is_err());
    }
}
