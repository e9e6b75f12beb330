//! The embedded consumer protocol: what consumers put into the opaque bytes of JoinGroup and SyncGroup.
//!
//! The broker never needs it but to say which topics a group subscribes to; tools read it to show assignments. Both structs travel
//! with their version in front ([`ConsumerProtocolSubscription::parse`], [`to_bytes`](ConsumerProtocolSubscription::to_bytes)). A
//! version newer than any known is read as the newest known, as Kafka's own consumers do.

// A field whose name says all has no line of documentation that repeats it.
#![allow(missing_docs)]

use crate::{
    Message, versioned,
    wire::{Bytes, DecodeError, EncodeError, Str},
};

/// The protocol type of groups of consumers in JoinGroup.
pub const PROTOCOL_TYPE: &str = "consumer";

/// What a consumer tells the leader of its group when it joins.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3")]
pub struct ConsumerProtocolSubscription<'a> {
    pub topics: Vec<Str<'a>>,
    /// The assignor's own; the sticky assignor keeps its generation here.
    #[field(default = None)]
    pub user_data: Option<Bytes<'a>>,
    /// What it has now, for cooperative rebalancing (KIP-429).
    #[field(versions = "1+", ignorable)]
    pub owned_partitions: Vec<TopicPartition<'a>>,
    /// The generation in which it had `owned_partitions`.
    #[field(versions = "2+", default = -1, ignorable)]
    pub generation_id: i32,
    /// Where it runs, so that it gets partitions with a replica nearby (KIP-881).
    #[field(versions = "3+", default = None, ignorable)]
    pub rack_id: Option<Str<'a>>,
}

/// What the leader of the group assigns to one consumer.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3")]
pub struct ConsumerProtocolAssignment<'a> {
    pub assigned_partitions: Vec<TopicPartition<'a>>,
    /// The assignor's own.
    #[field(default = None)]
    pub user_data: Option<Bytes<'a>>,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
pub struct TopicPartition<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<i32>,
}

impl<'a> ConsumerProtocolSubscription<'a> {
    /// Reads the metadata of a member, its version in front.
    ///
    /// # Errors
    /// [`DecodeError`] if it is no consumer's; groups of other kinds, such as Connect workers, have metadata of their own.
    pub fn parse(metadata: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(versioned::decode_newer(metadata)?.1)
    }

    /// The metadata of a member, its version in front.
    ///
    /// # Errors
    /// [`EncodeError`] if there is no such version, or a topic's name is too long.
    pub fn to_bytes(&self, version: i16) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, version)
    }
}

impl<'a> ConsumerProtocolAssignment<'a> {
    /// Reads the assignment of a member, its version in front. No bytes are an assignment of nothing: a member has none until the
    /// leader has answered.
    ///
    /// # Errors
    /// [`DecodeError`] if it is no consumer's.
    pub fn parse(assignment: &'a [u8]) -> Result<Self, DecodeError> {
        if assignment.is_empty() {
            return Ok(Self::default());
        }
        Ok(versioned::decode_newer(assignment)?.1)
    }

    /// The assignment of a member, its version in front.
    ///
    /// # Errors
    /// [`EncodeError`] if there is no such version, or a topic's name is too long.
    pub fn to_bytes(&self, version: i16) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_version_is_read_as_the_newest_known() {
        let subscription =
            ConsumerProtocolSubscription { topics: vec!["orders".into()], ..Default::default() };
        let mut bytes = subscription.to_bytes(3).unwrap();
        bytes[1] = 9;
        bytes.extend([1, 2, 3]);
        assert_eq!(ConsumerProtocolSubscription::parse(&bytes).unwrap(), subscription);
    }

    #[test]
    fn a_negative_version_is_refused() {
        assert!(ConsumerProtocolAssignment::parse(&[0xff, 0xff, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn an_old_version_drops_what_it_cannot_carry() {
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["orders".into()],
            owned_partitions: vec![TopicPartition { topic: "orders".into(), partitions: vec![3] }],
            generation_id: 7,
            ..Default::default()
        };
        let bytes = subscription.to_bytes(0).unwrap();
        let read = ConsumerProtocolSubscription::parse(&bytes).unwrap();
        assert_eq!((read.owned_partitions.len(), read.generation_id), (0, -1));
    }
}
