//! Changes of in-sync sets on their way to the controller (AlterPartition, KIP-497), or before inter-broker version 2.7 into ZooKeeper: many partitions in one request, one request at a time.
//!
//! A change is asked for until there is an answer: as long as there is none, both sets count. What the controller refuses for good is withdrawn;
//! what it refuses because it knows something newer is left pending, and the LeaderAndIsr that is on its way settles it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{
        AlterPartitionRequest, AlterPartitionResponse,
        alter_partition::{BrokerState, RequestPartitionData, RequestTopicData, ResponsePartitionData},
    },
};

use super::{
    Control, Member, MetadataCache,
    isr_znodes::{self, Written},
    link::Link,
    peers::Peers,
};
use vltava_settings::ProtocolVersion;

use crate::partitions::{Partition, PendingIsr, Proposed};

/// Before a change is asked for again.
const RETRY: Duration = Duration::from_millis(50);

/// Changes that go in one request.
const AT_ONCE: usize = 1000;

/// Members are named with their epochs from this version on (KIP-903).
const WITH_EPOCHS: i16 = 3;

/// One change that is asked for.
struct Asked {
    partition: Arc<Partition>,
    pending: PendingIsr,
}

/// Carries proposals to the controller until the broker leaves the cluster.
pub(crate) async fn carry(
    control: Control,
    member: Arc<dyn Member>,
    mut proposed: Proposed,
    stop: CancellationToken,
) {
    let peers = Peers::of(&control.configs().broker(), control.broker_id());
    let by_zookeeper = control.configs().broker().inter_broker_protocol() < ProtocolVersion::V2_7_IV2;
    let mut carrier = Carrier { control, link: Link::new(peers), by_zookeeper };
    let mut waiting: Vec<Arc<Partition>> = Vec::new();
    loop {
        if waiting.is_empty() {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = proposed.recv_many(&mut waiting, AT_ONCE) => received,
            };
            if received == 0 {
                return;
            }
        }
        while let Ok(more) = proposed.try_recv() {
            waiting.push(more);
        }
        let ask = carrier.ask(member.metadata(), &mut waiting);
        let is_answered = tokio::select! {
            () = stop.cancelled() => return,
            is_answered = ask => is_answered,
        };
        if !is_answered || !waiting.is_empty() {
            tokio::time::sleep(RETRY).await;
        }
    }
}

struct Carrier {
    control: Control,
    link: Link,
    /// Whether leaders write into ZooKeeper themselves: before KIP-497.
    by_zookeeper: bool,
}

impl Carrier {
    /// Asks for the changes of the partitions that wait; those that have to be asked for again stay.
    async fn ask(&mut self, metadata: &MetadataCache, waiting: &mut Vec<Arc<Partition>>) -> bool {
        let mut asked: BTreeMap<(Arc<str>, i32), Asked> = BTreeMap::new();
        let first = waiting.drain(..waiting.len().min(AT_ONCE));
        for partition in first {
            if let Some(pending) = partition.pending_isr() {
                let key = (partition.topic.name.clone(), partition.index);
                asked.insert(key, Asked { partition, pending });
            }
        }
        if asked.is_empty() {
            return true;
        }
        if self.by_zookeeper {
            return self.write(asked, waiting).await;
        }
        let answer = self.send(metadata, asked.values().collect()).await;
        let answer = answer.and_then(|response| match ErrorCode::of(response.error_code) {
            ErrorCode::None => Ok(response),
            code => Err(code.to_string()),
        });
        match answer {
            Ok(response) => {
                let ids: BTreeMap<Uuid, Arc<str>> = asked
                    .values()
                    .map(|asked| (asked.partition.topic.id, asked.partition.topic.name.clone()))
                    .collect();
                for topic in &response.topics {
                    let name = match ids.get(&topic.topic_id) {
                        Some(name) if !topic.topic_id.is_zero() => name.clone(),
                        _ => Arc::from(&*topic.topic_name),
                    };
                    for answer in &topic.partitions {
                        if let Some(asked) = asked.remove(&(name.clone(), answer.partition_index))
                            && settle(&asked, answer)
                        {
                            waiting.push(asked.partition);
                        }
                    }
                }
                // What the response says nothing of is asked for again.
                waiting.extend(asked.into_values().map(|asked| asked.partition));
                true
            }
            Err(reason) => {
                debug!(reason, changes = asked.len(), "in-sync sets cannot be changed yet");
                waiting.extend(asked.into_values().map(|asked| asked.partition));
                false
            }
        }
    }

