//! Replicas, leaders and controlled shutdown.

use crate::definition::*;
use crate::reason;

keys! {
    /// Replicas that must be in sync for a produce with acks=all to be accepted.
    MIN_INSYNC_REPLICAS: i32 = int("min.insync.replicas", 1).at_least(1).cluster_wide().high();
    /// Whether a replica that is not in sync may become leader, at the price of losing records.
    UNCLEAN_LEADER_ELECTION_ENABLE: bool = boolean("unclean.leader.election.enable", false)
        .cluster_wide()
        .high();
    /// Milliseconds between two looks for unclean elections to hold.
    UNCLEAN_LEADER_ELECTION_INTERVAL_MS: i64 = long("unclean.leader.election.interval.ms", 300_000)
        .at_least(1)
        .medium()
        .internal()
        .accepted(reason::KRAFT_ONLY);
    /// Whether the controller moves leadership back to preferred replicas by itself.
    AUTO_LEADER_REBALANCE_ENABLE: bool = boolean("auto.leader.rebalance.enable", true)
        .high()
        .accepted(reason::REBALANCE);
    /// Seconds between two such looks.
    LEADER_IMBALANCE_CHECK_INTERVAL_SECONDS: i64 = long("leader.imbalance.check.interval.seconds", 300)
        .at_least(1)
        .high()
        .accepted(reason::REBALANCE);
    /// Percent of partitions led away from their preferred broker at which leadership moves back.
    LEADER_IMBALANCE_PER_BROKER_PERCENTAGE: i32 = int("leader.imbalance.per.broker.percentage", 10)
        .high()
        .accepted(reason::REBALANCE);
    /// Milliseconds without catching up after which a follower leaves the in-sync set.
    REPLICA_LAG_TIME_MAX_MS: i64 = long("replica.lag.time.max.ms", 30_000).high();
    /// Connections over which followers fetch from each leader.
    NUM_REPLICA_FETCHERS: i32 = int("num.replica.fetchers", 1).cluster_wide().high();
    /// Bytes that a follower's fetch waits for.
    REPLICA_FETCH_MIN_BYTES: i32 = int("replica.fetch.min.bytes", 1).high();
    /// Bytes of one partition that a follower's fetch asks for.
    REPLICA_FETCH_MAX_BYTES: i32 = int("replica.fetch.max.bytes", 1_048_576)
        .at_least(0)
        .medium();
    /// Bytes of a whole response that a follower's fetch asks for.
    REPLICA_FETCH_RESPONSE_MAX_BYTES: i32 = int("replica.fetch.response.max.bytes", 10_485_760)
        .at_least(0)
        .medium();
    /// Milliseconds that a follower's fetch waits for new data.
    REPLICA_FETCH_WAIT_MAX_MS: i32 = int("replica.fetch.wait.max.ms", 500).high();
    /// Milliseconds that a follower waits after a failed fetch.
    REPLICA_FETCH_BACKOFF_MS: i32 = int("replica.fetch.backoff.ms", 1000)
        .at_least(0)
        .medium();
    /// Milliseconds that a follower waits for an answer.
    REPLICA_SOCKET_TIMEOUT_MS: i32 = int("replica.socket.timeout.ms", 30_000).high();
    /// SO_RCVBUF of a follower's sockets, in bytes.
    REPLICA_SOCKET_RECEIVE_BUFFER_BYTES: i32 = int("replica.socket.receive.buffer.bytes", 65_536)
        .high();
    /// Milliseconds between two writings of high watermarks to disk.
    REPLICA_HIGH_WATERMARK_CHECKPOINT_INTERVAL_MS: i64 = long("replica.high.watermark.checkpoint.interval.ms", 5000)
        .high();
    /// A class that chooses the replica a consumer reads from (KIP-392).
    REPLICA_SELECTOR_CLASS: Option<String> = optional_string("replica.selector.class")
        .medium()
        .refused(reason::SELECTOR);
    /// Whether a stopping broker first hands its leaderships to others.
    CONTROLLED_SHUTDOWN_ENABLE: bool = boolean("controlled.shutdown.enable", true).medium();
    /// Tries of that hand-over.
    CONTROLLED_SHUTDOWN_MAX_RETRIES: i32 = int("controlled.shutdown.max.retries", 3).medium();
    /// Milliseconds between two tries.
    CONTROLLED_SHUTDOWN_RETRY_BACKOFF_MS: i64 = long("controlled.shutdown.retry.backoff.ms", 5000).medium();
    /// Milliseconds that the controller waits for a broker's answer.
    CONTROLLER_SOCKET_TIMEOUT_MS: i32 = int("controller.socket.timeout.ms", 30_000).medium();
    /// Whether eligible leader replicas (KIP-966) are tracked.
    ELIGIBLE_LEADER_REPLICAS_ENABLE: bool = boolean("eligible.leader.replicas.enable", false)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// The version of the protocol that brokers speak among themselves. Raised after all brokers have been
    /// upgraded.
    INTER_BROKER_PROTOCOL_VERSION: String = string("inter.broker.protocol.version", "3.9-IV0")
        .protocol_version()
        .medium();
}
