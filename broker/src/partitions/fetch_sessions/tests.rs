//! Tables for the rules of KIP-227, and a model: a client that applies every incremental response knows what a full fetch would tell it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn wanted(partition: i32, fetch_offset: i64) -> Wanted {
    Wanted {
        topic: TopicRef::Name("t".into()),
        partition,
        fetch_offset,
        max_bytes: 1024,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        log_start_offset: -1,
    }
}

fn told(high_watermark: i64, has_records: bool) -> Outcome {
    Outcome { has_records, high_watermark, log_start_offset: 0, is_error: false, is_notable: false }
}

fn error() -> Outcome {
    Outcome {
        has_records: false,
        high_watermark: -1,
        log_start_offset: -1,
        is_error: true,
        is_notable: false,
    }
}

/// A full fetch of partitions `0..count`; the new session's id.
fn open(sessions: &FetchSessions, count: i32, privileged: bool, now: i64) -> i32 {
    let wanted: Vec<_> = (0..count).map(|p| wanted(p, 0)).collect();
    let outcomes = vec![told(0, false); wanted.len()];
    let fetching = sessions.begin(0, INITIAL_EPOCH, wanted, &[], privileged, false, now).unwrap();
    fetching.finish(sessions, &outcomes, now).unwrap().0
}

fn partitions(fetching: &Fetching) -> Vec<i32> {
    fetching.wanted.iter().map(|w| w.partition).collect()
}

#[test]
fn an_incremental_response_leaves_out_what_did_not_change() {
    let sessions = FetchSessions::default();
    let id = open(&sessions, 3, false, 0);
    let fetching = sessions.begin(id, 1, vec![], &[], false, false, 1).unwrap();
    assert_eq!(partitions(&fetching), [0, 1, 2]);
    let (told_id, news) = fetching.finish(&sessions, &[told(0, false), told(5, true), error()], 1).unwrap();
    assert_eq!((told_id, news), (id, Some(vec![false, true, true])));
    // The partition with records had its turn; the error is told again until it is over, and its end is told too.
    let fetching = sessions.begin(id, 2, vec![], &[], false, false, 2).unwrap();
    assert_eq!(partitions(&fetching), [0, 2, 1]);
    let news = fetching.finish(&sessions, &[told(0, false), told(0, false), told(5, false)], 2).unwrap().1;
    assert_eq!(news, Some(vec![false, true, false]));
}

#[test]
fn requests_change_add_and_forget_partitions() {
    let sessions = FetchSessions::default();
    let id = open(&sessions, 2, false, 0);
    let forgotten = [(TopicRef::Name("t".into()), 0)];
    let fetching =
        sessions.begin(id, 1, vec![wanted(7, 0), wanted(1, 42)], &forgotten, false, false, 1).unwrap();
    assert_eq!(fetching.wanted, [wanted(1, 42), wanted(7, 0)]);
    assert_eq!(sessions.partitions(), 2);
}

#[test]
fn a_session_that_wants_nothing_is_over() {
    let sessions = FetchSessions::default();
    let id = open(&sessions, 1, false, 0);
    let forgotten = [(TopicRef::Name("t".into()), 0)];
    let fetching = sessions.begin(id, 1, vec![], &forgotten, false, false, 1).unwrap();
    assert_eq!(fetching.finish(&sessions, &[], 1).unwrap(), (NO_SESSION, None));
    assert_eq!((sessions.sessions(), sessions.partitions()), (0, 0));
}

#[test]
fn wrong_ids_epochs_and_names_are_told_apart() {
    let sessions = FetchSessions::default();
    let id = open(&sessions, 1, false, 0);
    let begin = |id, epoch, by_id| sessions.begin(id, epoch, vec![], &[], false, by_id, 1).map(|_| ());
    assert_eq!(begin(id ^ 1, 1, false), Err(SessionError::NotFound));
    assert_eq!(begin(id, 2, false), Err(SessionError::WrongEpoch));
    assert_eq!(begin(id, 1, true), Err(SessionError::TopicIds(false)));
    assert_eq!(begin(id, 1, false), Ok(()));
    assert_eq!(begin(id, 1, false), Err(SessionError::WrongEpoch), "the same request again");
}

