//! Produce: records appended, and acknowledged as the client asked.
//!
//! Everything is appended before `begin` returns, so requests of a connection are appended in their order; only acks=all with followers behind waits, and
//! what `flush.messages` wants on disk first, in a future that holds none of the request's bytes, and the next request's append goes on.
//!
//! Where a topic has a codec of its own (`compression.type`), or an old format, records that come in another are written anew, on a thread for file work, and the
//! connection's next request waits until they are appended.
//!
//! Cost of a request with one small batch: decoding borrows from the frame; the checksum is one pass before any lock; then the partition's lock and one
//! `pwritev`; the response is one allocation. One clock is read. Nothing else is allocated, no thread changes, and nobody is woken who does not wait
//! on this partition.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode, Str,
    messages::{
        ProduceRequest, ProduceResponse,
        produce::{
            BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceData, PartitionProduceResponse,
            TopicProduceData, TopicProduceResponse,
        },
    },
    records::validate::{InvalidRecords, is_written_anew, validate},
};

use super::{
    acknowledge::{ACKS_ALL, Acks, Flush, Pending, Wait, count_failure},
    dispatch::decode,
};
use crate::{
    Broker,
    net::{Answer, Frame, Refusal, RequestContext, Response},
    partitions::{Partition, PartitionError, now_ms, storage_error_for},
};

/// Up to so many bytes of records are compressed anew, or converted, where they are read: that takes about as long as waking another thread and being woken by it.
const WRITTEN_AT_ONCE: usize = 4 << 10;

/// Topics are named by id from here on.
const FIRST_WITH_IDS: i16 = 13;

/// The last version whose clients know no KAFKA_STORAGE_ERROR.
pub(super) const LAST_WITHOUT_STORAGE_ERROR: i16 = 3;

/// Kafka's admin client, which alone may write to internal topics.
const ADMIN_CLIENT: &str = "__admin_client";

/// Answers a Produce.
pub(super) fn begin(broker: &Arc<Broker>, request: RequestContext, frame: Frame) -> Answer {
    let body = match decode::<ProduceRequest<'_>>(&request, &frame) {
        Ok(body) => body,
        Err(response) => return Answer::Now(response),
    };
    let acks = Acks::of(&body);
    let mut progress = Progress::default();
    if Produce::new(broker, &request, &body).append_all(&body, &mut progress, Threads::Network) {
        return acks.answer(broker, request, progress.response, progress.pending);
    }
    let progress = progress.into_owned();
    let broker = broker.clone();
    Answer::InTurn(Box::pin(async move { write_anew(broker, request, frame, acks, progress).await }))
}

/// Goes on where a request met records that are to be compressed anew, on a thread that may take its time. The request is read again: what it holds borrows from its frame.
async fn write_anew(
    broker: Arc<Broker>,
    request: RequestContext,
    frame: Frame,
    acks: Acks,
    progress: Progress<'static>,
) -> Response {
    let (worker, context) = (broker.clone(), request.clone());
    let work = move || {
        let body = decode::<ProduceRequest<'_>>(&context, &frame)?;
        let mut all = progress;
        Produce::new(&worker, &context, &body).append_all(&body, &mut all, Threads::FileWork);
        Ok(all.into_owned())
    };
    match broker.replicas.files().read(work).await {
        Ok(Ok(progress)) => {
            acks.answer(&broker, request, progress.response, progress.pending).response().await
        }
        Ok(Err(refusal)) => refusal,
        // What was appended is not known: the client hears nothing of it, and asks again.
        Err(error) => {
            let (api, version) = (request.api_key.name(), request.version);
            Response::refuse(Refusal::Unanswerable { api, version, reason: error.to_string() })
        }
    }
}

/// Where records are appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// Where other connections wait meanwhile.
    Network,
    /// Where nobody does.
    FileWork,
}

/// How far a request has come.
#[derive(Default)]
struct Progress<'a> {
    response: ProduceResponse<'a>,
    pending: Pending,
}

