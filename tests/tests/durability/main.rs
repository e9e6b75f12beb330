//! What the broker acknowledged is there after a restart, after kill -9 of the broker or of ZooKeeper at any moment, and beside a disk
//! that is full or fails.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod compaction;
mod disks;
mod groups_and_records;
mod raw;
mod state;
