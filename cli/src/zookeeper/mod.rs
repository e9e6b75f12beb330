//! `vltava zookeeper FILE`: the embedded one-node ZooKeeper in this process.

mod metrics;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use vltava_broker::net::runtime;
use vltava_zookeeper::{Server, ZooKeeperConfig};

use crate::{
    logging::{self, ServerLogArgs},
    server::Signals,
};

/// The arguments of `vltava zookeeper`.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The server's properties file, a zoo.cfg
    #[arg(value_name = "zookeeper.properties")]
    file: PathBuf,
    #[command(flatten)]
    log: ServerLogArgs,
}

/// Runs until a signal.
pub(crate) fn run(args: &Args) -> ExitCode {
    if let Err(error) = logging::start(&args.log) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    match start(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::refuse_to_start(&error);
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> Result<(), String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", args.file.display());
    let text = std::fs::read_to_string(&args.file).map_err(|error| named(&error))?;
    let (config, warnings) = ZooKeeperConfig::from_properties(&text).map_err(|error| named(&error))?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let runtime = runtime::build(runtime::default_threads().min(2)).map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(|error| error.to_string())?;
        // A port that is taken is told before the data directory is.
        let listener = metrics::listen(&config).map_err(|error| named(&error))?;
        let server = Server::start(config).await.map_err(|error| error.to_string())?;
        let _serving = listener.map(|listener| metrics::serve(listener, server.monitor()));
        let name = signals.next().await;
        tracing::info!("{name}: shutting down");
        signals.ignored_during(server.stop()).await;
        Ok(())
    })
}
