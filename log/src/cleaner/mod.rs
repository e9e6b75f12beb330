//! Compaction: of each key only the latest record has to stay.
//!
//! | file | idea |
//! |---|---|
//! | `plan` | what can be cleaned, whether that is worth it, which segments become one |
//! | `offset_map` | the last offset of each key, in bounded memory |
//! | `transactions` | which transactions a pass is in |
//! | `filter` | what stays of one batch |
//! | `round` | one cleaning of a log |
//! | `install` | a cleaned segment in the place of those it was made from |
//!
//! The rules are Kafka's: offsets and order stay, as do a record that is its key's latest, a tombstone until `delete.retention.ms` after the first cleaning
//! that met it (KIP-534: its batch says when), records behind the last stable offset or younger than `min.compaction.lag.ms`, the marker of a transaction as long
//! as anything of it is left, and without records the last batch of each producer and of a round. The active segment is never cleaned.

mod filter;
mod install;
mod offset_map;
mod plan;
mod round;
mod transactions;

pub use install::Replacement;
pub use plan::Cleanable;
pub use round::{CleanError, CleanOptions, CleanStats, LastOfProducer};

use crate::log::Log;

impl Log {
    /// What has to stay of each producer that is known, for [`CleanOptions::producers`].
    pub fn last_of_producers(&self) -> std::collections::HashMap<i64, LastOfProducer> {
        let last = |entry: &crate::ProducerEntry| {
            let last_offset = Some(entry.last_offset()).filter(|offset| *offset >= 0);
            (entry.producer_id, LastOfProducer { epoch: entry.epoch, last_offset })
        };
        self.producers().map(last).collect()
    }
}
