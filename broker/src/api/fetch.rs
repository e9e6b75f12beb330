//! Fetch: the records of many partitions, at once or when there are enough.
//!
//! `begin` looks once. If that is enough and everything is in the page cache, the response is ready before `begin` returns: no task, no timer, no allocation but
//! the response's own. Otherwise a future waits on exactly the partitions that were asked for and looks again, or brings cold records in on a thread for file
//! work. It holds none of the request's bytes.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use vltava_log::AbortedTxn;
use vltava_protocol::{
    ErrorCode, Records,
    messages::{
        FetchRequest, FetchResponse,
        fetch::{
            AbortedTransaction, EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint,
            PartitionData,
        },
    },
};

use super::{
    bring::{self, Brought, Outcomes, Piece, Reader},
    dispatch::malformed,
};
use crate::{
    Broker,
    net::{Answer, FileSlice, RequestContext, Response},
    partitions::{
        Copies, Found, Isolation, PartitionError, Query, Ready, Round,
        fetch_sessions::{Fetching, Outcome, SessionError, TopicRef, Wanted},
        old_readers, ready_if_cached, steady_ms, storage_error_for, without_zstd,
    },
};

/// The isolation level that sees committed transactions only.
const READ_COMMITTED: i8 = 1;

/// Topics are named by id from here on.
const FIRST_WITH_IDS: i16 = 13;

/// zstd is known from here on (KIP-110).
const FIRST_WITH_ZSTD: i16 = 10;

/// The last version whose clients know no KAFKA_STORAGE_ERROR.
const LAST_WITHOUT_STORAGE_ERROR: i16 = 5;

/// The most partitions that one request may name, those of a session that it forgets included: about a kilobyte of memory goes with each until it is
/// answered. A broker that follows another has tens of thousands.
const MAX_PARTITIONS: usize = 200_000;

/// Answers a Fetch.
#[expect(clippy::needless_pass_by_value, reason = "the form of a handler")]
pub(super) fn begin(broker: &Arc<Broker>, request: RequestContext, body: FetchRequest<'_>) -> Answer {
    let named = named(&body);
    if named > MAX_PARTITIONS {
        let reason = format!("{named} partitions in one request, at most {MAX_PARTITIONS} are allowed");
        return Answer::Now(malformed(&request, reason));
    }
    let fetch = match Fetch::of(broker, request, &body) {
        Ok(fetch) => fetch,
        Err((request, error)) => return Answer::Now(session_error(&request, error)),
    };
    let wanted = &fetch.fetching.wanted;
    let at_once = Round::look_without_waiting(&broker.replicas, wanted, &fetch.query);
    let Some(mut round) = at_once else {
        let broker = broker.clone();
        return Answer::Later(Box::pin(async move {
            let mut round = fetch.look(&broker).await;
            if !fetch.max_wait.is_zero() && !round.suffices(&fetch.query) {
                round = fetch.wait(&broker, round).await;
            }
            fetch.answer(&broker, round).await
        }));
    };
    if fetch.max_wait.is_zero() || round.suffices(&fetch.query) {
        return match fetch.ready_if_cached(&round) {
            Some(outcomes) => Answer::Now(fetch.respond(broker, &mut round, outcomes)),
            None => {
                let broker = broker.clone();
                Answer::Later(Box::pin(async move { fetch.bring_in(&broker, round).await }))
            }
        };
    }
    let broker = broker.clone();
    Answer::Later(Box::pin(async move {
        let round = fetch.wait(&broker, round).await;
        fetch.answer(&broker, round).await
    }))
}

/// One Fetch on its way.
struct Fetch {
    request: RequestContext,
    fetching: Fetching,
    query: Query,
    max_wait: Duration,
}

