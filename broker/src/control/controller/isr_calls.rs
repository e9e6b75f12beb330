//! AlterPartition requests that the machine is working on: each partition of one is a question of its own, and the response goes out with the last
//! answer.

use std::collections::HashMap;

use tokio::sync::oneshot;
use vltava_cluster::controller::{Event, IsrProposal, IsrRefusal, StateNode, TopicName};
use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{
        AlterPartitionRequest, AlterPartitionResponse,
        alter_partition::{ResponsePartitionData, ResponseTopicData},
    },
};

/// Where a response goes.
pub(crate) type Answer = oneshot::Sender<AlterPartitionResponse<'static>>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct IsrCalls {
    next: u64,
    /// By ticket: the call, and the place in its response.
    places: HashMap<u64, (u64, usize, usize)>,
    calls: HashMap<u64, Call>,
}

#[derive(Debug)]
struct Call {
    answer: Answer,
    response: AlterPartitionResponse<'static>,
    missing: usize,
}

impl IsrCalls {
    /// The questions that a request asks. Topics are named by id from version 2 on, and by name before.
    pub(super) fn begin<'n>(
        &mut self,
        request: &AlterPartitionRequest<'_>,
        answer: Answer,
        topics: impl Iterator<Item = (Uuid, &'n TopicName)>,
    ) -> Vec<Event> {
        let names: HashMap<Uuid, &TopicName> = topics.filter(|(id, _)| !id.is_zero()).collect();
        let call = self.ticket();
        let mut response = AlterPartitionResponse::default();
        let mut events = Vec::new();
        for topic in &request.topics {
            let name = match names.get(&topic.topic_id) {
                Some(name) => Some(TopicName::clone(name)),
                None if topic.topic_id.is_zero() => Some(TopicName::from(&*topic.topic_name)),
                None => None,
            };
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in &topic.partitions {
                let mut data =
                    ResponsePartitionData { partition_index: asked.partition_index, ..Default::default() };
                match &name {
                    None => data.error_code = ErrorCode::UnknownTopicId.into(),
                    Some(name) => {
                        let ticket = self.ticket();
                        self.places.insert(ticket, (call, response.topics.len(), partitions.len()));
                        let plain = asked.new_isr.iter().map(|id| (*id, -1));
                        let known = asked.new_isr_with_epochs.iter().map(|m| (m.broker_id, m.broker_epoch));
                        events.push(Event::AlterIsr(IsrProposal {
                            ticket,
                            broker: request.broker_id,
                            topic: name.clone(),
                            partition: asked.partition_index,
                            leader_epoch: asked.leader_epoch,
                            partition_epoch: asked.partition_epoch,
                            isr: plain.chain(known).collect(),
                            recovering: asked.leader_recovery_state == 1,
                        }));
                    }
                }
                partitions.push(data);
            }
            response.topics.push(ResponseTopicData {
                topic_name: topic.topic_name.to_string().into(),
                topic_id: topic.topic_id,
                partitions,
                ..Default::default()
            });
        }
        if events.is_empty() {
            // Who asked may have gone.
            let _ = answer.send(response);
        } else {
            self.calls.insert(call, Call { answer, response, missing: events.len() });
        }
        events
    }

    /// Fills one place in.
    pub(super) fn answered(&mut self, ticket: u64, outcome: Result<StateNode, IsrRefusal>) {
        let Some((key, topic, partition)) = self.places.remove(&ticket) else { return };
        let Some(call) = self.calls.get_mut(&key) else { return };
        let topic = &mut call.response.topics[topic];
        let by_id = !topic.topic_id.is_zero();
        let data = &mut topic.partitions[partition];
        match outcome {
            Ok(StateNode { state, version, .. }) => {
                data.leader_id = state.leader;
                data.leader_epoch = state.leader_epoch;
                data.isr = state.isr;
                data.leader_recovery_state = i8::from(state.recovering);
                data.partition_epoch = version;
            }
            Err(refusal) => data.error_code = code(refusal, by_id).into(),
        }
        call.missing -= 1;
        if call.missing == 0
            && let Some(Call { answer, response, .. }) = self.calls.remove(&key)
        {
            let _ = answer.send(response);
        }
    }

    fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

fn code(refusal: IsrRefusal, by_id: bool) -> ErrorCode {
    match refusal {
        IsrRefusal::UnknownPartition if by_id => ErrorCode::UnknownTopicId,
        IsrRefusal::UnknownPartition => ErrorCode::UnknownTopicOrPartition,
        IsrRefusal::FromTheFuture => ErrorCode::NotController,
        IsrRefusal::Fenced => ErrorCode::FencedLeaderEpoch,
        IsrRefusal::Outdated => ErrorCode::InvalidUpdateVersion,
        IsrRefusal::Invalid => ErrorCode::InvalidRequest,
        // Before version 3 there is no word for it.
        IsrRefusal::Ineligible => ErrorCode::IneligibleReplica,
        IsrRefusal::NotNow => ErrorCode::UnknownServerError,
    }
}
