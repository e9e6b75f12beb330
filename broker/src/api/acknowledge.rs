//! The answer to a Produce once everything is appended: at once, when enough replicas have it, when it is on disk, or none at all.

use std::{sync::Arc, time::Duration};

use smallvec::SmallVec;
use tokio::time::Instant;
use vltava_log::FlushJob;
use vltava_protocol::{
    ErrorCode,
    messages::{ProduceRequest, ProduceResponse, produce::NodeEndpoint},
};

use super::produce::LAST_WITHOUT_STORAGE_ERROR;
use crate::{
    Broker,
    net::{Answer, Refusal, RequestContext, Response},
    partitions::{
        Partition, storage_error_for,
        waiting::{Ticket, Until, Waiter},
    },
};

/// Waits for all in-sync replicas.
pub(super) const ACKS_ALL: i16 = -1;

/// No response at all.
const ACKS_NONE: i16 = 0;

/// How a request is to be acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acks {
    acks: i16,
    patience: Duration,
}

impl Acks {
    pub(super) fn of(body: &ProduceRequest<'_>) -> Self {
        Self { acks: body.acks, patience: Duration::from_millis(u64::try_from(body.timeout_ms).unwrap_or(0)) }
    }

    /// The answer, when all is appended.
    pub(super) fn answer(
        self,
        broker: &Arc<Broker>,
        request: RequestContext,
        mut response: ProduceResponse<'_>,
        pending: Pending,
    ) -> Answer {
        if self.acks == ACKS_NONE {
            for Flush { partition, job, .. } in pending.flushes {
                partition.flush_later(job);
            }
            return Answer::Now(without_acks(&response));
        }
        if pending.waits.is_empty() && pending.flushes.is_empty() {
            point_to_leaders(broker, &request, &mut response);
            return Answer::Now(Response::encode(&request, &response, []));
        }
        let mut response = response.into_owned();
        let broker = broker.clone();
        Answer::Later(Box::pin(async move {
            flush(&broker, pending.flushes, &mut response, request.version).await;
            acknowledge(pending.waits, self.patience, &mut response, request.version).await;
            point_to_leaders(&broker, &request, &mut response);
            Response::encode(&request, &response, [])
        }))
    }
}

/// What is appended and not committed yet: where its answer stands in the response, and the offset that the high watermark has to reach.
pub(super) type Waits = SmallVec<[Wait; 1]>;

/// What the answer of a request has to wait for.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) waits: Waits,
    pub(super) flushes: Vec<Flush>,
}

/// What `flush.messages` wants on disk before it is answered.
pub(super) struct Flush {
    pub(super) place: (usize, usize),
    pub(super) partition: Arc<Partition>,
    pub(super) job: FlushJob,
}

pub(super) struct Wait {
    pub(super) place: (usize, usize),
    pub(super) partition: Arc<Partition>,
    pub(super) offset: i64,
}

/// acks=0: nothing is sent; where something failed the connection is closed, so that the client asks for metadata again.
fn without_acks(response: &ProduceResponse<'_>) -> Response {
    let mut failed = response.responses.iter().flat_map(|topic| {
        let failed = topic.partition_responses.iter().filter(|partition| partition.error_code != 0);
        failed.map(|partition| {
            format!("{}-{}: {}", topic.name, partition.index, ErrorCode::of(partition.error_code).name())
        })
    });
    match failed.next() {
        None => Response::none(),
        Some(first) => {
            let reason = failed.fold(first, |all, next| all + ", " + &next);
            Response::refuse(Refusal::ProduceWithoutAcks { reason })
        }
    }
}

/// Counts what the broker could not do for a producer: for the topic, where there is one, and for all.
pub(super) fn count_failure(broker: &Broker, partition: Option<&Partition>) {
    let own = partition.map(|partition| &*partition.topic.metrics);
    for counters in own.into_iter().chain([&broker.metrics.all_topics]) {
        counters.failed_produce_requests.increment();
    }
}

/// Waits until what was appended is on disk as far as its topics want it there; followers fetch meanwhile.
async fn flush(broker: &Broker, flushes: Vec<Flush>, response: &mut ProduceResponse<'_>, version: i16) {
    for Flush { place, partition, job } in flushes {
        if let Err(error) = partition.flush(job).await {
            count_failure(broker, Some(&partition));
            set_error(response, place, storage_error_for(error.code(), version, LAST_WITHOUT_STORAGE_ERROR));
        }
    }
}

/// Waits until what was appended is committed, the partitions are led elsewhere, or the time is up; the response then says which.
async fn acknowledge(mut waits: Waits, patience: Duration, response: &mut ProduceResponse<'_>, version: i16) {
    let deadline = Instant::now() + patience;
    loop {
        // Registered first and looked at after, so that no move of a high watermark falls between.
        let waiter = Waiter::new(i64::try_from(waits.len()).unwrap_or(i64::MAX));
        let places = Places(
            waits
                .iter()
                .map(|wait| {
                    let ticket = wait.partition.waits.enter(&waiter, Until::HighWatermark(wait.offset));
                    (wait.partition.clone(), ticket)
                })
                .collect(),
        );
        waits.retain(|wait| match wait.partition.is_committed(wait.offset) {
            None => true,
            Some(outcome) => {
                if let Err(error) = outcome {
                    let code = storage_error_for(error.code(), version, LAST_WITHOUT_STORAGE_ERROR);
                    set_error(response, wait.place, code);
                }
                false
            }
        });
        let in_time = waits.is_empty() || {
            let left = deadline.saturating_duration_since(Instant::now());
            places.0.len() > waits.len() || waiter.sleep(left).await
        };
        drop(places);
        if waits.is_empty() {
            return;
        }
        if !in_time || Instant::now() >= deadline {
            break;
        }
    }
    for wait in waits {
        set_error(response, wait.place, ErrorCode::RequestTimedOut);
    }
}

/// Registrations, taken back when the wait is over, also when its future is dropped with its connection.
struct Places(SmallVec<[(Arc<Partition>, Ticket); 1]>);

impl Drop for Places {
    fn drop(&mut self) {
        for (partition, ticket) in &self.0 {
            partition.waits.leave(*ticket);
        }
    }
}

fn set_error(response: &mut ProduceResponse<'_>, (topic, partition): (usize, usize), code: ErrorCode) {
    let answer = response.responses.get_mut(topic).and_then(|t| t.partition_responses.get_mut(partition));
    if let Some(answer) = answer {
        answer.error_code = code.into();
    }
}

/// Says where the leaders are that clients are sent to (KIP-951).
fn point_to_leaders(broker: &Broker, request: &RequestContext, response: &mut ProduceResponse<'_>) {
    if request.version < 10 {
        return;
    }
    let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    let mut leaders: SmallVec<[i32; 4]> =
        partitions.map(|answer| answer.current_leader.leader_id).filter(|id| *id >= 0).collect();
    if leaders.is_empty() {
        return;
    }
    leaders.sort_unstable();
    leaders.dedup();
    let snapshot = broker.metadata.snapshot();
    response.node_endpoints.extend(leaders.into_iter().filter_map(|id| {
        let live = snapshot.broker(id)?;
        let (host, port) = live.endpoint(&request.listener)?;
        Some(NodeEndpoint {
            node_id: id,
            host: host.to_owned().into(),
            port,
            rack: live.rack.clone().map(Into::into),
            ..Default::default()
        })
    }));
}
