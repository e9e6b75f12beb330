//! Kafka's message formatters: how a record is written.

use std::{collections::BTreeMap, fmt::Write as _};

use super::super::{deserializer::Deserializer, era::Era, failure::Failure};
use super::{
    group_json, group_records,
    record::{Record, Time},
    transactions,
};

/// Writes records.
#[derive(Debug)]
pub(super) enum Formatter {
    /// `DefaultMessageFormatter`, and `LoggingMessageFormatter`, whose log lines no default configuration shows.
    Default(Box<Columns>),
    /// `NoOpMessageFormatter`.
    Nothing,
    /// `ChecksumMessageFormatter`, with the topic in front if its property `topic` is set.
    Checksum(Option<String>),
    /// `OffsetsMessageFormatter` of `__consumer_offsets`, as text or as JSON.
    Offsets(Style),
    /// `GroupMetadataMessageFormatter` of `__consumer_offsets`.
    Groups(Style),
    /// `TransactionLogMessageFormatter` of `__transaction_state`.
    Transactions(Style),
}

/// Two generations of formatters have the same names in different packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `kafka.coordinator.group.GroupMetadataManager$...` and `kafka.coordinator.transaction.TransactionLog$...`, whose words have changed.
    Text(Era),
    /// `org.apache.kafka.tools.consumer...`
    Json,
}

/// Classes that 3.9 knows under new names too, all in this package.
const PACKAGE: &str = "org.apache.kafka.tools.consumer.";
const RENAMED: [&str; 6] = [
    "kafka.tools.DefaultMessageFormatter",
    "kafka.tools.LoggingMessageFormatter",
    "kafka.tools.NoOpMessageFormatter",
    "kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter",
    "kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter",
    "kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter",
];

/// What 3.9 says of a class by its old name.
pub(super) fn renamed(class: &str) -> Option<String> {
    RENAMED.contains(&class).then(|| {
        let name = simple(class);
        format!(
            "WARNING: {class} is deprecated and will be removed in the next major release. Please use {PACKAGE}{name} instead"
        )
    })
}

/// A class's name without its package.
fn simple(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or_default()
}

impl Formatter {
    /// The formatter of a class, with or without its package, and its properties.
    pub(super) fn named(
        class: &str,
        properties: &BTreeMap<String, String>,
        era: Era,
    ) -> Result<Self, Failure> {
        let style = if class.starts_with(PACKAGE) { Style::Json } else { Style::Text(era) };
        Ok(match simple(class) {
            "DefaultMessageFormatter" | "LoggingMessageFormatter" => {
                Self::Default(Box::new(Columns::new(properties)?))
            }
            "NoOpMessageFormatter" => Self::Nothing,
            "ChecksumMessageFormatter" => Self::Checksum(properties.get("topic").cloned()),
            "OffsetsMessageFormatter" => Self::Offsets(style),
            "GroupMetadataMessageFormatter" => Self::Groups(style),
            "TransactionLogMessageFormatter" => Self::Transactions(style),
            _ => return Err(Failure::new("java.lang.ClassNotFoundException", class)),
        })
    }

    /// Appends a record's text. On failure nothing is appended.
    pub(super) fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let start = out.len();
        let written = match self {
            Self::Default(columns) => columns.write(record, out),
            Self::Nothing => Ok(()),
            Self::Checksum(topic) => {
                if let Some(topic) = topic {
                    out.extend_from_slice(topic.as_bytes());
                    out.push(b':');
                }
                out.extend_from_slice(format!("checksum:{}\n", record.checksum()).as_bytes());
                Ok(())
            }
            Self::Offsets(Style::Text(era)) => group_records::write_offset(record, *era, out),
            Self::Offsets(Style::Json) => group_json::write_offset(record, out),
            Self::Groups(Style::Text(era)) => group_records::write_group(record, *era, out),
            Self::Groups(Style::Json) => group_json::write_group(record, out),
            Self::Transactions(Style::Text(era)) => transactions::write_text(record, *era, out),
            Self::Transactions(Style::Json) => transactions::write_json(record, out),
        };
        if written.is_err() {
            out.truncate(start);
        }
        written
    }
}

/// Columns of `DefaultMessageFormatter`, in the order in which they are written.
#[derive(Debug)]
pub(super) struct Columns {
    timestamp: bool,
    partition: bool,
    offset: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: Vec<u8>,
    line_separator: Vec<u8>,
    headers_separator: Vec<u8>,
    null_literal: Vec<u8>,
    key_deserializer: Deserializer,
    value_deserializer: Deserializer,
    headers_deserializer: Deserializer,
}

