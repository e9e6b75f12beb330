//! One group, scenario by scenario: each test reads like the rule that it proves.

#![allow(clippy::panic, clippy::unwrap_used)]

mod bench;

use std::collections::HashMap;

use bench::{Bench, SESSION, at, partition, topics_of};
use vltava_cluster::groups::{Group, JoinRequest, Limits, Moment, State, SyncRequest, Write};
use vltava_protocol::ErrorCode;

#[test]
fn the_first_member_waits_for_the_initial_delay_and_leads() {
    let mut bench = Bench::new();
    let first = bench.join("");
    assert!(bench.waits(first));
    bench.pass(2_999);
    assert!(bench.waits(first));
    bench.pass(1);
    let answer = bench.joined(first);
    assert_eq!((answer.error, answer.generation, &answer.leader), (ErrorCode::None, 1, &answer.member_id));
    assert_eq!(answer.protocol.as_deref(), Some("range"));
    assert_eq!(answer.members.len(), 1);
}

#[test]
fn a_member_that_comes_during_the_initial_delay_makes_it_longer_but_not_beyond_the_rebalance_timeout() {
    let mut bench = Bench::new();
    let first = bench.join_as(|r| r.rebalance_timeout = 5_000);
    bench.pass(2_000);
    let second = bench.join_as(|r| r.rebalance_timeout = 5_000);
    bench.pass(1_000);
    assert!(bench.waits(first) && bench.waits(second), "the delay starts anew");
    bench.pass(2_000);
    assert_eq!(bench.joined(first).generation, 1);
    assert_eq!(bench.joined(second).generation, 1);
}

#[test]
fn only_the_leader_sees_the_members_and_each_gets_its_own_part_once_it_is_written() {
    let mut bench = Bench::new();
    let (a, b) = (bench.join(""), bench.join(""));
    bench.pass(6_000);
    let leader = bench.joined(a).leader.clone();
    let ids = [bench.joined(a).member_id.clone(), bench.joined(b).member_id.clone()];
    let (leader_at, other_at) = if ids[0] == leader { (0, 1) } else { (1, 0) };
    let answers = [bench.joined(a).members.len(), bench.joined(b).members.len()];
    assert_eq!((answers[leader_at], answers[other_at]), (2, 0));

    bench.hold_writes = true;
    let other = bench.sync(&ids[other_at], 1, &[]);
    let led = bench.sync(&ids[leader_at], 1, &[(&ids[0], b"one"), (&ids[1], b"two")]);
    assert!(bench.waits(other) && bench.waits(led), "an assignment that is not written is not given out");
    bench.release_writes();
    let parts = [b"one".as_slice(), b"two".as_slice()];
    assert_eq!(bench.synced(led).assignment, parts[leader_at]);
    assert_eq!(bench.synced(other).assignment, parts[other_at]);
}

#[test]
fn a_new_client_is_sent_away_with_its_id_first() {
    let mut bench = Bench::new();
    let first = bench.join_as(|r| r.knows_member_id_required = true);
    let answer = bench.joined(first).clone();
    assert_eq!(answer.error, ErrorCode::MemberIdRequired);
    assert_eq!(bench.group.size(), 0);
    let again = bench.join(&answer.member_id);
    bench.pass(3_000);
    assert_eq!(bench.joined(again).member_id, answer.member_id);
}

#[test]
fn a_promised_id_lapses_with_the_session() {
    let mut bench = Bench::new();
    let first = bench.join_as(|r| r.knows_member_id_required = true);
    let id = bench.joined(first).member_id.clone();
    bench.pass(i64::from(SESSION));
    let late = bench.join(&id);
    assert_eq!(bench.joined(late).error, ErrorCode::UnknownMemberId);
    assert!(bench.group.is_unused());
}

#[test]
fn a_second_member_makes_the_first_join_again() {
    let mut bench = Bench::new();
    let first = bench.stable();
    let second = bench.join("");
    assert!(bench.waits(second));
    assert_eq!(bench.heartbeat(&first, 1), ErrorCode::RebalanceInProgress);
    let again = bench.join(&first);
    assert_eq!(bench.joined(again).generation, 2, "all are here: nobody waits for the timeout");
    assert_eq!(bench.joined(second).generation, 2);
    assert_eq!(bench.joined(second).leader, first, "the leader stays");
}