#[test]
fn a_response_that_was_overtaken_is_an_error() {
    let sessions = FetchSessions::default();
    let id = open(&sessions, 1, false, 0);
    let slow = sessions.begin(id, 1, vec![], &[], false, false, 1).unwrap();
    let _fast = sessions.begin(id, 2, vec![], &[], false, false, 1).unwrap();
    assert_eq!(slow.finish(&sessions, &[told(0, false)], 2), Err(SessionError::WrongEpoch));
}

#[test]
fn the_final_epoch_closes_a_session_and_fetches_without_one() {
    let sessions = FetchSessions::default();
    let id = open(&sessions, 1, false, 0);
    let fetching = sessions.begin(id, FINAL_EPOCH, vec![wanted(3, 9)], &[], false, false, 1).unwrap();
    assert_eq!(fetching.wanted, [wanted(3, 9)]);
    assert_eq!(fetching.finish(&sessions, &[told(0, false)], 1).unwrap(), (NO_SESSION, None));
    assert_eq!(sessions.sessions(), 0);
}

#[test]
fn epochs_skip_zero_when_they_run_over() {
    assert_eq!(next_epoch(INITIAL_EPOCH), 1);
    assert_eq!(next_epoch(i32::MAX), 1);
    assert_eq!(next_epoch(FINAL_EPOCH), FINAL_EPOCH);
}

#[test]
fn a_full_cache_keeps_who_is_worth_more() {
    let limits = Limits { slots: 1, eviction_ms: 100, ..Limits::default() };
    // (what holds the slot: partitions, privileged, last used; who comes: partitions, privileged, when; who wins)
    for (held, held_privileged, used, new, new_privileged, now, newcomer_wins) in [
        (2, false, 0, 2, false, 50, false),   // safe: not there for long enough
        (2, false, 0, 9, false, 101, true),   // silent for longer than the eviction time
        (2, false, 60, 9, false, 101, true),  // in use, had its time, and is smaller
        (9, false, 60, 2, false, 101, false), // larger
        (9, false, 0, 1, true, 1, true),      // a follower displaces any consumer
        (2, true, 60, 9, false, 101, false),  // a consumer no follower
        (2, true, 60, 9, true, 101, true),    // a larger follower a smaller one that had its time
    ] {
        let sessions = FetchSessions::new(limits);
        let id = open(&sessions, held, held_privileged, 0);
        if used > 0 {
            let _ = sessions.begin(id, 1, vec![], &[], held_privileged, false, used).unwrap();
        }
        let won = open(&sessions, new, new_privileged, now) != NO_SESSION;
        assert_eq!(won, newcomer_wins, "{held} partitions against {new} at {now}");
        assert_eq!(sessions.sessions(), 1);
        assert_eq!(sessions.evictions(), u64::from(newcomer_wins));
        assert_eq!(sessions.partitions(), if newcomer_wins { new } else { held } as usize);
    }
}

#[test]
fn no_slots_mean_no_sessions() {
    let sessions = FetchSessions::new(Limits { slots: 0, eviction_ms: 1, ..Limits::default() });
    assert_eq!(open(&sessions, 1, true, 0), NO_SESSION);
}

#[test]
fn all_sessions_together_remember_so_many_partitions_and_no_more() {
    let limits = Limits { slots: 10, eviction_ms: 100, partitions: 10 };
    // (partitions of two sessions that were opened at 0 and used at 60; of the newcomer, privileged, when; who is left)
    for (held, new, privileged, now, left) in [
        ([2, 3], 5, false, 50, vec![2, 3, 5]), // there is room
        ([4, 5], 3, false, 50, vec![4, 5]),    // none had its time
        ([2, 5], 4, false, 150, vec![4, 5]),   // the smaller gives way
        ([3, 5], 8, false, 150, vec![8]),      // both do
        ([2, 8], 4, false, 150, vec![2, 8]), // the smaller alone is not enough, the larger is worth more: both stay
        ([4, 5], 11, false, 900, vec![4, 5]), // more than there ever is
        ([4, 5], 6, true, 61, vec![6]),      // a follower displaces consumers
    ] {
        let sessions = FetchSessions::new(limits);
        for count in held {
            let id = open(&sessions, count, false, 0);
            let _ = sessions.begin(id, 1, vec![], &[], false, false, 60).unwrap();
        }
        let before = sessions.sessions();
        let admitted = open(&sessions, new, privileged, now) != NO_SESSION;
        let case = format!("{held:?} against {new} at {now}");
        assert_eq!(sessions.partitions(), left.iter().sum::<i32>() as usize, "{case}");
        assert_eq!(sessions.sessions(), left.len(), "{case}");
        assert_eq!(sessions.evictions() as usize, before + usize::from(admitted) - left.len(), "{case}");
    }
}

