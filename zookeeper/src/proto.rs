//! Requests and replies as they stand on the wire.
//!
//! A frame is a 4-byte length and that many bytes. The first frame of a connection is a [`ConnectRequest`]; each one after it is a
//! [`RequestHeader`] and the record of its type. The server answers with a [`ReplyHeader`] and, when its code is 0, a record.

use crate::jute::{Buffer, DecodeError, Decoder, Record, record};

/// The types of a request, and of a transaction in the log.
#[allow(missing_docs)] // The names are the protocol's own and say it all.
pub mod op {
    pub const CREATE: i32 = 1;
    pub const DELETE: i32 = 2;
    pub const EXISTS: i32 = 3;
    pub const GET_DATA: i32 = 4;
    pub const SET_DATA: i32 = 5;
    pub const GET_ACL: i32 = 6;
    pub const SET_ACL: i32 = 7;
    pub const GET_CHILDREN: i32 = 8;
    pub const SYNC: i32 = 9;
    pub const PING: i32 = 11;
    pub const GET_CHILDREN2: i32 = 12;
    pub const CHECK: i32 = 13;
    pub const MULTI: i32 = 14;
    pub const CREATE2: i32 = 15;
    pub const RECONFIG: i32 = 16;
    pub const CHECK_WATCHES: i32 = 17;
    pub const REMOVE_WATCHES: i32 = 18;
    pub const CREATE_CONTAINER: i32 = 19;
    pub const DELETE_CONTAINER: i32 = 20;
    pub const CREATE_TTL: i32 = 21;
    pub const MULTI_READ: i32 = 22;
    pub const AUTH: i32 = 100;
    pub const SET_WATCHES: i32 = 101;
    pub const SASL: i32 = 102;
    pub const GET_EPHEMERALS: i32 = 103;
    pub const GET_ALL_CHILDREN_NUMBER: i32 = 104;
    pub const SET_WATCHES2: i32 = 105;
    pub const ADD_WATCH: i32 = 106;
    pub const WHO_AM_I: i32 = 107;
    pub const CREATE_SESSION: i32 = -10;
    pub const CLOSE_SESSION: i32 = -11;
    pub const ERROR: i32 = -1;
}

/// The xid of a watch event, which answers no request.
pub const NOTIFICATION_XID: i32 = -1;
/// The xid of a ping and its answer.
pub const PING_XID: i32 = -2;

/// The bits of [`Acl::perms`].
#[allow(missing_docs)]
pub mod perms {
    pub const READ: i32 = 1;
    pub const WRITE: i32 = 2;
    pub const CREATE: i32 = 4;
    pub const DELETE: i32 = 8;
    pub const ADMIN: i32 = 16;
    pub const ALL: i32 = 31;
}

/// What happened to a node, in a [`WatcherEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum EventType {
    NodeCreated = 1,
    NodeDeleted = 2,
    NodeDataChanged = 3,
    NodeChildrenChanged = 4,
}

record! {
    /// Who somebody is, by one authentication scheme.
    #[derive(Hash)]
    pub struct Id {
        /// `world`, `auth`, `digest` or `ip`.
        pub scheme: String,
        /// What the scheme makes of it, for example `user:base64(sha1(user:password))`.
        pub id: String,
    }
    /// One entry of a node's access list: what an identity may do.
    #[derive(Hash)]
    pub struct Acl {
        /// The bits of [`perms`].
        pub perms: i32,
        /// Who may do it.
        pub id: Id,
    }
    /// What clients see of a node besides its data.
    #[derive(Copy)]
    pub struct Stat {
        /// The zxid that created the node.
        pub czxid: i64,
        /// The zxid that last changed its data.
        pub mzxid: i64,
        /// When it was created, in milliseconds of Unix time.
        pub ctime: i64,
        /// When its data last changed, in milliseconds of Unix time.
        pub mtime: i64,
        /// How often its data changed.
        pub version: i32,
        /// How often its set of children changed.
        pub cversion: i32,
        /// How often its ACL changed.
        pub aversion: i32,
        /// The owning session of an ephemeral node, else 0.
        pub ephemeral_owner: i64,
        /// Bytes of data.
        pub data_length: i32,
        /// Number of children.
        pub num_children: i32,
        /// The zxid that last changed its set of children.
        pub pzxid: i64,
    }
    /// What is stored of a [`Stat`]; its `cversion` counts created children only.
    #[derive(Copy)]
    pub struct StatPersisted {
        /// See [`Stat::czxid`].
        pub czxid: i64,
        /// See [`Stat::mzxid`].
        pub mzxid: i64,
        /// See [`Stat::ctime`].
        pub ctime: i64,
        /// See [`Stat::mtime`].
        pub mtime: i64,
        /// See [`Stat::version`].
        pub version: i32,
        /// How many children were ever created.
        pub cversion: i32,
        /// See [`Stat::aversion`].
        pub aversion: i32,
        /// The owning session of an ephemeral node, a mark for container and TTL nodes, else 0.
        pub ephemeral_owner: i64,
        /// See [`Stat::pzxid`].
        pub pzxid: i64,
    }
}