#[test]
fn who_does_not_join_again_in_time_is_left_behind() {
    let mut bench = Bench::new();
    let first = bench.stable();
    let second = bench.join("");
    for _ in 0..12 {
        bench.pass(5_000);
        let _ = bench.heartbeat(&first, 1);
    }
    assert_eq!(bench.joined(second).generation, 2);
    assert_eq!(bench.group.size(), 1);
    assert_eq!(bench.heartbeat(&first, 1), ErrorCode::UnknownMemberId);
}

#[test]
fn no_session_runs_against_a_member_whose_request_is_held_though_it_sent_a_heartbeat_beside_it() {
    let mut bench = Bench::new();
    let first = bench.stable();
    let second = bench.join("");
    let again = bench.join(&first);
    let second_id = bench.joined(second).member_id.clone();
    assert_eq!(bench.joined(again).generation, 2);
    let first_waits = bench.sync(&first, 1 + 1, &[(&first, b"all")]);
    assert_eq!(bench.synced(first_waits).error, ErrorCode::None);

    // A third comes; the first joins again and says beside it that it lives, while the second only says so.
    let third = bench.join("");
    let waiting = bench.join(&first);
    assert_eq!(bench.heartbeat(&first, 2), ErrorCode::RebalanceInProgress);
    for _ in 0..5 {
        bench.pass(i64::from(SESSION) - 1);
        assert_eq!(bench.heartbeat(&second_id, 2), ErrorCode::RebalanceInProgress);
        assert!(bench.waits(waiting) && bench.waits(third), "the first was put out");
    }
    bench.pass(i64::from(SESSION));
    assert_eq!(bench.joined(waiting).generation, 3);
    assert_eq!(bench.joined(third).error, ErrorCode::None);
}

#[test]
fn a_silent_member_is_put_out_and_the_others_rebalance() {
    let mut bench = Bench::new();
    let id = bench.stable();
    bench.pass(i64::from(SESSION) - 1);
    assert_eq!(bench.heartbeat(&id, 1), ErrorCode::None);
    bench.pass(i64::from(SESSION) - 1);
    assert_eq!(bench.group.state(), State::Stable);
    bench.pass(1);
    assert_eq!(bench.group.state(), State::Empty);
    assert_eq!(bench.group.generation(), 2);
    assert!(matches!(bench.writes.last(), Some(Write::Group(stored)) if stored.members.is_empty()));
}

#[test]
fn who_joined_but_never_asks_for_its_part_is_put_out() {
    let mut bench = Bench::new();
    let (a, b) = (bench.join(""), bench.join(""));
    bench.pass(6_000);
    let ids = [bench.joined(a).member_id.clone(), bench.joined(b).member_id.clone()];
    let leader = bench.joined(a).leader.clone();
    let follower = if ids[0] == leader { &ids[1] } else { &ids[0] };
    let waiting = bench.sync(follower, 1, &[]);
    for _ in 0..12 {
        bench.pass(5_000);
        let _ = bench.heartbeat(&leader, 1);
    }
    assert_eq!(bench.synced(waiting).error, ErrorCode::RebalanceInProgress);
    assert_eq!(bench.group.size(), 1);
}

#[test]
fn a_failed_write_of_the_assignment_starts_another_rebalance() {
    let mut bench = Bench::new();
    let join = bench.join("");
    bench.pass(3_000);
    let id = bench.joined(join).member_id.clone();
    bench.fail_writes = Some(ErrorCode::NotCoordinator);
    let sync = bench.sync(&id, 1, &[(&id, b"part")]);
    assert_eq!(bench.synced(sync).error, ErrorCode::NotCoordinator);
    assert_eq!(bench.group.state(), State::PreparingRebalance);
}

#[test]
fn requests_of_another_generation_or_of_strangers_are_refused() {
    let mut bench = Bench::new();
    let id = bench.stable();
    for (member, generation, expected) in [
        (id.as_str(), 0, ErrorCode::IllegalGeneration),
        (id.as_str(), 2, ErrorCode::IllegalGeneration),
        ("stranger", 1, ErrorCode::UnknownMemberId),
        (id.as_str(), 1, ErrorCode::None),
    ] {
        assert_eq!(bench.heartbeat(member, generation), expected, "heartbeat {member} {generation}");
        let commit = bench.commit(member, generation, 5);
        assert_eq!(bench.commit_error(commit), expected, "commit {member} {generation}");
        let sync = bench.sync(member, generation, &[]);
        assert_eq!(bench.synced(sync).error, expected, "sync {member} {generation}");
    }
}

