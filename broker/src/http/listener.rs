//! The socket of the pages, and who may hold a connection to it.
//!
//! The port answers probes that decide whether the broker lives, so that nobody who merely holds connections may shut them out: a head is short and comes
//! soon, and when there are too many connections the oldest that waits for nothing makes room for the newcomer.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::Site;
use crate::net::Complaints;

/// Connections at once: a scraper, some probes, an operator.
const CONNECTIONS: usize = 64;
/// How long a client may take to send a request's whole head, and how long a connection may lie idle between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// Lines of a request's head.
const HEAD_LINES: usize = 64;
/// How long accepting rests when the process is out of what a connection takes.
const OUT_OF_RESOURCES: Duration = Duration::from_secs(1);
/// There is at most one warning of too many connections in this time.
const WARNING_EVERY: Duration = Duration::from_secs(60);

/// The HTTP listener can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("{key}={address}: {source}")]
pub struct HttpError {
    key: &'static str,
    address: String,
    source: io::Error,
}

/// A listener that serves a [`Site`].
#[derive(Debug)]
pub struct HttpListener {
    socket: TcpListener,
    address: SocketAddr,
}

impl HttpListener {
    /// Opens `host:port` (or `:port` for all addresses; port 0 takes a free one). Must be called within a runtime.
    /// An error names the `key` that the address comes from.
    pub fn bind(key: &'static str, address: &str) -> Result<Self, HttpError> {
        let open = || {
            let candidates = match address.strip_prefix(':') {
                Some(port) => {
                    let port = port.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
                    vec![SocketAddr::from(([0_u16; 8], port)), SocketAddr::from(([0_u8; 4], port))]
                }
                None => address.to_socket_addrs()?.collect(),
            };
            let socket = std::net::TcpListener::bind(&candidates[..])?;
            socket.set_nonblocking(true)?;
            Ok(Self { address: socket.local_addr()?, socket: TcpListener::from_std(socket)? })
        };
        open().map_err(|source| HttpError { key, address: address.to_owned(), source })
    }

    /// The address that it has.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped.
    pub async fn serve<S: Site>(self, site: Arc<S>) {
        let connections = Arc::new(Connections::default());
        let complaints = Complaints::new();
        loop {
            let stream = match self.socket.accept().await {
                Ok((stream, _)) => stream,
                // The client has gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    complaints.warn(format_args!("Accepting on the metrics listener: {error}"));
                    tokio::time::sleep(OUT_OF_RESOURCES).await;
                    continue;
                }
            };
            let admitted = Connections::admit(&connections);
            let site = site.clone();
            tokio::spawn(async move {
                let closed = admitted.connection.close.clone();
                tokio::select! {
                    () = closed.cancelled() => {}
                    () = serve(stream, &site, &admitted.connection) => {}
                }
            });
        }
    }
}

/// Answers the requests of one connection.
async fn serve<S: Site>(stream: TcpStream, site: &Arc<S>, connection: &Arc<Connection>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let (site, answering) = (site.clone(), Answering::begin(connection.clone()));
        async move {
            let response = site.answer(request.method(), request.uri().path()).await;
            // It is being answered until its body is gone.
            Ok::<_, Infallible>(response.map(|body| {
                body.map_frame(move |frame| {
                    let _still = &answering;
                    frame
                })
            }))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_LINES)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
    if let Err(error) = served {
        tracing::debug!("an HTTP connection ended: {error}");
    }
}

/// One client.
#[derive(Debug, Default)]
struct Connection {
    /// Whether a request of it is being answered.
    is_answered: AtomicBool,
    close: CancellationToken,
}

/// A request that is being answered.
#[derive(Debug)]
struct Answering(Arc<Connection>);

impl Answering {
    fn begin(connection: Arc<Connection>) -> Self {
        connection.is_answered.store(true, Ordering::Relaxed);
        Self(connection)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.is_answered.store(false, Ordering::Relaxed);
    }
}

/// All clients, oldest first, and what was said of there being too many.
#[derive(Debug, Default)]
struct Connections {
    open: Mutex<Vec<Arc<Connection>>>,
    warned: Mutex<Warned>,
}

#[derive(Debug, Default)]
struct Warned {
    last: Option<Instant>,
    /// Closed since then.
    closed: u64,
}

/// A client's place, given back when it is dropped.
#[derive(Debug)]
struct Admitted {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.open.lock().retain(|open| !Arc::ptr_eq(open, &self.connection));
    }
}

