//! The consumer of Kafka 0.8, with threads that each have some of the partitions.

use std::{convert::Infallible, time::Duration};

use jiff::Timestamp;
use rdkafka::Message as _;
use vltava_broker::control::Session;

use super::super::{
    failure::Failure,
    output, zookeeper,
    zookeeper_consumer::{self, Joined, Membership, Wanted},
};
use super::{
    options::Settings,
    progress::{Counts, Interval, Span},
};

/// `consumer.timeout.ms` of Kafka's tool: a thread without a message for so long is done.
const PATIENCE_MS: i64 = 1_000;
/// The longest single wait for a record.
const TURN: Duration = Duration::from_millis(50);

/// What one thread has read.
#[derive(Debug)]
struct Thread {
    last_record: i64,
    last_report: i64,
    counts: Counts,
    reported: Counts,
    /// Whether it has enough, or has waited long enough.
    done: bool,
    timed_out: bool,
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Consumes and prints.
pub(super) fn run(settings: &Settings) -> Result<(), Failure> {
    if settings.header {
        output::line(settings.form.header(settings.detailed));
    }
    let membership = Membership {
        zookeeper: settings.zookeeper.as_deref().unwrap_or_default(),
        group: &settings.group,
        client: &settings.client,
        topics: Wanted::Topic(&settings.topic),
        threads: settings.threads,
        safe: None,
    };
    let Ok(mut member) = Joined::join(&membership, async |session: &Session| {
        if settings.anew {
            zookeeper::delete_tree(session, &zookeeper_consumer::group(&settings.group)).await?;
        }
        Ok(None::<Infallible>)
    })?;
    let from = now();
    let mut threads: Vec<Thread> = (0..settings.threads).map(|_| Thread::new(from)).collect();
    read(settings, &mut member, &mut threads)?;
    let timed_out = threads.iter().any(|thread| thread.timed_out);
    let span = Span { from, to: now() - if timed_out { PATIENCE_MS } else { 0 } };
    member.leave(!settings.named_group)?;
    let mut counts = Counts::default();
    for (number, thread) in threads.iter().enumerate() {
        counts.messages += thread.counts.messages;
        counts.bytes += thread.counts.bytes;
        if settings.detailed {
            let span = Span { from, to: now() };
            output::line(settings.form.interval(number, span, thread.interval(), 0));
        }
    }
    if !settings.detailed {
        output::line(settings.form.total(span, counts, 0));
    }
    Ok(())
}

/// Reads until each thread has enough, or has waited long enough.
fn read(settings: &Settings, member: &mut Joined, threads: &mut [Thread]) -> Result<(), Failure> {
    while threads.iter().any(|thread| !thread.done) {
        let mut read = None;
        member.poll(TURN, &mut |message| {
            let size = message.payload_len();
            read = Some((message.topic().to_owned(), message.partition(), size));
        })?;
        let time = now();
        let number =
            read.and_then(|(topic, partition, size)| Some((member.thread_of(&topic, partition)?, size)));
        if let Some((number, size)) = number
            && let Some(thread) = threads.get_mut(number)
            && !thread.done
        {
            thread.record(settings, number, size, time);
        }
        for thread in &mut *threads {
            thread.look(settings, time);
        }
    }
    Ok(())
}

impl Thread {
    fn new(time: i64) -> Thread {
        Thread {
            last_record: time,
            last_report: time,
            counts: Counts::default(),
            reported: Counts::default(),
            done: false,
            timed_out: false,
        }
    }

    fn record(&mut self, settings: &Settings, number: usize, size: usize, time: i64) {
        self.last_record = time;
        self.counts.add(size);
        let interval = i64::try_from(settings.interval.as_millis()).unwrap_or(i64::MAX);
        if time - self.last_report >= interval {
            if settings.detailed {
                let span = Span { from: self.last_report, to: time };
                output::line(settings.form.interval(number, span, self.interval(), 0));
            }
            (self.last_report, self.reported) = (time, self.counts);
        }
    }

    fn interval(&self) -> Interval {
        Interval { before: self.reported, now: self.counts }
    }

    /// Whether it is done by now.
    fn look(&mut self, settings: &Settings, time: i64) {
        if self.done {
            return;
        }
        self.timed_out = self.counts.messages < settings.messages && time - self.last_record > PATIENCE_MS;
        self.done = self.timed_out || self.counts.messages >= settings.messages;
    }
}
