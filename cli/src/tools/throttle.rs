//! Sending no faster than is asked for, by `ThroughputThrottler`'s rule.

use std::time::Duration;

/// Sleeps shorter than this are saved up.
const SHORTEST: Duration = Duration::from_millis(2);

/// How long to pause between records.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_second: f64,
    pause: Duration,
    owed: Duration,
}

impl Throttle {
    /// So many records a second at most; a negative number is no limit.
    pub(crate) fn new(per_second: f64) -> Throttle {
        let pause = if per_second > 0.0 {
            Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::MAX)
        } else {
            Duration::MAX
        };
        Throttle { per_second, pause, owed: Duration::ZERO }
    }

    /// How long to sleep when `sent` records have been sent in `elapsed`; for ever where nothing at all may be sent.
    pub(crate) fn pause(&mut self, sent: u64, elapsed: Duration) -> Option<Duration> {
        let seconds = elapsed.as_secs_f64();
        if self.per_second < 0.0 || seconds <= 0.0 || sent as f64 / seconds <= self.per_second {
            return None;
        }
        self.owed = self.owed.saturating_add(self.pause);
        (self.owed >= SHORTEST).then(|| std::mem::take(&mut self.owed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_ahead_sleeps() {
        let second = Duration::from_secs(1);
        let mut throttle = Throttle::new(100.0);
        assert_eq!(throttle.pause(100, second), None);
        assert_eq!(throttle.pause(101, second), Some(Duration::from_millis(10)));
        assert_eq!(Throttle::new(-1.0).pause(1 << 40, second), None);
        assert_eq!(Throttle::new(0.0).pause(1, second), Some(Duration::MAX));
    }

    #[test]
    fn short_sleeps_are_saved_up() {
        let mut throttle = Throttle::new(1000.0);
        let ahead = |throttle: &mut Throttle| throttle.pause(5000, Duration::from_secs(1));
        assert_eq!(ahead(&mut throttle), None);
        assert_eq!(ahead(&mut throttle), Some(Duration::from_millis(2)));
        assert_eq!(ahead(&mut throttle), None);
    }
}
