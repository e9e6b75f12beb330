//! Producers and consumers: librdkafka, the same for every broker.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::rows::{FETCH, LARGEST_BATCH};

/// How records are made and sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Produce {
    pub(crate) record_bytes: usize,
    pub(crate) producers: usize,
    pub(crate) linger_ms: u32,
    pub(crate) codec: &'static str,
    pub(crate) total_bytes: u64,
}

/// What a load did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
}

/// How long one client may take to make a topic before another one tries.
const CREATE: Duration = Duration::from_secs(5);

/// Makes a topic and waits until it can be used.
///
/// A broker in ZooKeeper mode that has just begun to listen may not know yet which broker is the controller, and a client of librdkafka that
/// was told so asks again minutes later: so each try has a client of its own.
pub(crate) fn create_topic(address: SocketAddr, topic: &str, partitions: i32) {
    let admin = vltava_testkit::wait::until("the topic is made", Duration::from_secs(60), || {
        let admin: AdminClient<DefaultClientContext> = config(address).create().expect("an admin client");
        try_create(&admin, topic, partitions).then_some(admin)
    });
    vltava_testkit::wait::until("the topic has leaders", Duration::from_secs(30), || {
        let metadata = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(5)).ok()?;
        let led = metadata.topics()[0].partitions().iter().filter(|p| p.leader() >= 0).count();
        (led == usize::try_from(partitions).unwrap()).then_some(())
    });
}

/// Whether the topic is there now; it may be an earlier try that made it.
fn try_create(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: i32) -> bool {
    let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(CREATE)).request_timeout(Some(CREATE));
    // The client runs on threads of its own; this waits for one future of it.
    match block_on(admin.create_topics([&wanted], &options)) {
        Ok(results) => results.into_iter().all(|result| match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => true,
            Err((name, code)) => panic!("topic {name}: {code}"),
        }),
        Err(KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut)) => false,
        Err(error) => panic!("the broker answers: {error:?}"),
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::park();
    }
}

pub(crate) fn config(address: SocketAddr) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address.to_string()).set("broker.address.family", "v4");
    config
}

/// Counts what the broker acknowledged, and remembers the first refusal.
#[derive(Default)]
struct Acknowledged {
    records: AtomicU64,
    refused: AtomicU64,
}

#[derive(Clone, Default)]
struct Context(Arc<Acknowledged>);

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let counter = if result.is_ok() { &self.0.records } else { &self.0.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Bytes from which records are cut.
const TEXT_BYTES: usize = 1 << 20;

static TEXT: LazyLock<Vec<u8>> = LazyLock::new(text);

/// Words of a small vocabulary, some of them often: compresses about as much as text does.
fn text() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let words: Vec<Vec<u8>> = (0..1_000)
        .map(|_| (0..2 + next(8)).map(|_| b'a' + u8::try_from(next(26)).unwrap_or(0)).chain([b' ']).collect())
        .collect();
    let mut text = Vec::with_capacity(TEXT_BYTES + 16);
    while text.len() < TEXT_BYTES {
        let word = next(1_000).min(next(1_000)).min(next(1_000));
        text.extend_from_slice(&words[usize::try_from(word).unwrap_or(0)]);
    }
    text.truncate(TEXT_BYTES);
    text
}

/// Sends records as fast as the broker takes them, with acks=all; panics if one is refused.
pub(crate) fn produce(address: SocketAddr, topic: &str, load: Produce) -> Done {
    let share = load.total_bytes / load.record_bytes as u64 / load.producers as u64;
    LazyLock::force(&TEXT);
    let start = Instant::now();
    let threads: Vec<_> = (0..load.producers)
        .map(|_| {
            let topic = topic.to_owned();
            std::thread::spawn(move || produce_one(address, &topic, load, share))
        })
        .collect();
    let records: u64 = threads.into_iter().map(|thread| thread.join().expect("a producer")).sum();
    let seconds = start.elapsed().as_secs_f64();
    Done { records, bytes: records * load.record_bytes as u64, seconds }
}

fn produce_one(address: SocketAddr, topic: &str, load: Produce, records: u64) -> u64 {
    let context = Context::default();
    let producer: BaseProducer<Context> = config(address)
        .set("acks", "all")
        .set("linger.ms", load.linger_ms.to_string())
        .set("compression.type", load.codec)
        .set("queue.buffering.max.messages", if load.producers > 1 { "10000" } else { "1000000" })
        .set("queue.buffering.max.kbytes", "262144")
        .set("batch.size", LARGEST_BATCH.to_string())
        .create_with_context(context.clone())
        .expect("a producer");
    for n in 0..usize::try_from(records).expect("a count") {
        // Another piece every time, so that a codec finds in a batch what it finds in text and not the same record again.
        let at = n * 4_099 % (TEXT_BYTES - load.record_bytes);
        let mut record = BaseRecord::<(), [u8]>::to(topic).payload(&TEXT[at..at + load.record_bytes]);
        while let Err((error, again)) = producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            producer.poll(Duration::from_millis(10));
            record = again;
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(Duration::from_secs(300)).expect("all records are delivered");
    assert_eq!(context.0.refused.load(Ordering::Relaxed), 0, "records were refused");
    let acknowledged = context.0.records.load(Ordering::Relaxed);
    assert_eq!(acknowledged, records, "a record without an answer");
    acknowledged
}

/// Reads a topic's partitions from the beginning until `records` have been seen.
pub(crate) fn consume(address: SocketAddr, topic: &str, partitions: i32, records: u64) -> Done {
    let consumer: BaseConsumer = config(address)
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .set("fetch.message.max.bytes", FETCH.to_string())
        .set("queued.max.messages.kbytes", "65536")
        .set("check.crcs", "false")
        .create()
        .expect("a consumer");
    let mut all = TopicPartitionList::new();
    for partition in 0..partitions {
        all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let start = Instant::now();
    let (mut seen, mut bytes) = (0, 0);
    let mut last = Instant::now();
    while seen < records {
        match consumer.poll(Duration::from_millis(100)) {
            Some(message) => {
                bytes += size(&message.expect("a message"));
                seen += 1;
                last = Instant::now();
            }
            None => {
                assert!(last.elapsed() < Duration::from_secs(60), "stuck after {seen} of {records} records")
            }
        }
    }
    Done { records: seen, bytes, seconds: start.elapsed().as_secs_f64() }
}

fn size(message: &BorrowedMessage<'_>) -> u64 {
    message.payload_len() as u64
}
