//! Where the replicas of new partitions go, without regard to racks: leaders round robin over the brokers, followers shifted by one more broker
//! with each round, so that the load of a broker that dies spreads over all others.

/// Why replicas cannot be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    /// No partitions.
    #[error("Number of partitions must be larger than 0.")]
    Partitions,
    /// No replicas.
    #[error("Replication factor must be larger than 0.")]
    Replicas,
    /// More replicas than brokers.
    #[error(
        "Unable to replicate the partition {wanted} time(s): The target replication factor of {wanted} cannot be reached because only {brokers} broker(s) are registered."
    )]
    TooFewBrokers {
        /// The replication factor.
        wanted: usize,
        /// The live brokers.
        brokers: usize,
    },
}

/// Replicas for `count` partitions, numbered from `first`, `factor` each, over `brokers` in ascending order. `start` and `shift` are where to begin: random for a new
/// topic; for one that grows, what continues it.
///
/// # Errors
/// See [`PlacementError`].
pub fn place(
    brokers: &[i32],
    first: usize,
    count: usize,
    factor: usize,
    (start, shift): (usize, usize),
) -> Result<Vec<Vec<i32>>, PlacementError> {
    let n = brokers.len();
    match (count, factor) {
        (0, _) => return Err(PlacementError::Partitions),
        (_, 0) => return Err(PlacementError::Replicas),
        _ if factor > n => return Err(PlacementError::TooFewBrokers { wanted: factor, brokers: n }),
        _ => {}
    }
    let replicas = |partition: usize| {
        let shift = shift.wrapping_add(partition / n);
        let leader = start.wrapping_add(partition) % n;
        let follower = move |replica: usize| {
            let step = 1 + (shift.wrapping_add(replica)) % (n - 1).max(1);
            brokers[(leader + step) % n]
        };
        std::iter::once(brokers[leader]).chain((0..factor - 1).map(follower)).collect()
    };
    Ok((first..first.saturating_add(count)).map(replicas).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn leaders_take_turns_and_followers_shift_with_each_round() {
        let placed = place(&[0, 1, 2, 3, 4], 0, 10, 3, (0, 0)).expect("five brokers");
        let expected = [
            [0, 1, 2],
            [1, 2, 3],
            [2, 3, 4],
            [3, 4, 0],
            [4, 0, 1],
            [0, 2, 3],
            [1, 3, 4],
            [2, 4, 0],
            [3, 0, 1],
            [4, 1, 2],
        ];
        assert_eq!(placed, expected);
        assert_eq!(place(&[0, 1, 2, 3, 4], 8, 2, 3, (0, 0)).expect("growing"), expected[8..]);
        assert_eq!(place(&[7], 0, 2, 1, (3, 9)), Ok(vec![vec![7], vec![7]]));
    }

    #[test]
    fn what_cannot_be_placed_is_refused_in_kafkas_words() {
        let text = |result: Result<Vec<Vec<i32>>, PlacementError>| result.expect_err("refused").to_string();
        assert_eq!(
            text(place(&[1], 0, 1, 3, (0, 0))),
            "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1 broker(s) are registered."
        );
        assert_eq!(place(&[1], 0, 0, 1, (0, 0)), Err(PlacementError::Partitions));
        assert_eq!(place(&[1], 0, 1, 0, (0, 0)), Err(PlacementError::Replicas));
        assert_eq!(place(&[], 0, 1, 1, (0, 0)), Err(PlacementError::TooFewBrokers { wanted: 1, brokers: 0 }));
    }

    proptest! {
        #[test]
        fn replicas_are_distinct_and_leaders_balanced(n in 1usize..9, count in 1usize..40, factor in 1usize..9, seed: (usize, usize)) {
            prop_assume!(factor <= n);
            let brokers: Vec<i32> = (0..n as i32).map(|id| id * 3).collect();
            let placed = place(&brokers, 0, count, factor, seed).expect("enough brokers");
            prop_assert_eq!(placed.len(), count);
            for replicas in &placed {
                prop_assert_eq!(replicas.iter().collect::<BTreeSet<_>>().len(), factor);
            }
            let led = |id: i32| placed.iter().filter(|replicas| replicas[0] == id).count();
            let counts: Vec<usize> = brokers.iter().map(|&id| led(id)).collect();
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        }
    }
}
