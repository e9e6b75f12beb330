//! Time, and allocations, of decoding and encoding the three hottest messages:
//! `cargo bench -p vltava-protocol --bench codec`.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use vltava_protocol::{
    Message, Uuid,
    frame::{encode_request, encode_response},
    messages::{
        FetchRequest, FetchResponse, MetadataRequest, MetadataResponse, ProduceRequest,
        fetch::{FetchPartition, FetchTopic, FetchableTopicResponse, PartitionData},
        metadata::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
        produce::{PartitionProduceData, TopicProduceData},
    },
    wire::{Reader, Records, Writer},
};

/// Counts calls to the allocator.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUND: Duration = Duration::from_millis(100);
const ROUNDS: usize = 7;

fn main() {
    println!("{:<44} {:>10} {:>10} {:>12}", "", "bytes", "ns", "allocations");
    let batch = vec![7; 16 * 1024];
    codec("produce v11, 1 partition of 16 KiB", 11, &produce(1, &batch, false));
    codec("produce v13, 100 partitions of 1 KiB", 13, &produce(100, &batch[..1024], true));
    codec("fetch request v11, 100 partitions", 11, &fetch(100, false));
    codec("fetch request v17, 100 partitions", 17, &fetch(100, true));
    codec("fetch response v17, 10 partitions of 16 KiB", 17, &fetched(10, || Records::from(&batch[..])));
    codec("metadata response v1, 1,000 partitions", 1, &metadata(100, 10));
    codec("metadata response v12, 1,000 partitions", 12, &metadata(100, 10));

    let request = produce(1, &batch, false);
    measure("frame: produce v11", 0, || encode_request(7, Some("client"), 11, &request));
    let response = fetched(10, || Records::Gap(1 << 20));
    measure("frame: fetch response v17 with 10 gaps", 0, || {
        encode_response::<FetchRequest<'_>>(7, 17, &response)
    });
    measure("frame: metadata request v12", 0, || {
        encode_request(7, Some("client"), 12, &MetadataRequest::default())
    });
}

/// Decodes from and encodes to `version`. The message is written first, so what is decoded is what was encoded.
fn codec<'a, M>(name: &str, version: i16, message: &M)
where
    M: Message<'a> + for<'b> SameFrom<'b>,
{
    let size = message.size(version).expect("the version carries it");
    let mut writer = Writer::with_capacity(size);
    message.encode(&mut writer, version).expect("the version carries it");
    let bytes = writer.into_parts().0;
    measure(&format!("decode {name}"), bytes.len(), || M::check(&bytes, version));
    measure(&format!("encode {name}"), bytes.len(), || {
        let mut writer = Writer::with_capacity(message.size(version).unwrap_or(0));
        let _ = message.encode(&mut writer, version);
        writer
    });
}

/// Decoding a message of the same type from other bytes, which the lifetime in the type would forbid.
trait SameFrom<'b> {
    fn check(bytes: &'b [u8], version: i16);
}

macro_rules! same {
    ($($message:ident),*) => {$(
        impl<'b> SameFrom<'b> for $message<'_> {
            fn check(bytes: &'b [u8], version: i16) {
                let message = <$message<'b> as Message<'b>>::decode(&mut Reader::new(bytes), version);
                black_box(&message).as_ref().expect("it was encoded");
            }
        }
    )*};
}
same!(ProduceRequest, FetchRequest, FetchResponse, MetadataResponse);

/// The best of several rounds: what the code costs when nothing disturbs it.
fn measure<T>(name: &str, bytes: usize, mut action: impl FnMut() -> T) {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    black_box(action());
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut count = 0u32;
        while start.elapsed() < ROUND {
            for _ in 0..100 {
                black_box(action());
            }
            count += 100;
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(count));
    }
    println!("{name:<51} {bytes:>10} {best:>10.0} {allocations:>12}");
}

fn produce(partitions: i32, records: &[u8], by_id: bool) -> ProduceRequest<'_> {
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: if by_id { "".into() } else { "orders".into() },
            topic_id: if by_id { Uuid::from(7) } else { Uuid::ZERO },
            partition_data: (0..partitions)
                .map(|index| PartitionProduceData {
                    index,
                    records: Some(Records::from(records)),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn fetch(partitions: i32, by_id: bool) -> FetchRequest<'static> {
    FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        topics: vec![FetchTopic {
            topic: if by_id { "".into() } else { "orders".into() },
            topic_id: if by_id { Uuid::from(7) } else { Uuid::ZERO },
            partitions: (0..partitions)
                .map(|partition| FetchPartition {
                    partition,
                    fetch_offset: 1_000_000,
                    partition_max_bytes: 1 << 20,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn fetched<'a>(partitions: i32, records: impl Fn() -> Records<'a>) -> FetchResponse<'a> {
    FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic_id: Uuid::from(7),
            partitions: (0..partitions)
                .map(|partition_index| PartitionData {
                    partition_index,
                    high_watermark: 1_000_000,
                    aborted_transactions: None,
                    records: Some(records()),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn metadata(topics: i32, partitions: i32) -> MetadataResponse<'static> {
    let broker = |node_id| MetadataResponseBroker {
        node_id,
        host: "broker.kafka.example".into(),
        port: 9092,
        ..Default::default()
    };
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: 1,
        replica_nodes: vec![1, 2, 3],
        isr_nodes: vec![1, 2, 3],
        ..Default::default()
    };
    MetadataResponse {
        brokers: (0..3).map(broker).collect(),
        topics: (0..topics)
            .map(|topic| MetadataResponseTopic {
                name: Some(format!("topic-{topic}").into()),
                partitions: (0..partitions).map(partition).collect(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}
