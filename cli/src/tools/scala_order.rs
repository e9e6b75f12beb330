//! The order in which Scala 2.11's hash maps give partitions, which the tools of Kafka 0.8 to 1.0 print.

use vltava_client::admin::TopicPartition;

use super::java_order::string_hash;

/// A set or map of so few entries keeps the order in which they came.
const SMALL: usize = 4;

/// `kafka.common.TopicAndPartition.hashCode`: that of a case class, by `MurmurHash3`.
pub(crate) fn hash(partition: &TopicPartition) -> u32 {
    const SEED: u32 = 0xcafe_babe;
    let mixed = mix(mix(SEED, string_hash(&partition.topic)), partition.partition.cast_unsigned());
    finish(mixed ^ 2)
}

fn mix(hash: u32, data: u32) -> u32 {
    let data = data.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    (hash ^ data).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(hash: u32) -> u32 {
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Sorts entries as a mutable map iterates over them: from the last of its buckets, three quarters full at most, to the first.
pub(crate) fn sort_mutable<T>(entries: &mut [T], key: impl Fn(&T) -> u32) {
    let mut buckets: usize = 16;
    while entries.len() > buckets * 3 / 4 {
        buckets *= 2;
    }
    let bits = buckets.trailing_zeros();
    // Of two in one bucket the later comes first.
    entries.reverse();
    entries.sort_by_key(|entry| {
        let mixed = key(entry).wrapping_mul(0x9e37_75cd).swap_bytes().wrapping_mul(0x9e37_75cd);
        std::cmp::Reverse(mixed.rotate_right(bits) >> (32 - bits))
    });
}

/// Sorts entries as an immutable map or set iterates over them: a trie by five bits of the hash after the other.
pub(crate) fn sort_immutable<T>(entries: &mut [T], key: impl Fn(&T) -> u32) {
    if entries.len() <= SMALL {
        return;
    }
    entries.sort_by_key(|entry| {
        let hash = key(entry);
        let hash = hash.wrapping_add(!(hash << 9));
        let hash = hash ^ (hash >> 14);
        let hash = hash.wrapping_add(hash << 4);
        let hash = hash ^ (hash >> 10);
        [0, 5, 10, 15, 20, 25, 30].map(|shift| (hash >> shift) & 31)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(topic: &str, numbers: impl IntoIterator<Item = i32>) -> Vec<TopicPartition> {
        numbers.into_iter().map(|partition| TopicPartition { topic: topic.to_owned(), partition }).collect()
    }

    fn numbers(partitions: &[TopicPartition]) -> Vec<i32> {
        partitions.iter().map(|partition| partition.partition).collect()
    }

    /// Both as 0.11's tools have printed them.
    #[test]
    fn partitions_come_as_scala_gives_them() {
        let mut three = partitions("golden-assigned", 0..3);
        sort_mutable(&mut three, hash);
        assert_eq!(numbers(&three), [1, 2, 0]);
        let mut all = partitions("__consumer_offsets", 0..50);
        sort_immutable(&mut all, hash);
        assert_eq!(numbers(&all)[..12], [32, 16, 49, 44, 28, 17, 23, 7, 4, 29, 35, 3]);
        let mut few = partitions("t", [3, 1, 2]);
        sort_immutable(&mut few, hash);
        assert_eq!(numbers(&few), [3, 1, 2]);
    }
}
