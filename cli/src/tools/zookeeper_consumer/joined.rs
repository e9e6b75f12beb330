//! A member as a tool holds it, which works on one thread and waits.

use std::time::Duration;

use rdkafka::message::BorrowedMessage;
use tokio::runtime::Runtime;
use vltava_broker::control::Session;

use super::super::{failure::Failure, zookeeper};
use super::{Membership, group, member::Member, member::connect};

/// A member, and what its affairs run on.
pub(crate) struct Joined {
    runtime: Runtime,
    member: Member,
    tree: String,
}

impl Joined {
    /// Joins a group, unless `before`, which may look at ZooKeeper and clear the way there, refuses.
    pub(crate) fn join<R>(
        membership: &Membership<'_>,
        before: impl AsyncFnOnce(&Session) -> Result<Option<R>, Failure>,
    ) -> Result<Result<Joined, R>, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::new("java.io.IOException", error.to_string()))?;
        let joined = runtime.block_on(async {
            let session = connect(membership).await?;
            match before(&session).await? {
                Some(refusal) => Ok::<_, Failure>(Err(refusal)),
                None => Member::join(membership, session).await.map(Ok),
            }
        })?;
        Ok(joined.map(|member| Joined { runtime, member, tree: group(membership.group) }))
    }

    /// Attends to the group, waits so long for a record and has it taken. Whether there was one.
    pub(crate) fn poll(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(&BorrowedMessage<'_>),
    ) -> Result<bool, Failure> {
        self.member.poll(&self.runtime, wait, take)
    }

    /// The number of the thread that a partition is for.
    pub(crate) fn thread_of(&self, topic: &str, partition: i32) -> Option<usize> {
        self.member.thread_of(topic, partition)
    }

    /// Leaves: offsets are committed and the partitions are free. With `forget` the group's tree, which nobody else knows of, goes too.
    pub(crate) fn leave(mut self, forget: bool) -> Result<(), Failure> {
        self.runtime.block_on(async {
            let session = self.member.leave().await?;
            if forget {
                zookeeper::delete_tree(&session, &self.tree).await?;
            }
            Ok(())
        })
    }
}
