//! Rules that a shell breaks on purpose, for the simulation to find.

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Followers cut themselves off at their high watermark and ask no leader where its epochs end, as before KIP-101.
    NoTruncationByEpoch,
    /// A leader counts a shrunk in-sync set before the controller has confirmed it.
    ShrunkIsrCountsAtOnce,
    /// A leader asks for a follower that has reached the high watermark, but not the start of its own epoch.
    JoinsBelowEpochStart,
    /// A leader takes what it has appended for committed.
    HighWatermarkFromLogEnd,
    /// The controller is not told that a broker has started again between two looks.
    RestartsUnnoticed,
    /// Followers do not say which registration of theirs fetches, and leaders cannot tell the controller (KIP-903).
    FetchesWithoutBrokerEpochs,
}
