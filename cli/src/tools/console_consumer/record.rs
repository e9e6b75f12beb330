//! A record as both consumers hand it over.

use rdkafka::{
    Message, Timestamp,
    message::{BorrowedMessage, Headers},
};

/// A record, borrowed from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) timestamp: Time,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

/// Milliseconds since 1970, and who wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    None,
    Create(i64),
    LogAppend(i64),
}

impl<'a> Record<'a> {
    pub(super) fn of(message: &'a BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| headers.iter().map(|h| (h.key, h.value)).collect());
        Self {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: match message.timestamp() {
                Timestamp::NotAvailable => Time::None,
                Timestamp::CreateTime(time) => Time::Create(time),
                Timestamp::LogAppendTime(time) => Time::LogAppend(time),
            },
            key: message.key(),
            value: message.payload(),
            headers: headers.unwrap_or_default(),
        }
    }

    /// As `ConsumerRecord.checksum` computes it for records of batches: CRC-32C of timestamp and sizes.
    pub(super) fn checksum(&self) -> u32 {
        let size =
            |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        let time = match self.timestamp {
            Time::None => -1,
            Time::Create(time) | Time::LogAppend(time) => time,
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&time.to_be_bytes());
        bytes[8..12].copy_from_slice(&size(self.key).to_be_bytes());
        bytes[12..].copy_from_slice(&size(self.value).to_be_bytes());
        vltava_protocol::records::crc32c(&bytes)
    }
}
