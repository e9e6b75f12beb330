//! Who leads: pure functions from an assignment and the live brokers to the next state.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Broker, LeaderAndIsr, NO_LEADER, ReplicaAssignment};

/// The live brokers, by id.
pub(super) type Live = BTreeMap<i32, Broker>;

/// The first state of a new partition: every live replica is in sync, the first of them leads. `None` while no replica lives.
pub(super) fn first(
    assignment: &ReplicaAssignment,
    live: &Live,
    controller_epoch: i32,
) -> Option<LeaderAndIsr> {
    let isr: Vec<i32> = assignment.replicas.iter().copied().filter(|id| live.contains_key(id)).collect();
    let leader = *isr.first()?;
    Some(LeaderAndIsr { leader, leader_epoch: 0, isr, recovering: false, controller_epoch })
}

/// The state that should replace `current`, or `None` when it is right: a dead leader is replaced by the first live replica
/// of the ISR, or where `unclean` allows, by any live replica; dead brokers leave the ISR, but the last ones stay in it: they
/// alone have everything that is committed.
///
/// Those of the live brokers who have been away (`returned`) leave the ISR and lead no more, as long as another member has not been; else each of
/// them may lead as well as any other, but in a new epoch.
pub(super) fn next(
    assignment: &ReplicaAssignment,
    current: &LeaderAndIsr,
    live: &Live,
    returned: &BTreeSet<i32>,
    unclean: bool,
    controller_epoch: i32,
) -> Option<LeaderAndIsr> {
    let stayed: Vec<i32> = current.isr.iter().copied().filter(|id| !returned.contains(id)).collect();
    let isr = if stayed.is_empty() { &current.isr } else { &stayed };
    let live_isr: Vec<i32> = isr.iter().copied().filter(|id| live.contains_key(id)).collect();
    let step = |leader: i32, isr: Vec<i32>, recovering: bool| {
        Some(LeaderAndIsr {
            leader,
            leader_epoch: current.leader_epoch.saturating_add(1),
            isr,
            recovering,
            controller_epoch,
        })
    };
    if live.contains_key(&current.leader) && !returned.contains(&current.leader) {
        let shrinks = live_isr.len() < current.isr.len() && !live_isr.is_empty();
        return if shrinks { step(current.leader, live_isr, current.recovering) } else { None };
    }
    let preferred = assignment.replicas.iter().copied().find(|id| live_isr.contains(id));
    if let Some(leader) = preferred {
        return step(leader, live_isr, current.recovering);
    }
    let any = assignment.replicas.iter().copied().find(|id| live.contains_key(id));
    match any {
        Some(leader) if unclean => step(leader, vec![leader], true),
        _ if current.leader == NO_LEADER => None,
        _ => step(NO_LEADER, isr.clone(), current.recovering),
    }
}

/// The state without the brokers that are about to stop, or `None` where it needs none or nobody can take over: a replica that is in sync and stays leads,
/// and those that go leave the ISR.
pub(super) fn handed_over(
    assignment: &ReplicaAssignment,
    current: &LeaderAndIsr,
    live: &Live,
    leaving: &BTreeSet<i32>,
    controller_epoch: i32,
) -> Option<LeaderAndIsr> {
    if leaving.is_empty() || !live.contains_key(&current.leader) {
        return None;
    }
    let isr: Vec<i32> = current.isr.iter().copied().filter(|id| !leaving.contains(id)).collect();
    let may_lead = |id: &i32| isr.contains(id) && live.contains_key(id);
    let leader = if leaving.contains(&current.leader) {
        assignment.replicas.iter().copied().find(may_lead)?
    } else {
        current.leader
    };
    if isr.is_empty() || (leader == current.leader && isr.len() == current.isr.len()) {
        return None;
    }
    Some(LeaderAndIsr {
        leader,
        leader_epoch: current.leader_epoch.saturating_add(1),
        isr,
        controller_epoch,
        ..current.clone()
    })
}

