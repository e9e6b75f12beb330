//! A record as both consumers hand it over.

use rdkafka::{
    Message, Timestamp,
    message::{BorrowedMessage, Headers},
};

use super::super::failure::Failure;

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

/// A record of one of Kafka's own topics that is none.
pub(super) fn corrupt(record: &Record<'_>, error: &dyn std::fmt::Display) -> Failure {
    let text = format!("{}-{} at offset {}: {error}", record.topic, record.partition, record.offset);
    Failure::new("org.apache.kafka.common.protocol.types.SchemaException", text)
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

    /// The CRC that the record has as a message of its own: magic 1 with a timestamp, magic 0 without.
    pub(super) fn checksum(&self) -> u32 {
        const LOG_APPEND_TIME: u8 = 1 << 3;
        let mut bytes = match self.timestamp {
            Time::None => vec![0, 0],
            Time::Create(time) => [&[1, 0][..], &time.to_be_bytes()].concat(),
            Time::LogAppend(time) => [&[1, LOG_APPEND_TIME][..], &time.to_be_bytes()].concat(),
        };
        for part in [self.key, self.value] {
            let length = part.map_or(-1, |part| i32::try_from(part.len()).unwrap_or(i32::MAX));
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part.unwrap_or_default());
        }
        vltava_protocol::records::crc32(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_that_of_the_message() {
        // `kafka.message.Message` of Kafka 0.11.0.2 has these.
        let record = Record {
            topic: "t",
            partition: 0,
            offset: 0,
            timestamp: Time::Create(1_700_000_000_000),
            key: Some(b"k"),
            value: Some(b"v"),
            headers: Vec::new(),
        };
        let logged = Record { timestamp: Time::LogAppend(1_700_000_000_000), ..record.clone() };
        let plain = Record { timestamp: Time::None, key: None, ..record.clone() };
        let checksums = [record.checksum(), logged.checksum(), plain.checksum()];
        assert_eq!(checksums, [958_827_571, 814_191_030, 3_524_050_933]);
    }
}
