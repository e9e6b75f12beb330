//! Programs of users' own documents, of Kafka 0.8 to 0.11: the real libraries, Vltava's `bin/` as the command-line tools, a broker of
//! Vltava's on the embedded ZooKeeper and, where a test says so, on an ensemble of Apache ZooKeeper.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod connect_file;
mod console_0_8;
mod flume_sink;
mod ground;
mod quickstart_0_11;
mod simple_0_8;
mod storm_spout;
mod streams_word_count;
mod znodes;
