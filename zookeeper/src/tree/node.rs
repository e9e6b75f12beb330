//! One node of the tree, and what its owner field can mean.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::jute::Buffer;
use crate::proto::{Acl, Stat, StatPersisted};

/// A node. Shared with snapshots being written: a change copies it only while one is.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its data; null and empty differ to clients.
    pub data: Buffer,
    /// Its access list, shared between equals.
    pub acl: Arc<[Acl]>,
    /// Its counters and times.
    pub stat: StatPersisted,
    /// Names of its children, in order.
    pub children: BTreeSet<Box<str>>,
}

impl Node {
    /// What clients see: sizes added, and children's changes counted as creations plus deletions.
    #[must_use]
    pub fn stat(&self) -> Stat {
        let num_children = i32::try_from(self.children.len()).unwrap_or(i32::MAX);
        let s = &self.stat;
        Stat {
            czxid: s.czxid,
            mzxid: s.mzxid,
            ctime: s.ctime,
            mtime: s.mtime,
            version: s.version,
            // Only creations are stored; deletions are those that are not there any more.
            cversion: s.cversion.wrapping_mul(2).wrapping_sub(num_children),
            aversion: s.aversion,
            // Only sessions are shown, not the marks of container and TTL nodes.
            ephemeral_owner: if s.ephemeral_owner & TTL_MARK == TTL_MARK || s.ephemeral_owner == CONTAINER {
                0
            } else {
                s.ephemeral_owner
            },
            data_length: i32::try_from(self.data_len()).unwrap_or(i32::MAX),
            num_children,
            pzxid: s.pzxid,
        }
    }

    /// Bytes of data.
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.data.as_ref().map_or(0, |data| data.len())
    }
}

/// What a node's owner field says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nobody: it stays until deleted.
    None,
    /// An ephemeral node of this session.
    Session(i64),
    /// Goes once its last child has gone.
    Container,
    /// Goes after so many milliseconds without change and without children.
    Ttl(i64),
}

/// The longest time to live, in milliseconds: 40 bits.
pub const MAX_TTL: i64 = 0xff_ffff_ffff;
const CONTAINER: i64 = i64::MIN;
const TTL_MARK: i64 = 0xff << 56;

impl Owner {
    /// Reads the field. TTL nodes are known only where they are enabled, as in Apache: their mark is a possible session otherwise.
    #[must_use]
    pub fn from_field(field: i64, ttl_enabled: bool) -> Owner {
        match field {
            0 => Owner::None,
            CONTAINER => Owner::Container,
            _ if ttl_enabled && field & TTL_MARK == TTL_MARK => Owner::Ttl(field & MAX_TTL),
            session => Owner::Session(session),
        }
    }

    /// The field's value.
    #[must_use]
    pub fn to_field(self) -> i64 {
        match self {
            Owner::None => 0,
            Owner::Session(session) => session,
            Owner::Container => CONTAINER,
            Owner::Ttl(ttl) => TTL_MARK | (ttl & MAX_TTL),
        }
    }
}
