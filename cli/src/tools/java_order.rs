//! The order in which Java's hash maps give their keys, which several of Kafka's tools print.

/// Sorts `entries` as a `HashMap` (or the `ConcurrentHashMap` inside `Properties`) with these keys iterates over them, up to the order
/// within one bucket, which depends on history.
pub(crate) fn sort<T>(entries: &mut [T], key: impl Fn(&T) -> &str) {
    let buckets = buckets_grown(entries.len());
    entries.sort_by_cached_key(|entry| {
        let hash = string_hash(key(entry));
        ((hash ^ (hash >> 16)) & (buckets - 1), key(entry).to_owned())
    });
}

/// The same of keys that are no texts, by their `hashCode`; within one bucket the order stays.
pub(crate) fn sort_grown<T>(entries: &mut [T], hash: impl Fn(&T) -> u32) {
    let buckets = buckets_grown(entries.len());
    entries.sort_by_key(|entry| {
        let hash = hash(entry);
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
}

/// The buckets of a `HashMap` to which so many entries were added: 16 at first, twice as many whenever they are three quarters full.
fn buckets_grown(entries: usize) -> u32 {
    let mut buckets: u32 = 16;
    while entries as u64 * 4 > u64::from(buckets) * 3 && buckets < 1 << 30 {
        buckets *= 2;
    }
    buckets
}

/// Sorts `entries` as a `HashMap` iterates over them that was made with room for just so many. `hash` is the `hashCode` of a key; within
/// one bucket the order stays.
pub(crate) fn sort_fitted<T>(entries: &mut [T], hash: impl Fn(&T) -> u32) {
    let mut buckets = (entries.len() as u64).next_power_of_two();
    while entries.len() as u64 * 4 > buckets * 3 && buckets < 1 << 30 {
        buckets *= 2;
    }
    entries.sort_by_key(|entry| {
        let hash = hash(entry);
        u64::from(hash ^ (hash >> 16)) & (buckets - 1)
    });
}

/// Sorts `entries` as a hash set of Scala 2.13 iterates over them, which begins with 16 buckets and sorts each by hash.
pub(crate) fn sort_hashed<T>(entries: &mut [T], hash: impl Fn(&T) -> u32) {
    let mut buckets: u32 = 16;
    while entries.len() as u64 * 4 >= u64::from(buckets) * 3 && buckets < 1 << 30 {
        buckets *= 2;
    }
    entries.sort_by_key(|entry| {
        let hash = hash(entry);
        let improved = hash ^ (hash >> 16);
        (improved & (buckets - 1), improved.cast_signed())
    });
}

/// Sorts `entries` as a hash set of Scala 2.11 iterates over them: a flat table of 32 places, twice as many whenever it is 45 % full, in which
/// what finds its place taken goes to the next.
pub(crate) fn sort_flat<T>(entries: &mut Vec<T>, hash: impl Fn(&T) -> u32) {
    let mut places: usize = 32;
    while entries.len() * 1000 >= places * 450 {
        places *= 2;
    }
    let bits = places.trailing_zeros();
    let mut table: Vec<Option<T>> = Vec::new();
    table.resize_with(places, || None);
    for entry in entries.drain(..) {
        let mixed = hash(&entry).wrapping_mul(0x9e37_75cd).swap_bytes().wrapping_mul(0x9e37_75cd);
        let mut place = (mixed.rotate_right(bits) >> (32 - bits)) as usize;
        while table.get(place).is_some_and(Option::is_some) {
            place = (place + 1) % places;
        }
        if let Some(free) = table.get_mut(place) {
            *free = Some(entry);
        }
    }
    entries.extend(table.into_iter().flatten());
}

/// `String.hashCode`.
pub(crate) fn string_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// `TopicPartition.hashCode`.
pub(crate) fn partition_hash(topic: &str, partition: i32) -> u32 {
    let start = 31_u32.wrapping_add(partition.cast_unsigned());
    start.wrapping_mul(31).wrapping_add(string_hash(topic))
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

    #[test]
    fn a_map_that_was_made_to_measure_has_fewer_buckets() {
        // `new HashMap<>(3)` has 4 of them: the hashes 5 and 4 are in 1 and 0, 6 is in 2. Of 4 entries it makes 8.
        let mut hashes = [6_u32, 5, 4];
        sort_fitted(&mut hashes, |hash| *hash);
        assert_eq!(hashes, [4, 5, 6]);
        let mut hashes = [9_u32, 6, 5, 4];
        sort_fitted(&mut hashes, |hash| *hash);
        assert_eq!(hashes, [9, 4, 5, 6]);
    }
}