impl Fetch {
    fn of(
        broker: &Broker,
        request: RequestContext,
        body: &FetchRequest<'_>,
    ) -> Result<Self, (RequestContext, SessionError)> {
        let version = request.version;
        let by_id = version >= FIRST_WITH_IDS;
        let replica_id = if version >= 15 { body.replica_state.replica_id } else { body.replica_id };
        let replica = (replica_id >= 0).then_some(replica_id);
        let wanted = wanted(body, by_id);
        let forgotten: Vec<_> = body
            .forgotten_topics_data
            .iter()
            .flat_map(|topic| {
                let name = topic_ref(&topic.topic, topic.topic_id, by_id);
                topic.partitions.iter().map(move |partition| (name.clone(), *partition))
            })
            .collect();
        // Versions before sessions read as a request without one: the defaults of both fields say so.
        let begun = broker.replicas.sessions.begin(
            body.session_id,
            body.session_epoch,
            wanted,
            &forgotten,
            replica.is_some(),
            by_id,
            steady_ms(),
        );
        let fetching = match begun {
            Ok(fetching) => fetching,
            Err(error) => return Err((request, error)),
        };
        let isolation = match (replica, body.isolation_level) {
            (Some(_), _) => Isolation::Replica,
            (None, READ_COMMITTED) => Isolation::ReadCommitted,
            (None, _) => Isolation::ReadUncommitted,
        };
        let asked = u64::try_from(body.max_bytes).unwrap_or(0);
        let max_bytes =
            if replica.is_some() { asked } else { asked.min(broker.replicas.surroundings.fetch_max_bytes) };
        let query = Query {
            isolation,
            replica,
            replica_epoch: if version >= 15 { body.replica_state.replica_epoch } else { -1 },
            leader_only: replica.is_some() || version < 11,
            hard_limit: version <= 2,
            max_bytes,
            min_bytes: u64::try_from(body.min_bytes).unwrap_or(0).min(max_bytes),
        };
        let max_wait = Duration::from_millis(u64::try_from(body.max_wait_ms).unwrap_or(0));
        Ok(Self { request, fetching, query, max_wait })
    }

    /// Looks until there is enough or the time is up.
    async fn wait(&self, broker: &Arc<Broker>, mut round: Round) -> Round {
        let deadline = Instant::now() + self.max_wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let in_time = round.wait(&self.query, left).await;
            round = self.look(broker).await;
            if !in_time || round.suffices(&self.query) || Instant::now() >= deadline {
                return round;
            }
        }
    }

    /// Looks once: here, or where it may wait for the disk.
    async fn look(&self, broker: &Arc<Broker>) -> Round {
        let (wanted, query) = (&self.fetching.wanted, self.query);
        if let Some(round) = Round::look_without_waiting(&broker.replicas, wanted, &query) {
            return round;
        }
        let (worker, wanted) = (broker.clone(), wanted.clone());
        let look = move || Round::look(&worker.replicas, &wanted, &query);
        // A pool that stops has no answers any more; neither has the broker.
        broker.replicas.files().read(look).await.unwrap_or_else(|_| Round::nothing())
    }

    /// Whether records may leave in any compression there is.
    fn knows_zstd(&self) -> bool {
        self.request.version >= FIRST_WITH_ZSTD
    }

    /// What was found, ready to leave; `None` if some of it is not in the page cache, or is work for another thread.
    fn ready_if_cached(&self, round: &Round) -> Option<Outcomes> {
        if old_readers::magic_of(self.request.version).is_some() && round.bytes > 0 {
            // Conversion is work for another thread, cached or not.
            return None;
        }
        if self.query.isolation == Isolation::ReadCommitted && round.found.iter().any(Found::may_hold_aborted)
        {
            // So is reading what was aborted: most partitions never had a transaction that was.
            return None;
        }
        let (mut copies, mut headers) = (Copies::default(), without_zstd::Headers::default());
        let knows_zstd = self.knows_zstd();
        let ready = |found: &Found| {
            let Some(slice) = found.slice() else { return Some(Ok(Brought::default())) };
            let records = ready_if_cached(slice, &mut copies)?;
            let fit = if knows_zstd { Ok(records) } else { headers.without_zstd(records)? };
            Some(fit.map(Brought::from))
        };
        round.found.iter().map(ready).collect()
    }

    /// The response, at once or after what is not ready was brought in.
    async fn answer(self, broker: &Broker, mut round: Round) -> Response {
        match self.ready_if_cached(&round) {
            Some(outcomes) => self.respond(broker, &mut round, outcomes),
            None => self.bring_in(broker, round).await,
        }
    }

    /// The response, after cold records were brought in.
    async fn bring_in(self, broker: &Broker, mut round: Round) -> Response {
        let pieces: Vec<_> = round
            .found
            .iter()
            .zip(&self.fetching.wanted)
            .map(|(found, want)| Piece::of(found, want))
            .collect();
        let conversion = match old_readers::magic_of(self.request.version) {
            Some(magic) => Some(broker.replicas.old_readers.begin(self.request.connection, magic).await),
            None => None,
        };
        let committed = self.query.isolation == Isolation::ReadCommitted;
        let reader = Reader { committed, knows_zstd: self.knows_zstd() };
        let old_readers = broker.replicas.old_readers.clone();
        let read = broker.replicas.files().read(move || match conversion {
            Some(conversion) => bring::converted(&pieces, conversion, &old_readers),
            None => (bring::as_they_are(&pieces, reader), None),
        });
        // A pool that stops has no answers any more; neither has the broker.
        let (outcomes, held) = read.await.unwrap_or_default();
        let response = self.respond(broker, &mut round, outcomes);
        match held {
            Some(held) => response.holding(held),
            None => response,
        }
    }

    /// Puts the response together. `outcomes` are in the order of what was found; what has none failed.
    fn respond(self, broker: &Broker, round: &mut Round, outcomes: Outcomes) -> Response {
        let Self { request, fetching, query, .. } = self;
        let version = request.version;
        let mut outcomes = outcomes.into_iter();
        let mut ready = Vec::with_capacity(round.found.len());
        for found in &mut round.found {
            let brought = outcomes.next().unwrap_or(Err(PartitionError::Storage)).unwrap_or_else(|error| {
                found.read = Err(error);
                Brought::default()
            });
            found.aborted = brought.aborted;
            ready.push(brought.records);
        }
        let round = &*round;
        let outcomes: Vec<Outcome> = round.found.iter().zip(&ready).map(|(f, r)| outcome(f, r)).collect();
        let wanted = fetching.wanted.clone();
        let (session_id, news) = match fetching.finish(&broker.replicas.sessions, &outcomes, steady_ms()) {
            Ok(finished) => finished,
            Err(error) => return session_error(&request, error),
        };
        let mut response = FetchResponse { session_id, ..Default::default() };
        let mut slices: Vec<FileSlice> = Vec::new();
        for (index, ((want, found), piece)) in wanted.iter().zip(&round.found).zip(ready).enumerate() {
            // What was looked at counts, whether or not a session leaves it out of the response.
            count(broker, found, &piece, query.replica.is_some());
            if news.as_ref().is_some_and(|news| !news.get(index).is_some_and(|is_news| *is_news)) {
                continue;
            }
            let records = match piece {
                Ready::Nothing => Records::default(),
                Ready::Bytes(bytes) => Records::from(Vec::from(bytes)),
                Ready::File(slice) => {
                    let length = usize::try_from(slice.length).unwrap_or(usize::MAX);
                    slices.push(slice);
                    Records::Gap(length)
                }
            };
            let data =
                PartitionData { records: Some(records), ..describe(broker, &request, want, found, &query) };
            if data.current_leader.leader_id >= 0 {
                endpoint(broker, &request, data.current_leader.leader_id, &mut response.node_endpoints);
            }
            match response.responses.last_mut() {
                Some(last) if names(last, &want.topic) => last.partitions.push(data),
                _ => response.responses.push(topic_response(&want.topic, data)),
            }
        }
        debug_assert!(version >= 7 || session_id == 0);
        Response::encode(&request, &response, slices)
    }
}

