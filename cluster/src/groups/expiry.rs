//! Which offsets have outlived their retention (KIP-211).

use super::action::Action;
use super::offsets::{CommittedOffset, Partition};
use super::state::{Group, State};

impl Group {
    /// The topics that the members read, if every member's subscription in the chosen protocol can be read.
    pub(super) fn subscription(
        &self,
        subscribed: impl Fn(&[u8]) -> Option<Vec<String>>,
    ) -> Option<Vec<String>> {
        if self.protocol_type.as_deref() != Some("consumer") {
            return None;
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = Vec::new();
        for member in self.members.values() {
            topics.extend(subscribed(member.metadata(protocol))?);
        }
        topics.sort_unstable();
        topics.dedup();
        Some(topics)
    }

    /// Writes tombstones for offsets that are `retention` milliseconds past their use, and for the group itself when nothing would be left.
    ///
    /// Retention counts from the time the group became empty; for a client that never joined, from the commit; for a topic that a
    /// living group no longer reads, from the commit too. `now` is milliseconds since 1970, as those times are. What is being committed does not expire: the tombstone would lie behind it.
    pub fn expire_offsets(
        &mut self,
        retention: i64,
        subscribed: impl Fn(&[u8]) -> Option<Vec<String>>,
        now: i64,
        out: &mut Vec<Action>,
    ) {
        let expired: Vec<Partition> = match (self.state, &self.protocol_type) {
            (State::Dead, _) => return,
            (State::Empty, Some(_)) => {
                let since = self.state_since;
                self.outlived(retention, now, |offset, _| offset.committed_at.max(since))
            }
            (_, None) => self.outlived(retention, now, |offset, _| offset.committed_at),
            (State::Stable, Some(_)) => match self.subscription(subscribed) {
                None => return,
                Some(read) => self.outlived(retention, now, |offset, topic| {
                    if read.iter().any(|name| name == topic) { i64::MAX } else { offset.committed_at }
                }),
            },
            (State::PreparingRebalance | State::CompletingRebalance, Some(_)) => return,
        };
        let all = expired.len() == self.offsets().count() && !self.offsets.is_writing();
        let has_record = self.protocol_type.is_some() || self.generation > 0;
        if self.state == State::Empty && all && (has_record || !expired.is_empty()) {
            // Nothing would be left. A refusal means that the group's own record is being written: the next round finds it done.
            let _ = self.delete(None, out);
        } else if !expired.is_empty() {
            self.remove_offsets(expired, None, Vec::new(), out);
        }
    }

    fn outlived(
        &self,
        retention: i64,
        now: i64,
        since: impl Fn(&CommittedOffset, &str) -> i64,
    ) -> Vec<Partition> {
        let being_written = self.offsets.being_written();
        let old = |(topic, _, offset): &(&str, i32, &CommittedOffset)| match offset.expires_at {
            Some(expires_at) => since(offset, topic) != i64::MAX && expires_at <= now,
            None => since(offset, topic).checked_add(retention).is_some_and(|end| end <= now),
        };
        self.offsets()
            .filter(old)
            .filter(|(topic, index, _)| !being_written.contains(&(*topic, *index)))
            .map(|(topic, index, _)| Partition { topic: topic.to_owned(), index })
            .collect()
    }
}
