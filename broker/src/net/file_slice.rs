//! A range of a file.

use std::{fs::File, sync::Arc};

/// Bytes of a file, to be sent without copying.
#[derive(Debug, Clone)]
pub struct FileSlice {
    /// The open file.
    pub file: Arc<File>,
    /// The first byte.
    pub position: u64,
    /// Number of bytes.
    pub length: u64,
}
