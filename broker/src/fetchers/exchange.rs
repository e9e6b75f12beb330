//! What a fetcher asks its leader, and what it makes of the answers.
//!
//! From inter-broker version 2.7 on a Fetch says which epoch its follower has last, and the leader answers where the logs diverge. Before, and where there are
//! no epochs, the follower asks first (OffsetForLeaderEpoch), and fetches when the logs agree.

use std::{collections::BTreeMap, io, sync::Arc, time::Instant};

use tracing::{debug, info, warn};
use vltava_cluster::replication::{EpochAndEnd, Step};
use vltava_protocol::{
    ErrorCode, Records,
    frame::decode_response,
    messages::{
        FetchRequest, ListOffsetsRequest, OffsetForLeaderEpochRequest,
        fetch::{FetchPartition, FetchTopic, ForgottenTopic, PartitionData, ReplicaState},
        list_offsets::{ListOffsetsPartition, ListOffsetsTopic},
        offset_for_leader_epoch::{OffsetForLeaderPartition, OffsetForLeaderTopic},
    },
    wire::DecodeError,
};
use vltava_settings::ProtocolVersion;

use super::{
    connection::Connection,
    fetcher::Manner,
    inbox::{Followed, Inbox},
    session::{Asked, Key, Next, Session},
};
use crate::{
    Broker,
    partitions::{FollowError, FromLeader, Partition, now_ms},
};

/// The version of ListOffsets with leader epochs that every leader has that we fetch from.
const LIST_OFFSETS: i16 = 5;

/// So has this one of OffsetForLeaderEpoch.
const OFFSET_FOR_LEADER_EPOCH: i16 = 3;

/// The follower's last epoch goes along from here on, and the leader says where the logs diverge (KIP-595).
const FETCH_WITH_EPOCHS: i16 = 12;

/// Topics are named by id from here on.
const FETCH_BY_ID: i16 = 13;

/// The end and the start of a log, in ListOffsets.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// From which inter-broker version on which Fetch is sent; the newest first.
const FETCH: [(&str, i16); 7] = [
    ("3.9-IV0", 17),
    ("3.7-IV4", 16),
    ("3.5-IV1", 15),
    ("3.5-IV0", 14),
    ("3.1-IV0", 13),
    ("2.7-IV1", 12),
    ("2.3-IV1", 11),
];

/// A fetcher's conversation with one leader over one connection.
#[derive(Debug)]
pub(super) struct Exchange {
    leader: i32,
    /// The version of Fetch that the session is in.
    version: i16,
    session: Session,
    frame: Vec<u8>,
}

