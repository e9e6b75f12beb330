//! Derives encode, decode and size of Kafka protocol messages.
