//! Requests that say the same again and again: neither the work nor the response grows out of proportion.

use std::time::Instant;

use vltava_protocol::{
    ErrorCode,
    messages::{
        DeleteTopicsRequest, DescribeGroupsRequest, ListOffsetsRequest, MetadataRequest, OffsetFetchRequest,
        list_offsets::{ListOffsetsPartition, ListOffsetsTopic},
        metadata::MetadataRequestTopic,
        offset_fetch::OffsetFetchRequestGroup,
    },
};

use crate::harness::{House, PATIENCE, topic_id};

#[tokio::test]
async fn a_topic_or_group_is_told_once() {
    let house = House::new();
    house.lead("t", 1);
    let by_id = MetadataRequestTopic { topic_id: topic_id("t"), name: None, ..Default::default() };
    let topics = Some(vec![by_id; 100]);
    let told = house.ask(12, &MetadataRequest { topics, ..Default::default() }, |a| a.topics.len()).await;
    assert_eq!(told, 1);
    let groups = vec!["g".into(); 100];
    let told =
        house.ask(5, &DescribeGroupsRequest { groups, ..Default::default() }, |a| a.groups.len()).await;
    assert_eq!(told, 1);
    let all = OffsetFetchRequestGroup { group_id: "g".into(), topics: None, ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![all; 100], ..Default::default() };
    assert_eq!(house.ask(8, &request, |answer| answer.groups.len()).await, 1);
}

/// Each against each would be ten thousand million comparisons and more.
#[tokio::test]
async fn a_repetition_is_found_in_one_pass() {
    let house = House::new();
    let began = Instant::now();
    let wanted =
        |partition_index| ListOffsetsPartition { partition_index, timestamp: -1, ..Default::default() };
    let topic = ListOffsetsTopic {
        name: "t".into(),
        partitions: (0..200_000).chain([7]).map(wanted).collect(),
        ..Default::default()
    };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    house
        .ask(5, &request, |response| {
            let invalid = ErrorCode::InvalidRequest.code();
            let repeated = response.topics[0].partitions.iter().filter(|p| p.error_code == invalid);
            assert_eq!(repeated.map(|p| p.partition_index).collect::<Vec<_>>(), [7, 7]);
        })
        .await;

    let names: Vec<String> = (0..150_000).map(|number| format!("topic-{number:07}")).collect();
    let topic_names = names.iter().chain(&names).map(|name| name.as_str().into()).collect();
    let request = DeleteTopicsRequest { topic_names, ..Default::default() };
    house
        .ask(5, &request, |response| {
            assert_eq!(response.responses.len(), 150_000);
            let invalid = ErrorCode::InvalidRequest.code();
            assert!(response.responses.iter().all(|response| response.error_code == invalid));
        })
        .await;
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}
