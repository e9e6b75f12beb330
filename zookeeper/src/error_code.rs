//! The codes of a reply header: what a request failed with, or 0.

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        /// Why the server refused a request, by the numbers of `KeeperException.Code`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum ErrorCode { $($(#[$meta])* #[error($text)] $name = $value,)* }

        impl ErrorCode {
            /// The code of a number, if it is one that this server can send.
            #[must_use]
            pub fn from_i32(value: i32) -> Option<ErrorCode> {
                match value { $($value => Some(ErrorCode::$name),)* _ => None }
            }
        }
    };
}

codes! {
    /// The server failed, for example because it can not write its log.
    SystemError = -1, "the server failed";
    /// An operation of a multi that was not tried because one before it failed.
    RuntimeInconsistency = -2, "an operation of the same multi failed";
    /// A request whose bytes are not what its type says.
    MarshallingError = -5, "the request can not be read";
    /// A type of request that this server does not know or is configured not to serve.
    Unimplemented = -6, "not implemented";
    /// A path, flag or number that is not allowed.
    BadArguments = -8, "bad arguments";
    /// The node is not there.
    NoNode = -101, "no node";
    /// The connection's identities do not have the permission.
    NoAuth = -102, "not authorised";
    /// The expected version is not the node's.
    BadVersion = -103, "bad version";
    /// An ephemeral node can not have children.
    NoChildrenForEphemerals = -108, "ephemeral nodes have no children";
    /// The node is there already.
    NodeExists = -110, "node exists";
    /// A node with children can not be deleted.
    NotEmpty = -111, "node has children";
    /// The session expired or is closing.
    SessionExpired = -112, "session expired";
    /// An ACL that is empty or names an unknown scheme or a malformed id.
    InvalidAcl = -114, "invalid ACL";
    /// `addauth` failed.
    AuthFailed = -115, "authentication failed";
    /// There is no such watch to remove or to find.
    NoWatcher = -121, "no such watch";
    /// Dynamic reconfiguration is off: a server of one node has nothing to reconfigure.
    ReconfigDisabled = -123, "reconfiguration is disabled";
    /// The quota of the path would be exceeded.
    QuotaExceeded = -125, "quota exceeded";
}

impl ErrorCode {
    /// The number on the wire.
    #[must_use]
    pub fn to_i32(self) -> i32 {
        self as i32
    }
}