    /// Writes the changes into ZooKeeper, as leaders did before 2.7.
    async fn write(
        &self,
        asked: BTreeMap<(Arc<str>, i32), Asked>,
        waiting: &mut Vec<Arc<Partition>>,
    ) -> bool {
        let Some(session) = self.control.session() else {
            waiting.extend(asked.into_values().map(|asked| asked.partition));
            return false;
        };
        let mut changed = Vec::new();
        for Asked { partition, pending } in asked.into_values() {
            match isr_znodes::write(&session, self.control.broker_id(), &partition, &pending).await {
                Written::Done(version) => {
                    let (topic, index, isr) =
                        (&*partition.topic.name, partition.index, pending.change.members);
                    info!(topic, partition = index, ?isr, epoch = version, "in sync");
                    changed.push((topic.to_owned(), index));
                    partition.isr_confirmed(isr, pending.leader_epoch, version);
                }
                Written::Overtaken => {}
                Written::Unknown => waiting.push(partition),
            }
        }
        isr_znodes::notify(&session, &changed).await;
        true
    }

    async fn send(
        &mut self,
        metadata: &MetadataCache,
        asked: Vec<&Asked>,
    ) -> Result<AlterPartitionResponse<'static>, String> {
        let control = &self.control;
        if control.is_active_controller() {
            return Ok(control.alter_partition(request(control, asked, WITH_EPOCHS)).await);
        }
        let answer = self.link.ask(metadata, |version| request(control, asked, version)).await;
        answer.map_err(|error| error.to_string())
    }
}

/// Topics by name and id: encoding leaves out what a version has not. Members with their epochs, or without.
fn request(control: &Control, asked: Vec<&Asked>, version: i16) -> AlterPartitionRequest<'static> {
    let mut request = AlterPartitionRequest {
        broker_id: control.broker_id(),
        broker_epoch: control.broker_epoch(),
        ..Default::default()
    };
    for Asked { partition, pending } in asked {
        let member = |(id, epoch): (&i32, &i64)| BrokerState {
            broker_id: *id,
            // The leader's own is in the request.
            broker_epoch: if *id == control.broker_id() { control.broker_epoch() } else { *epoch },
            ..Default::default()
        };
        let members = &pending.change.members;
        let (plain, with_epochs) = if version >= WITH_EPOCHS {
            (Vec::new(), members.iter().zip(&pending.change.member_epochs).map(member).collect())
        } else {
            (members.clone(), Vec::new())
        };
        let data = RequestPartitionData {
            partition_index: partition.index,
            leader_epoch: pending.leader_epoch,
            new_isr: plain,
            new_isr_with_epochs: with_epochs,
            partition_epoch: pending.change.partition_epoch,
            ..Default::default()
        };
        match request.topics.last_mut() {
            Some(last) if last.topic_name == *partition.topic.name => last.partitions.push(data),
            _ => request.topics.push(RequestTopicData {
                topic_name: partition.topic.name.to_string().into(),
                topic_id: partition.topic.id,
                partitions: vec![data],
                ..Default::default()
            }),
        }
    }
    request
}

/// Obeys the controller's word for one partition; whether it has to be asked again.
fn settle(asked: &Asked, answer: &ResponsePartitionData) -> bool {
    let Asked { partition, pending } = asked;
    let (topic, index) = (&*partition.topic.name, partition.index);
    match ErrorCode::of(answer.error_code) {
        ErrorCode::None => {
            info!(topic, partition = index, isr = ?answer.isr, epoch = answer.partition_epoch, "in sync");
            partition.isr_confirmed(answer.isr.clone(), answer.leader_epoch, answer.partition_epoch);
            false
        }
        code @ (ErrorCode::OperationNotAttempted
        | ErrorCode::IneligibleReplica
        | ErrorCode::InvalidRequest) => {
            info!(topic, partition = index, wanted = ?pending.change.members, %code, "the in-sync set stays");
            partition.isr_refused(pending.change.partition_epoch);
            false
        }
        code @ (ErrorCode::UnknownTopicOrPartition
        | ErrorCode::UnknownTopicId
        | ErrorCode::FencedLeaderEpoch
        | ErrorCode::InvalidUpdateVersion
        | ErrorCode::NewLeaderElected) => {
            info!(topic, partition = index, %code, "the controller knows a newer state of the partition");
            false
        }
        code => {
            warn!(topic, partition = index, %code, "the in-sync set is not changed yet");
            true
        }
    }
}
