//! The threads that compact: each takes the dirtiest log there is, cleans it, and sleeps where there is none.
//!
//! They are threads of their own since a cleaning takes minutes and nothing else may wait for it. An idle one costs a look at each compacted partition every
//! `log.cleaner.backoff.ms`, and no memory but its stack. A log that can't be cleaned because it is damaged is told once and left alone until the broker
//! starts again; the others go on.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tracing::{error, info, warn};
use vltava_log::{CleanError, CleanOptions, CleanStats, Cleanable, LogConfig, LogError, TopicPartition};

use super::{Partition, Replicas, now_ms, steady_ms};
use crate::Broker;

/// The stack of a thread: what a cleaning needs is on the heap.
const STACK: usize = 512 << 10;
/// How long a log is left alone whose cleaning came to nothing: the disk had no room, or the log changed meanwhile.
const REST: Duration = Duration::from_secs(60);
/// The longest that a thread waits without looking whether it should stop; waits for the throttle are cut into such pieces.
const PIECE: Duration = Duration::from_millis(200);

/// What is configured, `log.cleaner.` being left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CleanerConfig {
    /// `threads`; 0 where `enable` is false.
    pub threads: usize,
    /// `dedupe.buffer.size`, of all threads together.
    pub dedupe_buffer_bytes: usize,
    /// `io.buffer.load.factor`
    pub load_factor: f64,
    /// `io.max.bytes.per.second`, of all threads together.
    pub io_bytes_per_second: f64,
    /// `backoff.ms`
    pub backoff: Duration,
}

/// All cleaners of a broker.
#[derive(Debug, Default)]
pub struct Cleaners {
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    config: CleanerConfig,
    signal: Arc<Signal>,
    threads: Vec<JoinHandle<()>>,
    /// Those of former configurations, which end as soon as what they wait for is done.
    ending: Vec<JoinHandle<()>>,
}

/// Tells threads to stop.
#[derive(Debug, Default)]
struct Signal {
    stop: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Waits; false if it is time to stop. Cost without waiting: a lock that nobody contends for.
    fn wait(&self, time: Duration) -> bool {
        let mut stop = self.stop.lock();
        if !*stop && !time.is_zero() {
            self.changed.wait_for(&mut stop, time);
        }
        !*stop
    }

    fn stop(&self) {
        *self.stop.lock() = true;
        self.changed.notify_all();
    }
}

/// What the threads know together.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    figures: CleanerFigures,
}

#[derive(Debug, Default)]
struct State {
    in_progress: HashSet<TopicPartition>,
    /// Damaged.
    uncleanable: HashSet<TopicPartition>,
    /// Left alone until then.
    resting: HashMap<TopicPartition, Instant>,
}

/// What metrics say, in the words of Kafka's `LogCleaner` and `LogCleanerManager`.
#[derive(Debug, Default)]
pub struct CleanerFigures {
    max_dirty_percent: AtomicI64,
    max_compaction_delay_secs: AtomicI64,
    max_buffer_utilization_percent: AtomicI64,
    recopy_percent: AtomicI64,
    max_clean_time_secs: AtomicI64,
    /// By [`steady_ms`]; 0 before the first.
    last_run: AtomicI64,
    dead_threads: AtomicI64,
    uncleanable_partitions: AtomicI64,
    cleanings: AtomicU64,
}

