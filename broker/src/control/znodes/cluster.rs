//! What belongs to the cluster: its id, its controller, features, producer ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ZnodeError, broker::number_or_text, from_json, to_json};

#[derive(Serialize, Deserialize)]
struct ClusterId<'a> {
    version: &'a str,
    id: std::borrow::Cow<'a, str>,
}

/// Reads `/cluster/id`.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_cluster_id(data: &[u8]) -> Result<String, ZnodeError> {
    #[derive(Deserialize)]
    struct Read {
        id: String,
    }
    from_json::<Read>(super::paths::CLUSTER_ID, data).map(|read| read.id)
}

/// Writes `/cluster/id`.
#[must_use]
pub fn encode_cluster_id(id: &str) -> Vec<u8> {
    to_json(&ClusterId { version: "1", id: id.into() })
}

#[derive(Serialize)]
struct ControllerWritten {
    version: i32,
    brokerid: i32,
    timestamp: String,
    #[serde(rename = "kraftControllerEpoch")]
    kraft_controller_epoch: i32,
}

/// Reads `/controller`: the broker that is the controller.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_controller(data: &[u8]) -> Result<i32, ZnodeError> {
    #[derive(Deserialize)]
    struct Read {
        brokerid: i32,
    }
    from_json::<Read>(super::paths::CONTROLLER, data).map(|read| read.brokerid)
}

/// Writes `/controller`.
#[must_use]
pub fn encode_controller(broker: i32, now_ms: i64) -> Vec<u8> {
    let timestamp = now_ms.to_string();
    to_json(&ControllerWritten { version: 2, brokerid: broker, timestamp, kraft_controller_epoch: -1 })
}

/// Reads `/controller_epoch`, a decimal number.
///
/// # Errors
/// When it isn't a number.
pub fn decode_controller_epoch(data: &[u8]) -> Result<i32, ZnodeError> {
    from_json(super::paths::CONTROLLER_EPOCH, data)
}

/// Writes `/controller_epoch`.
#[must_use]
pub fn encode_controller_epoch(epoch: i32) -> Vec<u8> {
    epoch.to_string().into_bytes()
}

/// `/feature`: the finalized features (KIP-584).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureNode {
    /// The highest level of each feature.
    #[serde(default, deserialize_with = "levels")]
    pub features: BTreeMap<String, i16>,
    version: i32,
    /// 0 while the cluster's inter-broker version knows no features, else 1.
    pub status: i32,
}

impl FeatureNode {
    /// No feature finalized, features on: what 3.9 writes into a new cluster.
    #[must_use]
    pub const fn empty() -> Self {
        Self { features: BTreeMap::new(), version: 2, status: 1 }
    }
}

/// Version 1 kept a minimal and a maximal level, version 2 the maximal one alone.
fn levels<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, i16>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Level {
        Max(i16),
        Range { max_version_level: i16 },
    }
    let read = BTreeMap::<String, Level>::deserialize(deserializer)?;
    let max = |level| match level {
        Level::Max(max) | Level::Range { max_version_level: max } => max,
    };
    Ok(read.into_iter().map(|(name, level)| (name, max(level))).collect())
}

/// Reads `/feature`.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_feature(data: &[u8]) -> Result<FeatureNode, ZnodeError> {
    from_json(super::paths::FEATURE, data)
}

/// Writes `/feature`.
#[must_use]
pub fn encode_feature(feature: &FeatureNode) -> Vec<u8> {
    to_json(feature)
}

/// `/latest_producer_id_block`: the block of producer ids that was given out last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// Whom it was given to.
    pub broker: i32,
    /// The first id.
    pub first: i64,
    /// The last id.
    pub last: i64,
}

impl ProducerIdBlock {
    /// How many ids a block has.
    pub const SIZE: i64 = 1000;

    /// The block after `last` for a broker; `None` when the ids are exhausted.
    #[must_use]
    pub fn after(last: Option<Self>, broker: i32) -> Option<Self> {
        let first = last.map_or(Some(0), |block| block.last.checked_add(1))?;
        let last = first.checked_add(Self::SIZE - 1)?;
        Some(Self { broker, first, last })
    }
}

