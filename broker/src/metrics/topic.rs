//! Kafka's `BrokerTopicMetrics`: the traffic of one topic, or of all together.

use super::Counter;

/// The counters behind `kafka_server_brokertopicmetrics_*`.
#[derive(Debug, Default)]
pub struct TopicMetrics {
    /// Bytes of record data appended for producers.
    pub bytes_in: Counter,
    /// Bytes of record data sent to consumers.
    pub bytes_out: Counter,
    /// Records appended for producers.
    pub messages_in: Counter,
    /// Partitions of Produce requests, as Kafka counts them.
    pub produce_requests: Counter,
    /// Those of them that failed with an error of the broker's side.
    pub failed_produce_requests: Counter,
    /// Partitions of consumers' Fetch requests.
    pub fetch_requests: Counter,
    /// Those of them that failed with an error of the broker's side.
    pub failed_fetch_requests: Counter,
}
