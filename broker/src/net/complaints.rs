//! Log lines that clients can cause: at most a few a second, so that a broken client can't fill a disk.

use std::{fmt::Arguments, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// Lines within one [`WINDOW`].
const LINES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// Limits the rate of warnings that clients cause, or that come again with each of their requests.
#[derive(Debug)]
pub(crate) struct Complaints(Mutex<Window>);

#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
    suppressed: u64,
}

impl Complaints {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Window { began: Instant::now(), lines: 0, suppressed: 0 }))
    }

    /// Logs a warning, or counts it; the count is told with the next line that is logged.
    pub(crate) fn warn(&self, line: Arguments<'_>) {
        if let Some(suppressed) = self.allow() {
            if suppressed > 0 {
                tracing::warn!("{line} ({suppressed} more such lines left out)");
            } else {
                tracing::warn!("{line}");
            }
        }
    }

    fn allow(&self) -> Option<u64> {
        let mut window = self.0.lock();
        if window.began.elapsed() >= WINDOW {
            window.began = Instant::now();
            window.lines = 0;
        }
        if window.lines == LINES {
            window.suppressed += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_told_by_a_number() {
        let complaints = Complaints::new();
        let told = (0..100).filter(|_| complaints.allow().is_some()).count();
        assert_eq!(told, LINES as usize);
        tokio::time::advance(WINDOW).await;
        assert_eq!(complaints.allow(), Some(90));
        assert_eq!(complaints.allow(), Some(0));
    }
}