/// How many partitions a request names.
fn named(body: &FetchRequest<'_>) -> usize {
    let asked: usize = body.topics.iter().map(|topic| topic.partitions.len()).sum();
    let forgotten: usize = body.forgotten_topics_data.iter().map(|topic| topic.partitions.len()).sum();
    asked + forgotten
}

fn topic_ref(name: &str, id: vltava_protocol::Uuid, by_id: bool) -> TopicRef {
    if by_id { TopicRef::Id(id) } else { TopicRef::Name(name.into()) }
}

fn wanted(body: &FetchRequest<'_>, by_id: bool) -> Vec<Wanted> {
    let count = body.topics.iter().map(|topic| topic.partitions.len()).sum();
    let mut all = Vec::with_capacity(count);
    for topic in &body.topics {
        let name = topic_ref(&topic.topic, topic.topic_id, by_id);
        all.extend(topic.partitions.iter().map(|p| Wanted {
            topic: name.clone(),
            partition: p.partition,
            fetch_offset: p.fetch_offset,
            max_bytes: p.partition_max_bytes,
            current_leader_epoch: p.current_leader_epoch,
            last_fetched_epoch: p.last_fetched_epoch,
            log_start_offset: p.log_start_offset,
        }));
    }
    all
}

fn outcome(found: &Found, ready: &Ready) -> Outcome {
    match &found.read {
        Ok(read) => Outcome {
            has_records: !ready.is_empty(),
            high_watermark: read.high_watermark,
            log_start_offset: read.data.log_start_offset,
            is_error: false,
            is_notable: found.diverging.is_some(),
        },
        Err(_) => Outcome {
            has_records: false,
            high_watermark: -1,
            log_start_offset: -1,
            is_error: true,
            is_notable: false,
        },
    }
}

