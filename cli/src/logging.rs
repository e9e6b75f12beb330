//! The log of a server: one line an event on standard output or in a file, in the layout of Kafka's own `server.log` or as JSON.

mod rolling;

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use jiff::ZonedDateTime;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer, writer::BoxMakeWriter},
    registry::LookupSpan,
    reload::Handle,
};
use vltava_broker::loggers::{self, Apply, Levels};

/// What gives the options where they are not given: for each, a variable of the environment.
const FORMAT: &str = "VLTAVA_LOG_FORMAT";
const LEVEL: &str = "VLTAVA_LOG";

/// Options about the log.
#[derive(Debug, Clone, Args)]
pub(crate) struct LogArgs {
    /// How a log line looks
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = FORMAT)]
    log_format: LogFormat,
    /// What is logged: a level, or levels by module, such as `info,vltava_broker::control=debug`
    #[arg(long, default_value = "info", env = LEVEL, value_name = "FILTER")]
    log_level: String,
}

/// Options about the log of a server that runs by itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerLogArgs {
    #[command(flatten)]
    log: LogArgs,
    /// Log to this file instead of standard output; it begins anew at 100 MB, and ten older ones are kept as FILE.1 to FILE.10
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    /// `[2026-01-31 12:00:00,000] INFO message key=value (module)`
    Text,
    /// One JSON object a line
    Json,
}

/// What the filter adds unless it names these modules itself: a client library that logs each reconnection.
const QUIET: &str = "zookeeper_client=error";

impl LogArgs {
    /// The variables that give a child process the same options.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let format = self.log_format.to_possible_value().map(|value| value.get_name().to_owned());
        [(FORMAT, format.unwrap_or_default()), (LEVEL, self.log_level.clone())]
    }
}

/// Starts the log of a server, on standard output or in a file of its own.
pub(crate) fn start(args: &ServerLogArgs) -> Result<(), String> {
    let Some(path) = &args.log_file else {
        return start_on(&args.log, BoxMakeWriter::new(std::io::stdout));
    };
    let file = rolling::RollingFile::open(path)
        .map_err(|error| format!("--log-file {}: {error}", path.display()))?;
    start_on(&args.log, BoxMakeWriter::new(Mutex::new(file)))
}

/// Starts the log of this process, in a file.
pub(crate) fn start_in(args: &LogArgs, file: File) -> Result<(), String> {
    start_on(args, BoxMakeWriter::new(Mutex::new(file)))
}

fn start_on(args: &LogArgs, writer: BoxMakeWriter) -> Result<(), String> {
    let wanted = format!("{QUIET},{}", args.log_level);
    let filter =
        EnvFilter::try_new(&wanted).map_err(|error| format!("--log-level {}: {error}", args.log_level))?;
    // A log that can't be written, as on a full disk, is lost lines: complaining of them where that can't be written either would
    // be a panic.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    let (started, apply) = match args.log_format {
        LogFormat::Text => {
            let builder = builder.with_ansi(false).event_format(KafkaLayout).with_filter_reloading();
            let apply = change_by(builder.reload_handle());
            (builder.try_init(), apply)
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            let apply = change_by(builder.reload_handle());
            (builder.try_init(), apply)
        }
    };
    started.map_err(|error| error.to_string())?;
    loggers::install(Levels::of_filter(&wanted), apply);
    Ok(())
}

/// How brokers change the filter of the log.
fn change_by<S: 'static>(handle: Handle<EnvFilter, S>) -> Apply {
    Box::new(move |filter| {
        let filter = EnvFilter::try_new(filter).map_err(|error| format!("{filter}: {error}"))?;
        handle.reload(filter).map_err(|error| error.to_string())
    })
}

/// Says why a server does not start: in its log like all else, or, if errors are not logged, on standard error.
pub(crate) fn refuse_to_start(what: &str) {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!("Exiting Vltava: {what}");
    } else {
        let _ = writeln!(std::io::stderr(), "{what}");
    }
}

/// Kafka's log4j pattern `[%d] %p %m (%c)%n`, which people's eyes and log shippers know.
#[derive(Debug)]
struct KafkaLayout;

impl<S, N> FormatEvent<S, N> for KafkaLayout
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let now = ZonedDateTime::now();
        let metadata = event.metadata();
        let (date, millis) = (now.strftime("%Y-%m-%d %H:%M:%S"), now.millisecond());
        write!(writer, "[{date},{millis:03}] {} ", metadata.level())?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        if let Some(scope) = context.event_scope() {
            for span in scope.from_root() {
                if let Some(fields) = span.extensions().get::<tracing_subscriber::fmt::FormattedFields<N>>()
                    && !fields.is_empty()
                {
                    write!(writer, " {fields}")?;
                }
            }
        }
        writeln!(writer, " ({})", metadata.target())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_looks_like_kafkas() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(KafkaLayout)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("partition", topic = "orders", partition = 3);
            let _in = span.enter();
            tracing::warn!(target: "vltava_broker::server", port = 9092, "Something happened");
        });
        let line = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let (time, rest) = line.split_at(25);
        let shape = regex::Regex::new(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]$").unwrap();
        assert!(shape.is_match(time), "{line}");
        assert_eq!(
            rest,
            " WARN Something happened port=9092 topic=\"orders\" partition=3 (vltava_broker::server)\n"
        );
    }
}
