//! `vltava server FILE`: one broker in this process.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use vltava_broker::{net::runtime, server::Server};
use vltava_settings::{BrokerConfig, Properties};

use crate::logging::{self, ServerLogArgs};

/// The arguments of `vltava server`.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The broker's properties file
    #[arg(value_name = "server.properties")]
    file: PathBuf,
    /// Replaces a property of the file; may be given several times
    #[arg(long = "override", value_name = "property=value", allow_hyphen_values = true)]
    overrides: Vec<String>,
    #[command(flatten)]
    log: ServerLogArgs,
}

/// Runs until a signal or a failure.
pub(crate) fn run(args: &Args) -> ExitCode {
    if let Err(error) = logging::start(&args.log) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let config = match read(args) {
        Ok(config) => config,
        Err(problems) => {
            logging::refuse_to_start(&format!("{}: {problems}", args.file.display()));
            return ExitCode::FAILURE;
        }
    };
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let runtime = match runtime::build(runtime::threads(&config)) {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("Exiting Vltava: the threads can't be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(serve(config));
    // File work that still hangs in the kernel must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    code
}

fn read(args: &Args) -> Result<BrokerConfig, String> {
    let properties = Properties::read(&args.file).map_err(|error| error.to_string())?;
    let mut overrides = Properties::default();
    for text in &args.overrides {
        overrides.set_override(text).map_err(|error| error.to_string())?;
    }
    BrokerConfig::from_properties(&properties, &overrides).map_err(|problems| problems.to_string())
}

async fn serve(config: BrokerConfig) -> ExitCode {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!("Exiting Vltava: signals can't be handled: {error}");
            return ExitCode::FAILURE;
        }
    };
    let started = tokio::select! {
        started = Server::start(config) => started,
        name = signals.next() => {
            tracing::info!("{name} before the start was complete: exiting");
            return ExitCode::SUCCESS;
        }
    };
    let server = match started {
        Ok(server) => server,
        Err(error) => {
            tracing::error!("Exiting Vltava: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = tokio::select! {
        name = signals.next() => {
            tracing::info!("{name}: shutting down");
            ExitCode::SUCCESS
        }
        failure = server.failed() => {
            tracing::error!("Exiting Vltava: {failure}");
            ExitCode::FAILURE
        }
    };
    signals.ignored_during(server.stop()).await;
    code
}

/// The signals that stop a server.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    /// Takes them over. Must be called within a runtime.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }

    /// Waits for the end of a shutdown. A signal that comes meanwhile asks for what is being done, as from a stop script that was run twice: it is told
    /// and changes nothing, as in Kafka. Only SIGKILL ends the process before.
    pub(crate) async fn ignored_during<T>(&mut self, shutdown: impl Future<Output = T>) -> T {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                done = &mut shutdown => return done,
                name = self.next() => tracing::info!("{name} again: still shutting down"),
            }
        }
    }

    /// The next Ctrl-C of whoever sits at the terminal; other signals are told and ignored.
    pub(crate) async fn next_interrupt(&mut self) -> &'static str {
        loop {
            match self.next().await {
                "SIGINT" => return "SIGINT",
                name => tracing::info!("{name} again: still shutting down"),
            }
        }
    }
}