/// All but the records of one partition.
fn describe<'a>(
    broker: &Broker,
    request: &RequestContext,
    want: &Wanted,
    found: &Found,
    query: &Query,
) -> PartitionData<'a> {
    let version = request.version;
    let read = match &found.read {
        Ok(read) => read,
        Err(error) => {
            let code = super::locate::code_elsewhere(broker, want, error);
            let code = storage_error_for(code, version, LAST_WITHOUT_STORAGE_ERROR);
            let mut data = PartitionData {
                partition_index: want.partition,
                error_code: code.into(),
                high_watermark: -1,
                ..Default::default()
            };
            if version >= 12
                && let Some(partition) = &found.partition
                && matches!(code, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch)
            {
                let now = partition.leadership();
                data.current_leader =
                    LeaderIdAndEpoch { leader_id: now.leader, leader_epoch: now.epoch, ..Default::default() };
            }
            return data;
        }
    };
    let mut data = PartitionData {
        partition_index: want.partition,
        high_watermark: read.high_watermark,
        last_stable_offset: read.last_stable_offset,
        log_start_offset: read.data.log_start_offset,
        ..Default::default()
    };
    if let Some(end) = found.diverging {
        data.diverging_epoch =
            EpochEndOffset { epoch: end.epoch, end_offset: end.end_offset, ..Default::default() };
    }
    // Who reads all is told none, not an empty list.
    data.aborted_transactions =
        (query.isolation == Isolation::ReadCommitted).then(|| found.aborted.iter().map(aborted).collect());
    data
}

fn aborted(txn: &AbortedTxn) -> AbortedTransaction {
    AbortedTransaction { producer_id: txn.producer_id, first_offset: txn.first_offset, ..Default::default() }
}

fn names(response: &FetchableTopicResponse<'_>, topic: &TopicRef) -> bool {
    match topic {
        TopicRef::Name(name) => *response.topic == **name,
        TopicRef::Id(id) => response.topic_id == *id,
    }
}

fn topic_response<'a>(topic: &'a TopicRef, first: PartitionData<'a>) -> FetchableTopicResponse<'a> {
    let mut response = FetchableTopicResponse { partitions: vec![first], ..Default::default() };
    match topic {
        TopicRef::Name(name) => response.topic = (&**name).into(),
        TopicRef::Id(id) => response.topic_id = *id,
    }
    response
}

/// Where the leader is that a client is sent to (KIP-951).
fn endpoint(broker: &Broker, request: &RequestContext, leader: i32, known: &mut Vec<NodeEndpoint<'_>>) {
    if request.version < 16 || known.iter().any(|node| node.node_id == leader) {
        return;
    }
    let snapshot = broker.metadata.snapshot();
    if let Some(live) = snapshot.broker(leader)
        && let Some((host, port)) = live.endpoint(&request.listener)
    {
        known.push(NodeEndpoint {
            node_id: leader,
            host: host.to_owned().into(),
            port,
            rack: live.rack.clone().map(Into::into),
            ..Default::default()
        });
    }
}

fn count(broker: &Broker, found: &Found, piece: &Ready, is_replica: bool) {
    if is_replica {
        broker.metrics.replicated.bytes_out.add(piece.len());
        return;
    }
    let all = &broker.metrics.all_topics;
    let own = found.partition.as_ref().map(|partition| &*partition.topic.metrics);
    for counters in own.into_iter().chain([all]) {
        counters.fetch_requests.increment();
        counters.bytes_out.add(piece.len());
        if found.read.as_ref().is_err_and(PartitionError::is_brokers_fault) {
            counters.failed_fetch_requests.increment();
        }
    }
}

/// The whole response carries the session's error; the client begins a new one.
fn session_error(request: &RequestContext, error: SessionError) -> Response {
    let code = match error {
        SessionError::NotFound => ErrorCode::FetchSessionIdNotFound,
        SessionError::WrongEpoch => ErrorCode::InvalidFetchSessionEpoch,
        SessionError::TopicIds(_) => ErrorCode::FetchSessionTopicIdError,
    };
    let response = FetchResponse { error_code: code.into(), ..Default::default() };
    Response::encode(request, &response, [])
}
