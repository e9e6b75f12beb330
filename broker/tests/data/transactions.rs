//! Readers of committed records, on a directory whose transactions a cluster with a transaction coordinator wrote.

use std::path::Path;

use vltava_broker::partitions::{TopicConfig, now_ms};
use vltava_log::{Log, OpenOptions, TopicPartition};
use vltava_protocol::{
    ErrorCode,
    messages::FetchRequest,
    records::{
        BatchOptions, EndTxnMarker,
        validate::{Origin, Rules, validate},
    },
};

use crate::harness::{House, batch, fetch};

/// Versions that have an isolation level.
const VERSIONS: std::ops::RangeInclusive<i16> = 4..=18;

/// Bytes of a value: more than the index interval, so that each batch is noted in the offset index.
const VALUE: usize = 5_000;

/// What a consumer is told: error, last stable offset, aborted transactions (`None` where they are not told), bytes of records.
type Told = (i16, i64, Option<Vec<(i64, i64)>>, usize);

/// Offset 0: plain. 1: producer 1, aborted at 2. 3: producer 2, committed at 4. 5: producer 1, aborted at 6. 7: producer 3, undecided.
fn write(directory: &Path) {
    let open = OpenOptions::new(TopicPartition::new("t", 0), now_ms());
    let (mut log, _) = Log::open(&directory.join("t-0"), open).unwrap();
    let mut append = |bytes: &[u8]| {
        let rules = Rules { origin: Origin::Coordinator, now: now_ms(), ..Rules::default() };
        log.append(&validate(bytes, &rules).unwrap(), 0, now_ms()).unwrap();
    };
    let value = "v".repeat(VALUE);
    let records = |producer_id, base_sequence| {
        let transactional = producer_id > 0;
        let producer_epoch = if transactional { 0 } else { -1 };
        batch(
            &[&value],
            BatchOptions { producer_id, producer_epoch, base_sequence, transactional, ..Default::default() },
        )
    };
    let marker = |producer_id: i64, committed| {
        let marker = EndTxnMarker { committed, coordinator_epoch: 0 };
        marker.write_batch(Vec::new(), 0, -1, now_ms(), (producer_id, 0)).unwrap().0
    };
    append(&records(-1, -1));
    append(&records(1, 0));
    append(&marker(1, false));
    append(&records(2, 0));
    append(&marker(2, true));
    append(&records(1, 1));
    append(&marker(1, false));
    append(&records(3, 0));
}

fn led(directory: &Path) -> House {
    write(directory);
    let house = House::over(directory, |_| TopicConfig::default());
    house.lead("t", 1);
    house
}

fn request(offset: i64, isolation_level: i8, max_bytes: i32) -> FetchRequest<'static> {
    let mut request = FetchRequest { isolation_level, ..fetch("t", 0, offset) };
    request.topics[0].partitions[0].partition_max_bytes = max_bytes;
    request
}

async fn told(house: &House, version: i16, request: &FetchRequest<'_>) -> Told {
    let see = |response: vltava_protocol::messages::FetchResponse<'_>| {
        let partition = &response.responses[0].partitions[0];
        let aborted = partition.aborted_transactions.as_ref();
        let aborted = aborted.map(|all| all.iter().map(|txn| (txn.producer_id, txn.first_offset)).collect());
        let records =
            partition.records.as_ref().and_then(|records| records.as_bytes()).map_or(0, <[u8]>::len);
        (partition.error_code, partition.last_stable_offset, aborted, records)
    };
    house.ask(version, request, see).await
}

#[tokio::test]
async fn a_reader_of_committed_records_is_told_what_was_aborted_and_nothing_undecided() {
    let directory = tempfile::tempdir().unwrap();
    let house = led(directory.path());
    for version in VERSIONS {
        let (error, stable, aborted, committed) = told(&house, version, &request(0, 1, 1 << 20)).await;
        assert_eq!((error, stable), (0, 7), "version {version}");
        assert_eq!(aborted, Some(vec![(1, 1), (1, 5)]), "version {version}");
        let (error, stable, aborted, all) = told(&house, version, &request(0, 0, 1 << 20)).await;
        assert_eq!((error, stable, aborted), (0, 7, None), "version {version}");
        assert!(
            all > committed + VALUE,
            "version {version}: what is undecided is for others: {all}, {committed}"
        );
        // Behind the first marker only the second transaction matters, and at the last stable offset none.
        assert_eq!(told(&house, version, &request(3, 1, 1 << 20)).await.2, Some(vec![(1, 5)]));
        assert_eq!(told(&house, version, &request(7, 1, 1 << 20)).await, (0, 7, Some(Vec::new()), 0));
    }
}

#[tokio::test]
async fn the_list_ends_where_the_records_end() {
    let directory = tempfile::tempdir().unwrap();
    let house = led(directory.path());
    let (_, _, aborted, records) = told(&house, 12, &request(0, 1, 2 * VALUE as i32)).await;
    assert!(records < 3 * VALUE);
    assert_eq!(aborted, Some(vec![(1, 1)]), "the transaction at 5 touches nothing that was read");
}

/// What is not told as aborted is taken for committed.
#[tokio::test]
async fn a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list() {
    let directory = tempfile::tempdir().unwrap();
    let house = led(directory.path());
    let index = directory.path().join("t-0/00000000000000000000.txnindex");
    let whole = std::fs::read(&index).unwrap();
    assert_eq!(whole.len(), 2 * vltava_log::AbortedTxn::SIZE);
    let corrupt = ErrorCode::CorruptMessage.code();
    let topic = &house.partition("t", 0).topic;
    let failed =
        || [&*topic.metrics, &house.broker.metrics.all_topics].map(|all| all.failed_fetch_requests.get());
    assert_eq!(failed(), [0, 0]);
    for (harm, spoiled) in [("cut off", whole[..40].to_vec()), ("spoiled", vec![0xff; whole.len()])] {
        std::fs::write(&index, spoiled).unwrap();
        let (error, _, aborted, records) = told(&house, 12, &request(0, 1, 1 << 20)).await;
        assert_eq!((error, records), (corrupt, 0), "{harm}");
        assert!(aborted.is_none_or(|aborted| aborted.is_empty()), "{harm}");
        assert_eq!(told(&house, 12, &request(0, 0, 1 << 20)).await.0, 0, "{harm}: others need no list");
    }
    assert_eq!(failed(), [2, 2], "those that could not be answered count, and no others");
    std::fs::write(&index, whole).unwrap();
    assert_eq!(told(&house, 12, &request(0, 1, 1 << 20)).await.2, Some(vec![(1, 1), (1, 5)]));
}
