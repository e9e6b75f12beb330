//! Clients of older formats, behind new writers.

use std::collections::{BTreeSet, VecDeque};

use vltava_broker::{
    net::{Answer, Piece, Response},
    partitions::TopicConfig,
};
use vltava_protocol::{
    ErrorCode,
    messages::FetchRequest,
    records::{BatchOptions, Codec, EntryPrefix},
};

use crate::harness::{House, PATIENCE, batch, decoded, fetch, message_set, on_the_wire, produce, values};

/// The record data of the only partition, and its error.
async fn records(house: &House, version: i16, request: &FetchRequest<'_>) -> (i16, Vec<u8>) {
    let bytes = house.bytes(version, request).await;
    decoded::<FetchRequest<'_>, _>(version, &bytes, |response| {
        let answer = &response.responses[0].partitions[0];
        (answer.error_code, answer.records.as_ref().unwrap().as_bytes().unwrap().to_vec())
    })
}

#[tokio::test]
async fn each_version_reads_the_magic_that_it_knows() {
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
        let house = House::new();
        house.lead("t", 1);
        let written = batch(&["a", "b", "c"], BatchOptions { codec, ..Default::default() });
        house.produced(9, &produce("t", 0, 1, &written)).await;
        house.produced(9, &produce("t", 0, 1, &written)).await;
        for (version, magic) in [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (18, 2)] {
            let (error, read) = records(&house, version, &fetch("t", 0, 0)).await;
            assert_eq!(error, 0);
            let first = EntryPrefix::parse(&read, usize::MAX).unwrap().unwrap();
            assert_eq!(first.magic, magic, "{codec:?} version {version}");
            let all: Vec<_> = values(&read).into_iter().map(|(_, value)| value).collect();
            assert_eq!(all, ["a", "b", "c", "a", "b", "c"], "{codec:?} version {version}");
        }
    }
}

#[tokio::test]
async fn old_writers_and_readers_keep_offsets() {
    let house = House::new();
    house.lead("t", 1);
    for (version, magic) in [(1, 0), (2, 1)] {
        house.produced(version, &produce("t", 0, 1, &message_set(magic, Codec::Gzip, &["a", "b"]))).await;
    }
    for version in [0, 2, 5, 12] {
        let (_, read) = records(&house, version, &fetch("t", 0, 0)).await;
        let expected: Vec<_> = (0..).zip(["a", "b", "a", "b"].map(str::to_owned)).collect();
        assert_eq!(values(&read), expected, "version {version}");
    }
}

#[tokio::test]
async fn the_same_piece_is_converted_once() {
    let house = House::new();
    house.lead("t", 1);
    let written = batch(&["a"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &written)).await;
    let (_, first) = records(&house, 0, &fetch("t", 0, 0)).await;
    let (_, second) = records(&house, 0, &fetch("t", 0, 0)).await;
    assert_eq!(first, second);
    assert_eq!(house.broker.replicas.old_readers.kept_pieces(), 1);
    let (_, other) = records(&house, 2, &fetch("t", 0, 0)).await;
    assert_ne!(first, other);
    assert_eq!(house.broker.replicas.old_readers.kept_pieces(), 2);
}

#[tokio::test]
async fn zstd_is_told_from_what_a_client_knows() {
    let house = House::new();
    house.lead("t", 1);
    let plain = batch(&["a"], BatchOptions::default());
    let packed = batch(&["b"], BatchOptions { codec: Codec::Zstd, ..Default::default() });
    house.produced(9, &produce("t", 0, 1, &plain)).await;
    house.produced(9, &produce("t", 0, 1, &packed)).await;
    for version in 0..=12 {
        let before = records(&house, version, &fetch("t", 0, 0)).await;
        assert_eq!(before.0, 0, "version {version}");
        assert_eq!(values(&before.1).len(), if version < 10 { 1 } else { 2 }, "version {version}");
        let (error, _) = records(&house, version, &fetch("t", 0, 1)).await;
        let expected = if version < 10 { ErrorCode::UnsupportedCompressionType } else { ErrorCode::None };
        assert_eq!(error, expected.code(), "version {version}");
    }
}

#[tokio::test]
async fn conversion_that_is_off_is_refused() {
    let house = House::with_config(|_| TopicConfig { down_conversion: false, ..TopicConfig::default() });
    house.lead("t", 1);
    let written = batch(&["a"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &written)).await;
    let (error, _) = records(&house, 2, &fetch("t", 0, 0)).await;
    assert_eq!(error, ErrorCode::UnsupportedVersion.code());
    assert_eq!(records(&house, 4, &fetch("t", 0, 0)).await.0, 0);
}

