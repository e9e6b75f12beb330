//! The test program on librdkafka. Commands and lines are those of the Java programs in `tests/java/clients`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::error::Error;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};
use tokio::signal::unix::{SignalKind, signal};
use vltava_tests::content;

type Outcome = Result<(), Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["create", bootstrap, topic, partitions] => create(bootstrap, topic, partitions.parse()?).await,
        ["produce", bootstrap, topic, codecs, count, tag, time] => {
            let (count, mut time) = (count.parse()?, time.parse()?);
            for codec in codecs.split(',') {
                produce(bootstrap, topic, codec, count, tag, time).await?;
                time += i64::from(count);
            }
            Ok(())
        }
        ["consume", bootstrap, topic, group] => consume(bootstrap, topic, group).await,
        ["offsets", bootstrap, topic, ref times @ ..] => {
            times.iter().try_for_each(|time| offsets(bootstrap, topic, time.parse()?))
        }
        _ => Err(format!("no command {words:?}").into()),
    }
}

fn configuration(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("topic.metadata.refresh.interval.ms", "2000");
    config
}

async fn create(bootstrap: &str, topic: &str, partitions: i32) -> Outcome {
    let admin: AdminClient<DefaultClientContext> = configuration(bootstrap).create()?;
    let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(LIMIT));
    for result in admin.create_topics(&[wanted], &options).await? {
        result.map_err(|(topic, code)| format!("{topic}: {code}"))?;
    }
    println!("created\t{topic}");
    Ok(())
}

async fn produce(bootstrap: &str, topic: &str, codec: &str, count: i32, tag: &str, time: i64) -> Outcome {
    let producer: FutureProducer = configuration(bootstrap)
        .set("compression.type", codec)
        .set("acks", "all")
        .set("linger.ms", "10")
        .set("max.in.flight.requests.per.connection", "1")
        .create()?;
    let mut sent = Vec::new();
    for n in 0..count {
        let key = content::key(tag, codec, n);
        let value = content::value(&key, n);
        let record = FutureRecord::to(topic)
            .partition(n % 3)
            .key(&key)
            .payload(&value)
            .timestamp(time + i64::from(n))
            .headers(OwnedHeaders::new().insert(Header { key: "tag", value: Some(tag) }));
        let delivery = producer.send_result(record).map_err(|(error, _)| error)?;
        sent.push((key, delivery));
    }
    for (key, delivery) in sent {
        let delivered = delivery.await?.map_err(|(error, _)| error)?;
        println!("acked\t{}\t{}\t{key}", delivered.partition, delivered.offset);
    }
    producer.flush(LIMIT)?;
    Ok(())
}

/// Prints what the member of a group owns after each rebalance.
struct Assignments;

impl ClientContext for Assignments {}

impl ConsumerContext for Assignments {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let mut numbers: Vec<i32> =
                partitions.elements().iter().map(TopicPartitionListElem::partition).collect();
            numbers.sort_unstable();
            let texts: Vec<String> = numbers.iter().map(i32::to_string).collect();
            println!("assigned\t{}", if texts.is_empty() { "-".to_owned() } else { texts.join(",") });
        }
    }
}

async fn consume(bootstrap: &str, topic: &str, group: &str) -> Outcome {
    let mut leave = signal(SignalKind::terminate())?;
    let consumer: StreamConsumer<Assignments> = configuration(bootstrap)
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("heartbeat.interval.ms", "500")
        .set("session.timeout.ms", "20000")
        .create_with_context(Assignments)?;
    consumer.subscribe(&[topic])?;
    loop {
        let message = tokio::select! {
            received = consumer.recv() => received?,
            _ = leave.recv() => break,
        };
        let headers: Vec<String> = message
            .headers()
            .iter()
            .flat_map(|headers| headers.iter())
            .map(|h| format!("{}={}", h.key, String::from_utf8_lossy(h.value.unwrap_or_default())))
            .collect();
        println!(
            "record\t{}\t{}\t{}\t{}\t{}\t{}",
            message.partition(),
            message.offset(),
            message.timestamp().to_millis().unwrap_or(-1),
            String::from_utf8_lossy(message.key().unwrap_or_default()),
            String::from_utf8_lossy(message.payload().unwrap_or_default()),
            headers.join(",")
        );
        consumer.commit_message(&message, CommitMode::Sync)?;
    }
    drop(consumer);
    println!("left");
    Ok(())
}

fn offsets(bootstrap: &str, topic: &str, time: i64) -> Outcome {
    let consumer: BaseConsumer = configuration(bootstrap).set("group.id", "offsets").create()?;
    let metadata = consumer.fetch_metadata(Some(topic), LIMIT)?;
    let partitions: Vec<i32> =
        metadata.topics().iter().flat_map(MetadataTopic::partitions).map(MetadataPartition::id).collect();
    for partition in partitions {
        let offset = if time < 0 {
            let (low, high) = consumer.fetch_watermarks(topic, partition, LIMIT)?;
            if time == -2 { low } else { high }
        } else {
            let mut wanted = TopicPartitionList::new();
            wanted.add_partition_offset(topic, partition, Offset::Offset(time))?;
            let found = consumer.offsets_for_times(wanted, LIMIT)?;
            match found.elements()[0].offset() {
                Offset::Offset(offset) => offset,
                _ => -1,
            }
        };
        println!("offset\t{partition}\t{time}\t{offset}");
    }
    Ok(())
}