/// Opens a connection, with a new session or one that exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectRequest {
    /// Always 0.
    pub protocol_version: i32,
    /// The newest zxid that the client knows of.
    pub last_zxid_seen: i64,
    /// The session time-out that it would like, in milliseconds.
    pub timeout: i32,
    /// The session to take up again, or 0.
    pub session_id: i64,
    /// That session's password.
    pub password: Buffer,
    /// Whether a read-only server would do. `None`: the client is older than 3.4 and does not know of the field, nor wants it back.
    pub read_only: Option<bool>,
}

impl Record for ConnectRequest {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(ConnectRequest {
            protocol_version: Record::decode(from)?,
            last_zxid_seen: Record::decode(from)?,
            timeout: Record::decode(from)?,
            session_id: Record::decode(from)?,
            password: Record::decode(from)?,
            read_only: if from.rest().is_empty() { None } else { Some(bool::decode(from)?) },
        })
    }
    fn encode(&self, to: &mut Vec<u8>) {
        self.protocol_version.encode(to);
        self.last_zxid_seen.encode(to);
        self.timeout.encode(to);
        self.session_id.encode(to);
        self.password.encode(to);
        if let Some(read_only) = self.read_only {
            read_only.encode(to);
        }
    }
}

/// The answer to [`ConnectRequest`]; a time-out of 0 says that the session is gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectResponse {
    /// Always 0.
    pub protocol_version: i32,
    /// The session time-out that was agreed, in milliseconds.
    pub timeout: i32,
    /// The session.
    pub session_id: i64,
    /// The password that takes it up again.
    pub password: Buffer,
    /// Present when the request had it.
    pub read_only: Option<bool>,
}

impl Record for ConnectResponse {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(ConnectResponse {
            protocol_version: Record::decode(from)?,
            timeout: Record::decode(from)?,
            session_id: Record::decode(from)?,
            password: Record::decode(from)?,
            read_only: if from.rest().is_empty() { None } else { Some(bool::decode(from)?) },
        })
    }
    fn encode(&self, to: &mut Vec<u8>) {
        self.protocol_version.encode(to);
        self.timeout.encode(to);
        self.session_id.encode(to);
        self.password.encode(to);
        if let Some(read_only) = self.read_only {
            read_only.encode(to);
        }
    }
}

record! {
    /// Before every request.
    #[derive(Copy)]
    pub struct RequestHeader {
        /// The client's number of this request; negative ones are reserved.
        pub xid: i32,
        /// One of [`op`].
        pub op: i32,
    }
    /// Before every reply and event.
    #[derive(Copy)]
    pub struct ReplyHeader {
        /// The request's xid.
        pub xid: i32,
        /// The newest zxid that the reply reflects.
        pub zxid: i64,
        /// 0 or an [`crate::ErrorCode`].
        pub err: i32,
    }
    /// Before each operation and each result of a multi.
    #[derive(Copy)]
    pub struct MultiHeader {
        /// One of [`op`], -1 at the end and for errors.
        pub op: i32,
        /// Whether this header ends the list.
        pub done: bool,
        /// The error of a result, -1 elsewhere.
        pub err: i32,
    }
    /// `addauth`.
    pub struct AuthPacket {
        /// Always 0.
        pub auth_type: i32,
        /// Of [`Id::scheme`].
        pub scheme: String,
        /// For `digest`: `user:password`.
        pub auth: Buffer,
    }
    /// Create, create2 and createContainer.
    pub struct CreateRequest {
        /// The node, or the prefix of a sequential one.
        pub path: String,
        /// Its data.
        pub data: Buffer,
        /// Its access list.
        pub acl: Vec<Acl>,
        /// 0 persistent, 1 ephemeral, 2 sequential, 3 both, 4 container, 5 TTL, 6 sequential TTL.
        pub flags: i32,
    }
    /// createTTL.
    pub struct CreateTtlRequest {
        /// See [`CreateRequest::path`].
        pub path: String,
        /// See [`CreateRequest::data`].
        pub data: Buffer,
        /// See [`CreateRequest::acl`].
        pub acl: Vec<Acl>,
        /// See [`CreateRequest::flags`].
        pub flags: i32,
        /// Milliseconds without change after which a node without children goes.
        pub ttl: i64,
    }
    /// Delete and check: a path and the version it must have, or -1.
    pub struct PathVersion {
        /// The node.
        pub path: String,
        /// The expected version, -1 for any.
        pub version: i32,
    }
    /// setData.
    pub struct SetDataRequest {
        /// The node.
        pub path: String,
        /// Its new data.
        pub data: Buffer,
        /// The expected version, -1 for any.
        pub version: i32,
    }
    /// setACL.
    pub struct SetAclRequest {
        /// The node.
        pub path: String,
        /// Its new access list.
        pub acl: Vec<Acl>,
        /// The expected ACL version, -1 for any.
        pub version: i32,
    }
    /// exists, getData, getChildren and getChildren2.
    pub struct PathWatch {
        /// The node.
        pub path: String,
        /// Whether to leave a watch.
        pub watch: bool,
    }
    /// getACL, sync, getAllChildrenNumber and deleteContainer.
    pub struct PathOnly {
        /// The node.
        pub path: String,
    }
    /// checkWatches, removeWatches (a type of watch) and addWatch (a mode).
    pub struct PathType {
        /// The node.
        pub path: String,
        /// The type or mode.
        pub kind: i32,
    }
    /// Watches to set again after a reconnect.
    pub struct SetWatches {
        /// The newest zxid that the client saw: what changed after it is told at once.
        pub relative_zxid: i64,
        /// Of getData and exists on nodes that were there.
        pub data: Vec<String>,
        /// Of exists on nodes that were not.
        pub exist: Vec<String>,
        /// Of getChildren.
        pub child: Vec<String>,
    }
    /// What setWatches2 has on top of [`SetWatches`].
    pub struct PersistentWatches {
        /// Of addWatch, mode 0.
        pub persistent: Vec<String>,
        /// Of addWatch, mode 1.
        pub recursive: Vec<String>,
    }
    /// getEphemerals.
    pub struct GetEphemeralsRequest {
        /// Only those whose path starts so; null, empty or `/` for all.
        pub prefix: Option<String>,
    }
    /// A watch that fired.
    pub struct WatcherEvent {
        /// [`EventType`].
        pub event: i32,
        /// Always 3: connected.
        pub state: i32,
        /// The node.
        pub path: String,
    }
    /// A path and its stat: the answer to create2.
    pub struct PathStat {
        /// The node's real path.
        pub path: String,
        /// Its stat.
        pub stat: Stat,
    }
    /// The answer to getData.
    pub struct DataStat {
        /// The node's data.
        pub data: Buffer,
        /// Its stat.
        pub stat: Stat,
    }
    /// The answer to getACL.
    pub struct AclStat {
        /// The node's access list.
        pub acl: Vec<Acl>,
        /// Its stat.
        pub stat: Stat,
    }
}

