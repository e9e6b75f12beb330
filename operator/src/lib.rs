//! Custom resources and the pure planning from a KafkaCluster to its brokers.