#[test]
fn a_follower_that_joins_again_unchanged_disturbs_nobody_but_a_leader_does() {
    let mut bench = Bench::new();
    let id = bench.stable();
    let again = bench.join(&id);
    assert_eq!(bench.joined(again).generation, 2, "the leader asks for a rebalance by joining");
}

#[test]
fn the_chosen_protocol_is_one_that_all_speak_with_most_votes() {
    let mut bench = Bench::new();
    let speak = |names: &'static [&'static str]| {
        move |r: &mut JoinRequest| r.protocols = names.iter().map(|n| ((*n).to_owned(), Vec::new())).collect()
    };
    let a = bench.join_as(speak(&["sticky", "range"]));
    bench.join_as(speak(&["range", "sticky"]));
    bench.join_as(speak(&["range", "roundrobin"]));
    bench.pass(60_000);
    assert_eq!(bench.joined(a).protocol.as_deref(), Some("range"), "sticky is not spoken by all");
}

#[test]
fn a_member_that_speaks_nothing_the_others_do_or_is_one_too_many_is_refused() {
    let mut bench = Bench::new();
    bench.stable();
    let foreign = bench.join_as(|r| r.protocols = vec![("foreign".into(), Vec::new())]);
    assert_eq!(bench.joined(foreign).error, ErrorCode::InconsistentGroupProtocol);
    let other_type = bench.join_as(|r| r.protocol_type = "connect".into());
    assert_eq!(bench.joined(other_type).error, ErrorCode::InconsistentGroupProtocol);
    let short = bench.join_as(|r| r.session_timeout = 5_999);
    assert_eq!(bench.joined(short).error, ErrorCode::InvalidSessionTimeout);
    let in_time = [bench.join(""), bench.join(""), bench.join("")];
    assert!(in_time.iter().all(|waiter| bench.waits(*waiter)), "the first three to join have the places");
    let late = bench.join("");
    assert_eq!(bench.joined(late).error, ErrorCode::GroupMaxSizeReached);
}

#[test]
fn a_static_member_that_returns_with_the_same_subscription_rebalances_nobody_and_fences_its_predecessor() {
    let mut bench = Bench::new();
    let name = |r: &mut JoinRequest| {
        r.instance_id = Some("i".into());
        r.knows_skip_assignment = true;
    };
    let join = bench.join_as(name);
    bench.pass(3_000);
    let old = bench.joined(join).member_id.clone();
    let waiter = bench.waiter();
    let mut out = Vec::new();
    let assignments = HashMap::from([(old.clone(), b"part".to_vec())]);
    let request = SyncRequest {
        generation: 1,
        member_id: old.clone(),
        instance_id: Some("i".into()),
        protocol_type: None,
        protocol: None,
        assignments,
    };
    bench.group.sync(request, waiter, at(bench.now), &mut out);
    bench.carry_out(out);

    let back = bench.join_as(name);
    let answer = bench.joined(back).clone();
    assert_eq!((answer.error, answer.generation, answer.skip_assignment), (ErrorCode::None, 1, true));
    assert_ne!(answer.member_id, old);
    assert_eq!(bench.group.heartbeat(1, &old, Some("i"), at(bench.now)), ErrorCode::FencedInstanceId);
    assert_eq!(bench.group.heartbeat(1, &answer.member_id, Some("i"), at(bench.now)), ErrorCode::None);
    let part = bench.sync(&answer.member_id, 1, &[]);
    assert_eq!(bench.synced(part).assignment, b"part", "the assignment stays with the name");
}

#[test]
fn the_last_member_to_leave_empties_the_group_and_its_offsets_stay() {
    let mut bench = Bench::new();
    let id = bench.stable();
    let commit = bench.commit(&id, 1, 42);
    assert_eq!(bench.commit_error(commit), ErrorCode::None);
    assert_eq!(bench.leave("stranger"), ErrorCode::UnknownMemberId);
    assert_eq!(bench.leave(&id), ErrorCode::None);
    assert_eq!(bench.group.state(), State::Empty);
    assert_eq!(bench.group.offset("t", 0).map(|o| o.offset), Some(42));
}