/// One operation inside a multi or a multiRead, with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MultiOp {
    /// create, create2 or createContainer, by its type.
    Create(i32, CreateRequest),
    CreateTtl(CreateTtlRequest),
    Delete(PathVersion),
    SetData(SetDataRequest),
    Check(PathVersion),
    GetData(PathWatch),
    GetChildren(PathWatch),
}

/// The list of a multi or multiRead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MultiRequest {
    /// In the order of the request.
    pub ops: Vec<MultiOp>,
}

impl Record for MultiRequest {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut ops = Vec::new();
        loop {
            let header = MultiHeader::decode(from)?;
            if header.done {
                return Ok(MultiRequest { ops });
            }
            ops.push(match header.op {
                op::CREATE | op::CREATE2 | op::CREATE_CONTAINER => {
                    MultiOp::Create(header.op, Record::decode(from)?)
                }
                op::CREATE_TTL => MultiOp::CreateTtl(Record::decode(from)?),
                op::DELETE => MultiOp::Delete(Record::decode(from)?),
                op::SET_DATA => MultiOp::SetData(Record::decode(from)?),
                op::CHECK => MultiOp::Check(Record::decode(from)?),
                op::GET_DATA => MultiOp::GetData(Record::decode(from)?),
                op::GET_CHILDREN => MultiOp::GetChildren(Record::decode(from)?),
                other => return Err(DecodeError::UnknownType(other)),
            });
        }
    }
    fn encode(&self, to: &mut Vec<u8>) {
        let head = |op, to: &mut Vec<u8>| MultiHeader { op, done: false, err: -1 }.encode(to);
        for operation in &self.ops {
            match operation {
                MultiOp::Create(kind, request) => {
                    head(*kind, to);
                    request.encode(to);
                }
                MultiOp::CreateTtl(request) => {
                    head(op::CREATE_TTL, to);
                    request.encode(to);
                }
                MultiOp::Delete(request) => {
                    head(op::DELETE, to);
                    request.encode(to);
                }
                MultiOp::SetData(request) => {
                    head(op::SET_DATA, to);
                    request.encode(to);
                }
                MultiOp::Check(request) => {
                    head(op::CHECK, to);
                    request.encode(to);
                }
                MultiOp::GetData(request) => {
                    head(op::GET_DATA, to);
                    request.encode(to);
                }
                MultiOp::GetChildren(request) => {
                    head(op::GET_CHILDREN, to);
                    request.encode(to);
                }
            }
        }
        MULTI_END.encode(to);
    }
}

/// The header that ends the list of a multi, asked or answered.
pub const MULTI_END: MultiHeader = MultiHeader { op: -1, done: true, err: -1 };
