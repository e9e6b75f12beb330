//! How a follower comes to agree with its leader before it copies (KIP-101, KIP-279, KIP-595): what it asks next, and what the leader finds.

use super::truncation::EpochAndEnd;

/// How far a follower has come in one leader epoch; a new epoch begins with the default: nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agreement {
    agrees: bool,
    ask_about: Option<i32>,
}

/// What a follower does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It fetches from its log's end.
    Fetch,
    /// It asks where this epoch ends (OffsetForLeaderEpoch).
    AskForEnd(i32),
    /// Its log knows no epochs: it cuts off what is not known to be committed.
    CutToHighWatermark,
}

impl Agreement {
    /// What to do with a log whose last record is of `last_epoch`. A Fetch from version 12 on (`leader_tells`) says that epoch itself, and is
    /// answered with where the logs diverge, so that nothing has to be asked before.
    #[must_use]
    pub fn next(&self, last_epoch: Option<i32>, leader_tells: bool) -> Step {
        match last_epoch.filter(|epoch| *epoch >= 0) {
            _ if self.agrees => Step::Fetch,
            Some(_) if leader_tells => Step::Fetch,
            Some(last) => Step::AskForEnd(self.ask_about.unwrap_or(last)),
            None => Step::CutToHighWatermark,
        }
    }

    /// The log was cut off as the leader said: they agree if that was final, else the epoch that is last now is asked about.
    pub fn cut(&mut self, is_final: bool, last_epoch: Option<i32>) {
        self.agrees = is_final;
        self.ask_about = if is_final { None } else { last_epoch };
    }

    /// Records were taken.
    pub fn fetched(&mut self) {
        self.agrees = true;
    }
}

/// What a leader answers a Fetch from `offset` whose follower has `last_epoch` last; `end` is where that epoch ends in the leader's log: the end,
/// where the logs diverge, and no records.
#[must_use]
pub fn divergence(last_epoch: i32, offset: i64, end: EpochAndEnd) -> Option<EpochAndEnd> {
    (end.epoch < last_epoch || end.end < offset).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_epochs_asks_until_the_answer_is_final_or_lets_the_leader_tell() {
        let mut agreement = Agreement::default();
        assert_eq!(agreement.next(Some(5), true), Step::Fetch);
        assert_eq!(agreement.next(Some(5), false), Step::AskForEnd(5));
        agreement.cut(false, Some(3));
        assert_eq!(agreement.next(Some(4), false), Step::AskForEnd(3));
        agreement.cut(true, Some(3));
        assert_eq!(agreement.next(Some(3), false), Step::Fetch);
    }

    #[test]
    fn who_has_none_keeps_what_is_committed() {
        let mut agreement = Agreement::default();
        assert_eq!(agreement.next(None, true), Step::CutToHighWatermark);
        assert_eq!(agreement.next(Some(-1), false), Step::CutToHighWatermark);
        agreement.fetched();
        assert_eq!(agreement.next(None, true), Step::Fetch);
    }

    #[test]
    fn logs_diverge_where_the_leader_lacks_the_epoch_or_ends_it_earlier() {
        let end = |epoch, end| EpochAndEnd { epoch, end };
        assert_eq!(divergence(5, 80, end(5, 80)), None);
        assert_eq!(divergence(5, 80, end(5, 90)), None);
        assert_eq!(divergence(5, 80, end(5, 79)), Some(end(5, 79)));
        assert_eq!(divergence(5, 80, end(4, 90)), Some(end(4, 90)));
    }
}
