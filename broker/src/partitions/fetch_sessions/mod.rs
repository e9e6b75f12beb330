//! Incremental fetch sessions (KIP-227): the broker remembers what a client asks for, so that a request names only what changed and a
//! response carries only what is new.
//!
//! [`FetchSessions`] is the bounded cache, [`FetchSession`] one client's memory. Both are guarded by short locks of their own; what a request does is
//! [`FetchSessions::begin`], reading without any lock held, and [`Fetching::finish`].

mod cache;
mod session;

#[cfg(test)]
mod tests;

pub use cache::{FetchSessions, Limits};
pub use session::{FetchSession, Fetching, Outcome, SessionError, TopicRef, Wanted};

/// Ends a session, or says that none is wanted.
pub const FINAL_EPOCH: i32 = -1;

/// Asks for a new session.
pub const INITIAL_EPOCH: i32 = 0;

/// No session.
pub const NO_SESSION: i32 = 0;

/// The epoch that follows `epoch`: 0 begins only, so the counter skips it when it runs over.
fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        FINAL_EPOCH => FINAL_EPOCH,
        i32::MAX => 1,
        _ => epoch.wrapping_add(1),
    }
}
