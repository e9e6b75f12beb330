//! Quotas: limits that a user sets below `/zookeeper/quota`, and what is in use, which the server keeps beside them.

use std::collections::BTreeMap;
use std::fmt;

/// Counts of nodes and bytes, used or allowed, as text in a node: `count=3,bytes=120=;byteHardLimit=500`. Absent means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    values: BTreeMap<String, i64>,
}

impl Usage {
    /// Nodes and bytes that are in use.
    #[must_use]
    pub fn new(count: i64, bytes: i64) -> Usage {
        let mut usage = Usage::default();
        usage.values.insert("count".into(), count);
        usage.values.insert("bytes".into(), bytes);
        usage
    }

    /// Reads what it can of a node's data; a user may write anything there.
    #[must_use]
    pub fn parse(data: &[u8]) -> Usage {
        let text = String::from_utf8_lossy(data);
        let pairs = text.split([',', ';']).filter_map(|pair| {
            let mut parts = pair.split('=');
            let (key, value) = (parts.next()?, parts.next()?);
            let value = if value.is_empty() { -1 } else { value.parse().ok()? };
            Some((key.to_owned(), value))
        });
        Usage { values: pairs.collect() }
    }

    /// One of the values, -1 where it is not said.
    #[must_use]
    pub fn get(&self, key: &str) -> i64 {
        self.values.get(key).copied().unwrap_or(-1)
    }

    /// Says one of the values; -1 for no limit.
    pub fn set(&mut self, key: &str, value: i64) {
        self.values.insert(key.to_owned(), value);
    }

    /// The usage after a change.
    #[must_use]
    pub fn plus(mut self, count: i64, bytes: i64) -> Usage {
        let (new_count, new_bytes) =
            (self.get("count").saturating_add(count), self.get("bytes").saturating_add(bytes));
        self.values.insert("count".into(), new_count);
        self.values.insert("bytes".into(), new_bytes);
        self
    }

    /// Whether adding so much to `used` breaks one of these hard limits.
    #[must_use]
    pub fn forbids(&self, used: &Usage, count: i64, bytes: i64) -> bool {
        self.is_broken(["countHardLimit", "byteHardLimit"], used, count, bytes)
    }

    /// Whether it breaks one of the soft limits, of which ZooKeeper only warns.
    #[must_use]
    pub fn warns(&self, used: &Usage, count: i64, bytes: i64) -> bool {
        self.is_broken(["count", "bytes"], used, count, bytes)
    }

    fn is_broken(&self, [nodes, size]: [&str; 2], used: &Usage, count: i64, bytes: i64) -> bool {
        let exceeds =
            |limit: i64, used: i64, more: i64| more != 0 && limit > -1 && used.saturating_add(more) > limit;
        exceeds(self.get(nodes), used.get("count"), count)
            || exceeds(self.get(size), used.get("bytes"), bytes)
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "count={},bytes={}", self.get("count"), self.get("bytes"))?;
        let mut others =
            self.values.iter().filter(|(key, _)| !matches!(key.as_str(), "count" | "bytes")).peekable();
        if others.peek().is_some() {
            // Old readers stop at the second equals sign.
            f.write_str("=")?;
        }
        for (key, value) in others {
            write!(f, ";{key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_apaches() {
        assert_eq!(Usage::new(1, 0).plus(2, 5).to_string(), "count=3,bytes=5");
        let limits = Usage::parse(b"count=4,bytes=-1=;byteHardLimit=10;countHardLimit=-1");
        assert_eq!(limits.to_string(), "count=4,bytes=-1=;byteHardLimit=10;countHardLimit=-1");
        assert!(limits.forbids(&Usage::new(1, 9), 0, 2));
        assert!(!limits.forbids(&Usage::new(9, 9), 1, 1));
        assert!(limits.warns(&Usage::new(4, 0), 1, 0) && !limits.warns(&Usage::new(3, 0), 1, 0));
        assert!(!limits.warns(&Usage::new(9, 0), 0, 1), "nothing was counted that is limited");
        assert_eq!(Usage::parse(b"\xffnonsense,,==").get("count"), -1);
    }
}
