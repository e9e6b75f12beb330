//! Thousands of random histories of a cluster of three: brokers crash, lose what they had not flushed, stand still and lose their sessions, messages are
//! lost, late and repeated, clocks jump, while producers write with acks=all and consumers read.
//!
//! Checked in every history: no acknowledged record is lost, records keep the order in which they were acknowledged, replicas never differ below a
//! high watermark, whoever is in sync has everything below it, an epoch has one leader, and when all is well again everybody is in sync.
//!
//! `REPLICATION_CASES=n` is how many; a seed replays its history: `VLTAVA_SEED=n` begins with that of seed n, and `REPLICATION_TRACE=1` tells what
//! happens in it.

#![allow(clippy::panic, clippy::unwrap_used)]

mod cluster_world;

use cluster_world::{World, flaw::Flaw};

/// Histories that `make test` runs.
const HISTORIES: u64 = 2_000;

/// In so many histories a flaw has to show.
const FOUND_WITHIN: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_that_was_acknowledged_is_lost_whatever_goes_wrong() {
    let first = number("VLTAVA_SEED").unwrap_or(1);
    let traces = std::env::var_os("REPLICATION_TRACE").is_some();
    let (mut acknowledged, mut elections) = (0, 0);
    let histories = number("REPLICATION_CASES").unwrap_or(HISTORIES);
    for seed in first..first + histories {
        let history = World::run(seed, None, traces);
        if let Some(violation) = history.violation {
            panic!("VLTAVA_SEED={seed}: {violation}");
        }
        acknowledged += history.acknowledged as u64;
        elections += u64::from(history.elections.unsigned_abs());
    }
    // Nothing is proved by histories in which nothing happens.
    assert!(acknowledged > 30 * histories, "{acknowledged} records in {histories} histories");
    assert!(elections > 3 * histories, "{elections} elections in {histories} histories");
}

/// Some history breaks a law, and not only does not come to rest.
#[track_caller]
fn is_found(flaw: Flaw) {
    let breaks_a_law = |seed| {
        let violation = World::run(seed, Some(flaw), false).violation;
        violation.is_some_and(|violation| !violation.starts_with("no rest"))
    };
    let found = (1..=FOUND_WITHIN).find(|seed| breaks_a_law(*seed));
    println!("{flaw:?}: found in history {found:?}");
    assert!(found.is_some(), "{flaw:?} does no harm");
}

#[test]
fn followers_that_do_not_truncate_by_epoch_are_found() {
    is_found(Flaw::NoTruncationByEpoch);
}

#[test]
fn a_shrunk_isr_that_counts_before_it_is_confirmed_is_found() {
    is_found(Flaw::ShrunkIsrCountsAtOnce);
}

#[test]
fn a_follower_that_joins_below_the_start_of_the_epoch_is_found() {
    is_found(Flaw::JoinsBelowEpochStart);
}

#[test]
fn a_high_watermark_at_the_leaders_end_is_found() {
    is_found(Flaw::HighWatermarkFromLogEnd);
}

#[test]
fn a_restart_that_the_controller_does_not_notice_is_found() {
    is_found(Flaw::RestartsUnnoticed);
}

#[test]
fn fetches_that_do_not_name_their_registration_are_found() {
    is_found(Flaw::FetchesWithoutBrokerEpochs);
}
