//! `vltava up -f FILE`: the manifests that `kubectl apply` takes, made true on this machine.
//!
//! ZooKeeper runs in this process, each broker in a child process of the same program, all on 127.0.0.1. Ports and data are kept
//! in a directory, so that the next run is the same cluster. The file is watched: what is edited is made true, and a file that
//! is wrong changes nothing.

/// Says something to the user. Whoever listens no more (`| head`, a full disk behind `>`) does not stop the cluster.
macro_rules! say {
    ($($said:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($said)*);
    }};
}

mod begin;
mod broker;
mod data;
mod desired;
mod ignored;
mod laptop;
mod places;
mod ports;
mod rolling;
mod run;
mod topics;
mod watch;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

pub(crate) use self::broker::end_with_parent;
use self::data::DataDirectory;
use self::desired::Desired;
use self::watch::Version;
use crate::logging::{self, LogArgs};

/// The arguments of `vltava up`.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The manifest: one KafkaCluster and its Topics, as `kubectl apply` takes them
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Where data, properties and logs are kept [default: data/ and the cluster's name]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
}

/// Runs until a signal or a failure.
pub(crate) fn run(args: &Args) -> ExitCode {
    match start(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> Result<(), String> {
    // Looked at before it is read: what comes between is a change.
    let version = Version::of(&args.file);
    let desired = Desired::read(&args.file)?;
    let default = || PathBuf::from("data").join(desired.name());
    let data =
        DataDirectory::open(&args.data.clone().unwrap_or_else(default)).map_err(|error| error.to_string())?;
    logging::start_in(&args.log, data.log().map_err(|error| error.to_string())?)?;
    // The brokers have their own processes and threads; what runs here is ZooKeeper and waiting.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("the threads can't be started: {error}"))?;
    runtime.block_on(run::run(args, version, desired, data))
}
