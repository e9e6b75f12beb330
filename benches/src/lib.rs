//! Side-by-side benchmarks against Apache Kafka.