impl Connections {
    /// A place for a newcomer: where there is none, that of the oldest that is not being answered, or, when all are, of the oldest.
    fn admit(self: &Arc<Self>) -> Admitted {
        let connection = Arc::new(Connection::default());
        let mut open = self.open.lock();
        let mut is_full = false;
        if open.len() >= CONNECTIONS {
            is_full = true;
            let idle = open.iter().position(|connection| !connection.is_answered.load(Ordering::Relaxed));
            open.remove(idle.unwrap_or(0)).close.cancel();
        }
        open.push(connection.clone());
        drop(open);
        if is_full && let Some(closed) = self.warned.lock().say(Instant::now()) {
            tracing::warn!(
                limit = CONNECTIONS,
                closed,
                "too many connections to the metrics listener: the oldest idle ones are closed"
            );
        }
        Admitted { connections: self.clone(), connection }
    }
}

impl Warned {
    /// Counts a connection that was closed; answers how many were since the last warning if it is time for one.
    fn say(&mut self, now: Instant) -> Option<u64> {
        self.closed += 1;
        if self.last.is_some_and(|last| now.duration_since(last) < WARNING_EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.closed))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn listen() -> SocketAddr {
        let listener = HttpListener::bind("listener", "127.0.0.1:0").unwrap();
        let address = listener.address();
        tokio::spawn(listener.serve(Arc::<crate::http::Pages>::default()));
        address
    }

    /// What there is to read until the connection ends.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        // A server that closes with something unread resets the connection.
        let _ = stream.read_to_end(&mut bytes).await;
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn an_address_that_cant_be_opened_is_named_with_its_key() {
        let taken = HttpListener::bind("listener", "127.0.0.1:0").unwrap();
        let address = taken.address().to_string();
        let error = HttpListener::bind("vltava.metrics.listener", &address).unwrap_err().to_string();
        assert!(error.starts_with(&format!("vltava.metrics.listener={address}: ")), "{error}");
    }

    #[tokio::test]
    async fn silent_connections_do_not_make_a_broker_look_dead() {
        let address = listen();
        let mut silent = Vec::new();
        for _ in 0..CONNECTIONS * 3 {
            silent.push(TcpStream::connect(address).await.unwrap());
            let began = Instant::now();
            let mut probe = TcpStream::connect(address).await.unwrap();
            probe.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
            assert!(rest(&mut probe).await.starts_with("HTTP/1.0 200"));
            assert!(began.elapsed() < HEAD_TIMEOUT, "it waited for another to go");
        }
        assert_eq!(rest(&mut silent[0]).await, "", "the oldest is closed");
    }

    #[tokio::test]
    async fn who_is_being_answered_stays_and_who_is_not_goes_oldest_first() {
        let connections = Arc::new(Connections::default());
        let mut all: Vec<_> = (0..CONNECTIONS).map(|_| connections.admit()).collect();
        let answered: Vec<_> =
            [0, 1].iter().map(|&i: &usize| Answering::begin(all[i].connection.clone())).collect();
        let is_closed = |admitted: &Admitted| admitted.connection.close.is_cancelled();
        all.push(connections.admit());
        assert_eq!(all.iter().map(is_closed).filter(|closed| *closed).count(), 1);
        assert!(is_closed(&all[2]));
        drop(answered);
        all.push(connections.admit());
        assert!(is_closed(&all[0]));
        let held: Vec<_> = all.iter().map(|one| Answering::begin(one.connection.clone())).collect();
        all.push(connections.admit());
        assert!(is_closed(&all[1]), "when all are answered, a newcomer still gets in");
        drop(held);
        all.clear();
        assert!(connections.open.lock().is_empty());
    }

    #[tokio::test]
    async fn a_head_that_is_too_long_or_too_slow_ends_the_connection() {
        let address = listen();
        let began = Instant::now();
        let mut long = TcpStream::connect(address).await.unwrap();
        let mut head = b"GET /".to_vec();
        head.resize(200_000, b'x');
        let _ = long.write_all(&head).await;
        rest(&mut long).await;
        assert!(began.elapsed() < HEAD_TIMEOUT, "a long head is not waited for");
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET /healthz HTTP/1.1\r\nHost:").await.unwrap();
        // One that was answered, and then asks nothing more.
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let both = async { (rest(&mut slow).await, rest(&mut idle).await) };
        let (_, idle) = tokio::time::timeout(HEAD_TIMEOUT * 4, both).await.unwrap();
        assert!(idle.starts_with("HTTP/1.1 200"), "{idle}");
    }

    #[tokio::test]
    async fn many_closed_connections_are_one_warning() {
        let mut warned = Warned::default();
        let now = Instant::now();
        assert_eq!(warned.say(now), Some(1));
        assert_eq!(warned.say(now + WARNING_EVERY / 2), None);
        assert_eq!(warned.say(now + WARNING_EVERY), Some(2));
    }
}
