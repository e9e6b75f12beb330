//! The loop that both consumers share: take a record, write it, and know when to end.
//!
//! Text gathers while records are at hand and is written when there are none, or when 64 KiB have come together: a pipe sees each
//! record as soon as it has been fetched, and a long backlog costs one system call per 64 KiB.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use super::super::{failure::Failure, output, signals::Stop};
use super::{LOGGER, options::Settings, record::Record};

/// How much text gathers before it is written.
const WRITE_AT: usize = 64 << 10;
/// How long one wait for a record may be: a signal is noticed after so long.
const TURN: Duration = Duration::from_millis(50);

/// Why consumption ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// `--max-messages` have been written, or nobody reads any more.
    Done,
    /// `--timeout-ms` passed without a record.
    Timeout,
    /// The client failed, which has been logged.
    Terminated,
    /// A record could not be shown, which has been logged.
    Failed,
    /// The group could not be joined, which has been said.
    Refused,
    /// A signal, with the exit code of a process that ends by it.
    Signal(u8),
}

/// Where records come from.
pub(super) trait Source {
    /// Waits so long for a record, at most, and has it taken by `take`. Whether there was one; an error ends the consumer.
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Record<'_>)) -> Result<bool, Failure>;
}

/// Writes records until there is a reason to end.
pub(super) fn process(settings: &Settings, stop: &Stop, source: &mut dyn Source) -> Ending {
    let mut console = Console { settings, text: Vec::with_capacity(WRITE_AT * 2), count: 0, ending: None };
    let ending = console.run(stop, source);
    let ending = if console.flush() { ending } else { Ending::Done };
    eprintln!("Processed a total of {} messages", console.count);
    ending
}

struct Console<'a> {
    settings: &'a Settings,
    text: Vec<u8>,
    count: u64,
    ending: Option<Ending>,
}

impl Console<'_> {
    fn run(&mut self, stop: &Stop, source: &mut dyn Source) -> Ending {
        let mut last = Instant::now();
        let patience = self.settings.timeout_ms.map(Duration::from_millis);
        loop {
            if let Some(ending) = self.ending {
                return ending;
            }
            if self.settings.max_messages.is_some_and(|most| self.count >= most) {
                return Ending::Done;
            }
            if let Some(code) = stop.code() {
                return Ending::Signal(code);
            }
            // While there is text to write, records are taken without waiting.
            let wait = if self.text.is_empty() {
                patience.map_or(TURN, |patience| patience.saturating_sub(last.elapsed()).min(TURN))
            } else {
                Duration::ZERO
            };
            match source.poll(wait, &mut |record| self.take(record)) {
                Ok(true) => {
                    last = Instant::now();
                    if self.text.len() >= WRITE_AT && !self.flush() {
                        return Ending::Done;
                    }
                }
                Ok(false) => {
                    if !self.flush() {
                        return Ending::Done;
                    }
                    if patience.is_some_and(|patience| last.elapsed() >= patience) {
                        terminating("kafka.consumer.ConsumerTimeoutException");
                        return Ending::Timeout;
                    }
                }
                Err(failure) => {
                    self.flush();
                    terminating(&failure.to_string());
                    return Ending::Terminated;
                }
            }
        }
    }

    fn take(&mut self, record: &Record<'_>) {
        self.count += 1;
        let Err(failure) = self.settings.formatter.write(record, &mut self.text) else { return };
        if self.settings.skip_message_on_error {
            output::log_caused("Error processing message, skipping this message: ", LOGGER, failure);
        } else {
            output::log_caused("Unknown error when running consumer: ", LOGGER, failure);
            self.ending = Some(Ending::Failed);
        }
    }

    /// Writes what has gathered: whether somebody still reads.
    fn flush(&mut self) -> bool {
        if self.text.is_empty() {
            return true;
        }
        let mut out = std::io::stdout().lock();
        let written = out.write_all(&self.text).and_then(|()| out.flush());
        self.text.clear();
        if written.is_err() {
            eprintln!("Unable to write to standard out, closing consumer.");
        }
        written.is_ok()
    }
}

fn terminating(cause: &str) {
    output::log_caused("Error processing message, terminating consumer process: ", LOGGER, cause);
}
