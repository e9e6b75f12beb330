//! Clients of older formats, behind new writers.

use vltava_broker::partitions::TopicConfig;
use vltava_protocol::{
    ErrorCode,
    messages::FetchRequest,
    records::{BatchOptions, Codec, EntryPrefix},
};

use crate::harness::{House, batch, decoded, fetch, message_set, produce, values};

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
    let vltava_broker::net::Answer::Later(poll) = house.begin(0, &request) else { panic!("nothing to say") };
    let poll = tokio::spawn(poll);
    let written = batch(&["a"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &written)).await;
    let response = tokio::time::timeout(crate::harness::PATIENCE, poll).await.expect("it sleeps on").unwrap();
    decoded::<FetchRequest<'_>, _>(0, &crate::harness::on_the_wire(&response), |response| {
        let read = response.responses[0].partitions[0].records.as_ref().unwrap().as_bytes().unwrap().to_vec();
        assert_eq!(values(&read), [(0, "a".to_owned())]);
    });
}
