//! Tables for the rules, and a simulated partition for the law: whoever the controller may elect has all that was committed.

use proptest::prelude::*;

use super::*;

const LAG: i64 = 30_000;

fn leader(isr: &[i32], replicas: &[i32], min_isr: usize, log_end: i64) -> Replication {
    let mut partition = Replication::new(1, log_end, 0, Rules { min_isr, lag_ms: LAG });
    let _ = partition.become_leader(state(1, 0, isr, replicas), log_end, 1_000).unwrap();
    partition
}

fn state(leader_epoch: i32, partition_epoch: i32, isr: &[i32], replicas: &[i32]) -> LeaderState {
    LeaderState { leader_epoch, partition_epoch, isr: isr.to_vec(), replicas: replicas.to_vec() }
}

fn moved(to: i64) -> Effect {
    Effect { high_watermark: Some(to), propose_isr: false }
}

#[test]
fn a_lone_leader_commits_what_it_appends() {
    let mut partition = leader(&[1], &[1], 1, 0);
    assert_eq!(partition.on_append(7, 1_000), moved(7));
    assert_eq!(partition.on_append(7, 1_000), Effect::default());
    assert_eq!(partition.high_watermark(), 7);
}

#[test]
fn a_lone_leader_commits_what_its_log_held_when_it_was_elected() {
    let mut partition = Replication::new(1, 10, 4, Rules::default());
    assert_eq!(partition.high_watermark(), 4);
    assert_eq!(partition.become_leader(state(0, 0, &[1], &[1]), 10, 0), Ok(moved(10)));
}

#[test]
fn a_checkpoint_beyond_the_log_is_lowered_to_its_end() {
    assert_eq!(Replication::new(1, 10, 99, Rules::default()).high_watermark(), 10);
    assert_eq!(Replication::new(1, 10, -5, Rules::default()).high_watermark(), 0);
}

#[test]
fn the_slowest_in_sync_follower_holds_the_high_watermark() {
    let mut partition = leader(&[1, 2, 3], &[1, 2, 3], 1, 0);
    assert_eq!(partition.on_append(10, 1_000), Effect::default());
    assert_eq!(partition.on_follower_fetch(2, 10, 0, 1_001), Ok(Effect::default()));
    assert_eq!(partition.on_follower_fetch(3, 4, 0, 1_002), Ok(moved(4)));
    assert_eq!(partition.on_follower_fetch(3, 10, 0, 1_003), Ok(moved(10)));
}

#[test]
fn a_laggard_leaves_only_when_the_controller_confirms() {
    let mut partition = leader(&[1, 2], &[1, 2], 1, 0);
    let _ = partition.on_append(5, 1_000);
    assert_eq!(partition.on_tick(1_000 + LAG), Effect::default(), "the lag time has not passed yet");
    assert_eq!(partition.on_tick(1_001 + LAG), Effect { high_watermark: None, propose_isr: true });
    assert_eq!(partition.pending_isr().map(|change| change.members.clone()), Some(vec![1]));
    assert_eq!(partition.high_watermark(), 0, "the follower may still be elected");
    assert_eq!(partition.on_tick(1_002 + LAG), Effect::default(), "one change at a time");
    assert_eq!(partition.on_isr_confirmed(vec![1], 1, 1, 1_003 + LAG), moved(5));
}

#[test]
fn a_refused_change_leaves_the_isr_as_it_was() {
    let mut partition = leader(&[1, 2], &[1, 2], 1, 0);
    let _ = partition.on_append(5, 1_000);
    let _ = partition.on_tick(1_001 + LAG);
    let _ = partition.on_isr_refused(0, 1_002 + LAG);
    assert_eq!(partition.pending_isr(), None);
    assert_eq!(partition.isr().committed(), [1, 2]);
    assert_eq!(partition.high_watermark(), 0);
}

#[test]
fn a_follower_that_joins_counts_from_the_proposal() {
    let mut partition = leader(&[1], &[1, 2], 1, 5);
    assert_eq!(partition.high_watermark(), 5);
    let behind = partition.on_follower_fetch(2, 4, 0, 1_000).unwrap();
    assert!(!behind.propose_isr, "it lacks a committed record");
    let caught_up = partition.on_follower_fetch(2, 5, 0, 1_001).unwrap();
    assert!(caught_up.propose_isr);
    assert_eq!(partition.on_append(9, 1_002 + LAG), Effect::default(), "the joining follower lacks 5..9");
    assert_eq!(partition.on_follower_fetch(2, 9, 0, 1_003 + LAG), Ok(moved(9)));
}