impl CleanerFigures {
    /// Names, as Prometheus has them, what they mean, and values.
    pub fn gauges(&self) -> [(&'static str, &'static str, i64); 8] {
        let last = self.last_run.load(Relaxed);
        let since = if last == 0 { 0 } else { steady_ms().saturating_sub(last) };
        [
            (
                "kafka_log_logcleanermanager_max_dirty_percent",
                "The dirty part of the dirtiest log when one was last looked for.",
                self.max_dirty_percent.load(Relaxed),
            ),
            (
                "kafka_log_logcleanermanager_time_since_last_run_ms",
                "Milliseconds since a cleaner last looked for something to clean.",
                since,
            ),
            (
                "kafka_log_logcleanermanager_uncleanable_partitions_count",
                "Partitions whose log is damaged, so that it is not cleaned.",
                self.uncleanable_partitions.load(Relaxed),
            ),
            (
                "kafka_log_logcleaner_max_compaction_delay_secs",
                "By how many seconds the oldest dirty record was beyond max.compaction.lag.ms.",
                self.max_compaction_delay_secs.load(Relaxed),
            ),
            (
                "kafka_log_logcleaner_max_buffer_utilization_percent",
                "How full the memory for keys was in the last cleaning.",
                self.max_buffer_utilization_percent.load(Relaxed),
            ),
            (
                "kafka_log_logcleaner_cleaner_recopy_percent",
                "The part of what the last cleaning read that it wrote again.",
                self.recopy_percent.load(Relaxed),
            ),
            (
                "kafka_log_logcleaner_max_clean_time_secs",
                "Seconds that the last cleaning took.",
                self.max_clean_time_secs.load(Relaxed),
            ),
            (
                "kafka_log_logcleaner_deadthreadcount",
                "Cleaners that ended by a failure of their own.",
                self.dead_threads.load(Relaxed),
            ),
        ]
    }

    /// Cleanings that were finished.
    pub fn cleanings(&self) -> u64 {
        self.cleanings.load(Relaxed)
    }
}

impl Cleaners {
    /// What they have done.
    pub fn figures(&self) -> &CleanerFigures {
        &self.shared.figures
    }

    /// Starts them, or starts others where something else is configured. Waits for nothing: a cleaning that is going on is given up when its thread notices.
    pub fn run(&self, broker: &Arc<Broker>, config: CleanerConfig) {
        let mut running = self.running.lock();
        if running.as_ref().is_some_and(|running| running.config == config) {
            return;
        }
        let mut ending = Vec::new();
        if let Some(former) = running.take() {
            former.signal.stop();
            ending = former.ending;
            ending.extend(former.threads);
            ending.retain(|thread| !thread.is_finished());
        }
        let signal = Arc::new(Signal::default());
        let mut threads = Vec::new();
        for number in 0..config.threads {
            let cleaner = Cleaner {
                shared: self.shared.clone(),
                signal: signal.clone(),
                config,
                io_rate: config.io_bytes_per_second / config.threads as f64,
            };
            let broker = Arc::downgrade(broker);
            let work = move || {
                // Nothing in it panics; if something does, it is counted as Kafka counts a dead thread.
                let _dead = DeadIfPanicking(cleaner.shared.clone());
                while let Some(broker) = broker.upgrade() {
                    let has_cleaned = cleaner.clean_dirtiest(&broker.replicas);
                    drop(broker);
                    let pause = if has_cleaned { Duration::ZERO } else { cleaner.config.backoff };
                    if !cleaner.signal.wait(pause) {
                        break;
                    }
                }
            };
            let name = format!("cleaner-{number}");
            match std::thread::Builder::new().name(name).stack_size(STACK).spawn(work) {
                Ok(thread) => threads.push(thread),
                Err(error) => error!(%error, "a cleaner cannot be started"),
            }
        }
        *running = Some(Running { config, signal, threads, ending });
    }

    /// Whether they have been started and not stopped.
    pub fn is_running(&self) -> bool {
        self.running.lock().is_some()
    }

    /// Stops them, and waits for that.
    pub fn stop(&self) {
        let Some(Running { signal, threads, ending, .. }) = self.running.lock().take() else { return };
        signal.stop();
        for thread in threads.into_iter().chain(ending) {
            // One that is dead has been counted.
            let _ = thread.join();
        }
    }
}

struct DeadIfPanicking(Arc<Shared>);

impl Drop for DeadIfPanicking {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.0.figures.dead_threads.fetch_add(1, Relaxed);
        error!("a cleaner ended: compacted topics grow until the broker starts again");
    }
}

