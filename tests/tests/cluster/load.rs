//! A producer under whose hands brokers die, and the judge of what is left.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};
use vltava_testkit::wait;

/// Longer than any failover here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was acknowledged: partition and offset of each record.
type Acknowledged = Arc<Mutex<Vec<(i32, i64, u64)>>>;

/// Records are numbered; each says its number, and goes to the partition that its number says.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Acknowledged,
    thread: JoinHandle<()>,
    topic: String,
    partitions: i32,
}

struct Ledger(Acknowledged);

impl ClientContext for Ledger {}

impl ProducerContext for Ledger {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, number: Box<u64>) {
        match result {
            Ok(message) => self.0.lock().unwrap().push((message.partition(), message.offset(), *number)),
            Err((error, _)) => panic!("record {number} is given up: {error}"),
        }
    }
}

impl Load {
    /// Begins to produce, idempotently and with acks=all, until [`Load::end`].
    pub(crate) fn begin(bootstrap: &str, topic: &str, partitions: i32) -> Load {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Acknowledged::default());
        let producer: BaseProducer<Ledger> = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "2")
            .set("message.timeout.ms", "120000")
            .set("topic.metadata.refresh.interval.ms", "2000")
            .set("reconnect.backoff.max.ms", "500")
            .create_with_context(Ledger(acknowledged.clone()))
            .unwrap();
        let (name, stopped) = (topic.to_owned(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut number = 0_u64;
            while !stopped.load(Ordering::Relaxed) {
                let partition = i32::try_from(number % u64::try_from(partitions).unwrap()).unwrap();
                let payload = number.to_string();
                let record = BaseRecord::<(), String, Box<u64>>::with_opaque_to(&name, Box::new(number))
                    .partition(partition)
                    .payload(&payload);
                match producer.send(record) {
                    Ok(()) => number += 1,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {}
                    Err((error, _)) => panic!("record {number} cannot be sent: {error}"),
                }
                // Some thousands a second: the machine has other things to do too.
                producer.poll(Duration::from_micros(200));
            }
            producer.flush(PATIENCE).expect("all that was sent is acknowledged");
        });
        Load { stop, acknowledged, thread, topic: topic.to_owned(), partitions }
    }

    /// Waits until as many records more are acknowledged.
    pub(crate) fn goes_on(&self, more: usize) {
        let count = || self.acknowledged.lock().unwrap().len();
        let before = count();
        wait::until("records are acknowledged", PATIENCE, || {
            assert!(!self.thread.is_finished(), "the producer has ended");
            (count() >= before + more).then_some(())
        });
    }

    /// Ends it, reads everything back, and judges: each record that was acknowledged lies where the acknowledgement said, none lies there twice, and
    /// the numbers of each partition ascend.
    pub(crate) fn end(self, bootstrap: &str) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("every record was acknowledged");
        let acknowledged = std::mem::take(&mut *self.acknowledged.lock().unwrap());
        let mut found: HashMap<(i32, i64), u64> = HashMap::new();
        for partition in 0..self.partitions {
            let records = read_all(bootstrap, &self.topic, partition);
            let mut last = None;
            for (offset, number) in records {
                assert!(
                    last < Some(number),
                    "partition {partition}: {number} at {offset} comes after {last:?}"
                );
                last = Some(number);
                found.insert((partition, offset), number);
            }
        }
        for (partition, offset, number) in &acknowledged {
            assert_eq!(
                found.get(&(*partition, *offset)),
                Some(number),
                "record {number} was acknowledged at offset {offset} of partition {partition}"
            );
        }
        assert_eq!(found.len(), acknowledged.len(), "nothing lies there that was not acknowledged");
        acknowledged.len()
    }
}

/// All records of a partition up to its high watermark, with their offsets.
pub(crate) fn read_all(bootstrap: &str, topic: &str, partition: i32) -> BTreeMap<i64, u64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "judge")
        .set("enable.auto.commit", "false")
        .set("reconnect.backoff.max.ms", "500")
        .create()
        .unwrap();
    let end = wait::until("the partition's end is known", PATIENCE, || {
        consumer.fetch_watermarks(topic, partition, Duration::from_secs(5)).ok().map(|(_, end)| end)
    });
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();
    let mut records = BTreeMap::new();
    let deadline = Instant::now() + PATIENCE;
    while records.last_key_value().map_or(0, |(offset, _)| offset + 1) < end {
        assert!(
            Instant::now() < deadline,
            "{topic}-{partition} is read up to {:?} of {end}",
            records.last_key_value()
        );
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) {
            let number = std::str::from_utf8(message.payload().unwrap()).unwrap().parse().unwrap();
            records.insert(message.offset(), number);
        }
    }
    records
}
