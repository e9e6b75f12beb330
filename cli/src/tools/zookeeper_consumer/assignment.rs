//! The range assignment of Kafka's Scala consumer.

use std::collections::{BTreeMap, BTreeSet};

/// The partitions of `topic` that belong to each consumer thread: consumers sorted by name take consecutive ranges of the sorted
/// partitions, and those in front take one more where the division leaves a rest.
pub(super) fn range(partitions: &BTreeSet<i32>, consumers: &BTreeSet<String>) -> BTreeMap<String, Vec<i32>> {
    let mut assignment = BTreeMap::new();
    if consumers.is_empty() {
        return assignment;
    }
    let (each, rest) = (partitions.len() / consumers.len(), partitions.len() % consumers.len());
    let mut partitions = partitions.iter().copied();
    for (position, consumer) in consumers.iter().enumerate() {
        let count = each + usize::from(position < rest);
        assignment.insert(consumer.clone(), partitions.by_ref().take(count).collect());
    }
    assignment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_the_scala_consumers() {
        /// How many partitions there are, the threads, and what each has.
        type Case<'a> = (i32, &'a [&'a str], &'a [&'a [i32]]);
        let cases: [Case<'_>; 5] = [
            (3, &["a-0"], &[&[0, 1, 2]]),
            (3, &["a-0", "b-0"], &[&[0, 1], &[2]]),
            (2, &["a-0", "b-0", "c-0"], &[&[0], &[1], &[]]),
            // As text, the tenth thread comes before the second.
            (3, &["a-2", "a-10"], &[&[2], &[0, 1]]),
            (0, &["a-0"], &[&[]]),
        ];
        for (count, consumers, expected) in cases {
            let assignment =
                range(&(0..count).collect(), &consumers.iter().map(|c| (*c).to_owned()).collect());
            for (consumer, partitions) in consumers.iter().zip(expected) {
                assert_eq!(assignment[*consumer], *partitions, "{count} {consumers:?} {consumer}");
            }
        }
    }
}
