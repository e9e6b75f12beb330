//! The records of `__consumer_offsets`: keys and values of committed offsets and of classic groups.
//!
//! Keys and values have a two-byte version in front; a key's version also says what the record is about. A record without a value
//! deletes what its key names.

// A field whose name says all has no line of documentation that repeats it.
#![allow(missing_docs)]

use crate::{
    Message, versioned,
    wire::{Bytes, DecodeError, EncodeError, Str, TaggedFields, Uuid},
};

/// The version of a group's key; lower ones are offsets.
const GROUP_KEY_VERSION: i16 = 2;

/// The version of an offset's key that brokers write; 0, from before 0.9, is the same.
const OFFSET_KEY_VERSION: i16 = 1;

/// The key of any record of the topic.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupRecordKey<'a> {
    /// An offset that a group committed; the value is an [`OffsetCommitValue`].
    Offset(OffsetCommitKey<'a>),
    /// A group; the value is a [`GroupMetadataValue`].
    Group(GroupMetadataKey<'a>),
    /// A record of another kind, such as those of KIP-848 groups, by its key's version. A broker that does not know it skips it.
    Other(i16),
}

impl<'a> GroupRecordKey<'a> {
    /// Reads a key.
    ///
    /// # Errors
    /// [`DecodeError`] if it is cut short or goes on after its end.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (version, mut reader) = versioned::split(bytes)?;
        let key = match version {
            0..=OFFSET_KEY_VERSION => Self::Offset(OffsetCommitKey::decode(&mut reader, version)?),
            GROUP_KEY_VERSION => Self::Group(GroupMetadataKey::decode(&mut reader, version)?),
            _ => return Ok(Self::Other(version)),
        };
        reader.finish()?;
        Ok(key)
    }
}

/// Names an offset: which group has read how far in which partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1")]
pub struct OffsetCommitKey<'a> {
    pub group: Str<'a>,
    pub topic: Str<'a>,
    pub partition: i32,
}

/// Names a group.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "2")]
pub struct GroupMetadataKey<'a> {
    pub group: Str<'a>,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue<'a> {
    /// The next record to read.
    pub offset: i64,
    /// The epoch of the last record read, or -1.
    #[field(versions = "3+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// The client's own note.
    pub metadata: Str<'a>,
    /// Milliseconds since 1970.
    pub commit_timestamp: i64,
    /// When the offset is forgotten, in milliseconds since 1970; -1 leaves it to the broker's retention (KIP-211).
    #[field(versions = "1", default = -1, ignorable)]
    pub expire_timestamp: i64,
    /// The topic's id when the offset was committed, or zero.
    #[field(versions = "4+", tag = 0, ignorable)]
    pub topic_id: Uuid,
    pub unknown_tagged_fields: TaggedFields,
}

/// A classic group between rebalances.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue<'a> {
    /// `consumer`, `connect` and so on.
    pub protocol_type: Str<'a>,
    pub generation: i32,
    /// The assignor that the members agreed on; null in an empty group.
    pub protocol: Option<Str<'a>>,
    /// The member id of the leader; null in an empty group.
    pub leader: Option<Str<'a>>,
    /// When the group came into its state, in milliseconds since 1970.
    #[field(versions = "2+", default = -1, ignorable)]
    pub current_state_timestamp: i64,
    pub members: Vec<MemberMetadata<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A member of a classic group.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct MemberMetadata<'a> {
    pub member_id: Str<'a>,
    /// The `group.instance.id` of a static member (KIP-345).
    #[field(versions = "3+", default = None, ignorable)]
    pub group_instance_id: Option<Str<'a>>,
    pub client_id: Str<'a>,
    pub client_host: Str<'a>,
    /// Milliseconds; -1 means the session time-out.
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout: i32,
    /// Milliseconds.
    pub session_timeout: i32,
    /// What the member joined with, for the chosen protocol.
    pub subscription: Bytes<'a>,
    /// What the leader gave it.
    pub assignment: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

impl OffsetCommitKey<'_> {
    /// The key as brokers write it.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, OFFSET_KEY_VERSION)
    }
}

impl GroupMetadataKey<'_> {
    /// The key as brokers write it.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, GROUP_KEY_VERSION)
    }
}

impl<'a> OffsetCommitValue<'a> {
    /// Reads a value of any version.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not such a value.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(versioned::decode(bytes)?.1)
    }

    /// The value with its version in front.
    ///
    /// # Errors
    /// [`EncodeError`] if the version does not exist.
    pub fn to_bytes(&self, version: i16) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, version)
    }
}

impl<'a> GroupMetadataValue<'a> {
    /// Reads a value of any version.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not such a value.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(versioned::decode(bytes)?.1)
    }

    /// The value with its version in front.
    ///
    /// # Errors
    /// [`EncodeError`] if the version does not exist.
    pub fn to_bytes(&self, version: i16) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_its_record_is_about() {
        let offset = OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 7 };
        let bytes = offset.to_bytes().unwrap();
        assert_eq!(bytes, b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x07");
        assert_eq!(GroupRecordKey::parse(&bytes), Ok(GroupRecordKey::Offset(offset)));

        let group = GroupMetadataKey { group: "g".into() };
        let bytes = group.to_bytes().unwrap();
        assert_eq!(bytes, b"\x00\x02\x00\x01g");
        assert_eq!(GroupRecordKey::parse(&bytes), Ok(GroupRecordKey::Group(group)));

        assert_eq!(GroupRecordKey::parse(b"\x00\x03\x00\x01g"), Ok(GroupRecordKey::Other(3)));
        assert!(GroupRecordKey::parse(b"\x00\x02\x00\x01gg").is_err());
    }

    #[test]
    fn a_value_keeps_its_version() {
        let value = OffsetCommitValue { offset: 42, commit_timestamp: 1, ..Default::default() };
        for version in 0..=4 {
            assert_eq!(
                OffsetCommitValue::parse(&value.to_bytes(version).unwrap()).unwrap(),
                value,
                "{version}"
            );
        }
        assert!(OffsetCommitValue::parse(b"\x00\x05").is_err());
    }
}
