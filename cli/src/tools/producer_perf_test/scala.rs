//! The tool of Kafka 0.8 to 1.x: threads that send as fast as they can, and one line about all of them.

use std::{
    thread,
    time::{Duration, Instant},
};

use jiff::ZonedDateTime;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use rdkafka::{
    error::KafkaError,
    producer::{BaseRecord, DeliveryResult, Producer as _, ThreadedProducer},
    util::Timeout,
};

use super::super::{
    client::{self, Context, OnDelivery, Room, exception},
    failure::Failure,
    java_text::decimal,
    output,
};
use super::options::Scala;

pub(super) const LOGGER: &str = "kafka.tools.ProducerPerformance$";
/// The Scala producer waits for room without limit.
const FOR_EVER: Duration = Duration::MAX;

/// Tells of what was lost.
#[derive(Default)]
struct Deliveries;

impl OnDelivery for Deliveries {
    type Opaque = ();

    fn delivered(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            output::log_caused("Error when sending message", LOGGER, exception(error));
        }
    }
}

/// Sends the messages and prints the line.
pub(super) fn run(settings: &Scala) -> Result<(), Failure> {
    if settings.header {
        output::line(
            "start.time, end.time, compression, message.size, batch.size, total.data.sent.in.MB, MB.sec, total.data.sent.in.nMsg, nMsg.sec",
        );
    }
    let senders: Vec<_> =
        (0..settings.threads).map(|thread| Sender::new(settings, thread)).collect::<Result<_, _>>()?;
    let (begin, started) = (ZonedDateTime::now(), Instant::now());
    let sent: Vec<(u64, u64)> = thread::scope(|scope| {
        let threads: Vec<_> = senders.into_iter().map(|sender| scope.spawn(move || sender.run())).collect();
        // A thread that is lost has sent nothing that could be counted.
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let (end, seconds) = (ZonedDateTime::now(), started.elapsed().as_millis() as f64 / 1000.0);
    let messages: u64 = sent.iter().map(|(messages, _)| messages).sum();
    let mebibytes = sent.iter().map(|(_, bytes)| bytes).sum::<u64>() as f64 / (1024.0 * 1024.0);
    output::line(format_args!(
        "{}, {}, {}, {}, {}, {}, {}, {messages}, {}",
        settings.date_format.format(&begin),
        settings.date_format.format(&end),
        settings.codec,
        settings.message_size,
        settings.batch_size,
        decimal(mebibytes, 2),
        decimal(mebibytes / seconds, 4),
        decimal(messages as f64 / seconds, 4),
    ));
    Ok(())
}

/// One thread's producer and its share.
struct Sender<'a> {
    settings: &'a Scala,
    thread: u32,
    producer: ThreadedProducer<Context<Deliveries>>,
    room: Room,
}

impl<'a> Sender<'a> {
    fn new(settings: &'a Scala, thread: u32) -> Result<Self, Failure> {
        let context = Context::new(Deliveries);
        let room = context.room.clone();
        let producer = settings.client.config()?.create_with_context(context);
        let producer = producer.map_err(|error| client::refused(&error))?;
        Ok(Self { settings, thread, producer, room })
    }

    /// Messages and bytes that were sent.
    fn run(self) -> (u64, u64) {
        let settings = self.settings;
        let share = settings.messages / u64::from(settings.threads);
        let mut chance = SmallRng::seed_from_u64(u64::from(self.thread));
        let (mut messages, mut bytes) = (0, 0);
        for number in 0..share {
            let key = settings.with_keys.then(|| big_integer(number));
            for topic in &settings.topics {
                let size = match settings.message_size {
                    size if settings.fixed_size || size == 0 => size,
                    size => chance.random_range(1..=size),
                } as usize;
                let message = match settings.first_id {
                    None => vec![0; size],
                    Some(first) => {
                        let id = i128::from(first) + i128::from(share * u64::from(self.thread) + number);
                        labelled(topic, self.thread, id, size)
                    }
                };
                let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).payload(&message);
                record.key = key.as_deref();
                match self.send(record) {
                    Ok(()) => {
                        messages += 1;
                        bytes += message.len() as u64;
                    }
                    Err(error) => {
                        output::log_caused("Error when sending message", LOGGER, exception(&error));
                    }
                }
                if settings.gap_ms > 0 {
                    thread::sleep(Duration::from_millis(settings.gap_ms));
                }
            }
        }
        if let Err(error) = self.producer.flush(Timeout::Never) {
            output::log_caused("Error when closing producer", LOGGER, exception(&error));
        }
        (messages, bytes)
    }

    fn send(&self, record: BaseRecord<'_, [u8], [u8]>) -> Result<(), KafkaError> {
        self.room.send(&self.producer, record, FOR_EVER)?;
        if self.settings.sync { self.producer.flush(Timeout::Never) } else { Ok(()) }
    }
}

/// `BigInteger.toByteArray`: the fewest bytes that hold the number and its sign.
fn big_integer(number: u64) -> Vec<u8> {
    let bytes = i128::from(number).to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    // A leading one bit would be a minus.
    let first = if bytes[first] & 0x80 == 0 { first } else { first - 1 };
    bytes[first..].to_vec()
}

/// A message that says where it comes from, filled up with `x`.
fn labelled(topic: &str, thread: u32, id: i128, size: usize) -> Vec<u8> {
    let label = format!("Topic:{topic}:ThreadID:{thread}:MessageID:{id:010}:");
    format!("{label:x<size$}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_javas_big_integers() {
        let cases: [(u64, &[u8]); 5] = [
            (0, &[0]),
            (127, &[127]),
            (128, &[0, 128]),
            (256, &[1, 0]),
            (1 << 63, &[0, 128, 0, 0, 0, 0, 0, 0, 0]),
        ];
        for (number, bytes) in cases {
            assert_eq!(big_integer(number), bytes, "{number}");
        }
    }

    #[test]
    fn labelled_messages_say_where_they_come_from() {
        let text = |size| String::from_utf8(labelled("t", 2, 17, size)).unwrap();
        assert_eq!(text(45), "Topic:t:ThreadID:2:MessageID:0000000017:xxxxx");
        assert_eq!(text(1), "Topic:t:ThreadID:2:MessageID:0000000017:");
    }
}
