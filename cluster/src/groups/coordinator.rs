//! Which partition of `__consumer_offsets` keeps a group, and so which broker coordinates it.

/// The partition of `group` among `partitions`: Java's `String.hashCode`, made non-negative as Kafka does it, modulo their number.
#[must_use]
pub fn partition_for(group: &str, partitions: i32) -> i32 {
    let hash =
        group.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive % partitions.max(1)
}

#[cfg(test)]
mod tests {
    use super::partition_for;

    #[test]
    fn the_hash_is_javas() {
        // As jshell prints them; the last is Integer.MIN_VALUE, which Kafka counts as 0.
        for (group, hash) in
            [("", 0), ("a", 97), ("hello", 99_162_322), ("žluť", 11_487_934), ("polygenelubricants", 0)]
        {
            assert_eq!(partition_for(group, i32::MAX), hash, "{group}");
        }
        assert_eq!(partition_for("hello", 50), 22);
        // A negative hash counts by its absolute value, not by its lower bits; characters beyond the basic plane are two.
        assert_eq!(partition_for("golden-group", i32::MAX), 1_429_646_149);
        assert_eq!(partition_for("\u{1F600}", 1_000_000), (0xD83D * 31 + 0xDE00) % 1_000_000);
    }
}
