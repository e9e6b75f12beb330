//! How long something takes, as quantiles of the last minute or two.

use std::{
    future::Future,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Steps within each doubling: a quantile is at most a sixteenth too high.
const STEPS: usize = 16;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Doublings from one microsecond on: beyond 2^32 µs, over an hour, all is one.
const DOUBLINGS: usize = 32;

/// Quantiles are over the present window and the one before.
const WINDOW: Duration = Duration::from_secs(60);

/// Durations, counted. Noting one is two relaxed adds, and once a minute a change of windows.
#[derive(Debug)]
pub struct Latency {
    count: AtomicU64,
    windows: [Box<[AtomicU32]>; 2],
    turn: Mutex<Turn>,
}

#[derive(Debug)]
struct Turn {
    present: usize,
    since: Instant,
}

impl Default for Latency {
    fn default() -> Self {
        let window = || (0..STEPS * DOUBLINGS).map(|_| AtomicU32::new(0)).collect();
        let turn = Turn { present: 0, since: Instant::now() };
        Self { count: AtomicU64::new(0), windows: [window(), window()], turn: Mutex::new(turn) }
    }
}

/// The place of a duration in microseconds.
fn place(micros: u64) -> usize {
    let micros = micros.clamp(1, u64::from(u32::MAX));
    let doubling = 63 - micros.leading_zeros();
    let step = ((micros << STEP_BITS) >> doubling) as usize - STEPS;
    doubling as usize * STEPS + step
}

/// The end of a place, in microseconds.
fn upper(place: usize) -> f64 {
    let (doubling, step) = (place / STEPS, place % STEPS);
    ((STEPS + step + 1) as f64 / STEPS as f64) * (1_u64 << doubling) as f64
}

impl Latency {
    /// Notes one duration.
    pub fn note(&self, took: Duration) {
        self.count.fetch_add(1, Relaxed);
        let present = self.turn(Instant::now());
        let place = place(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.windows[present][place].fetch_add(1, Relaxed);
    }

    /// Notes how long an answer takes.
    pub async fn measure<T>(&self, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let answer = work.await;
        self.note(began.elapsed());
        answer
    }

    /// The present window, after a change if one is due.
    fn turn(&self, now: Instant) -> usize {
        let mut turn = self.turn.lock();
        let age = now.saturating_duration_since(turn.since);
        if age >= WINDOW {
            turn.present ^= 1;
            turn.since = now;
            let stale = if age >= WINDOW * 2 { 0..2 } else { turn.present..turn.present + 1 };
            for window in &self.windows[stale] {
                for count in window {
                    count.store(0, Relaxed);
                }
            }
        }
        turn.present
    }

    /// All that were noted since the start.
    pub fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// The durations that these parts of all stay below, in milliseconds; NaN where nothing happened lately.
    pub fn quantiles_ms<const N: usize>(&self, parts: [f64; N]) -> [f64; N] {
        self.turn(Instant::now());
        let counts: Vec<u64> = (0..STEPS * DOUBLINGS)
            .map(|at| self.windows.iter().map(|window| u64::from(window[at].load(Relaxed))).sum())
            .collect();
        let all: u64 = counts.iter().sum();
        parts.map(|part| {
            let mut below = 0;
            let wanted = (part * all as f64).ceil().max(1.0) as u64;
            let found = counts.iter().position(|count| {
                below += count;
                below >= wanted
            });
            found.map_or(f64::NAN, |place| upper(place) / 1000.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_a_sixteenth_off_at_most() {
        let latency = Latency::default();
        for micros in 1..=10_000 {
            latency.note(Duration::from_micros(micros));
        }
        assert_eq!(latency.count(), 10_000);
        for (part, exact) in [(0.5, 5.0), (0.99, 9.9), (1.0, 10.0)] {
            let [found] = latency.quantiles_ms([part]);
            assert!(found >= exact && found <= exact * 1.07, "{part}: {found}");
        }
    }

    #[test]
    fn the_shortest_and_the_longest_have_a_place() {
        assert_eq!(place(0), 0);
        assert_eq!(place(1), 0);
        assert_eq!(place(u64::MAX), STEPS * DOUBLINGS - 1);
        assert!((upper(place(1000)) - 1024.0).abs() < 64.0);
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let latency = Latency::default();
        assert!(latency.quantiles_ms([0.5])[0].is_nan());
        latency.note(Duration::from_millis(3));
        latency.turn(Instant::now() + WINDOW);
        assert!(!latency.quantiles_ms([0.5])[0].is_nan(), "the window before counts");
        latency.turn(Instant::now() + WINDOW * 4);
        assert!(latency.quantiles_ms([0.5])[0].is_nan());
        assert_eq!(latency.count(), 1);
    }
}
