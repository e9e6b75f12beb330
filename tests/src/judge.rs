//! What was sent, and whether it arrived: nothing lost, nothing twice, in order, with the right bytes.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Client;
use crate::content;
use crate::line::{Line, Record};

/// Partitions of every topic of these tests; the n-th record of a codec goes to partition n % 3.
pub const PARTITIONS: [i32; 3] = [0, 1, 2];

/// A record that the broker acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    key: String,
    value: String,
    partition: i32,
    offset: Option<i64>,
    timestamp: Option<i64>,
    headers: Option<String>,
}

/// One run of a producing command.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// The codecs, one after the other.
    pub codecs: &'a [&'a str],
    /// Records a codec.
    pub count: i32,
    /// What the keys begin with; no two runs on one topic have the same.
    pub tag: &'a str,
    /// The timestamp of the first record; each next one is a millisecond later.
    pub time: i64,
}

impl Load<'_> {
    /// The arguments of the command.
    #[must_use]
    pub fn arguments(&self, command: &str, bootstrap: &str, topic: &str) -> [String; 7] {
        let (codecs, count, time) = (self.codecs.join(","), self.count.to_string(), self.time.to_string());
        [command, bootstrap, topic, &codecs, &count, self.tag, &time].map(str::to_owned)
    }

    /// What the run must have sent, with the offsets that it was told; every record must be acknowledged once.
    #[must_use]
    pub fn sent(&self, client: &Client, lines: &[Line]) -> Vec<Sent> {
        let mut acked = BTreeMap::new();
        for line in lines {
            if let Line::Acked { partition, offset, key } = line {
                assert!(
                    acked.insert(key.clone(), (*partition, *offset)).is_none(),
                    "{key} is acknowledged twice"
                );
            }
        }
        let mut sent = Vec::new();
        let numbers = self.codecs.iter().flat_map(|codec| (0..self.count).map(move |n| (*codec, n)));
        for (place, (codec, n)) in numbers.enumerate() {
            let key = content::key(self.tag, codec, n);
            let (partition, offset) =
                acked.remove(&key).unwrap_or_else(|| panic!("{}: {key} is not acknowledged", client.name));
            assert_eq!(partition, n % 3, "{}: the partition of {key}", client.name);
            sent.push(Sent {
                value: content::value(&key, n),
                partition,
                offset,
                timestamp: client.timestamps.then(|| self.time + i64::try_from(place).unwrap()),
                headers: client.headers.then(|| format!("tag={}", self.tag)),
                key,
            });
        }
        assert!(acked.is_empty(), "{}: acknowledged but never sent: {acked:?}", client.name);
        sent
    }
}

/// Checks what the members of one group read, each list in the order of reading, against all that was sent to the topic.
pub fn everything_arrived(who: &str, sent: &[Sent], read: &[Vec<Record>]) {
    for records in read {
        let mut last = BTreeMap::new();
        for record in records {
            let before = last.insert(record.partition, record.offset);
            assert!(before < Some(record.offset), "{who}: read offset {before:?} and then {record:?}");
        }
    }
    let mut by_place = BTreeMap::new();
    for record in read.iter().flatten() {
        let place = (record.partition, record.offset);
        assert!(by_place.insert(place, record).is_none(), "{who}: read twice: {record:?}");
    }
    let mut by_key: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in by_place.values() {
        let other = by_key.insert(&record.key, record);
        assert!(other.is_none(), "{who}: stored twice: {record:?} and {other:?}");
    }
    for expected in sent {
        let found = by_key.get(expected.key.as_str());
        let record = found.unwrap_or_else(|| panic!("{who}: lost: {}", expected.key));
        assert_eq!(record.value, expected.value, "{who}: the value of {record:?}");
        assert_eq!(record.partition, expected.partition, "{who}: the partition of {record:?}");
        if expected.offset.is_some() {
            assert_eq!(Some(record.offset), expected.offset, "{who}: the offset of {record:?}");
        }
        if record.timestamp.is_some() && expected.timestamp.is_some() {
            assert_eq!(record.timestamp, expected.timestamp, "{who}: the timestamp of {record:?}");
        }
        if record.headers.is_some() && expected.headers.is_some() {
            assert_eq!(record.headers, expected.headers, "{who}: the headers of {record:?}");
        }
    }
    assert_eq!(by_place.len(), sent.len(), "{who}: records that nobody sent");
    for partition in PARTITIONS {
        let offsets: Vec<i64> = by_place.keys().filter(|k| k.0 == partition).map(|k| k.1).collect();
        let expected: Vec<i64> = (0..i64::try_from(offsets.len()).unwrap()).collect();
        assert_eq!(offsets, expected, "{who}: the offsets of partition {partition}");
    }
    in_order_of_sending(who, sent, &by_key);
}

/// What one run sent to one partition lies there in the order of sending: a run has one producer after the other, a codec each, and each
/// begins when everything of the one before is acknowledged.
fn in_order_of_sending(who: &str, sent: &[Sent], by_key: &BTreeMap<&str, &Record>) {
    let mut last: BTreeMap<(i32, &str), i64> = BTreeMap::new();
    for expected in sent {
        // TAG.CODEC.N, and a tag may have dots of its own.
        let tag = expected.key.rsplitn(3, '.').nth(2).expect("a tag");
        let offset = by_key[expected.key.as_str()].offset;
        let before = last.insert((expected.partition, tag), offset);
        assert!(before < Some(offset), "{who}: {} lies before one sent earlier ({before:?})", expected.key);
    }
}

/// The answers of the command `offsets`, for one time.
#[must_use]
pub fn offsets_at(lines: &[Line], time: i64) -> BTreeMap<i32, i64> {
    lines
        .iter()
        .filter_map(|line| match line {
            Line::Offset { partition, time: at, offset } if *at == time => Some((*partition, *offset)),
            _ => None,
        })
        .collect()
}

/// What a look-up by time must answer for these records: the first offset with that timestamp or a later one, else -1.
#[must_use]
pub fn first_at_or_after(time: i64, records: &[Record]) -> BTreeMap<i32, i64> {
    let mut found: BTreeMap<i32, i64> = PARTITIONS.iter().map(|partition| (*partition, -1)).collect();
    let ordered: BTreeSet<(i32, i64, Option<i64>)> =
        records.iter().map(|r| (r.partition, r.offset, r.timestamp)).collect();
    for (partition, offset, timestamp) in ordered {
        let first = found.get_mut(&partition).expect("one of the three");
        if *first == -1 && timestamp >= Some(time) {
            *first = offset;
        }
    }
    found
}