impl Columns {
    fn new(properties: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let flag = |name: &str, default: bool| {
            properties.get(name).map_or(default, |text| text.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| {
            properties.get(name).map_or(default, String::as_str).as_bytes().to_vec()
        };
        let class = |names: &[&str]| {
            let class = names.iter().find_map(|name| properties.get(*name)).filter(|class| !class.is_empty());
            class.map_or(Ok(Deserializer::Bytes), |class| Deserializer::named(class))
        };
        Ok(Self {
            timestamp: flag("print.timestamp", false),
            partition: flag("print.partition", false),
            offset: flag("print.offset", false),
            headers: flag("print.headers", false),
            key: flag("print.key", false),
            value: flag("print.value", true),
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
            key_deserializer: class(&["key.deserializer"])?,
            value_deserializer: class(&["value.deserializer"])?,
            headers_deserializer: class(&["headers.deserializer", "header.deserializer"])?,
        })
    }

    fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let columns = [self.timestamp, self.partition, self.offset, self.headers, self.key, self.value];
        for (index, _) in columns.iter().enumerate().filter(|(_, wanted)| **wanted) {
            match index {
                0 => write_time(record.timestamp, out),
                1 => out.extend_from_slice(format!("Partition:{}", record.partition).as_bytes()),
                2 => out.extend_from_slice(format!("Offset:{}", record.offset).as_bytes()),
                3 => self.write_headers(record, out)?,
                4 => self.show(record.key, self.key_deserializer, out)?,
                _ => self.show(record.value, self.value_deserializer, out)?,
            }
            let last = !columns[index + 1..].contains(&true);
            out.extend_from_slice(if last { &self.line_separator } else { &self.key_separator });
        }
        Ok(())
    }

    fn write_headers(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        if record.headers.is_empty() {
            out.extend_from_slice(b"NO_HEADERS");
        }
        for (index, (key, value)) in record.headers.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(&self.headers_separator);
            }
            out.extend_from_slice(key.as_bytes());
            out.push(b':');
            self.show(*value, self.headers_deserializer, out)?;
        }
        Ok(())
    }

    fn show(
        &self,
        bytes: Option<&[u8]>,
        deserializer: Deserializer,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        match bytes {
            Some(bytes) => deserializer.show(bytes, out),
            None => {
                out.extend_from_slice(&self.null_literal);
                Ok(())
            }
        }
    }
}

