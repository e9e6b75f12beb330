//! Every message in one table, for what treats all alike: tests, fuzzing, tools.

use crate::{
    consumer::{ConsumerProtocolAssignment, ConsumerProtocolSubscription},
    group_records::{GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue},
    messages::*,
    principal::DefaultPrincipalData,
    transaction_records::{TransactionLogKey, TransactionLogValue},
    wire::{DecodeError, Described, EncodeError, Message, Reader, Schema, Writer},
};

/// A message, its type erased.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name, versions and fields.
    pub schema: &'static Schema,
    /// Reads a message of a version from the front of the bytes and writes it again.
    pub recode: fn(&[u8], i16) -> Result<Recoded, RecodeError>,
}

/// What came of reading a message and writing it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recoded {
    /// Bytes that the message took of the input.
    pub read: usize,
    /// What was written.
    pub written: Vec<u8>,
    /// What `Message::size` foretold.
    pub size: usize,
    /// Whether reading what was written gives the same message. A NaN differs from itself.
    pub same: bool,
}

/// Why a message could not be read and written again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecodeError {
    /// The bytes are no such message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// What was read cannot be written: only a string that grew because it was not UTF-8.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

fn write<'a>(message: &impl Message<'a>, version: i16) -> Result<(Vec<u8>, usize), EncodeError> {
    let size = message.size(version)?;
    let mut writer = Writer::new();
    message.encode(&mut writer, version)?;
    Ok((writer.into_parts().0, size))
}

macro_rules! entry {
    ($name:ident) => { entry!(@ $name, $name) };
    ($name:ident <$lifetime:lifetime>) => { entry!(@ $name<'static>, $name<'_>) };
    (@ $named:ty, $borrowing:ty) => {{
        fn read(bytes: &[u8], version: i16) -> Result<($borrowing, usize), DecodeError> {
            let mut reader = Reader::new(bytes);
            let message = Message::decode(&mut reader, version)?;
            Ok((message, reader.position()))
        }
        Entry {
            schema: <$named as Described>::SCHEMA,
            recode: |bytes, version| {
                let (message, read_bytes) = read(bytes, version)?;
                let (written, size) = write(&message, version)?;
                let same = read(&written, version)?.0 == message;
                Ok(Recoded { read: read_bytes, written, size, same })
            },
        }
    }};
}

macro_rules! define_catalog {
    ($($number:literal $api:ident $module:ident $request:ident $(<$a:lifetime>)? => $response:ident $(<$b:lifetime>)?;)*) => {
        /// Every request and response in the order of their APIs, the headers, and the messages inside of records and other fields.
        pub static MESSAGES: &[Entry] = &[
            $(entry!($request $(<$a>)?), entry!($response $(<$b>)?),)*
            entry!(RequestHeader<'a>),
            entry!(ResponseHeader),
            entry!(ConsumerProtocolSubscription<'a>),
            entry!(ConsumerProtocolAssignment<'a>),
            entry!(DefaultPrincipalData<'a>),
            entry!(OffsetCommitKey<'a>),
            entry!(OffsetCommitValue<'a>),
            entry!(GroupMetadataKey<'a>),
            entry!(GroupMetadataValue<'a>),
            entry!(TransactionLogKey<'a>),
            entry!(TransactionLogValue<'a>),
        ];
    };
}
for_each_api!(define_catalog);