#[test]
fn a_follower_below_the_epoch_start_does_not_join() {
    // The high watermark is old; offset 6 is from the previous leader and perhaps not what this leader has there.
    let mut partition = Replication::new(1, 8, 6, Rules { min_isr: 1, lag_ms: LAG });
    let _ = partition.become_leader(state(2, 0, &[1, 3], &[1, 2, 3]), 8, 0).unwrap();
    assert!(!partition.on_follower_fetch(2, 7, 0, 1).unwrap().propose_isr);
    assert!(partition.on_follower_fetch(2, 8, 0, 2).unwrap().propose_isr);
}

#[test]
fn below_min_isr_nothing_is_committed() {
    let mut partition = leader(&[1], &[1, 2], 2, 0);
    assert!(partition.is_under_min_isr() && partition.refuses_acks_all());
    assert_eq!(partition.on_append(3, 1_000), Effect::default());
    assert_eq!(partition.set_rules(Rules { min_isr: 1, lag_ms: LAG }, 1_001), moved(3));
}

#[test]
fn a_min_isr_above_the_replicas_refuses_acks_all_but_still_commits() {
    let mut partition = leader(&[1], &[1], 2, 0);
    assert!(partition.refuses_acks_all() && !partition.is_under_min_isr());
    assert_eq!(partition.on_append(3, 1_000), moved(3));
}

#[test]
fn an_older_state_is_refused_and_the_same_is_applied_again() {
    let mut partition = leader(&[1, 2], &[1, 2], 1, 0);
    let _ = partition.become_leader(state(3, 5, &[1], &[1, 2]), 0, 0).unwrap();
    assert!(partition.become_leader(state(3, 4, &[1, 2], &[1, 2]), 0, 0).is_err());
    assert!(partition.become_leader(state(2, 9, &[1, 2], &[1, 2]), 0, 0).is_err());
    assert!(partition.become_leader(state(3, 5, &[1], &[1, 2]), 0, 0).is_ok());
    let follower = FollowerState { leader_id: 2, leader_epoch: 2, partition_epoch: 0, replicas: vec![1, 2] };
    assert!(partition.become_follower(follower).is_err());
    assert!(partition.is_leader());
}

#[test]
fn a_resent_state_keeps_the_change_on_its_way() {
    let mut partition = leader(&[1], &[1, 2], 1, 0);
    assert!(partition.on_follower_fetch(2, 0, 0, 1_000).unwrap().propose_isr);
    let _ = partition.become_leader(state(1, 0, &[1], &[1, 2]), 0, 1_001).unwrap();
    assert!(partition.isr().is_maximal_member(2));
}

#[test]
fn leader_epochs_of_clients_are_compared() {
    let partition = leader(&[1], &[1], 1, 0);
    for (requested, answer) in [
        (-1, Ok(())),
        (1, Ok(())),
        (0, Err(EpochError::Fenced { requested: 0, current: 1 })),
        (2, Err(EpochError::Unknown { requested: 2, current: 1 })),
    ] {
        assert_eq!(partition.check_epoch(requested), answer, "epoch {requested}");
    }
}

#[test]
fn a_follower_takes_the_leaders_high_watermark_within_its_log() {
    let mut partition = Replication::new(2, 10, 0, Rules::default());
    let followed = FollowerState { leader_id: 1, leader_epoch: 1, partition_epoch: 0, replicas: vec![1, 2] };
    partition.become_follower(followed).unwrap();
    assert_eq!(partition.leader_id(), 1);
    assert_eq!(partition.on_leader_high_watermark(7), moved(7));
    assert_eq!(partition.on_leader_high_watermark(6), Effect::default());
    assert_eq!(partition.on_leader_high_watermark(99), moved(10));
    assert_eq!(partition.on_truncate(8), moved(8));
}

#[test]
fn strangers_are_told_so() {
    let mut partition = leader(&[1], &[1, 2], 1, 0);
    assert_eq!(partition.on_follower_fetch(9, 0, 0, 0), Err(UnknownReplica(9)));
}

#[test]
fn a_fetch_from_before_its_broker_started_again_or_of_another_epoch_does_not_count() {
    let mut partition = leader(&[1], &[1, 2], 1, 5);
    let fetch = |broker_epoch, leader_epoch, log_end| FollowerFetch {
        follower: 2,
        broker_epoch,
        leader_epoch,
        log_end,
        log_start: 0,
    };
    assert!(!partition.on_fetch(fetch(8, 1, 3), 1_000).unwrap().propose_isr);
    let outlived = FetchRefused::Outlived { asked: 7, known: 8 };
    assert_eq!(partition.on_fetch(fetch(7, 1, 5), 1_001), Err(outlived));
    let fenced = EpochError::Fenced { requested: 0, current: 1 };
    assert_eq!(partition.on_fetch(fetch(8, 0, 5), 1_002), Err(FetchRefused::Epoch(fenced)));
    assert!(partition.on_fetch(fetch(8, 1, 5), 1_003).unwrap().propose_isr);
    let change = partition.pending_isr().unwrap();
    assert_eq!((&*change.members, &*change.member_epochs), (&[1, 2][..], &[-1, 8][..]));
}