fn garbage(error: &DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

fn fetch_version(protocol: ProtocolVersion) -> i16 {
    let reached = |since: &str| ProtocolVersion::parse(since).is_ok_and(|since| protocol >= since);
    FETCH.iter().find(|(since, _)| reached(since)).map_or(FETCH[FETCH.len() - 1].1, |(_, version)| *version)
}

impl Exchange {
    pub(super) fn new(leader: i32) -> Self {
        Self { leader, version: -1, session: Session::default(), frame: Vec::new() }
    }

    /// One round: what does not agree is made to, the rest is fetched. An error is the connection's.
    pub(super) fn round(
        &mut self,
        broker: &Arc<Broker>,
        connection: &mut Connection,
        inbox: &Inbox,
        manner: &Manner,
        due: BTreeMap<Key, Followed>,
    ) -> io::Result<()> {
        let version = fetch_version(manner.protocol);
        let mut wanted = BTreeMap::new();
        let mut unsettled = Vec::new();
        for (key, followed) in &due {
            let epoch = followed.leader_epoch;
            let position = match followed.partition.position(epoch) {
                Ok(position) => position,
                Err(error) => {
                    settle(broker, inbox, manner, key, followed, Err(error));
                    continue;
                }
            };
            match followed.agreement.next(Some(position.last_epoch), version >= FETCH_WITH_EPOCHS) {
                Step::Fetch => {
                    let topic_id = followed.partition.topic.id;
                    wanted.insert(key.clone(), Asked { position, leader_epoch: epoch, topic_id });
                }
                Step::AskForEnd(of) => unsettled.push((key, followed, of)),
                Step::CutToHighWatermark => {
                    let cut = followed.partition.cut_to_high_watermark(epoch, now_ms());
                    settle(broker, inbox, manner, key, followed, cut.map(|end| (end, true)));
                }
            }
        }
        if !unsettled.is_empty() {
            self.ask_for_ends(broker, connection, inbox, manner, &unsettled)?;
        }
        if wanted.is_empty() {
            return Ok(());
        }
        self.fetch(broker, connection, inbox, manner, (&due, wanted), version)
    }

    fn fetch(
        &mut self,
        broker: &Arc<Broker>,
        connection: &mut Connection,
        inbox: &Inbox,
        manner: &Manner,
        (due, wanted): (&BTreeMap<Key, Followed>, BTreeMap<Key, Asked>),
        version: i16,
    ) -> io::Result<()> {
        let has_ids = wanted.values().all(|asked| !asked.topic_id.is_zero());
        let version = if has_ids { version } else { version.min(FETCH_BY_ID - 1) };
        // A session goes by names or by ids, not both.
        if std::mem::replace(&mut self.version, version) != version {
            self.session.end();
        }
        let next = self.session.next(wanted);
        let request = request(broker, manner, next, version);
        let mut frame = std::mem::take(&mut self.frame);
        let asked = connection.ask(&request, version, &mut frame);
        let outcome =
            asked.and_then(|()| self.taken(broker, connection, inbox, manner, due, (&frame, version)));
        self.frame = frame;
        // One large answer is no reason to hold its memory for ever.
        if self.frame.capacity() > 2 * usize::try_from(manner.max_bytes).unwrap_or(0) {
            self.frame = Vec::new();
        }
        outcome
    }

    fn taken(
        &mut self,
        broker: &Arc<Broker>,
        connection: &mut Connection,
        inbox: &Inbox,
        manner: &Manner,
        due: &BTreeMap<Key, Followed>,
        (frame, version): (&[u8], i16),
    ) -> io::Result<()> {
        let (_, response) =
            decode_response::<FetchRequest<'_>>(frame, version).map_err(|error| garbage(&error))?;
        let code = ErrorCode::of(response.error_code);
        if code != ErrorCode::None {
            info!(leader = self.leader, %code, "the fetch session is begun anew");
            self.session.end();
            if !matches!(
                code,
                ErrorCode::FetchSessionIdNotFound
                    | ErrorCode::InvalidFetchSessionEpoch
                    | ErrorCode::FetchSessionTopicIdError
            ) {
                return Err(io::Error::other(format!("the leader answers {code}")));
            }
            return Ok(());
        }
        let names: BTreeMap<_, _> =
            due.values().map(|f| (f.partition.topic.id, f.partition.topic.name.clone())).collect();
        let mut out_of_range = Vec::new();
        for topic in &response.responses {
            let name = if version >= FETCH_BY_ID {
                let Some(name) = names.get(&topic.topic_id) else { continue };
                name.clone()
            } else {
                Arc::from(&*topic.topic)
            };
            for data in &topic.partitions {
                let key = (name.clone(), data.partition_index);
                let (Some(asked), Some(followed)) = (self.session.asked(&key), due.get(&key)) else {
                    continue;
                };
                if ErrorCode::of(data.error_code) == ErrorCode::OffsetOutOfRange {
                    out_of_range.push((key, followed.clone(), asked));
                } else {
                    self.take(broker, inbox, manner, &key, followed, asked, data);
                }
            }
        }
        self.session.answered(response.session_id);
        drop(response);
        for (key, followed, asked) in out_of_range {
            self.find_range(broker, connection, inbox, manner, &key, &followed, asked)?;
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one partition's share of a response, and where its outcome goes"
    )]
    fn take(
        &self,
        broker: &Arc<Broker>,
        inbox: &Inbox,
        manner: &Manner,
        key: &Key,
        followed: &Followed,
        asked: Asked,
        data: &PartitionData<'_>,
    ) {
        let epoch = followed.leader_epoch;
        if asked.leader_epoch != epoch {
            return;
        }
        match ErrorCode::of(data.error_code) {
            ErrorCode::None => {}
            code => return refused(inbox, manner, key, epoch, code),
        }
        if data.diverging_epoch.epoch >= 0 || data.diverging_epoch.end_offset >= 0 {
            let leader =
                EpochAndEnd { epoch: data.diverging_epoch.epoch, end: data.diverging_epoch.end_offset };
            let cut = followed.partition.agree(epoch, leader, now_ms());
            // Whether or not they agree now: the next fetch asks with the epoch that is last then.
            settle(broker, inbox, manner, key, followed, cut.map(|(end, _)| (end, true)));
            return;
        }
        let records: &[u8] = match &data.records {
            Some(Records::Bytes(bytes)) => bytes,
            _ => &[],
        };
        let taken = followed.partition.take(
            FromLeader {
                leader_epoch: epoch,
                offset: asked.position.offset,
                records,
                high_watermark: data.high_watermark,
                log_start: data.log_start_offset,
            },
            now_ms(),
        );
        match taken {
            Ok(bytes) => {
                if bytes > 0 {
                    broker.metrics.replicated.bytes_in.add(bytes as u64);
                }
                let mut agreement = followed.agreement;
                agreement.fetched();
                if agreement != followed.agreement {
                    inbox.change(key, epoch, |followed| followed.agreement = agreement);
                }
            }
            Err(error) => settle(broker, inbox, manner, key, followed, Err(error)),
        }
    }

    /// Asks where epochs end, and cuts logs off there.
    fn ask_for_ends(
        &mut self,
        broker: &Arc<Broker>,
        connection: &mut Connection,
        inbox: &Inbox,
        manner: &Manner,
        unsettled: &[(&Key, &Followed, i32)],
    ) -> io::Result<()> {
        let mut request = OffsetForLeaderEpochRequest { replica_id: broker.id, ..Default::default() };
        for (key, followed, epoch) in unsettled {
            let partition = OffsetForLeaderPartition {
                partition: key.1,
                current_leader_epoch: followed.leader_epoch,
                leader_epoch: *epoch,
                ..Default::default()
            };
            match request.topics.last_mut() {
                Some(last) if *last.topic == *key.0 => last.partitions.push(partition),
                _ => request.topics.push(OffsetForLeaderTopic {
                    topic: key.0.to_string().into(),
                    partitions: vec![partition],
                    ..Default::default()
                }),
            }
        }
        let mut frame = Vec::new();
        connection.ask(&request, OFFSET_FOR_LEADER_EPOCH, &mut frame)?;
        let (_, response) =
            decode_response::<OffsetForLeaderEpochRequest<'_>>(&frame, OFFSET_FOR_LEADER_EPOCH)
                .map_err(|error| garbage(&error))?;
        for topic in &response.topics {
            for answer in &topic.partitions {
                let asked =
                    unsettled.iter().find(|(key, ..)| *key.0 == *topic.topic && key.1 == answer.partition);
                let Some((key, followed, _)) = asked else { continue };
                let code = ErrorCode::of(answer.error_code);
                if code != ErrorCode::None {
                    refused(inbox, manner, key, followed.leader_epoch, code);
                    continue;
                }
                let leader = EpochAndEnd { epoch: answer.leader_epoch, end: answer.end_offset };
                let cut = followed.partition.agree(followed.leader_epoch, leader, now_ms());
                settle(broker, inbox, manner, key, followed, cut);
            }
        }
        Ok(())
    }

    /// The leader has nothing at the offset asked for: its log ends before (an unclean election), or starts behind.
    #[expect(clippy::too_many_arguments, reason = "as its caller")]
    fn find_range(
        &mut self,
        broker: &Arc<Broker>,
        connection: &mut Connection,
        inbox: &Inbox,
        manner: &Manner,
        key: &Key,
        followed: &Followed,
        asked: Asked,
    ) -> io::Result<()> {
        let epoch = followed.leader_epoch;
        let partition = &followed.partition;
        let (topic, index) = (&*key.0, key.1);
        let end = match self.list_offset(broker, connection, key, epoch, LATEST)? {
            Ok(end) => end,
            Err(code) => {
                refused(inbox, manner, key, epoch, code);
                return Ok(());
            }
        };
        if end < asked.position.offset {
            warn!(
                topic,
                partition = index,
                leader_end = end,
                own_end = asked.position.offset,
                "the leader's log ends before this one"
            );
            let cut = partition.cut_to_end_of_leader(epoch, end, now_ms());
            settle(broker, inbox, manner, key, followed, cut.map(|end| (end, true)));
            return Ok(());
        }
        match self.list_offset(broker, connection, key, epoch, EARLIEST)? {
            Err(code) => refused(inbox, manner, key, epoch, code),
            Ok(start) if start > asked.position.offset => {
                info!(
                    topic,
                    partition = index,
                    start,
                    own_end = asked.position.offset,
                    "begins anew at the leader's start"
                );
                let begun = partition.start_over(epoch, start, now_ms());
                settle(broker, inbox, manner, key, followed, begun.map(|()| (Some(start), true)));
            }
            // It has it by now.
            Ok(_) => delay(inbox, manner, key, epoch),
        }
        Ok(())
    }

    fn list_offset(
        &self,
        broker: &Arc<Broker>,
        connection: &mut Connection,
        key: &Key,
        leader_epoch: i32,
        timestamp: i64,
    ) -> io::Result<Result<i64, ErrorCode>> {
        let partition = ListOffsetsPartition {
            partition_index: key.1,
            current_leader_epoch: leader_epoch,
            timestamp,
            ..Default::default()
        };
        let topic = ListOffsetsTopic {
            name: key.0.to_string().into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = ListOffsetsRequest { replica_id: broker.id, topics: vec![topic], ..Default::default() };
        let mut frame = Vec::new();
        connection.ask(&request, LIST_OFFSETS, &mut frame)?;
        let (_, response) = decode_response::<ListOffsetsRequest<'_>>(&frame, LIST_OFFSETS)
            .map_err(|error| garbage(&error))?;
        let answer = response.topics.first().and_then(|topic| topic.partitions.first());
        let Some(answer) = answer else { return Ok(Err(ErrorCode::UnknownServerError)) };
        Ok(match ErrorCode::of(answer.error_code) {
            ErrorCode::None => Ok(answer.offset),
            code => Err(code),
        })
    }
}

fn request(broker: &Broker, manner: &Manner, next: Next, version: i16) -> FetchRequest<'static> {
    let mut request = FetchRequest {
        max_wait_ms: manner.wait_ms,
        min_bytes: manner.min_bytes,
        max_bytes: manner.max_bytes,
        session_id: next.session_id,
        session_epoch: next.session_epoch,
        ..Default::default()
    };
    if version >= 15 {
        request.replica_state = ReplicaState {
            replica_id: broker.id,
            replica_epoch: broker.control.broker_epoch(),
            ..Default::default()
        };
    } else {
        request.replica_id = broker.id;
    }
    let by_id = version >= FETCH_BY_ID;
    let mut last: Option<Key> = None;
    for (key, asked) in next.changed {
        let partition = FetchPartition {
            partition: key.1,
            current_leader_epoch: asked.leader_epoch,
            fetch_offset: asked.position.offset,
            last_fetched_epoch: if version >= FETCH_WITH_EPOCHS { asked.position.last_epoch } else { -1 },
            log_start_offset: asked.position.log_start,
            partition_max_bytes: manner.partition_bytes,
            ..Default::default()
        };
        match request.topics.last_mut() {
            Some(topic) if last.as_ref().is_some_and(|last| last.0 == key.0) => {
                topic.partitions.push(partition)
            }
            _ => request.topics.push(FetchTopic {
                topic: if by_id { Default::default() } else { key.0.to_string().into() },
                topic_id: if by_id { asked.topic_id } else { Default::default() },
                partitions: vec![partition],
                ..Default::default()
            }),
        }
        last = Some(key);
    }
    for (key, topic_id) in next.forgotten {
        request.forgotten_topics_data.push(ForgottenTopic {
            topic: if by_id { Default::default() } else { key.0.to_string().into() },
            topic_id: if by_id { topic_id } else { Default::default() },
            partitions: vec![key.1],
            ..Default::default()
        });
    }
    request
}

/// Notes what became of a partition: the end after a cut, and whether the logs agree.
fn settle(
    broker: &Arc<Broker>,
    inbox: &Inbox,
    manner: &Manner,
    key: &Key,
    followed: &Followed,
    outcome: Result<(Option<i64>, bool), FollowError>,
) {
    let (topic, index, epoch) = (&*key.0, key.1, followed.leader_epoch);
    match outcome {
        Ok((end, is_final)) => {
            if let Some(end) = end {
                info!(topic, partition = index, end, "the log was cut off to agree with its leader");
                note_cut(broker, &followed.partition, end);
            }
            let last = followed.partition.reader().latest_epoch();
            inbox.change(key, epoch, |followed| followed.agreement.cut(is_final, last));
        }
        Err(FollowError::NoLonger) => {
            debug!(topic, partition = index, "the leadership has changed");
            // Whoever changes it takes the partition out, or names another epoch.
            delay(inbox, manner, key, epoch);
        }
        Err(error @ FollowError::Storage(_)) => {
            // A full disk is told by the disk.
            debug!(topic, partition = index, %error, "cannot be followed for now");
            delay(inbox, manner, key, epoch);
        }
        Err(error @ FollowError::Records(_)) => {
            warn!(topic, partition = index, %error, "cannot be followed for now");
            delay(inbox, manner, key, epoch);
        }
    }
}

/// What was cut off must not be taken for flushed or cleaned after a crash.
fn note_cut(broker: &Arc<Broker>, partition: &Arc<Partition>, end: i64) {
    broker.replicas.log_was_cut(partition, end);
}

fn refused(inbox: &Inbox, manner: &Manner, key: &Key, epoch: i32, code: ErrorCode) {
    let (topic, index) = (&*key.0, key.1);
    match code {
        // A newer LeaderAndIsr is on its way.
        ErrorCode::FencedLeaderEpoch => {
            debug!(topic, partition = index, epoch, "the leader has a newer epoch");
            inbox.give_up(key, epoch);
        }
        // The other side has not been told yet, or somebody else has.
        ErrorCode::NotLeaderOrFollower
        | ErrorCode::UnknownLeaderEpoch
        | ErrorCode::UnknownTopicOrPartition
        | ErrorCode::UnknownTopicId
        | ErrorCode::InconsistentTopicId => {
            debug!(topic, partition = index, %code, "cannot be fetched yet");
            delay(inbox, manner, key, epoch);
        }
        code => {
            warn!(topic, partition = index, %code, "cannot be fetched");
            delay(inbox, manner, key, epoch);
        }
    }
}

fn delay(inbox: &Inbox, manner: &Manner, key: &Key, epoch: i32) {
    let until = Instant::now() + manner.back_off;
    inbox.change(key, epoch, |followed| followed.not_before = Some(until));
}