#[derive(Serialize, Deserialize)]
struct Block {
    version: i32,
    broker: i32,
    #[serde(deserialize_with = "number_or_text", serialize_with = "text")]
    block_start: i64,
    #[serde(deserialize_with = "number_or_text", serialize_with = "text")]
    block_end: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde calls
fn text<S: serde::Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// Reads `/latest_producer_id_block`; empty before the first block.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_producer_ids(data: &[u8]) -> Result<Option<ProducerIdBlock>, ZnodeError> {
    if data.is_empty() {
        return Ok(None);
    }
    let Block { broker, block_start: first, block_end: last, .. } =
        from_json(super::paths::PRODUCER_IDS, data)?;
    Ok(Some(ProducerIdBlock { broker, first, last }))
}

/// Writes `/latest_producer_id_block`.
#[must_use]
pub fn encode_producer_ids(block: ProducerIdBlock) -> Vec<u8> {
    to_json(&Block { version: 1, broker: block.broker, block_start: block.first, block_end: block.last })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data: &[u8]) -> &str {
        std::str::from_utf8(data).expect("text")
    }

    #[test]
    fn what_is_written_is_what_3_9_writes() {
        let id = r#"{"version":"1","id":"QmIKC2JsRuqmTJBi-zx8Og"}"#;
        assert_eq!(decode_cluster_id(id.as_bytes()).as_deref(), Ok("QmIKC2JsRuqmTJBi-zx8Og"));
        assert_eq!(text(&encode_cluster_id("QmIKC2JsRuqmTJBi-zx8Og")), id);

        let controller =
            r#"{"version":2,"brokerid":1,"timestamp":"1795460956052","kraftControllerEpoch":-1}"#;
        assert_eq!(text(&encode_controller(1, 1_795_460_956_052)), controller);
        assert_eq!(decode_controller(controller.as_bytes()), Ok(1));
        assert_eq!(decode_controller(br#"{"version":1,"brokerid":0,"timestamp":"1795460934673"}"#), Ok(0));

        let feature = r#"{"features":{},"version":2,"status":1}"#;
        assert_eq!(text(&encode_feature(&FeatureNode::empty())), feature);
        assert_eq!(decode_feature(feature.as_bytes()), Ok(FeatureNode::empty()));

        let block = r#"{"version":1,"broker":2,"block_start":"2000","block_end":"2999"}"#;
        let read = decode_producer_ids(block.as_bytes()).expect("golden").expect("a block");
        assert_eq!(text(&encode_producer_ids(read)), block);

        assert_eq!((decode_controller_epoch(b"7"), text(&encode_controller_epoch(8))), (Ok(7), "8"));
    }

    #[test]
    fn old_features_had_two_levels() {
        let read = decode_feature(
            br#"{"version":1,"status":1,"features":{"a":{"min_version_level":1,"max_version_level":3}}}"#,
        );
        assert_eq!(read.expect("version 1").features, BTreeMap::from([("a".to_owned(), 3)]));
    }

    #[test]
    fn producer_ids_come_in_blocks_of_a_thousand_without_gap() {
        let first = ProducerIdBlock::after(None, 4).expect("first");
        assert_eq!((first.broker, first.first, first.last), (4, 0, 999));
        let second = ProducerIdBlock::after(Some(first), 5).expect("second");
        assert_eq!((second.broker, second.first, second.last), (5, 1000, 1999));
        let end = ProducerIdBlock { broker: 1, first: 0, last: i64::MAX - 10 };
        assert_eq!(ProducerIdBlock::after(Some(end), 1), None);
        assert_eq!(decode_producer_ids(b""), Ok(None));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(decode_cluster_id(b"{}").is_err());
        assert!(decode_controller(b"1").is_err());
        assert!(decode_controller_epoch(b"x").is_err());
        assert!(
            decode_producer_ids(br#"{"version":1,"broker":2,"block_start":"x","block_end":"2999"}"#).is_err()
        );
    }
}
