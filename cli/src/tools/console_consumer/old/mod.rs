//! The high-level consumer of Kafka 0.8, whose group lives in ZooKeeper.
//!
//! ```text
//! /consumers/G/ids/ID          ephemeral: what the member ID wants, as JSON
//! /consumers/G/owners/T/P      ephemeral: the thread that consumes partition P, `ID-0`
//! /consumers/G/offsets/T/P     persistent: the next offset to consume, a decimal number
//! ```
//!
//! Each member watches members, brokers, topics and their partitions; after each change it lets go of what it has, computes the range
//! assignment, which is the same at all, and takes what is its own, waiting for owners before it to let go.
//! [`registry`] reads and writes the znodes, [`assignment`] computes, [`member`] is the member's life, [`fetcher`] fetches.

mod assignment;
mod fetcher;
mod member;
mod registry;

use super::super::{failure::Failure, signals::Stop, zookeeper};
use super::{
    options::Settings,
    process::{Ending, process},
};
use member::Member;

/// Consumes as a member of the group. When this returns, offsets are committed, the partitions are free, and the tree of a group
/// that only this process was ever in is gone.
pub(super) fn consume(settings: &Settings, stop: &Stop) -> Result<Ending, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::new("java.io.IOException", error.to_string()))?;
    let mut member = runtime.block_on(Member::join(settings))?;
    let ending = process(settings, stop, &mut member::Polled { runtime: &runtime, member: &mut member });
    runtime.block_on(async {
        let session = member.leave().await?;
        if !settings.named_group {
            zookeeper::delete_tree(&session, &registry::group(&settings.group)).await?;
        }
        Ok::<(), Failure>(())
    })?;
    Ok(ending)
}