fn write_time(time: Time, out: &mut Vec<u8>) {
    let mut text = String::new();
    let _ = match time {
        Time::None => write!(text, "NO_TIMESTAMP"),
        Time::Create(time) => write!(text, "CreateTime:{time}"),
        Time::LogAppend(time) => write!(text, "LogAppendTime:{time}"),
    };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record<'static> {
        Record {
            topic: "t",
            partition: 3,
            offset: 42,
            timestamp: Time::Create(1_700_000_000_000),
            key: Some(b"k"),
            value: Some(b"v"),
            headers: vec![("h1", Some(b"a")), ("h2", None)],
        }
    }

    fn written(class: &str, properties: &[&str], record: &Record<'_>) -> String {
        let properties = properties
            .iter()
            .filter_map(|p| p.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        let mut out = Vec::new();
        Formatter::named(class, &properties, Era::New).unwrap().write(record, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_columns_that_are_asked_for_are_written_in_kafkas_order() {
        let all = [
            "print.key=true",
            "print.headers=true",
            "print.offset=true",
            "print.partition=true",
            "print.timestamp=true",
        ];
        let cases: [(&[&str], &str); 6] = [
            (&[], "v\n"),
            (&["print.key=true"], "k\tv\n"),
            (&["print.key=true", "print.value=false"], "k\n"),
            (&all, "CreateTime:1700000000000\tPartition:3\tOffset:42\th1:a,h2:null\tk\tv\n"),
            (&["print.key=true", "key.separator= | ", "line.separator=;"], "k | v;"),
            (&["print.value=false"], ""),
        ];
        for (properties, text) in cases {
            assert_eq!(
                written("kafka.tools.DefaultMessageFormatter", properties, &record()),
                text,
                "{properties:?}"
            );
        }
    }

    #[test]
    fn what_is_absent_has_a_word() {
        let bare = Record { timestamp: Time::None, key: None, value: None, headers: Vec::new(), ..record() };
        let properties = ["print.key=true", "print.headers=true", "print.timestamp=true"];
        assert_eq!(
            written("DefaultMessageFormatter", &properties, &bare),
            "NO_TIMESTAMP\tNO_HEADERS\tnull\tnull\n"
        );
        assert_eq!(written("DefaultMessageFormatter", &["null.literal=-"], &bare), "-\n");
    }

    #[test]
    fn a_record_that_cannot_be_shown_leaves_nothing_behind() {
        let properties = BTreeMap::from([
            ("print.key".to_owned(), "true".to_owned()),
            ("value.deserializer".to_owned(), "LongDeserializer".to_owned()),
        ]);
        let mut out = b"before".to_vec();
        let formatter = Formatter::named("DefaultMessageFormatter", &properties, Era::New).unwrap();
        assert!(formatter.write(&record(), &mut out).is_err());
        assert_eq!(out, b"before");
    }

    #[test]
    fn the_small_formatters() {
        assert_eq!(written("org.apache.kafka.tools.consumer.NoOpMessageFormatter", &[], &record()), "");
        let text = written("kafka.tools.ChecksumMessageFormatter", &["topic=t"], &record());
        assert_eq!(text, format!("t:checksum:{}\n", record().checksum()));
    }

    #[test]
    fn old_names_are_answered_with_the_new_ones() {
        let old = "kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter";
        assert_eq!(
            renamed(old).unwrap(),
            format!(
                "WARNING: {old} is deprecated and will be removed in the next major release. Please use \
                 org.apache.kafka.tools.consumer.OffsetsMessageFormatter instead"
            )
        );
        assert_eq!(renamed("kafka.tools.ChecksumMessageFormatter"), None);
        assert_eq!(renamed("org.apache.kafka.tools.consumer.DefaultMessageFormatter"), None);
    }

    /// What a formatter of each generation writes of a record of Kafka's own.
    fn own(class: &str, key: &[u8], value: Option<&[u8]>) -> [String; 3] {
        let record = Record { key: Some(key), value, ..record() };
        let shown = |class: &str, era| {
            let mut out = Vec::new();
            let formatter = Formatter::named(class, &BTreeMap::new(), era).unwrap();
            formatter.write(&record, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let old = format!("kafka.coordinator.any.Of${class}");
        [
            shown(&old, Era::Old),
            shown(&old, Era::New),
            shown(&format!("org.apache.kafka.tools.consumer.{class}"), Era::New),
        ]
    }

    #[test]
    fn transactions_are_written_as_kafka_writes_them() {
        use vltava_protocol::transaction_records::{
            PartitionsSchema, TransactionLogKey, TransactionLogValue,
        };
        let key = TransactionLogKey { transactional_id: "tx".into() }.to_bytes().unwrap();
        let value = TransactionLogValue {
            producer_id: 7,
            producer_epoch: 2,
            transaction_timeout_ms: 60_000,
            transaction_status: 1,
            transaction_partitions: Some(vec![PartitionsSchema {
                topic: "t".into(),
                partition_ids: vec![0, 1],
                ..Default::default()
            }]),
            transaction_last_update_timestamp_ms: 20,
            transaction_start_timestamp_ms: 10,
            ..Default::default()
        };
        let value = value.to_bytes(0).unwrap();
        let class = "TransactionLogMessageFormatter";
        let [old, new, json] = own(class, &key, Some(&value));
        let text = |set: &str| {
            format!(
                "tx::TransactionMetadata(transactionalId=tx, producerId=7, producerEpoch=2, txnTimeoutMs=60000, state=Ongoing, \
                 pendingState=None, topicPartitions={set}(t-1, t-0), txnStartTimestamp=10, txnLastUpdateTimestamp=20)\n"
            )
        };
        assert_eq!((old, new), (text("Set"), text("HashSet")));
        assert_eq!(
            json,
            r#"{"key":{"version":0,"data":{"transactionalId":"tx"}},"value":{"version":0,"data":{"producerId":7,"producerEpoch":2,"transactionTimeoutMs":60000,"transactionStatus":1,"transactionPartitions":[{"topic":"t","partitionIds":[0,1]}],"transactionLastUpdateTimestampMs":20,"transactionStartTimestampMs":10}}}"#
        );
        let [old, _, json] = own(class, &key, None);
        assert_eq!(old, "tx::NULL\n");
        assert_eq!(json, r#"{"key":{"version":0,"data":{"transactionalId":"tx"}},"value":null}"#);
        let [old, _, json] = own(class, &[0, 9, 0], None);
        assert_eq!(old, "unknown::version=9\n");
        assert_eq!(json, r#"{"key":{"version":9,"data":"unknown"},"value":null}"#);
    }

    #[test]
    fn offsets_and_groups_are_written_in_each_eras_words() {
        use vltava_protocol::group_records::{OffsetCommitKey, OffsetCommitValue};
        let key = OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 3 };
        let value = OffsetCommitValue { offset: 5, commit_timestamp: 10, ..Default::default() };
        let (key, value) = (key.to_bytes().unwrap(), value.to_bytes(3).unwrap());
        let [old, new, _] = own("OffsetsMessageFormatter", &key, Some(&value));
        assert_eq!(old, "[g,t,3]::[OffsetMetadata[5,NO_METADATA],CommitTime 10,ExpirationTime -1]\n");
        assert_eq!(
            new,
            "[g,t,3]::OffsetAndMetadata(offset=5, leaderEpoch=Optional.empty, metadata=, commitTimestamp=10, expireTimestamp=None)\n"
        );
    }
}