/// One thread's.
struct Cleaner {
    shared: Arc<Shared>,
    signal: Arc<Signal>,
    config: CleanerConfig,
    /// Bytes in a second.
    io_rate: f64,
}

impl Cleaner {
    /// Whether there was something to clean.
    fn clean_dirtiest(&self, replicas: &Replicas) -> bool {
        let Some((partition, name, cleanable, config)) = self.take_dirtiest(replicas) else { return false };
        let began = Instant::now();
        let cleaned = self.clean(replicas, &partition, &cleanable, &config);
        let figures = &self.shared.figures;
        match cleaned {
            // There was something, and it could not be got at: not at once again.
            Ok(stats) if stats.end_offset <= cleanable.first_dirty => self.rest(&name),
            Ok(stats) => {
                replicas.note_cleaned(&name, stats.end_offset);
                self.count(&stats, began.elapsed());
                info!(
                    topic = %partition.topic.name, partition = partition.index,
                    from = cleanable.first_dirty, to = stats.end_offset,
                    read = stats.bytes_read, written = stats.bytes_written,
                    segments = stats.segments.0, left = stats.segments.1,
                    took_ms = began.elapsed().as_millis() as u64, "cleaned"
                );
            }
            // Somebody deletes, truncates or closes it.
            Err(CleanError::GivenUp | CleanError::Log(LogError::Closed { .. })) => self.rest(&name),
            Err(CleanError::Log(failure)) => self.suffer(&partition, &name, &failure),
        }
        let mut state = self.shared.state.lock();
        state.in_progress.remove(&name);
        figures
            .uncleanable_partitions
            .store(i64::try_from(state.uncleanable.len()).unwrap_or(i64::MAX), Relaxed);
        true
    }

    /// The log that is due and has the largest dirty part, which no other thread takes then.
    fn take_dirtiest(
        &self,
        replicas: &Replicas,
    ) -> Option<(Arc<Partition>, TopicPartition, Cleanable, Arc<LogConfig>)> {
        let now = now_ms();
        let mut state = self.shared.state.lock();
        state.resting.retain(|_, until| Instant::now() < *until);
        let mut dirtiest: Option<(Arc<Partition>, TopicPartition, Cleanable, Arc<LogConfig>)> = None;
        let (mut most, mut delay) = (0.0_f64, 0);
        for partition in replicas.partitions() {
            let config = partition.topic.peek_config().log.clone();
            if !config.cleanup_policy.compact {
                continue;
            }
            let name = TopicPartition::new(&*partition.topic.name, partition.index);
            let is_out = state.in_progress.contains(&name)
                || state.uncleanable.contains(&name)
                || state.resting.contains_key(&name);
            if is_out {
                continue;
            }
            let cleaned_to = replicas.storage().dirs().cleaned_to(&name);
            let found = partition.reader().cleanable(&config, cleaned_to, partition.high_watermark(), now);
            let cleanable = match found {
                Ok(cleanable) => cleanable,
                Err(LogError::Closed { .. }) => continue,
                Err(failure) => {
                    error!(topic = %partition.topic.name, partition = partition.index, error = %failure, "whether it is to be cleaned cannot be told");
                    partition.judge(&failure);
                    state.resting.insert(name, Instant::now() + REST);
                    continue;
                }
            };
            most = most.max(cleanable.dirty_ratio());
            delay = delay.max(cleanable.overdue_ms);
            let is_dirtier = |(_, _, other, _): &(_, _, Cleanable, _)| {
                (other.overdue_ms, other.dirty_ratio()) < (cleanable.overdue_ms, cleanable.dirty_ratio())
            };
            if cleanable.is_due(&config) && dirtiest.as_ref().is_none_or(is_dirtier) {
                dirtiest = Some((partition, name, cleanable, config));
            }
        }
        let figures = &self.shared.figures;
        figures.max_dirty_percent.store((most * 100.0) as i64, Relaxed);
        figures.max_compaction_delay_secs.store(delay / 1000, Relaxed);
        figures.last_run.store(steady_ms(), Relaxed);
        if let Some((_, name, ..)) = &dirtiest {
            state.in_progress.insert(name.clone());
        }
        dirtiest
    }

