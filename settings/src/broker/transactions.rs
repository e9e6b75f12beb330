//! The transaction coordinator and its log.

use crate::definition::*;
use crate::reason;

keys! {
    /// The longest transaction, in milliseconds, that a producer may ask for.
    TRANSACTION_MAX_TIMEOUT_MS: i32 = int("transaction.max.timeout.ms", 900_000)
        .at_least(1)
        .high()
        .accepted(reason::TRANSACTIONS);
    /// Milliseconds after which an idle transactional id is forgotten.
    TRANSACTIONAL_ID_EXPIRATION_MS: i32 = int("transactional.id.expiration.ms", 604_800_000)
        .at_least(1)
        .high()
        .accepted(reason::TRANSACTIONS);
    /// Partitions of `__transaction_state`; not to be changed once it exists.
    TRANSACTION_STATE_LOG_NUM_PARTITIONS: i32 = int("transaction.state.log.num.partitions", 50)
        .at_least(1)
        .high();
    /// Replicas of `__transaction_state`. Where the key is not given there are no more than live brokers.
    TRANSACTION_STATE_LOG_REPLICATION_FACTOR: i16 = short("transaction.state.log.replication.factor", 3)
        .at_least(1)
        .high();
    /// `min.insync.replicas` of `__transaction_state`. Where the key is not given it is no more than the replicas.
    TRANSACTION_STATE_LOG_MIN_ISR: i32 = int("transaction.state.log.min.isr", 2)
        .at_least(1)
        .high();
    /// Segment size of `__transaction_state`, in bytes.
    TRANSACTION_STATE_LOG_SEGMENT_BYTES: i32 = int("transaction.state.log.segment.bytes", 104_857_600)
        .at_least(1)
        .high();
    /// Bytes of `__transaction_state` read at once when it is loaded.
    TRANSACTION_STATE_LOG_LOAD_BUFFER_SIZE: i32 = int("transaction.state.log.load.buffer.size", 5_242_880)
        .at_least(1)
        .high()
        .accepted(reason::TRANSACTIONS);
    /// Milliseconds between two looks for transactions that took too long.
    TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS: i32 = int("transaction.abort.timed.out.transaction.cleanup.interval.ms", 10_000)
        .at_least(1)
        .low()
        .accepted(reason::TRANSACTIONS);
    /// Milliseconds between two looks for expired transactional ids.
    TRANSACTION_REMOVE_EXPIRED_TRANSACTION_CLEANUP_INTERVAL_MS: i32 = int("transaction.remove.expired.transaction.cleanup.interval.ms", 3_600_000)
        .at_least(1)
        .low()
        .accepted(reason::TRANSACTIONS);
    /// Whether a partition checks with the coordinator before it takes a transaction's first record.
    TRANSACTION_PARTITION_VERIFICATION_ENABLE: bool = boolean("transaction.partition.verification.enable", true)
        .cluster_wide()
        .low()
        .accepted(reason::TRANSACTIONS);
}