/// The state in which the preferred replica leads, or `None` when it leads already or may not.
pub(super) fn preferred(
    assignment: &ReplicaAssignment,
    current: &LeaderAndIsr,
    live: &Live,
    controller_epoch: i32,
) -> Option<LeaderAndIsr> {
    let leader = *assignment.replicas.first()?;
    (leader != current.leader && live.contains_key(&leader) && current.isr.contains(&leader)).then(|| {
        LeaderAndIsr {
            leader,
            leader_epoch: current.leader_epoch.saturating_add(1),
            controller_epoch,
            ..current.clone()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(ids: &[i32]) -> Live {
        ids.iter().map(|&id| (id, Broker { id, epoch: 1, endpoints: Vec::new(), rack: None })).collect()
    }

    fn state(leader: i32, isr: &[i32]) -> LeaderAndIsr {
        LeaderAndIsr { leader, leader_epoch: 4, isr: isr.to_vec(), recovering: false, controller_epoch: 1 }
    }

    #[test]
    fn a_new_partition_is_led_by_the_first_live_replica() {
        let assignment = ReplicaAssignment::of(vec![3, 1, 2]);
        let first = first(&assignment, &live(&[1, 2]), 7).expect("two replicas live");
        assert_eq!(
            (first.leader, first.isr, first.leader_epoch, first.controller_epoch),
            (1, vec![1, 2], 0, 7)
        );
        assert_eq!(super::first(&assignment, &live(&[9]), 7), None);
    }

    #[test]
    fn elections_follow_the_isr_and_the_order_of_preference() {
        struct Case {
            says: &'static str,
            current: (i32, &'static [i32]),
            live: &'static [i32],
            returned: &'static [i32],
            unclean: bool,
            next: Option<(i32, &'static [i32])>,
        }
        let cases = [
            Case {
                says: "all is well",
                current: (1, &[1, 2, 3]),
                live: &[1, 2, 3],
                returned: &[],
                unclean: false,
                next: None,
            },
            Case {
                says: "the leader died",
                current: (1, &[1, 3, 2]),
                live: &[2, 3],
                returned: &[],
                unclean: false,
                next: Some((2, &[3, 2])),
            },
            Case {
                says: "a follower died",
                current: (1, &[1, 2, 3]),
                live: &[1, 3],
                returned: &[],
                unclean: false,
                next: Some((1, &[1, 3])),
            },
            Case {
                says: "the last of the ISR died",
                current: (1, &[1]),
                live: &[2, 3],
                returned: &[],
                unclean: false,
                next: Some((-1, &[1])),
            },
            Case {
                says: "it is still dead",
                current: (-1, &[1]),
                live: &[2, 3],
                returned: &[],
                unclean: false,
                next: None,
            },
            Case {
                says: "it came back",
                current: (-1, &[1]),
                live: &[1, 2],
                returned: &[],
                unclean: false,
                next: Some((1, &[1])),
            },
            Case {
                says: "unclean is allowed",
                current: (1, &[1]),
                live: &[3, 2],
                returned: &[],
                unclean: true,
                next: Some((2, &[2])),
            },
            Case {
                says: "a follower was away",
                current: (1, &[1, 2, 3]),
                live: &[1, 2, 3],
                returned: &[2],
                unclean: false,
                next: Some((1, &[1, 3])),
            },
            Case {
                says: "the leader was away",
                current: (1, &[1, 2, 3]),
                live: &[1, 2, 3],
                returned: &[1],
                unclean: false,
                next: Some((2, &[2, 3])),
            },
            Case {
                says: "the leader was away, and who was not is dead",
                current: (1, &[1, 2]),
                live: &[1, 3],
                returned: &[1],
                unclean: false,
                next: Some((-1, &[2])),
            },
            Case {
                says: "everybody was away",
                current: (1, &[1, 2]),
                live: &[1, 2],
                returned: &[1, 2],
                unclean: false,
                next: Some((1, &[1, 2])),
            },
            Case {
                says: "nobody lives",
                current: (1, &[1, 2]),
                live: &[],
                returned: &[],
                unclean: true,
                next: Some((-1, &[1, 2])),
            },
        ];
        let assignment = ReplicaAssignment::of(vec![1, 2, 3]);
        for case in cases {
            let got = next(
                &assignment,
                &state(case.current.0, case.current.1),
                &live(case.live),
                &case.returned.iter().copied().collect(),
                case.unclean,
                9,
            );
            assert_eq!(got.as_ref().map(|s| (s.leader, s.isr.as_slice())), case.next, "{}", case.says);
            if let Some(got) = got {
                assert_eq!((got.leader_epoch, got.controller_epoch), (5, 9), "{}", case.says);
            }
        }
    }

    #[test]
    fn a_broker_that_is_about_to_stop_hands_over_what_others_can_take() {
        let assignment = ReplicaAssignment::of(vec![1, 2, 3]);
        let hand_over = |current: (i32, &[i32]), leaving: &[i32]| {
            let leaving = leaving.iter().copied().collect();
            handed_over(&assignment, &state(current.0, current.1), &live(&[1, 2, 3]), &leaving, 9)
                .map(|next| (next.leader, next.isr, next.leader_epoch))
        };
        assert_eq!(hand_over((1, &[3, 1, 2]), &[1]), Some((2, vec![3, 2], 5)));
        assert_eq!(hand_over((1, &[1, 2]), &[2]), Some((1, vec![1], 5)), "a follower leaves the ISR");
        assert_eq!(hand_over((1, &[1]), &[1]), None, "nobody else is in sync");
        assert_eq!(hand_over((1, &[1, 2]), &[1, 2]), None, "all in sync are about to stop");
        assert_eq!(hand_over((-1, &[1]), &[1]), None, "it has stopped, and was the last");
        assert_eq!(hand_over((1, &[1, 2]), &[]), None);
    }

    #[test]
    fn the_preferred_replica_leads_only_from_within_the_isr() {
        let assignment = ReplicaAssignment::of(vec![1, 2]);
        assert_eq!(preferred(&assignment, &state(2, &[2]), &live(&[1, 2]), 9), None);
        assert_eq!(preferred(&assignment, &state(2, &[2, 1]), &live(&[1, 2]), 9).map(|s| s.leader), Some(1));
        assert_eq!(preferred(&assignment, &state(1, &[2, 1]), &live(&[1, 2]), 9), None);
    }
}
