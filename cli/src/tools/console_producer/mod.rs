//! `kafka-console-producer`: lines of standard input become records.

mod lines;
mod options;
mod send;

use std::{
    io::{BufRead, IsTerminal, Write},
    process::ExitCode,
};

use self::lines::LineReader;
pub(crate) use self::options::Args;
use self::send::Sender;
use super::{failure::Failure, output, signals};

/// Reads until the end of the input, then waits until everything is delivered.
pub(crate) fn run(args: &Args) -> ExitCode {
    match produce(args) {
        // Also where records were lost: each has been named, and Kafka's tool ends so.
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => super::usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn produce(args: &Args) -> Result<(), Failure> {
    let settings = args.settings()?;
    let reader = LineReader::new(&settings.reader)?;
    for warning in &settings.warnings {
        output::log_warning(warning, "kafka.tools.ConsoleProducer$");
    }
    let sender = Sender::new(&settings)?;
    let at_signal = sender.clone();
    signals::on_stop(move |code| {
        // Java's producer is closed by a shutdown hook: what was typed is sent.
        at_signal.close_at_signal();
        std::process::exit(code);
    })?;
    let outcome = feed(&reader, &sender);
    sender.close();
    outcome
}

/// Prompts with `>` before each line, as Kafka's tool does.
fn feed(reader: &LineReader, sender: &Sender) -> Result<(), Failure> {
    let mut input = std::io::BufReader::with_capacity(64 << 10, std::io::stdin().lock());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let interactive = std::io::stdin().is_terminal();
    let failed = |error: std::io::Error| Failure::new("java.io.IOException", error.to_string());
    let mut line = Vec::new();
    for number in 1_u64.. {
        // A prompt that nobody reads is no reason to stop.
        let _ = out.write_all(b">");
        if interactive || input.buffer().is_empty() {
            let _ = out.flush();
        }
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let record = reader.read(text, number)?;
        sender.send(&record)?;
    }
    let _ = out.flush();
    Ok(())
}

/// Whether a class name means the one line reader there is.
fn is_line_reader(class: &str) -> bool {
    class.rsplit(['.', '$']).next() == Some("LineMessageReader")
}
