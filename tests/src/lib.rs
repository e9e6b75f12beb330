//! Whole-system tests: real clients, real ZooKeeper, real Kafka brokers.
