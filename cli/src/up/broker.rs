//! One broker as a child process: started, started again when it ends by itself, stopped.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::fs::statvfs;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vltava_operator::plan::BrokerPlan;

use crate::logging::LogArgs;

/// Set in the environment of brokers: the process without which they must not live on.
const PARENT: &str = "VLTAVA_UP_PROCESS";
/// The waits between two starts of a broker that ends by itself: twice as long each time, from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(30);
/// A broker that ran for so long was well: the next wait is the first again.
const WELL: Duration = Duration::from_secs(60);
/// How long a broker may take to stop.
const STOP: Duration = Duration::from_secs(30);

/// A broker that is kept running.
#[derive(Debug)]
pub(super) struct Broker {
    plan: BrokerPlan,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Broker {
    /// Writes its properties and starts it. It has `token` open for as long as it lives.
    pub(super) fn start(plan: BrokerPlan, folder: &Path, token: File, log: &LogArgs) -> io::Result<Broker> {
        for dir in &plan.log_dirs {
            fs::create_dir_all(dir)?;
        }
        let properties = folder.join("server.properties");
        fs::write(&properties, format!("# Written by `vltava up` from the manifest.\n{}", plan.properties))?;
        let stop = CancellationToken::new();
        let keeper = Keeper {
            id: plan.id,
            properties,
            log: folder.join("server.log"),
            token,
            environment: log.environment(),
            stop: stop.clone(),
        };
        let task = tokio::spawn(keeper.run());
        Ok(Broker { plan, stop, task })
    }

    /// What it runs as.
    pub(super) fn plan(&self) -> &BrokerPlan {
        &self.plan
    }

    /// Tells it to stop, without waiting.
    pub(super) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Stops it and waits until it has.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}

struct Keeper {
    id: i32,
    properties: PathBuf,
    log: PathBuf,
    token: File,
    environment: [(&'static str, String); 2],
    stop: CancellationToken,
}

impl Keeper {
    async fn run(self) {
        let mut wait = FIRST_WAIT;
        loop {
            let started = Instant::now();
            let ended = match self.spawn() {
                Ok(mut child) => tokio::select! {
                    status = child.wait() => describe(status),
                    () = self.stop.cancelled() => return self.end(child).await,
                },
                Err(error) => format!("can't be started: {error}"),
            };
            if started.elapsed() >= WELL {
                wait = FIRST_WAIT;
            }
            say!("broker {} {ended}; it is started again in {wait:?}", self.id);
            if let Some(line) = last_line(&self.log) {
                say!("  its last line: {line}\n  all of them:   {}", self.log.display());
            }
            if statvfs(&self.log).is_ok_and(|disk| disk.f_bavail == 0) {
                say!("  the disk is full: {}", self.log.display());
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        Command::new(std::env::current_exe()?)
            .arg("server")
            .arg(&self.properties)
            .env(PARENT, std::process::id().to_string())
            .envs(self.environment.clone())
            // It reads nothing; this is how a child is given an open file.
            .stdin(self.token.try_clone()?)
            .stdout(log.try_clone()?)
            .stderr(log)
            // A group of its own: Ctrl-C in the terminal reaches this process, which stops brokers in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    async fn end(&self, mut child: Child) {
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        if tokio::time::timeout(STOP, child.wait()).await.is_err() {
            say!("broker {} has not stopped within {STOP:?}: it is killed", self.id);
            let _ = child.kill().await;
        }
    }
}

fn describe(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("has ended ({status})"),
        Err(error) => format!("is lost: {error}"),
    }
}

/// The last line of a log that says something.
fn last_line(log: &Path) -> Option<String> {
    const TAIL: u64 = 4096;
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// In a broker that `vltava up` started: asks the system for SIGTERM when that process dies, so that even `kill -9` of it leaves
/// no broker behind. Elsewhere it does nothing.
pub(crate) fn end_with_parent() {
    let Some(parent) = std::env::var(PARENT).ok().and_then(|id| id.parse::<i32>().ok()) else { return };
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    // It may have died before we asked.
    if rustix::process::getppid().is_none_or(|id| id.as_raw_nonzero().get() != parent) {
        std::process::exit(1);
    }
}
