//! One partition's replication, as its own replica sees it: who leads, who is in sync, and up to where everything is committed.
//!
//! [`Replication`] is a value inside each broker partition, used under the partition's lock. It is called synchronously with plain
//! numbers and answers with a small `Copy` [`Effect`]: no queue and no allocation on the path of an append or of a follower's fetch.
//! It alone owns leader epoch, partition epoch, in-sync replicas (ISR) and high watermark; the log alone owns the log end offset and tells
//! it here. Time is an argument, in milliseconds.
//!
//! What is committed: the high watermark is the least log end offset over the *maximal* ISR, which is the committed ISR and everybody
//! an unconfirmed change would add (KIP-497). A shrunk ISR counts only when it is confirmed, a grown one from the moment it is proposed, so
//! whichever of the two the controller holds, its members have everything below the high watermark.

mod agreement;
mod isr;
mod progress;
mod state;
mod truncation;

#[cfg(test)]
mod tests;

pub use agreement::{Agreement, Step, divergence};
pub use isr::{Isr, IsrChange};
pub use progress::Progress;
pub use state::{
    Effect, EpochError, FetchRefused, FollowerFetch, FollowerState, LeaderState, NotLeader, Replication,
    Role, Rules, StaleState, UnknownReplica,
};
pub use truncation::{EpochAndEnd, Truncation, truncation};
