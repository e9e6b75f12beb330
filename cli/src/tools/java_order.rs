//! The order in which Java's hash maps give their keys, which several of Kafka's tools print.

/// Sorts `entries` as a `HashMap` (or the `ConcurrentHashMap` inside `Properties`) with these keys iterates over them, up to the order
/// within one bucket, which depends on history.
pub(crate) fn sort<T>(entries: &mut [T], key: impl Fn(&T) -> &str) {
    // 16 buckets at first, twice as many whenever they are three quarters full.
    let mut buckets: u32 = 16;
    while entries.len() as u64 * 4 > u64::from(buckets) * 3 && buckets < 1 << 30 {
        buckets *= 2;
    }
    entries.sort_by_cached_key(|entry| {
        let hash = string_hash(key(entry));
        ((hash ^ (hash >> 16)) & (buckets - 1), key(entry).to_owned())
    });
}

/// `String.hashCode`.
fn string_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_as_java_gives_them() {
        let mut keys = vec!["consumer_byte_rate", "producer_byte_rate"];
        sort(&mut keys, |key| key);
        assert_eq!(keys, ["producer_byte_rate", "consumer_byte_rate"]);
        let mut keys = vec!["error", "logDir", "partitions"];
        sort(&mut keys, |key| key);
        assert_eq!(keys, ["partitions", "error", "logDir"]);
        assert_eq!(string_hash("retention.ms"), string_hash("retention.ms"));
        assert_eq!(string_hash("ab"), 97 * 31 + 98);
    }
}