    fn clean(
        &self,
        replicas: &Replicas,
        partition: &Arc<Partition>,
        cleanable: &Cleanable,
        config: &LogConfig,
    ) -> Result<CleanStats, CleanError> {
        let producers = partition.with_log(|log| log.last_of_producers());
        let mut pace = Pace::new(self.io_rate);
        let options = CleanOptions {
            buffer_bytes: self.config.dedupe_buffer_bytes / self.config.threads.max(1),
            load_factor: self.config.load_factor,
            now: now_ms(),
            producers,
            throttle: &mut |bytes| {
                let mut left = pace.after(bytes);
                loop {
                    if !self.signal.wait(left.min(PIECE)) {
                        return false;
                    }
                    left = left.saturating_sub(PIECE);
                    if left.is_zero() {
                        return true;
                    }
                }
            },
            install: &mut |replacement| {
                let now = now_ms();
                let removal = partition.with_log(|log| log.install(replacement, now))?;
                let fits = removal.is_some();
                if let Some(removal) = removal {
                    replicas.storage().remove_later(removal, now);
                }
                Ok(fits)
            },
        };
        partition.reader().clean(cleanable, config, options)
    }

    fn count(&self, stats: &CleanStats, took: Duration) {
        let figures = &self.shared.figures;
        let percent = |part: u64, of: u64| i64::try_from(part.saturating_mul(100) / of.max(1)).unwrap_or(0);
        figures.max_buffer_utilization_percent.store((stats.map_utilization * 100.0) as i64, Relaxed);
        figures.recopy_percent.store(percent(stats.bytes_written, stats.bytes_read), Relaxed);
        figures.max_clean_time_secs.store(i64::try_from(took.as_secs()).unwrap_or(i64::MAX), Relaxed);
        figures.cleanings.fetch_add(1, Relaxed);
    }

    fn rest(&self, name: &TopicPartition) {
        self.shared.state.lock().resting.insert(name.clone(), Instant::now() + REST);
    }

    /// What failed is the log's, or its disk's.
    fn suffer(&self, partition: &Partition, name: &TopicPartition, failure: &LogError) {
        let mut state = self.shared.state.lock();
        if failure.is_disk_full() || failure.takes_directory_offline() {
            warn!(topic = %partition.topic.name, partition = partition.index, error = %failure, "not cleaned");
            state.resting.insert(name.clone(), Instant::now() + REST);
            drop(state);
            partition.judge(failure);
            return;
        }
        error!(
            topic = %partition.topic.name, partition = partition.index, error = %failure,
            "the log cannot be cleaned: it is left as it is until the broker starts again, and grows"
        );
        state.uncleanable.insert(name.clone());
    }
}

/// Keeps to a rate: says how long to wait.
#[derive(Debug)]
struct Pace {
    rate: f64,
    began: Instant,
    bytes: f64,
}

impl Pace {
    fn new(rate: f64) -> Self {
        Self { rate, began: Instant::now(), bytes: 0.0 }
    }

    fn after(&mut self, bytes: u64) -> Duration {
        self.bytes += bytes as f64;
        let due = self.bytes / self.rate.max(1.0);
        let due = Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX);
        due.saturating_sub(self.began.elapsed())
    }
}

impl Replicas {
    /// Writes down to where a log has been cleaned.
    fn note_cleaned(&self, name: &TopicPartition, offset: i64) {
        self.storage().dirs().set_cleaned_to(name, offset);
        self.lose_failed_disks();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_kept_over_all_that_was_done() {
        let mut pace = Pace::new(1000.0);
        let first = pace.after(500);
        assert!(first > Duration::from_millis(300) && first <= Duration::from_millis(500), "{first:?}");
        assert!(pace.after(1500) > Duration::from_millis(1500));
        assert_eq!(Pace::new(f64::MAX).after(u64::MAX), Duration::ZERO);
    }
}
