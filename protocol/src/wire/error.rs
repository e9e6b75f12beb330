//! What can be wrong with a frame that arrives, or with a message that is to be sent.

use super::Versions;

/// A frame that does not hold the message it should: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {position}{}", Place(.message, .field))]
pub struct DecodeError {
    /// The message or sub-struct that was being read; empty outside of any.
    pub message: &'static str,
    /// The field that was being read; empty outside of any.
    pub field: &'static str,
    /// Bytes read before the value that failed, counted from the start of the reader.
    pub position: usize,
    /// What was wrong.
    pub reason: DecodeReason,
}

impl DecodeError {
    pub(crate) fn new(position: usize, reason: DecodeReason) -> Self {
        Self { message: "", field: "", position, reason }
    }

    /// Names the field that was being read, unless an inner one is named already.
    #[doc(hidden)]
    #[cold]
    #[must_use]
    pub fn within(mut self, message: &'static str, field: &'static str) -> Self {
        if self.message.is_empty() {
            self.message = message;
            self.field = field;
        }
        self
    }
}

/// Why a value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeReason {
    /// The frame ends inside the value.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the value takes.
        needed: usize,
        /// Bytes that the frame still has.
        left: usize,
    },
    /// A length or count that is negative where null is not allowed, or larger than its type allows.
    #[error("invalid length {0}")]
    InvalidLength(i64),
    /// An array of more elements than the bytes left could hold.
    #[error("{count} elements cannot fit into {left} bytes")]
    TooManyElements {
        /// Elements announced.
        count: usize,
        /// Bytes that the frame still has.
        left: usize,
    },
    /// Elements that take more memory than the reader may spend.
    #[error("decoded, it would take {needed} bytes of memory more, and {left} are left")]
    TooMuchMemory {
        /// Bytes of memory that the elements would take.
        needed: usize,
        /// Bytes of memory that the reader may still spend.
        left: usize,
    },
    /// A variable-length number longer than its type.
    #[error("variable-length number too long")]
    InvalidVarint,
    /// Null for a field that may not be null in this version.
    #[error("null is not allowed")]
    UnexpectedNull,
    /// A tagged field whose value is shorter than its announced size, or that comes twice.
    #[error("invalid tagged field {0}")]
    InvalidTaggedField(u32),
    /// A version that the message has never had.
    #[error("version {version} is not supported, only {supported}")]
    UnsupportedVersion {
        /// The version asked for.
        version: i16,
        /// The versions that exist.
        supported: Versions,
    },
    /// A version in front of a message that is negative.
    #[error("invalid version {0}")]
    InvalidVersionPrefix(i16),
    /// An API key that this protocol does not know.
    #[error("unknown API key {0}")]
    UnknownApiKey(i16),
    /// Bytes after the end of the message.
    #[error("{0} bytes after the end of the message")]
    TrailingBytes(usize),
}

/// A message that cannot be written in a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The message does not exist in this version.
    #[error("{message} has no version {version}, only {supported}")]
    UnsupportedVersion {
        /// The message.
        message: &'static str,
        /// The version asked for.
        version: i16,
        /// The versions that exist.
        supported: Versions,
    },
    /// A field is set that the version cannot carry and that must not be dropped silently.
    #[error("{message}.{field} is set, but version {version} cannot carry it")]
    NotInVersion {
        /// The message or sub-struct.
        message: &'static str,
        /// The field, as in the struct.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A field is null in a version where it may not be.
    #[error("{message}.{field} is null, which version {version} does not allow")]
    UnexpectedNull {
        /// The message or sub-struct.
        message: &'static str,
        /// The field, as in the struct.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A string, byte string or array longer than its length prefix can say.
    #[error("{what} of {length} is too long, the limit is {limit}")]
    TooLong {
        /// "string", "bytes", "records" or "array".
        what: &'static str,
        /// Its length, in bytes or elements.
        length: usize,
        /// The largest length that can be written.
        limit: usize,
    },
    /// An unknown tagged field has the tag of a known one.
    #[error("tagged field {tag} of {message} is there twice")]
    DuplicateTag {
        /// The message or sub-struct.
        message: &'static str,
        /// The tag.
        tag: u32,
    },
    /// A gap for file data in a message that must be whole, such as a request.
    #[error("{0} cannot be sent with gaps for file data")]
    UnexpectedGap(&'static str),
}

struct Place<'a>(&'a &'static str, &'a &'static str);

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.is_empty(), self.1.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => write!(f, " of {}", self.0),
            (false, false) => write!(f, " in {}.{}", self.0, self.1),
        }
    }
}
