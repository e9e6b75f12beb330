//! What must hold in every history.

use std::collections::BTreeMap;

use super::replica_log::{Record, ReplicaLog};

/// See the module. The first violation is kept.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    /// What some replica has shown below its high watermark: it may never change.
    pub(crate) committed: Vec<Record>,
    /// Where each acknowledged value was written, in the order of the acknowledgements.
    acknowledged: Vec<(u64, i64)>,
    acknowledged_up_to: i64,
    /// Who has led in an epoch.
    leaders: BTreeMap<i32, i32>,
    pub(crate) violation: Option<String>,
}

impl Laws {
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    pub(crate) fn violate(&mut self, what: impl FnOnce() -> String) {
        self.violation.get_or_insert_with(what);
    }

    /// A replica's high watermark moved from `from` to `to`: consumers may read up to there.
    pub(crate) fn show(&mut self, broker: i32, log: &ReplicaLog, from: i64, to: i64) {
        for offset in from..to {
            let at = offset as usize;
            let shown = log.records().get(at).copied();
            match (self.committed.get(at).copied(), shown) {
                (_, None) => {
                    self.violate(|| {
                        format!(
                            "broker {broker}: the high watermark {to} is above the log's end {}",
                            log.end()
                        )
                    });
                    return;
                }
                (None, Some(record)) => self.committed.push(record),
                (Some(before), Some(now)) if before != now => {
                    self.violate(|| {
                        format!(
                            "broker {broker} shows {now:?} at {offset} where consumers have seen {before:?}"
                        )
                    });
                    return;
                }
                (Some(_), Some(_)) => {}
            }
        }
    }

    /// A replica that may be elected has everything that was ever shown, from `from` on.
    pub(crate) fn holds_everything(&mut self, what: &str, broker: i32, log: &ReplicaLog, from: usize) {
        let lacks = (from.min(self.committed.len())..self.committed.len())
            .find(|&at| log.records().get(at) != Some(&self.committed[at]));
        if let Some(at) = lacks {
            let (ours, committed) = (log.records().get(at).copied(), self.committed[at]);
            self.violate(|| format!("{what} {broker} has {ours:?} at {at} where {committed:?} is committed"));
        }
    }

    pub(crate) fn is_held_by(&self, log: &ReplicaLog) -> bool {
        log.records().starts_with(&self.committed)
    }

    /// A replica in sync cuts its log off at `offset`.
    pub(crate) fn cut(&mut self, broker: i32, offset: i64) {
        let committed = self.committed.len();
        if (offset as usize) < committed {
            self.violate(|| {
                format!("broker {broker}, in sync, cuts off at {offset} what is committed up to {committed}")
            });
        }
    }

    pub(crate) fn leads(&mut self, broker: i32, epoch: i32) {
        let first = *self.leaders.entry(epoch).or_insert(broker);
        if first != broker {
            self.violate(|| format!("brokers {first} and {broker} both lead in epoch {epoch}"));
        }
    }

    /// Where the last of what is acknowledged lies.
    pub(crate) fn acknowledged_up_to(&self) -> i64 {
        self.acknowledged_up_to
    }

    /// A producer is told that `value` is written at `offset`; when it was sent, all that was acknowledged lay below `above`.
    pub(crate) fn acknowledge(&mut self, value: u64, offset: i64, above: i64) {
        if offset < above {
            self.violate(|| {
                format!(
                    "value {value} is at {offset}, below {above}, which was acknowledged before it was sent"
                )
            });
        }
        self.acknowledged_up_to = self.acknowledged_up_to.max(offset + 1);
        let is_shown = self.committed.get(offset as usize).is_some_and(|record| record.value == value);
        if !is_shown {
            self.violate(|| format!("value {value} at {offset} is acknowledged and not committed"));
        }
        self.acknowledged.push((value, offset));
    }

    /// At the end, when everybody is well again.
    pub(crate) fn keeps_what_was_acknowledged(&mut self, broker: i32, log: &ReplicaLog) {
        let lost = self.acknowledged.iter().copied().find(|&(value, offset)| {
            log.records().get(offset as usize).is_none_or(|record| record.value != value)
        });
        if let Some((value, offset)) = lost {
            self.violate(|| format!("broker {broker} has lost value {value}, acknowledged at {offset}"));
        }
        let epochs_grow = log.records().windows(2).all(|pair| pair[0].epoch <= pair[1].epoch);
        if !epochs_grow {
            self.violate(|| format!("broker {broker}: the epochs of its records do not grow"));
        }
    }
}
