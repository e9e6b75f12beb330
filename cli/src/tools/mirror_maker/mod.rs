//! `kafka-mirror-maker`: the records of topics are copied from one cluster to topics of the same names in another.
//!
//! Each stream is a member of the source's group ([`stream`], or in ZooKeeper, [`old`]) and hands its records to the one [`target`].
//! Offsets are committed only after every record before them has been acknowledged: who is killed copies some records twice, and loses none.

mod old;
mod options;
mod stream;
mod target;

use std::process::ExitCode;
use std::sync::Arc;

pub(crate) use self::options::Args;
use self::{options::Source, target::Target};
use super::{failure::Failure, output, signals::Stop, usage};

const LOGGER: &str = "kafka.tools.MirrorMaker$";
/// `System.exit(-1)`.
const ABNORMAL: u8 = 255;

/// Copies until a signal comes, or a stream cannot go on.
pub(crate) fn run(args: &Args) -> ExitCode {
    for warning in args.warnings() {
        output::log_warning(&warning, LOGGER);
    }
    match copy(args) {
        Ok(code) => code,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        Err(failure) => {
            output::log_caused("Exception when starting mirror maker.", LOGGER, failure);
            ExitCode::FAILURE
        }
    }
}

fn copy(args: &Args) -> Result<ExitCode, Failure> {
    let settings = args.settings()?;
    if settings.warns_of_assignment {
        eprintln!(
            "WARNING: The default partition assignment strategy of the mirror maker will change from 'range' to 'roundrobin' in an upcoming \
             release (so that better load balancing can be achieved). If you prefer to make this switch in advance of that release add the \
             following to the corresponding config: 'partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor'"
        );
    }
    let target = Arc::new(Target::new(&settings)?);
    let stop = Stop::new()?;
    let streams: Vec<_> = settings
        .sources
        .iter()
        .map(|source| {
            let (source, target, stop) = (source.clone(), target.clone(), stop.clone());
            let (topics, every) = (settings.topics.clone(), settings.commit_every);
            std::thread::spawn(move || {
                let ended = match &source {
                    Source::Group(client) => stream::copy(client, &topics, every, &target, &stop),
                    Source::ZooKeeper { client, streams } => {
                        old::copy((client, *streams), &topics, every, &target, &stop)
                    }
                };
                if let Err(failure) = ended {
                    output::log_caused("Mirror maker thread failure due to ", LOGGER, failure);
                    // The others end too: half of the copy would be no copy.
                    target.fail();
                }
            })
        })
        .collect();
    for stream in streams {
        // One that has panicked has said so.
        if stream.join().is_err() {
            target.fail();
        }
    }
    if let Some(code) = stop.code().filter(|_| !target.has_failed()) {
        return Ok(ExitCode::from(code));
    }
    output::log_error(
        "Mirror maker thread exited abnormally, stopping the whole mirror maker.",
        "kafka.tools.MirrorMaker$MirrorMakerThread",
    );
    Ok(ExitCode::from(ABNORMAL))
}
