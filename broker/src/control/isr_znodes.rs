//! Changes of in-sync sets before inter-broker version 2.7: the leader writes the partition's `state` itself, on the version that it knows, and notifies the
//! controller by a child of `/isr_change_notification`.

use tracing::{info, warn};
use vltava_cluster::controller::LeaderAndIsr;
use zookeeper_client as zk;

use super::{
    session::{Session, sequential},
    znodes::{self, paths},
};
use crate::partitions::{Partition, PendingIsr};

/// What became of a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It stands, under this partition epoch.
    Done(i32),
    /// The state is another's: the LeaderAndIsr that says so is on its way.
    Overtaken,
    /// Not known, or not now.
    Unknown,
}

/// Writes one change.
pub(super) async fn write(
    session: &Session,
    broker: i32,
    partition: &Partition,
    pending: &PendingIsr,
) -> Written {
    let (topic, index) = (&*partition.topic.name, partition.index);
    let path = paths::state(topic, index);
    let (state, version) = match session.read(&path).await {
        Ok(Some((data, stat))) => match znodes::decode_state(&path, &data) {
            Ok(state) => (state, stat.version),
            Err(error) => {
                warn!(%error, "the in-sync set cannot be changed");
                return Written::Unknown;
            }
        },
        Ok(None) => return Written::Overtaken,
        Err(error) => {
            info!(topic, partition = index, %error, "the in-sync set cannot be changed yet");
            return Written::Unknown;
        }
    };
    let is_ours = state.leader == broker && state.leader_epoch == pending.leader_epoch;
    // A write whose answer was lost is there already.
    if is_ours && state.isr == pending.change.members {
        return Written::Done(version);
    }
    if !is_ours || version != pending.change.partition_epoch {
        return Written::Overtaken;
    }
    let next = LeaderAndIsr { isr: pending.change.members.clone(), recovering: false, ..state };
    match session.client().set_data(&path, &znodes::encode_state(&next), Some(version)).await {
        Ok(stat) => Written::Done(stat.version),
        Err(zk::Error::BadVersion | zk::Error::NoNode) => Written::Overtaken,
        Err(error) => {
            info!(topic, partition = index, %error, "the in-sync set cannot be changed yet");
            Written::Unknown
        }
    }
}

/// Tells the controller that these were changed; it reads them again, and tells everybody.
pub(super) async fn notify(session: &Session, changed: &[(String, i32)]) {
    if changed.is_empty() {
        return;
    }
    let data = znodes::encode_isr_change(changed);
    let data = data.as_slice();
    let create = |client: zk::Client| async move {
        client.create(paths::ISR_CHANGE_PREFIX, data, &sequential()).await.map(|_| ())
    };
    if let Err(error) = session.persist(create).await {
        warn!(%error, path = paths::ISR_CHANGES, "the controller cannot be notified of changed in-sync sets");
    }
}