impl Progress<'_> {
    fn into_owned(self) -> Progress<'static> {
        Progress { response: self.response.into_owned(), pending: self.pending }
    }
}

/// What the partitions of one request have in common.
struct Produce<'a> {
    broker: &'a Broker,
    request: &'a RequestContext,
    acks: i16,
    is_transactional: bool,
    now: i64,
}

impl<'a> Produce<'a> {
    fn new(broker: &'a Broker, request: &'a RequestContext, body: &ProduceRequest<'_>) -> Self {
        Self {
            broker,
            request,
            acks: body.acks,
            is_transactional: body.transactional_id.is_some(),
            now: now_ms(),
        }
    }

    /// Appends the records of all partitions that have no answer yet; whether it came to the end.
    fn append_all<'b>(
        &self,
        body: &'b ProduceRequest<'_>,
        progress: &mut Progress<'b>,
        threads: Threads,
    ) -> bool {
        let Progress { response, pending } = progress;
        response.responses.reserve_exact(body.topic_data.len().saturating_sub(response.responses.len()));
        for (at, topic) in body.topic_data.iter().enumerate() {
            if response.responses.len() <= at {
                response.responses.push(TopicProduceResponse {
                    name: Str::Borrowed(&topic.name),
                    topic_id: topic.topic_id,
                    partition_responses: Vec::with_capacity(topic.partition_data.len()),
                    ..Default::default()
                });
            }
            let Some(TopicProduceResponse { partition_responses: answers, .. }) =
                response.responses.get_mut(at)
            else {
                continue;
            };
            for data in topic.partition_data.iter().skip(answers.len()) {
                let Some(answer) = self.append(topic, data, (at, answers.len()), pending, threads) else {
                    return false;
                };
                answers.push(answer);
            }
        }
        true
    }

    /// Appends the records of one partition; nothing if that is not for these threads.
    fn append(
        &self,
        topic: &TopicProduceData<'_>,
        data: &PartitionProduceData<'_>,
        place: (usize, usize),
        pending: &mut Pending,
        threads: Threads,
    ) -> Option<PartitionProduceResponse<'static>> {
        if !matches!(self.acks, ACKS_ALL..=1) {
            return Some(refused(data.index, ErrorCode::InvalidRequiredAcks));
        }
        Some(match self.try_append(topic, data, place, pending, threads) {
            Ok(answer) => answer,
            Err(Refused::WrittenAnew) => return None,
            Err(Refused::Records(invalid)) => rejected(data.index, *invalid),
            Err(Refused::Transaction) => PartitionProduceResponse {
                error_message: Some("This broker has no transaction coordinator.".into()),
                ..refused(data.index, ErrorCode::UnsupportedVersion)
            },
            Err(Refused::InternalTopic(name)) => PartitionProduceResponse {
                error_message: Some(format!("Cannot append to internal topic {name}").into()),
                ..refused(data.index, ErrorCode::InvalidTopic)
            },
            Err(Refused::Partition(error, partition)) => {
                self.failed(data.index, &error, partition.as_deref())
            }
        })
    }

    fn try_append(
        &self,
        topic: &TopicProduceData<'_>,
        data: &PartitionProduceData<'_>,
        place: (usize, usize),
        pending: &mut Pending,
        threads: Threads,
    ) -> Result<PartitionProduceResponse<'static>, Refused> {
        if self.is_transactional {
            return Err(Refused::Transaction);
        }
        let partition = self.locate(topic, data.index).map_err(|error| Refused::Partition(error, None))?;
        let own = &partition.topic;
        if own.is_internal() && self.request.client_id.as_deref() != Some(ADMIN_CLIENT) {
            return Err(Refused::InternalTopic(own.name.clone()));
        }
        let records = data.records.as_ref().and_then(|records| records.as_bytes()).unwrap_or_default();
        let config = own.peek_config();
        let rules = config.rules_for_produce(self.request.version, self.now);
        if threads == Threads::Network && records.len() > WRITTEN_AT_ONCE && is_written_anew(records, &rules)
        {
            return Err(Refused::WrittenAnew);
        }
        let counters = [&*own.metrics, &self.broker.metrics.all_topics];
        for counter in counters {
            counter.produce_requests.increment();
        }
        let batches = validate(records, &rules).map_err(|invalid| Refused::Records(Box::new(invalid)))?;
        if batches.batches.iter().any(|batch| batch.header.attributes.is_transactional()) {
            return Err(Refused::Transaction);
        }
        if batches.batches.is_empty() {
            return Ok(PartitionProduceResponse { index: data.index, base_offset: -1, ..Default::default() });
        }
        let appended = partition.append(&batches, self.acks == ACKS_ALL, self.now);
        let mut appended = match appended {
            Ok(appended) => appended,
            Err(error) => return Err(Refused::Partition(error, Some(partition.clone()))),
        };
        if let Some(job) = partition.due_flush(&mut appended) {
            pending.flushes.push(Flush { place, partition: partition.clone(), job });
        }
        for counter in counters {
            counter.bytes_in.add(appended.bytes as u64);
            if !appended.duplicate {
                counter.messages_in.add(batches.offsets().cast_unsigned());
            }
        }
        let end = appended.last_offset + 1;
        if self.acks == ACKS_ALL && partition.high_watermark() < end {
            pending.waits.push(Wait { place, partition: partition.clone(), offset: end });
        }
        Ok(PartitionProduceResponse {
            index: data.index,
            base_offset: appended.first_offset,
            log_append_time_ms: if config.log.log_append_time { self.now } else { -1 },
            log_start_offset: appended.log_start_offset,
            ..Default::default()
        })
    }

    fn locate(&self, topic: &TopicProduceData<'_>, index: i32) -> Result<Arc<Partition>, PartitionError> {
        let replicas = &self.broker.replicas;
        let found = if self.request.version >= FIRST_WITH_IDS {
            replicas.partition_by_id(&topic.topic_id, index)
        } else {
            replicas.partition(&topic.name, index)
        };
        found.map_err(|error| {
            super::locate::elsewhere(self.broker, &topic.name, &topic.topic_id, index, error)
        })
    }

    fn failed(
        &self,
        index: i32,
        error: &PartitionError,
        partition: Option<&Partition>,
    ) -> PartitionProduceResponse<'static> {
        if error.is_brokers_fault() {
            count_failure(self.broker, partition);
        }
        let code = storage_error_for(error.code(), self.request.version, LAST_WITHOUT_STORAGE_ERROR);
        let mut answer = refused(index, code);
        if let PartitionError::Append(_) | PartitionError::NotEnoughReplicas { .. } = error {
            answer.error_message = Some(error.to_string().into());
        }
        if code == ErrorCode::NotLeaderOrFollower
            && self.request.version >= 10
            && let Some(partition) = partition
        {
            let now = partition.leadership();
            answer.current_leader =
                LeaderIdAndEpoch { leader_id: now.leader, leader_epoch: now.epoch, ..Default::default() };
        }
        answer
    }
}

/// Why the records of a partition were not appended.
enum Refused {
    /// They are to be compressed anew, by another thread.
    WrittenAnew,
    Transaction,
    InternalTopic(Arc<str>),
    Records(Box<InvalidRecords>),
    Partition(PartitionError, Option<Arc<Partition>>),
}

fn refused(index: i32, code: ErrorCode) -> PartitionProduceResponse<'static> {
    PartitionProduceResponse { index, error_code: code.into(), base_offset: -1, ..Default::default() }
}

fn rejected(index: i32, invalid: InvalidRecords) -> PartitionProduceResponse<'static> {
    let InvalidRecords { kind, message, record_errors } = invalid;
    PartitionProduceResponse {
        error_code: kind.error_code(),
        record_errors: record_errors
            .into_iter()
            .map(|error| BatchIndexAndErrorMessage {
                batch_index: error.batch_index,
                batch_index_error_message: Some(error.message.into()),
                ..Default::default()
            })
            .collect(),
        error_message: Some(message.into()),
        ..refused(index, ErrorCode::None)
    }
}
