//! Lines as Kafka's tools write them.

use std::fmt::Display;
use std::io::Write;

use jiff::ZonedDateTime;

/// Writes to standard output. A reader that has gone (`| head`) ends the tool quietly, as a broken pipe ends other programs.
pub(crate) fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// A line on standard output.
pub(crate) fn line(text: impl Display) {
    write(&format!("{text}\n"));
}

/// An error in the log on standard error, `[2026-01-31 12:00:00,000] ERROR message\n (logger)`: where Kafka logs an exception, its
/// stack trace ends in a line break before the logger's name.
pub(crate) fn log_exception(failure: &super::failure::Failure, logger: &str) {
    eprint!("{}", logged("ERROR", &format!("{failure}\n"), logger));
}

/// A warning in the log on standard error.
pub(crate) fn log_warning(message: &str, logger: &str) {
    eprint!("{}", logged("WARN", message, logger));
}

/// An error in the log on standard error.
pub(crate) fn log_error(message: &str, logger: &str) {
    eprint!("{}", logged("ERROR", message, logger));
}

/// An error in the log on standard error, and the exception that caused it on the next line, as log4j writes the two.
pub(crate) fn log_caused(message: &str, logger: &str, cause: impl Display) {
    eprintln!("{}{cause}", logged("ERROR", message, logger));
}

fn logged(level: &str, message: &str, logger: &str) -> String {
    let now = ZonedDateTime::now();
    format!("[{},{:03}] {level} {message} ({logger})\n", now.strftime("%Y-%m-%d %H:%M:%S"), now.millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_looks_like_log4js() {
        let line = logged("ERROR", "a.B: no\n", "kafka.admin.TopicCommand$");
        let shape = regex::Regex::new(
            r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] ERROR a\.B: no\n \(kafka\.admin\.TopicCommand\$\)\n$",
        );
        assert!(shape.unwrap().is_match(&line), "{line}");
    }
}