#[test]
fn a_session_that_grows_beyond_what_there_is_room_for_goes_after_its_answer() {
    let sessions = FetchSessions::new(Limits { slots: 10, eviction_ms: 100, partitions: 10 });
    let other = open(&sessions, 6, false, 0);
    let id = open(&sessions, 3, false, 0);
    let more: Vec<_> = (3..6).map(|p| wanted(p, 0)).collect();
    let fetching = sessions.begin(id, 1, more.clone(), &[], false, false, 50).unwrap();
    let outcomes = vec![told(0, false); 6];
    assert_eq!(fetching.wanted.len(), 6);
    assert_eq!(fetching.finish(&sessions, &outcomes, 50).unwrap().0, id);
    assert_eq!(sessions.begin(id, 2, vec![], &[], false, false, 51).map(|_| ()), Err(SessionError::NotFound));
    assert_eq!((sessions.sessions(), sessions.partitions(), sessions.evictions()), (1, 6, 1));
    // One that is worth more than another takes its place.
    let id = open(&sessions, 4, false, 60);
    let fetching =
        sessions.begin(id, 1, (4..8).map(|p| wanted(p, 0)).collect(), &[], false, false, 150).unwrap();
    assert_eq!(fetching.wanted.len(), 8);
    assert!(sessions.begin(other, 1, vec![], &[], false, false, 150).is_err());
    assert_eq!((sessions.sessions(), sessions.partitions()), (1, 8));
}

proptest! {
    /// A client that overlays the incremental responses holds what the broker last had for every partition it wants.
    #[test]
    fn overlaid_responses_equal_a_full_fetch(
        rounds in prop::collection::vec(
            (prop::collection::vec((0i32..6, 0i64..4, any::<bool>(), any::<bool>()), 0..6), prop::option::of(0i32..6), prop::option::of(0i32..6)),
            1..40,
        ),
    ) {
        let sessions = FetchSessions::default();
        let id = open(&sessions, 3, false, 0);
        let mut truth: BTreeMap<i32, Outcome> = (0..6).map(|p| (p, told(0, false))).collect();
        let mut wants: Vec<i32> = vec![0, 1, 2];
        let mut known: BTreeMap<i32, Outcome> = (0..3).map(|p| (p, told(0, false))).collect();
        for (epoch, (changes, add, forget)) in (1..).zip(rounds) {
            for (partition, mark, records, fails) in changes {
                truth.insert(partition, if fails { error() } else { told(mark, records) });
            }
            let forgotten: Vec<_> = forget.iter().map(|p| (TopicRef::Name("t".into()), *p)).collect();
            let added: Vec<_> = add.iter().filter(|p| Some(**p) != forget).map(|p| wanted(*p, 0)).collect();
            for new in &added {
                if !wants.contains(&new.partition) {
                    wants.push(new.partition);
                }
            }
            wants.retain(|p| Some(*p) != forget);
            known.retain(|p, _| Some(*p) != forget);
            let fetching = sessions.begin(id, epoch, added, &forgotten, false, false, 0).unwrap();
            let mut asked = partitions(&fetching);
            let outcomes: Vec<_> = asked.iter().map(|p| truth[p]).collect();
            let Some(news) = fetching.finish(&sessions, &outcomes, 0).unwrap().1 else {
                prop_assert!(wants.is_empty());
                return Ok(());
            };
            for ((partition, outcome), is_news) in asked.iter().zip(&outcomes).zip(news) {
                if is_news {
                    known.insert(*partition, *outcome);
                }
            }
            asked.sort_unstable();
            wants.sort_unstable();
            prop_assert_eq!(&asked, &wants);
            for partition in &wants {
                let numbers = |outcome: &Outcome| (outcome.high_watermark, outcome.log_start_offset, outcome.is_error);
                prop_assert_eq!(known.get(partition).map(numbers), truth.get(partition).map(numbers));
            }
        }
    }
}
