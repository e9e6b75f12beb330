//! `vltava server` and its ZooKeeper session: a broker that was stopped for longer than it lasts, and ZooKeeper going away for a moment and for longer.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;
use vltava_testkit::{
    process::Running,
    vltava, wait,
    zookeeper::{self, Release},
};

const LIMIT: Duration = Duration::from_secs(60);

/// The embedded ZooKeeper grants no shorter one.
const SESSION: &str = "zookeeper.session.timeout.ms=6000";

/// A broker seen from outside: its pages, its log, and what ZooKeeper knows of it.
struct Place {
    folder: TempDir,
    zookeeper: SocketAddr,
    pages: u16,
}

impl Place {
    /// With the embedded ZooKeeper.
    fn new() -> (Place, vltava::Server) {
        let (folder, pages) = (TempDir::new().unwrap(), wait::free_port());
        vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
        let server = vltava::Server::start(folder.path(), &[SESSION, &listener(pages)]);
        (Place { folder, zookeeper: server.zookeeper(), pages }, server)
    }

    /// With Apache's.
    fn on_apache() -> (Place, vltava::Broker, zookeeper::Server) {
        let (folder, pages) = (TempDir::new().unwrap(), wait::free_port());
        vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
        let apache = zookeeper::Server::start(Release::V3_8, folder.path());
        let address = apache.address();
        let broker = vltava::Broker::start(&address.to_string(), folder.path(), &[SESSION, &listener(pages)]);
        (Place { folder, zookeeper: address, pages }, broker, apache)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.out")).unwrap()
    }

    /// A page of the broker, or of nobody.
    fn page(&self, path: &str) -> String {
        let mut text = String::new();
        if let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.pages)) {
            socket.set_read_timeout(Some(LIMIT)).unwrap();
            write!(socket, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
            socket.read_to_string(&mut text).unwrap();
        }
        text
    }

    fn says(&self, session: bool, connected: bool) -> Option<()> {
        // Spaces are nobody's business.
        let status: String = self.page("/status").split_whitespace().collect();
        status
            .contains(&format!("\"zookeeper\":{{\"connected\":{connected},\"session\":{session}}}"))
            .then_some(())
    }

    /// What a metric of the session counts.
    fn count(&self, name: &str) -> u64 {
        let wanted = format!("kafka_server_sessionexpirelistener_zookeeper{name}persec_total ");
        let page = self.page("/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix(&wanted));
        line.unwrap_or_else(|| panic!("{wanted} in {page}")).parse::<f64>().unwrap() as u64
    }

    fn in_zookeeper(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.arg("zookeeper-shell").arg(self.zookeeper.to_string()).args(arguments);
        let output = command.output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    fn is_registered(&self) -> bool {
        self.in_zookeeper(&["ls", "/brokers/ids"]).lines().any(|line| line == "[0]")
    }

    /// Registered, connected and in office, in so much time.
    fn is_back_within(&self, limit: Duration) {
        wait::until("registered again", limit, || self.is_registered().then_some(()));
        wait::until("connected again", limit, || self.says(true, true));
        wait::until("a controller", limit, || {
            self.in_zookeeper(&["get", "/controller"]).contains("\"brokerid\":0").then_some(())
        });
    }
}

fn listener(pages: u16) -> String {
    format!("vltava.metrics.listener=127.0.0.1:{pages}")
}

fn comes_back(place: &Place, broker: &mut Running) {
    place.is_back_within(LIMIT);
    broker.signal(Signal::STOP);
    wait::until("its session expires", LIMIT, || (!place.is_registered()).then_some(()));
    broker.signal(Signal::CONT);
    place.is_back_within(Duration::from_secs(4));
    assert_eq!(place.count("expires"), 1, "{}", place.log());
    let log = place.log();
    let ended = log.lines().find(|line| line.contains("the ZooKeeper session has ended")).unwrap();
    assert!(ended.contains("expired"), "{ended}");
}

#[test]
fn a_broker_that_was_stopped_longer_than_its_session_is_back_at_once() {
    let (place, mut server) = Place::new();
    comes_back(&place, server.broker());
}

#[test]
fn a_broker_that_was_stopped_is_back_at_once_on_apache_zookeeper_too() {
    let (place, mut broker, _apache) = Place::on_apache();
    comes_back(&place, broker.process());
}

#[test]
fn zookeeper_going_away_is_told_at_once_and_a_session_that_nothing_saves_is_given_up() {
    let (place, mut server) = Place::new();
    place.is_back_within(LIMIT);
    let registered = |log: &str| log.matches("registered broker.id=0").count();
    assert_eq!((place.count("disconnects"), place.count("syncconnects")), (0, 1));

    let began = Instant::now();
    server.zookeeper_process().kill();
    let line = server.broker().wait_for_line("the connection to ZooKeeper is lost", LIMIT);
    assert!(line.contains("WARN") && line.contains("Connection refused"), "{line}");
    assert!(place.says(true, false).is_some(), "{}", place.page("/status"));
    server.start_zookeeper_again();
    server.broker().wait_for_line("connected to ZooKeeper again", LIMIT);
    assert!(place.says(true, true).is_some(), "{}", place.page("/status"));
    // On a machine so slow that the session ended meanwhile, it is another one.
    if began.elapsed() < Duration::from_secs(5) {
        assert_eq!(registered(&place.log()), 1, "the session lives on");
    }
    assert!(place.count("disconnects") >= 1 && place.count("syncconnects") >= 2);

    let before = registered(&place.log());
    server.zookeeper_process().kill();
    let line = server.broker().wait_for_line("the ZooKeeper session has ended", LIMIT);
    assert!(line.contains("no connection for 6") && !line.contains("Expired"), "{line}");
    assert!(place.says(false, false).is_some(), "{}", place.page("/status"));
    server.start_zookeeper_again();
    wait::until("it registers anew", LIMIT, || (registered(&place.log()) > before).then_some(()));
    // What the former session held in ZooKeeper is not waited for.
    place.is_back_within(Duration::from_secs(4));
    assert!(place.count("expires") >= 1);
}
