//! The JSON of 3.9's formatters of Kafka's own topics: a key and a value, each with its version.
//!
//! One object follows another without a line break, as Kafka's writes them.

use serde::Serialize;

use super::super::failure::Failure;
use super::record::{Record, corrupt};

/// A key or a value.
#[derive(Serialize)]
pub(super) struct Versioned<T> {
    pub(super) version: i16,
    pub(super) data: T,
}

/// A record.
#[derive(Serialize)]
pub(super) struct Line<K, V> {
    pub(super) key: Option<Versioned<K>>,
    pub(super) value: Option<Versioned<V>>,
}

/// Either what it is, or the word for a version that nobody knows here.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Data<T> {
    Known(T),
    Unknown(Unknown),
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unknown {
    Unknown,
}

/// What stands for a version that nobody knows here.
pub(super) fn unknown<T>(version: i16) -> Versioned<Data<T>> {
    Versioned { version, data: Data::Unknown(Unknown::Unknown) }
}

/// The version that keys and values begin with.
pub(super) fn version(bytes: &[u8]) -> i16 {
    bytes.first_chunk().map_or(-1, |bytes| i16::from_be_bytes(*bytes))
}

/// Appends the object.
pub(super) fn write(record: &Record<'_>, line: &impl Serialize, out: &mut Vec<u8>) -> Result<(), Failure> {
    serde_json::to_writer(out, line).map_err(|error| corrupt(record, &error))
}
