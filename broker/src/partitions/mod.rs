//! The partitions of this broker: appends, reads, waiting requests, fetch sessions and file work.
//!
//! [`Replicas`] finds a [`Partition`], which joins a log and its replication under one short lock. Requests wait in a partition's
//! [`WaitList`](waiting::WaitList). What may block goes to the threads of [`FileWork`]. Nothing here has a task or a timer for each partition.

pub mod cleaners;
mod clock;
pub mod disk;
mod error;
mod fetch_round;
pub mod fetch_sessions;
mod fetched;
pub mod file_work;
mod following;
mod in_sync;
mod laggards;
mod leadership;
pub mod old_readers;
mod orders;
mod partition;
mod reading;
mod recent;
mod replicas;
mod residency;
mod setup;
mod storage;
mod topic;
mod unopened;
pub mod upkeep;
pub mod waiting;
pub mod without_zstd;

pub use clock::{now_ms, steady_ms};
pub use error::{PartitionError, storage_error_for};
pub use fetch_round::{Found, Query, Round};
pub use fetched::{Copies, Ready, ready_from_disk, ready_if_cached};
pub use file_work::FileWork;
pub use following::{FollowError, FromLeader, Position};
pub use in_sync::{PendingIsr, Proposals, Proposed};
pub use laggards::look_for_laggards;
pub use leadership::{Leadership, LeadershipError};
pub use old_readers::OldReaders;
pub use partition::{Partition, Surroundings};
pub use reading::{Isolation, Read, ReadLimit};
pub use replicas::{LeadershipChange, LeadershipListener, Replicas, TopicConfigs};
pub use setup::Setup;
pub use storage::Storage;
pub use topic::{Hosted, OFFSETS_TOPIC, TRANSACTIONS_TOPIC, Topic, TopicConfig, is_internal};
pub use unopened::Broken;