#[test]
fn promised_ids_are_bounded_and_the_oldest_makes_room() {
    let mut bench = Bench::new();
    let promised: Vec<String> = (0..1_001)
        .map(|_| {
            let waiter = bench.join_as(|request| {
                request.knows_member_id_required = true;
                request.session_timeout = 1_800_000;
            });
            let answer = bench.joined(waiter);
            assert_eq!(answer.error, ErrorCode::MemberIdRequired);
            answer.member_id.clone()
        })
        .collect();
    let mut come_back = |id: &String| {
        let waiter = bench.join_as(|request| request.member_id.clone_from(id));
        if bench.waits(waiter) { ErrorCode::None } else { bench.joined(waiter).error }
    };
    assert_eq!(come_back(&promised[0]), ErrorCode::UnknownMemberId);
    assert_eq!(come_back(&promised[1]), ErrorCode::None);
    assert_eq!(come_back(&promised[1_000]), ErrorCode::None);
}

#[test]
fn a_commit_counts_only_when_it_is_written_and_the_later_record_stands() {
    let mut bench = Bench::new();
    bench.hold_writes = true;
    let first = bench.commit("", -1, 1);
    assert!(bench.waits(first) && bench.group.offset("t", 0).is_none());
    bench.release_writes();
    assert_eq!(bench.commit_error(first), ErrorCode::None);

    bench.fail_writes = Some(ErrorCode::CoordinatorNotAvailable);
    let failed = bench.commit("", -1, 2);
    assert_eq!(bench.commit_error(failed), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(bench.group.offset("t", 0).map(|o| o.offset), Some(1));

    bench.group.load_offset(partition(), None, 100);
    assert!(bench.group.offset("t", 0).is_none());
}

#[test]
fn a_group_with_members_takes_no_commit_from_outside() {
    let mut bench = Bench::new();
    bench.stable();
    let outside = bench.commit("", -1, 7);
    assert_eq!(bench.commit_error(outside), ErrorCode::UnknownMemberId);
}

#[test]
fn only_an_empty_group_can_be_deleted_and_a_deleted_one_is_dead() {
    let mut bench = Bench::new();
    let id = bench.stable();
    assert_eq!(bench.group.delete(None, &mut Vec::new()), Err(ErrorCode::NonEmptyGroup));
    bench.leave(&id);
    let waiter = bench.waiter();
    let mut out = Vec::new();
    bench.group.delete(Some(waiter), &mut out).unwrap();
    bench.carry_out(out);
    assert_eq!(bench.group.state(), State::Dead);
    let late = bench.join("");
    assert_eq!(bench.joined(late).error, ErrorCode::CoordinatorNotAvailable);
}

#[test]
fn what_is_committed_while_a_group_is_being_deleted_lies_behind_the_tombstones_and_stays() {
    let mut bench = Bench::new();
    bench.commit("", -1, 1);
    bench.hold_writes = true;
    let mut out = Vec::new();
    let deletion = bench.waiter();
    bench.group.delete(Some(deletion), &mut out).unwrap();
    bench.carry_out(out);
    let commit = bench.commit("", -1, 2);
    bench.release_writes();
    assert!(!bench.waits(deletion));
    assert_eq!(bench.commit_error(commit), ErrorCode::None);
    assert_eq!(bench.group.state(), State::Empty, "a group that has an offset is not dead");
    assert_eq!(bench.group.offset("t", 0).map(|o| o.offset), Some(2));
}

#[test]
fn a_group_that_is_joined_while_it_is_being_deleted_lives_on_without_its_offsets() {
    let mut bench = Bench::new();
    bench.commit("", -1, 1);
    bench.hold_writes = true;
    let mut out = Vec::new();
    bench.group.delete(None, &mut out).unwrap();
    bench.carry_out(out);
    bench.join("");
    bench.release_writes();
    assert_eq!(bench.group.state(), State::PreparingRebalance);
    assert!(bench.group.offset("t", 0).is_none(), "the log has a tombstone for it");
}

#[test]
fn offsets_of_topics_that_members_read_are_not_deleted() {
    let mut bench = Bench::new();
    let id = bench.stable();
    bench.commit(&id, 1, 3);
    let waiter = bench.waiter();
    let mut out = Vec::new();
    let read = |_: &[u8]| Some(vec!["t".to_owned()]);
    bench.group.delete_offsets(vec![partition()], read, waiter, &mut out).unwrap();
    bench.carry_out(out);
    assert_eq!(bench.commit_error(waiter), ErrorCode::GroupSubscribedToTopic);

    let waiter = bench.waiter();
    let mut out = Vec::new();
    bench.group.delete_offsets(vec![partition()], topics_of, waiter, &mut out).unwrap();
    bench.carry_out(out);
    assert_eq!(bench.commit_error(waiter), ErrorCode::None);
    assert!(bench.group.offset("t", 0).is_none());
}

#[test]
fn a_group_that_was_left_goes_with_its_last_offset() {
    let mut bench = Bench::new();
    let id = bench.stable();
    bench.commit(&id, 1, 3);
    bench.leave(&id);
    let delete = |bench: &mut Bench| {
        let waiter = bench.waiter();
        let mut out = Vec::new();
        bench.group.delete_offsets(vec![partition()], topics_of, waiter, &mut out).unwrap();
        bench.carry_out(out);
        bench.commit_error(waiter)
    };
    bench.fail_writes = Some(ErrorCode::NotCoordinator);
    assert_eq!(delete(&mut bench), ErrorCode::NotCoordinator);
    assert_eq!(bench.group.state(), State::Empty);
    bench.fail_writes = None;
    assert_eq!(delete(&mut bench), ErrorCode::None);
    assert!(matches!(bench.writes.last(), Some(Write::Tombstones { group: true, .. })));
    assert_eq!(bench.group.state(), State::Dead);
}

#[test]
fn retention_counts_from_the_time_the_group_became_empty() {
    let mut bench = Bench::new();
    let id = bench.stable();
    bench.commit(&id, 1, 3);
    let expire = |bench: &mut Bench| {
        let mut out = Vec::new();
        bench.group.expire_offsets(1_000, |_| Some(vec!["t".into()]), bench.now, &mut out);
        bench.carry_out(out);
    };
    bench.now += 5_000;
    let _ = bench.heartbeat(&id, 1);
    expire(&mut bench);
    assert!(bench.group.offset("t", 0).is_some(), "a living group keeps what it reads");
    bench.leave(&id);
    bench.now += 999;
    expire(&mut bench);
    assert!(bench.group.offset("t", 0).is_some());
    bench.now += 1;
    expire(&mut bench);
    assert!(bench.group.offset("t", 0).is_none());
    assert_eq!(bench.group.state(), State::Dead, "nothing is left of it");
}

#[test]
fn a_group_that_was_left_stays_until_its_record_has_a_tombstone() {
    let mut bench = Bench::new();
    let id = bench.stable();
    bench.leave(&id);
    assert_eq!(bench.group.state(), State::Empty);
    assert!(!bench.group.is_unused(), "the log would bring it back");
    let mut out = Vec::new();
    bench.group.expire_offsets(1_000, topics_of, bench.now, &mut out);
    bench.carry_out(out);
    assert!(matches!(bench.writes.last(), Some(Write::Tombstones { group: true, .. })));
    assert_eq!(bench.group.state(), State::Dead);
}

#[test]
fn offsets_of_a_client_that_never_joined_expire_by_commit() {
    let mut bench = Bench::new();
    bench.now = 10_000;
    bench.commit("", -1, 3);
    bench.now += 1_000;
    let mut out = Vec::new();
    bench.group.expire_offsets(1_000, topics_of, bench.now, &mut out);
    bench.carry_out(out);
    assert_eq!(bench.group.state(), State::Dead);
}

#[test]
fn a_group_read_back_from_the_log_is_as_it_was() {
    let mut bench = Bench::new();
    let id = bench.stable();
    let Some(Write::Group(stored)) = bench.writes.last().cloned() else { panic!("no group record") };
    let mut loaded = Group::load("g", Limits::default(), stored, at(50_000));
    assert_eq!(loaded.describe(), bench.group.describe());
    assert_eq!(loaded.generation(), 1);
    assert_eq!(loaded.heartbeat(1, &id, None, at(50_000 + i64::from(SESSION) - 1)), ErrorCode::None);
}

#[test]
fn a_wall_clock_that_is_set_ends_no_session_and_keeps_none_alive() {
    const HOUR: i64 = 3_600_000;
    for wall in [HOUR, -HOUR] {
        let mut bench = Bench::new();
        let member = bench.stable();
        let mut out = Vec::new();
        let alive = i64::from(SESSION) - 1;
        bench.group.on_time(Moment { steady: bench.now + alive, wall: bench.now + wall }, &mut out);
        assert_eq!(bench.group.state(), State::Stable, "the wall clock went by {wall} ms");
        assert_eq!(bench.heartbeat(&member, 1), ErrorCode::None);
        bench
            .group
            .on_time(Moment { steady: bench.now + i64::from(SESSION), wall: bench.now + wall }, &mut out);
        assert_eq!(bench.group.state(), State::Empty, "the session is over, whatever the wall clock says");
    }
}
