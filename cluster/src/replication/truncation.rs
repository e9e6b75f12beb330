//! Where a follower cuts its log off: pure, from what the leader says of where an epoch ends and the follower's own epochs (KIP-101, KIP-279).

/// An epoch and where it ends; -1 for either means that it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochAndEnd {
    /// The epoch.
    pub epoch: i32,
    /// The first offset behind it.
    pub end: i64,
}

/// What to do with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Records at this offset and above go.
    pub offset: i64,
    /// Whether the logs agree after that. Else the leader has to be asked about an earlier epoch.
    pub is_final: bool,
}

/// `leader` is the largest epoch of the leader's that is not above the one asked about, and its end there. `end_of` says the same of this log.
///
/// A leader that knows nothing leaves the high watermark as the only bound, as before KIP-101.
pub fn truncation(
    leader: EpochAndEnd,
    log_end: i64,
    high_watermark: i64,
    end_of: impl FnOnce(i32) -> EpochAndEnd,
) -> Truncation {
    let to = |offset: i64, is_final| Truncation { offset: offset.min(log_end), is_final };
    if leader.end < 0 {
        return to(high_watermark, true);
    }
    if leader.epoch < 0 {
        return to(leader.end, true);
    }
    let own = end_of(leader.epoch);
    if own.end < 0 || own.epoch < 0 {
        return to(leader.end, true);
    }
    if own.epoch != leader.epoch {
        return to(own.end, false);
    }
    to(own.end.min(leader.end), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(leader: (i32, i64), own: (i32, i64)) -> (i64, bool) {
        let leader = EpochAndEnd { epoch: leader.0, end: leader.1 };
        let own = EpochAndEnd { epoch: own.0, end: own.1 };
        let cut = truncation(leader, 100, 40, |_| own);
        (cut.offset, cut.is_final)
    }

    #[test]
    fn the_logs_agree_up_to_the_smaller_end_of_their_largest_common_epoch() {
        assert_eq!(cut((5, 80), (5, 90)), (80, true), "the leader's epoch ended earlier");
        assert_eq!(cut((5, 90), (5, 80)), (80, true), "ours did");
        assert_eq!(cut((5, 200), (5, 200)), (100, true), "never behind the log's end");
        assert_eq!(cut((5, 80), (3, 60)), (60, false), "epoch 5 is not ours: ask about 3");
    }

    #[test]
    fn who_knows_no_epochs_is_followed_by_offsets() {
        assert_eq!(cut((-1, -1), (5, 90)), (40, true), "nothing is known: what is committed stays");
        assert_eq!(cut((-1, 70), (5, 90)), (70, true));
        assert_eq!(cut((5, 70), (-1, -1)), (70, true));
    }
}