#[test]
fn the_low_watermark_is_the_least_log_start() {
    let mut partition = leader(&[1, 2], &[1, 2], 1, 0);
    assert_eq!(partition.low_watermark(4), Ok(-1), "unknown until the follower fetched");
    let _ = partition.on_follower_fetch(2, 0, 3, 1_000);
    assert_eq!(partition.low_watermark(4), Ok(3));
    assert_eq!(Replication::new(1, 0, 0, Rules::default()).low_watermark(0), Err(NotLeader));
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Append(i64),
    /// A follower copies up to so many records, then fetches.
    Fetch(usize, i64),
    Wait(i64),
    Tick,
    /// The controller takes the change on its way; its answer may be lost for now.
    Decide {
        accept: bool,
        answer: bool,
    },
    /// The lost answer, or what the controller holds, is told again.
    Retell,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1i64..20).prop_map(Step::Append),
        6 => (0usize..3, 0i64..30).prop_map(|(who, most)| Step::Fetch(who, most)),
        2 => (0i64..LAG).prop_map(Step::Wait),
        2 => Just(Step::Tick),
        3 => (any::<bool>(), any::<bool>()).prop_map(|(accept, answer)| Step::Decide { accept, answer }),
        1 => Just(Step::Retell),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Everybody in the ISR that the controller holds has every committed record, at every moment, whatever is lost or late.
    #[test]
    fn whoever_may_be_elected_has_what_is_committed(
        steps in prop::collection::vec(step(), 1..200),
        min_isr in 1usize..4,
    ) {
        let replicas = [1, 2, 3, 4];
        let mut partition = leader(&[1, 2, 3, 4], &replicas, min_isr, 0);
        let mut ends = [0i64; 3];
        let (mut end, mut now, mut committed) = (0i64, 1_000i64, 0i64);
        let (mut held, mut held_epoch) = (vec![1, 2, 3, 4], 0);
        for step in steps {
            match step {
                Step::Append(count) => { end += count; let _ = partition.on_append(end, now); }
                Step::Fetch(who, most) => {
                    ends[who] = (ends[who] + most).min(end);
                    let _ = partition.on_follower_fetch(who as i32 + 2, ends[who], 0, now).unwrap();
                }
                Step::Wait(ms) => now += ms,
                Step::Tick => { let _ = partition.on_tick(now); }
                Step::Decide { accept, answer } => {
                    let Some(change) = partition.pending_isr().cloned() else { continue };
                    let wins = accept && change.partition_epoch == held_epoch;
                    if wins {
                        held = change.members;
                        held_epoch += 1;
                    }
                    if answer && wins {
                        let _ = partition.on_isr_confirmed(held.clone(), 1, held_epoch, now);
                    } else if answer && held_epoch == change.partition_epoch {
                        let _ = partition.on_isr_refused(change.partition_epoch, now);
                    }
                }
                Step::Retell => {
                    let _ = partition.become_leader(state(1, held_epoch, &held, &replicas), end, now).unwrap();
                }
            }
            let mark = partition.high_watermark();
            prop_assert!(mark >= committed, "the high watermark went back");
            prop_assert!(mark <= end);
            committed = mark;
            for &member in held.iter().filter(|&&id| id != 1) {
                prop_assert!(ends[member as usize - 2] >= committed, "{member} lacks what is committed");
            }
            prop_assert!(partition.isr().committed().contains(&1));
        }
    }

    /// With everybody alive and every answer arriving, all records become committed and everybody is in sync.
    #[test]
    fn a_healthy_partition_converges(appends in prop::collection::vec(1i64..50, 1..30), in_sync in prop::collection::vec(any::<bool>(), 2)) {
        let isr: Vec<i32> = [1].into_iter().chain((2..4).filter(|id| in_sync[*id as usize - 2])).collect();
        let mut partition = leader(&isr, &[1, 2, 3], 2, 0);
        let (mut end, mut now, mut epoch) = (0, 1_000, 0);
        for count in appends {
            end += count;
            let _ = partition.on_append(end, now);
            for id in [2, 3] {
                now += 10;
                if partition.on_follower_fetch(id, end, 0, now).unwrap().propose_isr {
                    let members = partition.pending_isr().unwrap().members.clone();
                    epoch += 1;
                    let _ = partition.on_isr_confirmed(members, 1, epoch, now);
                }
            }
        }
        let mut members = partition.isr().committed().to_vec();
        members.sort_unstable();
        prop_assert_eq!(members, vec![1, 2, 3]);
        prop_assert_eq!(partition.high_watermark(), end);
    }
}
