//! Vltava's own processes, started as a user starts them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::Running;
use crate::wait;

const START: Duration = Duration::from_secs(60);

/// The checkout this test was compiled in.
#[must_use]
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

/// The `vltava` program that this process's tests use, once it is known.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Names the program where cargo has built it for this very test: `env!("CARGO_BIN_EXE_vltava")`. `$VLTAVA` goes before it.
pub fn is_built(program: &str) {
    PROGRAM.get_or_init(|| std::env::var_os("VLTAVA").map_or_else(|| program.into(), PathBuf::from));
}

/// The `vltava` program: `$VLTAVA` where that is set, else built once by cargo beside the running test.
#[must_use]
pub fn program() -> PathBuf {
    PROGRAM
        .get_or_init(|| {
            if let Some(path) = std::env::var_os("VLTAVA") {
                return path.into();
            }
            let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                .args(["build", "--quiet", "-p", "vltava"])
                .current_dir(checkout())
                .status()
                .expect("cargo starts");
            assert!(status.success(), "cargo build -p vltava failed");
            let target =
                std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout().join("target"), PathBuf::from);
            target.join("debug/vltava")
        })
        .clone()
}

/// `vltava ARGUMENTS`, or a script of `bin/` with `VLTAVA` naming the program.
#[must_use]
pub fn script(name: &str) -> Command {
    let mut command = Command::new(checkout().join("bin").join(name));
    command.env("VLTAVA", program());
    command
}

/// One broker, on whatever ZooKeeper a connect string names.
#[derive(Debug)]
pub struct Broker {
    process: Running,
    address: SocketAddr,
    folder: PathBuf,
}

impl Broker {
    /// Starts `vltava server` on a free port, data below `folder`; `overrides` are lines of its properties.
    #[must_use]
    pub fn start(zookeeper: &str, folder: &Path, overrides: &[&str]) -> Broker {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wait::free_port()));
        let mut text = format!(
            "broker.id=0\nlisteners=PLAINTEXT://{address}\nlog.dirs={}\nzookeeper.connect={zookeeper}\n\
             delete.topic.enable=true\noffsets.topic.replication.factor=1\nvltava.metrics.listener=\n",
            folder.join("data").display()
        );
        for line in overrides {
            text.push_str(line);
            text.push('\n');
        }
        fs::write(folder.join("server.properties"), text).unwrap();
        Broker { process: start_broker(folder, address), address, folder: folder.to_owned() }
    }

    /// Where Kafka clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }

    /// Starts it again with the same properties, after [`Running::kill`] or [`Running::stop`].
    pub fn start_again(&mut self) {
        self.process = start_broker(&self.folder, self.address);
    }
}

/// The embedded ZooKeeper and one broker on it.
#[derive(Debug)]
pub struct Server {
    zookeeper: Running,
    zookeeper_address: SocketAddr,
    broker: Broker,
    folder: PathBuf,
}

impl Server {
    /// Starts `vltava zookeeper` and `vltava server` on free ports, data below `folder`; `overrides` are lines of the broker's
    /// properties.
    #[must_use]
    pub fn start(folder: &Path, overrides: &[&str]) -> Server {
        let (zookeeper, zookeeper_address) = start_zookeeper(folder);
        let broker = Broker::start(&zookeeper_address.to_string(), folder, overrides);
        Server { zookeeper, zookeeper_address, broker, folder: folder.to_owned() }
    }

    /// Where Kafka clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.broker.address()
    }

    /// Where ZooKeeper clients connect.
    #[must_use]
    pub fn zookeeper(&self) -> SocketAddr {
        self.zookeeper_address
    }

    /// The broker's log directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.broker.data()
    }

    /// The broker's process.
    pub fn broker(&mut self) -> &mut Running {
        self.broker.process()
    }

    /// The embedded ZooKeeper's process.
    pub fn zookeeper_process(&mut self) -> &mut Running {
        &mut self.zookeeper
    }

    /// Starts the broker again with the same properties, after [`Running::kill`] or [`Running::stop`].
    pub fn start_again(&mut self) {
        self.broker.start_again();
    }

    /// Starts the embedded ZooKeeper again on the same port, after [`Running::kill`] or [`Running::stop`].
    pub fn start_zookeeper_again(&mut self) {
        self.zookeeper = run_zookeeper(&self.folder, self.zookeeper_address);
    }
}

/// Starts `vltava zookeeper` on a free port with its data below `folder`.
#[must_use]
pub fn start_zookeeper(folder: &Path) -> (Running, SocketAddr) {
    let port = wait::free_port();
    let properties = folder.join("zookeeper.properties");
    fs::write(
        &properties,
        format!(
            "dataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\n4lw.commands.whitelist=*\n",
            folder.join("zookeeper").display()
        ),
    )
    .unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    (run_zookeeper(folder, address), address)
}

fn run_zookeeper(folder: &Path, address: SocketAddr) -> Running {
    let mut command = Command::new(program());
    command.arg("zookeeper").arg(folder.join("zookeeper.properties"));
    let process = Running::start("vltava zookeeper", command, &folder.join("zookeeper.out"));
    wait::for_port("vltava zookeeper listens", START, address);
    process
}

fn start_broker(folder: &Path, address: SocketAddr) -> Running {
    let mut command = Command::new(program());
    command.arg("server").arg(folder.join("server.properties"));
    let process = Running::start("vltava server", command, &folder.join("server.out"));
    wait::for_broker("vltava server serves", START, address);
    process
}
