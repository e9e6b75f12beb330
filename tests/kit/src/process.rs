//! Child processes that end with the test that started them.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::wait;

/// A process in a group of its own, its output in a file. Dropping it kills the whole group.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
    errors: Option<PathBuf>,
}

impl Running {
    /// Starts `command`; standard output and error go to `log`, standard input is empty.
    #[must_use]
    pub fn start(name: &str, command: Command, log: &Path) -> Running {
        let out = appending(log);
        let err = out.try_clone().expect("a second handle of the log");
        Running {
            name: name.to_owned(),
            child: spawn(name, command, Stdio::null(), out, err),
            log: log.into(),
            errors: None,
        }
    }

    /// Starts `command` with `input` as its standard input; standard output goes to `log`, standard error beside it to a file that
    /// ends in `.err`.
    #[must_use]
    pub fn start_apart(name: &str, command: Command, input: &str, log: &Path) -> Running {
        let mut typed = tempfile::tempfile().expect("a file for the input");
        typed.write_all(input.as_bytes()).and_then(|()| typed.rewind()).expect("a file for the input");
        let errors = log.with_extension("err");
        let child = spawn(name, command, typed.into(), appending(log), appending(&errors));
        Running { name: name.to_owned(), child, log: log.into(), errors: Some(errors) }
    }

    /// The process id, which is the id of its group too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the process has written until now.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// What it has written to standard error, where that goes to a file of its own.
    #[must_use]
    pub fn errors(&self) -> String {
        let read = |path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        self.errors.as_ref().map(read).unwrap_or_default()
    }

    /// Waits for a line that contains `text` and gives it; panics with the output when the process ends before.
    pub fn wait_for_line(&mut self, text: &str, limit: Duration) -> String {
        let end = Instant::now() + limit;
        loop {
            let output = self.output();
            if let Some(line) = output.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            if let Some(status) = self.child.try_wait().expect("a child to ask") {
                panic!("{} ended ({status}) before it said «{text}»:\n{}", self.name, tail(&self.output()));
            }
            assert!(
                Instant::now() < end,
                "{} did not say «{text}» within {limit:?}:\n{}",
                self.name,
                tail(&output)
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal to the whole group.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, signal);
        }
    }

    /// SIGKILL, and waits until the process is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits for a clean end.
    pub fn stop(&mut self, limit: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait(limit)
    }

    /// Waits until the process ends by itself.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("{} ends", self.name);
        let child = &mut self.child;
        wait::until(&what, limit, || child.try_wait().expect("a child to ask"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} ({}):\n{}", self.name, self.log.display(), tail(&self.output()));
            if self.errors.is_some() {
                eprintln!("--- {}, standard error:\n{}", self.name, tail(&self.errors()));
            }
        }
        self.kill();
    }
}

fn appending(log: &Path) -> File {
    let opened = File::options().create(true).append(true).open(log);
    opened.unwrap_or_else(|e| panic!("{}: {e}", log.display()))
}

/// In a process group of its own, so that what the command starts ends with it.
fn spawn(name: &str, mut command: Command, input: Stdio, out: File, err: File) -> Child {
    let child = command.stdin(input).stdout(out).stderr(err).process_group(0).spawn();
    child.unwrap_or_else(|e| panic!("{name} does not start: {e}"))
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
