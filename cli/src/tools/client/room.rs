//! A producer's queue is bounded: who sends into a full one waits until records have left it.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::ToBytes,
    producer::{BaseRecord, ProducerContext, ThreadedProducer},
};

/// The longest single wait: what leaves the queue without being delivered tells nobody.
const TURN: Duration = Duration::from_millis(10);

/// Where senders wait. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    somebody: AtomicBool,
    turn: Mutex<()>,
    left: Condvar,
}

impl Room {
    /// A record has left the queue.
    pub(crate) fn made(&self) {
        if self.0.somebody.swap(false, Ordering::AcqRel) {
            self.0.left.notify_all();
        }
    }

    fn wait(&self) {
        let turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.somebody.store(true, Ordering::Release);
        drop(self.0.left.wait_timeout(turn, TURN));
    }

    /// Hands a record over, waiting for room for so long at most.
    pub(crate) fn send<C, K, P>(
        &self,
        producer: &ThreadedProducer<C>,
        mut record: BaseRecord<'_, K, P, C::DeliveryOpaque>,
        limit: Duration,
    ) -> Result<(), KafkaError>
    where
        C: ProducerContext + 'static,
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
    {
        let started = Instant::now();
        loop {
            let (error, refused) = match producer.send(record) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !full || started.elapsed() >= limit {
                return Err(error);
            }
            self.wait();
            record = refused;
        }
    }
}