#[tokio::test]
async fn an_old_poll_sleeps_until_records_come() {
    let house = House::new();
    house.lead("t", 1);
    let mut request = fetch("t", 0, 0);
    request.max_wait_ms = 600_000;
    let Answer::Later(poll) = house.begin(0, &request) else { panic!("nothing to say") };
    let poll = tokio::spawn(poll);
    let written = batch(&["a"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &written)).await;
    let response = tokio::time::timeout(PATIENCE, poll).await.expect("it sleeps on").unwrap();
    decoded::<FetchRequest<'_>, _>(0, &on_the_wire(&response), |response| {
        let read = response.responses[0].partitions[0].records.as_ref().unwrap().as_bytes().unwrap().to_vec();
        assert_eq!(values(&read), [(0, "a".to_owned())]);
    });
}

/// What is converted for one response is at most this, and one piece of a log more.
const ENOUGH: u64 = 1 << 20;

/// What is converted for all responses.
const HELD: u64 = 8 << 20;

const PARTITIONS: i32 = 8;

/// Eight partitions with 600 KB each, in two batches.
async fn loaded() -> House {
    let house = House::new();
    house.lead("t", PARTITIONS);
    let value = "v".repeat(300_000);
    let written = batch(&[&value], BatchOptions::default());
    for index in 0..PARTITIONS {
        for _ in 0..2 {
            assert_eq!(house.produced(9, &produce("t", index, 1, &written)).await.0, 0);
        }
    }
    house
}

/// A Fetch of all of them.
fn all_of_them() -> FetchRequest<'static> {
    let mut request = FetchRequest { max_bytes: 50 << 20, ..fetch("t", 0, 0) };
    let first = request.topics[0].partitions[0].clone();
    let partition =
        |partition| vltava_protocol::messages::fetch::FetchPartition { partition, ..first.clone() };
    request.topics[0].partitions = (0..PARTITIONS).map(partition).collect();
    request
}

async fn response(house: &House, version: i16) -> Response {
    let answer = house.begin(version, &all_of_them()).response();
    tokio::time::timeout(PATIENCE, answer).await.expect("an answer")
}

fn in_memory(response: &Response) -> u64 {
    let bytes = |piece: &Piece| if let Piece::Bytes(_) = piece { piece.len() } else { 0 };
    response.pieces().iter().map(bytes).sum()
}

#[tokio::test]
async fn a_response_of_many_partitions_converts_some_of_them_and_each_has_its_turn() {
    let house = loaded().await;
    for version in 0..=3 {
        let mut served = BTreeSet::new();
        // Which one is first is chance: that one of eight never is in so many is none.
        for _ in 0..500 {
            let response = response(&house, version).await;
            assert!(in_memory(&response) < ENOUGH + (1 << 20) + 10_000, "version {version}");
            decoded::<FetchRequest<'_>, _>(version, &on_the_wire(&response), |response| {
                for answer in &response.responses[0].partitions {
                    assert_eq!(answer.error_code, 0);
                    let records = answer.records.as_ref().and_then(|r| r.as_bytes()).unwrap_or_default();
                    if !records.is_empty() {
                        assert!(!values(records).is_empty(), "a whole record at least");
                        served.insert(answer.partition_index);
                    }
                }
            });
            if served.len() == PARTITIONS as usize {
                break;
            }
        }
        assert_eq!(served.len(), PARTITIONS as usize, "version {version}: {served:?}");
    }
}

/// Twenty old consumers that have asked and read nothing: each new answer waits until another one has been taken.
#[tokio::test]
async fn converted_records_of_all_clients_share_one_budget() {
    const CLIENTS: u64 = 20;
    let house = loaded().await;
    let memory = house.broker.replicas.old_readers.memory().clone();
    let mut asked = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let Answer::Later(answer) = house.begin_by(client, 2, &all_of_them()) else { panic!("cold") };
        asked.spawn(answer);
    }
    let (mut untaken, mut most) = (VecDeque::new(), 0);
    for _ in 0..CLIENTS {
        while memory.used() >= HELD && !untaken.is_empty() {
            most = most.max(memory.used());
            untaken.pop_front();
        }
        let answer = tokio::time::timeout(PATIENCE, asked.join_next()).await.expect("an answer").unwrap();
        untaken.push_back(answer.unwrap());
        most = most.max(memory.used());
    }
    assert!(most >= HELD, "they never filled the budget: {most}");
    // The reserve that who begins has, and of each that was begun what its last piece was larger.
    let bound = HELD + HELD / 8 + ENOUGH + 9 * ENOUGH;
    assert!(most <= bound, "responses held {most} bytes, which is above {bound}");
    untaken.clear();
    assert_eq!(memory.used(), 0);
}
