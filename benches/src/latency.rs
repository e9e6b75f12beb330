//! How long a single record takes, at a steady rate far below what the broker can do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::load::config;

#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Vec<f64>>>);

impl ClientContext for Watch {}

impl ProducerContext for Watch {
    type DeliveryOpaque = Box<Instant>;

    fn delivery(&self, result: &DeliveryResult<'_>, due: Box<Instant>) {
        assert!(result.is_ok(), "a record was refused");
        self.0.lock().unwrap().push(due.elapsed().as_secs_f64() * 1e3);
    }
}

/// Sends `rate` records a second for `limit`, each in a request of its own, acks=all, and gives the times from when each was due to its
/// acknowledgement, sorted, in milliseconds. Counting from when it was due and not from when it was sent leaves no pause unseen.
pub(crate) fn steady(address: SocketAddr, topic: &str, rate: u64, limit: Duration) -> Vec<f64> {
    let watch = Watch::default();
    let producer: BaseProducer<Watch> = config(address)
        .set("acks", "all")
        .set("linger.ms", "0")
        .set("batch.num.messages", "1")
        .create_with_context(watch.clone())
        .expect("a producer");
    let payload = [b'x'; 100];
    let start = Instant::now();
    let total = rate * limit.as_secs();
    for n in 0..total {
        let due = start + Duration::from_nanos(1_000_000_000 / rate * n);
        while Instant::now() < due {
            producer.poll(Duration::ZERO);
            std::hint::spin_loop();
        }
        let record =
            BaseRecord::<(), [u8], Box<Instant>>::with_opaque_to(topic, Box::new(due)).payload(&payload);
        producer.send(record).map_err(|(error, _)| error).expect("room in the queue");
    }
    producer.flush(Duration::from_secs(60)).expect("all records are delivered");
    let mut times = std::mem::take(&mut *watch.0.lock().unwrap());
    assert_eq!(times.len() as u64, total, "a record without an answer");
    times.sort_by(f64::total_cmp);
    times
}
