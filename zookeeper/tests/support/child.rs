//! Child processes that end with the test.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that is killed when it is dropped.
pub struct Process(pub Child);

impl Process {
    /// SIGKILL, and wait until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Our server as a process of its own, with the address where it serves.
pub fn server(dir: &Path, port: u16, more: &str) -> (Process, SocketAddr) {
    let file = dir.join("zookeeper.properties");
    std::fs::write(&file, super::properties(&dir.join("data"), port, more)).unwrap();
    let binary = env!("CARGO_BIN_EXE_zookeeper-test-server");
    let mut child =
        Command::new(binary).arg(&file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let process = Process(child);
    let address = line.trim().parse().unwrap_or_else(|_| panic!("the server did not start: {line:?}"));
    (process, address)
}
