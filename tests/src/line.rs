//! The lines that test programs print: a word, then fields, separated by tabs. Any other line is the library's log.

use std::collections::BTreeSet;

/// A record as a consumer saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Milliseconds; none where the client does not know timestamps.
    pub timestamp: Option<i64>,
    /// The key as text.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// `name=value,...`; none where the client does not know headers.
    pub headers: Option<String>,
}

/// One line of a test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The topic exists.
    Created,
    /// The broker acknowledged the record with this key; an old producer is not told the offset.
    Acked {
        /// Its partition.
        partition: i32,
        /// Its offset.
        offset: Option<i64>,
        /// Its key.
        key: String,
    },
    /// A record was read.
    Record(Record),
    /// The member owns exactly these partitions now.
    Assigned(BTreeSet<i32>),
    /// The answer to a look-up; -1 where there is none.
    Offset {
        /// The partition asked for.
        partition: i32,
        /// The time asked for.
        time: i64,
        /// The offset.
        offset: i64,
    },
    /// The member left its group.
    Left,
    /// What went wrong, in the client's words.
    Error(String),
}

/// The lines of a program's output that are not log lines. A last line that is not yet ended is left for later.
#[must_use]
pub fn parse(output: &str) -> Vec<Line> {
    let ended = output.rfind('\n').map_or("", |end| &output[..end]);
    ended.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Line> {
    let fields: Vec<&str> = line.split('\t').collect();
    Some(match fields[..] {
        ["created", _] => Line::Created,
        ["left"] => Line::Left,
        ["error", text] => Line::Error(text.to_owned()),
        ["acked", partition, offset, key] => Line::Acked {
            partition: number(partition, line),
            offset: known(offset, line),
            key: key.to_owned(),
        },
        ["assigned", "-"] => Line::Assigned(BTreeSet::new()),
        ["assigned", list] => Line::Assigned(list.split(',').map(|p| number(p, line)).collect()),
        ["offset", partition, time, offset] => Line::Offset {
            partition: number(partition, line),
            time: number(time, line),
            offset: number(offset, line),
        },
        ["record", partition, offset, timestamp, key, value, headers] => Line::Record(Record {
            partition: number(partition, line),
            offset: number(offset, line),
            timestamp: known(timestamp, line),
            key: key.to_owned(),
            value: value.to_owned(),
            headers: (headers != "-").then(|| headers.to_owned()),
        }),
        _ => return None,
    })
}

fn known<T: std::str::FromStr>(text: &str, line: &str) -> Option<T> {
    (text != "-").then(|| number(text, line))
}

fn number<T: std::str::FromStr>(text: &str, line: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("«{text}» is no number, in the line «{line}»"))
}
