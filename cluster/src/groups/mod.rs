//! Consumer groups of the classic protocol: membership, rebalances, static members and committed offsets.
//!
//! [`Group`] is one group as a deterministic machine. Requests go in with the time and a [`Waiter`], the shell's name for the request;
//! [`Action`]s come out: answers, and writes to `__consumer_offsets`. Nothing that a write must make durable takes effect before the
//! shell has reported it written ([`Group::written`]). The machine keeps no clock: [`Group::wake_at`] says when, of the steady clock, it wants
//! [`Group::on_time`] to be called.
//!
//! ```text
//!            join                    all joined, or time up            leader's assignment written
//!   Empty ─────────▶ PreparingRebalance ─────────▶ CompletingRebalance ─────────▶ Stable
//!     ▲                   │      ▲                        │                         │
//!     └── last one left ──┘      └────── join, leave, expiry, failed write ─────────┘
//! ```
//!
//! A group in [`State::Dead`] has been deleted or has moved to another broker and answers COORDINATOR_NOT_AVAILABLE, so that clients look for its
//! coordinator again. The rules are Kafka's group coordinator's, with KIP-62 (rebalance timeout), KIP-134 (initial delay), KIP-211 (offset expiry),
//! KIP-345 (static members), KIP-394 (member id first) and KIP-814 (a static leader's return).

mod action;
mod coordinator;
mod describe;
mod expiry;
mod join;
mod leave;
mod member;
mod moment;
mod offsets;
mod promises;
mod rebalance;
mod state;
mod stored;
mod sync;

pub use action::{Action, JoinAnswer, JoinMember, SyncAnswer, Waiter, Write, WriteId};
pub use coordinator::partition_for;
pub use describe::{Description, MemberDescription};
pub use join::JoinRequest;
pub use leave::{Leaving, LeavingMember};
pub use moment::Moment;
pub use offsets::{CommitRequest, CommittedOffset, Partition};
pub use state::{Group, Limits, State};
pub use stored::{StoredGroup, StoredMember};
pub use sync::SyncRequest;
