//! Where `--generate` proposes to put the partitions of a topic: by chance, and where brokers have racks, over those first (KIP-36).

use std::collections::{BTreeMap, BTreeSet};

use vltava_client::admin::TopicPartition;
use vltava_cluster::controller::place;

use super::plan::refused;
use crate::tools::{era::Era, failure::Failure};

const FACTOR: &str = "org.apache.kafka.common.errors.InvalidReplicationFactorException";

/// The brokers of `chosen` that there are, each with its rack. Racks are all or nothing, unless they don't matter.
pub(super) fn brokers(
    known: &BTreeMap<i32, Option<String>>,
    chosen: &[i32],
    disable_rack_aware: bool,
    era: Era,
) -> Result<BTreeMap<i32, Option<String>>, Failure> {
    let rack = |rack: &Option<String>| rack.clone().filter(|_| !disable_rack_aware);
    let known = known.iter().filter(|(id, _)| chosen.contains(id));
    let brokers: BTreeMap<_, _> = known.map(|(id, of)| (*id, rack(of))).collect();
    let with_rack = brokers.values().filter(|rack| rack.is_some()).count();
    if with_rack == 0 || with_rack == brokers.len() {
        return Ok(brokers);
    }
    Err(refused(
        era,
        "Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.",
    ))
}

/// Proposes brokers for the partitions of each topic, as many for each as the topic's first partition has.
pub(super) fn propose(
    current: &BTreeMap<TopicPartition, Vec<i32>>,
    brokers: &BTreeMap<i32, Option<String>>,
) -> Result<BTreeMap<TopicPartition, Vec<i32>>, Failure> {
    let mut topics: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (partition, replicas) in current {
        topics.entry(&partition.topic).or_insert((0, replicas.len())).0 += 1;
    }
    let mut proposed = BTreeMap::new();
    for (topic, (count, factor)) in topics {
        let start = (usize::from(rand::random::<u16>()), usize::from(rand::random::<u16>()));
        for (partition, replicas) in (0..).zip(spread(brokers, count, factor, start)?) {
            proposed.insert(TopicPartition { topic: topic.to_owned(), partition }, replicas);
        }
    }
    Ok(proposed)
}

fn spread(
    brokers: &BTreeMap<i32, Option<String>>,
    count: usize,
    factor: usize,
    start: (usize, usize),
) -> Result<Vec<Vec<i32>>, Failure> {
    if factor > brokers.len() {
        let words = format!("Replication factor: {factor} larger than available brokers: {}.", brokers.len());
        return Err(Failure::new(FACTOR, words));
    }
    let racks: Option<BTreeMap<i32, &str>> =
        brokers.iter().map(|(id, rack)| Some((*id, rack.as_deref()?))).collect();
    match racks {
        Some(racks) => Ok(over_racks(&racks, count, factor, start)),
        None => {
            let ids: Vec<i32> = brokers.keys().copied().collect();
            place(&ids, 0, count, factor, start).map_err(|error| Failure::new(FACTOR, error.to_string()))
        }
    }
}

/// Leaders go round robin over brokers that take turns by rack; each further replica goes to a rack that has none yet, as long as there is one.
fn over_racks(
    racks: &BTreeMap<i32, &str>,
    count: usize,
    factor: usize,
    (start, shift): (usize, usize),
) -> Vec<Vec<i32>> {
    let order = alternating(racks);
    let number_of_racks = racks.values().collect::<BTreeSet<_>>().len();
    let at = |index: usize| order.get(index % order.len()).copied().unwrap_or_default();
    let replicas = |partition: usize| {
        let first = partition.wrapping_add(start);
        let shift = shift.wrapping_add(partition / order.len()).wrapping_mul(number_of_racks);
        let mut chosen = vec![at(first)];
        // A round over all other brokers finds one: in a rack of its own if one is left, else anywhere.
        for step in 0..factor.saturating_mul(order.len()) {
            if chosen.len() >= factor {
                break;
            }
            let candidate =
                at((first % order.len()) + 1 + shift.wrapping_add(step) % (order.len() - 1).max(1));
            let used: BTreeSet<_> = chosen.iter().filter_map(|id| racks.get(id)).collect();
            let is_new_rack = racks.get(&candidate).is_some_and(|rack| !used.contains(rack));
            if (is_new_rack || used.len() == number_of_racks) && !chosen.contains(&candidate) {
                chosen.push(candidate);
            }
        }
        chosen
    };
    (0..count).map(replicas).collect()
}

/// The brokers, the first of each rack, then the second of each, and so on.
fn alternating(racks: &BTreeMap<i32, &str>) -> Vec<i32> {
    let mut by_rack: BTreeMap<&str, std::collections::VecDeque<i32>> = BTreeMap::new();
    for (id, rack) in racks {
        by_rack.entry(rack).or_default().push_back(*id);
    }
    let mut order = Vec::with_capacity(racks.len());
    while order.len() < racks.len() {
        order.extend(by_rack.values_mut().filter_map(std::collections::VecDeque::pop_front));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn racks(list: &[(i32, &str)]) -> BTreeMap<i32, Option<String>> {
        list.iter().map(|(id, rack)| (*id, (!rack.is_empty()).then(|| (*rack).to_owned()))).collect()
    }

    #[test]
    fn brokers_take_turns_by_rack() {
        let racks = BTreeMap::from([(0, "a"), (1, "c"), (2, "c"), (3, "b"), (4, "b"), (5, "a")]);
        assert_eq!(alternating(&racks), [0, 3, 1, 5, 4, 2]);
    }

    #[test]
    fn replicas_are_in_as_many_racks_as_there_are() {
        let brokers = racks(&[(0, "a"), (1, "a"), (2, "b"), (3, "b"), (4, "c"), (5, "c")]);
        for start in 0..12 {
            for (factor, expected) in [(1, 1), (2, 2), (3, 3), (4, 3), (6, 3)] {
                for replicas in spread(&brokers, 13, factor, (start, start * 5)).unwrap() {
                    let ids: BTreeSet<i32> = replicas.iter().copied().collect();
                    assert_eq!(ids.len(), factor, "{replicas:?}");
                    let racks: BTreeSet<_> = ids.iter().map(|id| &brokers[id]).collect();
                    assert_eq!(racks.len(), expected, "{replicas:?}");
                }
            }
        }
        let leaders: BTreeSet<i32> =
            spread(&brokers, 6, 2, (3, 1)).unwrap().into_iter().map(|replicas| replicas[0]).collect();
        assert_eq!(leaders.len(), 6);
    }

    #[test]
    fn racks_are_all_or_nothing() {
        let known = racks(&[(0, "a"), (1, ""), (2, "b")]);
        assert!(
            brokers(&known, &[0, 1], false, Era::New).unwrap_err().message.starts_with("Not all brokers")
        );
        assert_eq!(brokers(&known, &[0, 1, 7], true, Era::New).unwrap(), racks(&[(0, ""), (1, "")]));
        assert_eq!(brokers(&known, &[0, 2], false, Era::New).unwrap().len(), 2);
        let few = racks(&[(0, "")]);
        let words = "Replication factor: 2 larger than available brokers: 1.";
        assert_eq!(spread(&few, 1, 2, (0, 0)).unwrap_err().message, words);
    }
}
