//! Waiting on conditions, never on time alone.

use std::fmt::Debug;
use std::io::{Read as _, Write as _};
use std::net::{self, Ipv4Addr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Asks `probe` again and again until it gives a value; panics with `what` when `limit` has passed.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Waits until `probe` equals `expected`; panics with the last value that it gave.
pub fn until_equal<T: PartialEq + Debug>(
    what: &str,
    limit: Duration,
    expected: &T,
    mut probe: impl FnMut() -> T,
) {
    let end = Instant::now() + limit;
    loop {
        let value = probe();
        if value == *expected {
            return;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}: expected {expected:?}, last {value:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Waits until something accepts connections at `address`.
pub fn for_port(what: &str, limit: Duration, address: net::SocketAddr) {
    until(what, limit, || TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok());
}

/// Waits until a broker of 0.10 or later at `address` answers a question (ApiVersions, which every one answers before all else). Its port is
/// open earlier, while it still starts.
pub fn for_broker(what: &str, limit: Duration, address: net::SocketAddr) {
    // Size, API key 18, version 0, correlation id, no client id.
    const QUESTION: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];
    until(what, limit, || {
        let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
        connection.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        connection.write_all(&QUESTION).ok()?;
        let mut answer = [0; 8];
        connection.read_exact(&mut answer).ok()?;
        answer.ends_with(&[0, 0, 0, 7]).then_some(())
    });
}

/// A port of 127.0.0.1 that nothing listens on, and that no other test of this machine is given while this process lives. For programs
/// that cannot be told port 0.
///
/// Ports that the system gives to outgoing connections (32768 and above) are left alone: one of those could come between. What is
/// given is claimed by a socket of Linux' abstract namespace, whose names belong to one process at a time.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u16 = 12_000;
    const LAST: u16 = 32_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static CLAIMS: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    // Processes begin at different places.
    let start = std::process::id().wrapping_mul(97) as u16 % (LAST - FIRST);
    for _ in FIRST..LAST {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % (LAST - FIRST)) % (LAST - FIRST);
        let name = SocketAddr::from_abstract_name(format!("vltava-tests/port/{port}"));
        let Ok(claim) = name.and_then(|name| UnixListener::bind_addr(&name)) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            CLAIMS.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
            return port;
        }
    }
    panic!("no free port between {FIRST} and {LAST}");
}
