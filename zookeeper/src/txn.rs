//! Transactions: what the log stores and the tree applies. A request becomes one by being checked; applying it checks nothing.

use crate::jute::{Buffer, DecodeError, Decoder, Record, record};
use crate::proto::{Acl, op};

record! {
    /// Before every transaction in the log.
    #[derive(Copy)]
    pub struct TxnHeader {
        /// The session that asked.
        pub session_id: i64,
        /// Its xid.
        pub cxid: i32,
        /// The transaction's number: one more than the one before.
        pub zxid: i64,
        /// When it was accepted, in milliseconds of Unix time.
        pub time: i64,
        /// One of [`op`].
        pub op: i32,
    }
    /// Of create and create2.
    pub struct CreateTxn {
        /// The node's real path.
        pub path: String,
        /// Its data.
        pub data: Buffer,
        /// Its access list, with `auth` replaced by who that was.
        pub acl: Vec<Acl>,
        /// Whether it belongs to the header's session.
        pub ephemeral: bool,
        /// The parent's count of created children after this one; -1 in logs from before 3.4.
        pub parent_cversion: i32,
    }
    /// Of createContainer.
    pub struct CreateContainerTxn {
        /// See [`CreateTxn::path`].
        pub path: String,
        /// See [`CreateTxn::data`].
        pub data: Buffer,
        /// See [`CreateTxn::acl`].
        pub acl: Vec<Acl>,
        /// See [`CreateTxn::parent_cversion`].
        pub parent_cversion: i32,
    }
    /// Of createTTL.
    pub struct CreateTtlTxn {
        /// See [`CreateTxn::path`].
        pub path: String,
        /// See [`CreateTxn::data`].
        pub data: Buffer,
        /// See [`CreateTxn::acl`].
        pub acl: Vec<Acl>,
        /// See [`CreateTxn::parent_cversion`].
        pub parent_cversion: i32,
        /// In milliseconds.
        pub ttl: i64,
    }
    /// Of setData.
    pub struct SetDataTxn {
        /// The node.
        pub path: String,
        /// Its new data.
        pub data: Buffer,
        /// Its version afterwards.
        pub version: i32,
    }
    /// Of setACL.
    pub struct SetAclTxn {
        /// The node.
        pub path: String,
        /// Its new access list.
        pub acl: Vec<Acl>,
        /// Its ACL version afterwards.
        pub version: i32,
    }
    /// A transaction inside a multi, as bytes.
    pub struct RawSubTxn {
        /// One of [`op`].
        pub op: i32,
        /// Its record.
        pub data: Buffer,
    }
}

/// A transaction's body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Txn {
    Create(CreateTxn),
    CreateContainer(CreateContainerTxn),
    CreateTtl(CreateTtlTxn),
    Delete {
        path: String,
    },
    SetData(SetDataTxn),
    SetAcl(SetAclTxn),
    Check {
        path: String,
        version: i32,
    },
    CreateSession {
        timeout: i32,
    },
    /// The ephemeral nodes that go with the session; `None` in logs from before 3.6.
    CloseSession {
        paths: Option<Vec<String>>,
    },
    /// A refused write: it takes a zxid and changes nothing.
    Error(i32),
    /// All or nothing: if one is an `Error`, none applies. The number is the type of each.
    Multi(Vec<(i32, Txn)>),
}

impl Txn {
    /// Reads the body of a transaction of type `kind`. Bytes behind it (Apache's digest of the tree) are left.
    pub fn decode(kind: i32, from: &mut Decoder<'_>) -> Result<Txn, DecodeError> {
        Ok(match kind {
            op::CREATE | op::CREATE2 => {
                let (path, data, acl, ephemeral) = (
                    Record::decode(from)?,
                    Record::decode(from)?,
                    Record::decode(from)?,
                    Record::decode(from)?,
                );
                let parent_cversion = if from.rest().is_empty() { -1 } else { i32::decode(from)? };
                Txn::Create(CreateTxn { path, data, acl, ephemeral, parent_cversion })
            }
            op::CREATE_CONTAINER => Txn::CreateContainer(Record::decode(from)?),
            op::CREATE_TTL => Txn::CreateTtl(Record::decode(from)?),
            op::DELETE | op::DELETE_CONTAINER => Txn::Delete { path: Record::decode(from)? },
            // An ensemble's reconfiguration writes the node of its configuration.
            op::SET_DATA | op::RECONFIG => Txn::SetData(Record::decode(from)?),
            op::SET_ACL => Txn::SetAcl(Record::decode(from)?),
            op::CHECK => Txn::Check { path: Record::decode(from)?, version: Record::decode(from)? },
            op::CREATE_SESSION => Txn::CreateSession { timeout: Record::decode(from)? },
            op::CLOSE_SESSION => Txn::CloseSession {
                paths: if from.rest().is_empty() { None } else { Some(Record::decode(from)?) },
            },
            op::ERROR => Txn::Error(Record::decode(from)?),
            op::MULTI => {
                let mut subs = Vec::new();
                for raw in Vec::<RawSubTxn>::decode(from)? {
                    // One level only: a multi inside a multi does not exist.
                    if raw.op == op::MULTI {
                        return Err(DecodeError::UnknownType(raw.op));
                    }
                    let bytes = raw.data.unwrap_or_default();
                    subs.push((raw.op, Txn::decode(raw.op, &mut Decoder::new(&bytes))?));
                }
                Txn::Multi(subs)
            }
            other => return Err(DecodeError::UnknownType(other)),
        })
    }

    /// Appends the body.
    pub fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Txn::Create(txn) => txn.encode(to),
            Txn::CreateContainer(txn) => txn.encode(to),
            Txn::CreateTtl(txn) => txn.encode(to),
            Txn::Delete { path } => path.encode(to),
            Txn::SetData(txn) => txn.encode(to),
            Txn::SetAcl(txn) => txn.encode(to),
            Txn::Check { path, version } => {
                path.encode(to);
                version.encode(to);
            }
            Txn::CreateSession { timeout } => timeout.encode(to),
            Txn::CloseSession { paths } => {
                if let Some(paths) = paths {
                    paths.encode(to);
                }
            }
            Txn::Error(code) => code.encode(to),
            Txn::Multi(subs) => {
                crate::jute::encode_len(subs.len(), to);
                for (kind, txn) in subs {
                    kind.encode(to);
                    // The length is known only afterwards.
                    let at = to.len();
                    0i32.encode(to);
                    txn.encode(to);
                    let len = i32::try_from(to.len() - at - 4).unwrap_or(i32::MIN);
                    to[at..at + 4].copy_from_slice(&len.to_be_bytes());
                }
            }
        }
    }
}
