//! A moment as a group sees it.

/// A moment by two clocks: what lasts so long is counted by one that is never set, what is stored is told by the one that people read. A wall clock that is
/// put forward by an hour ends nobody's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds of a clock that only goes forward, from any beginning: for deadlines.
    pub steady: i64,
    /// Milliseconds since 1970: for what is written to `__consumer_offsets`.
    pub wall: i64,
}
