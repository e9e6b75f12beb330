//! The HTTP listener for machines that watch: `/metrics`, `/status`, `/healthz`, `/readyz`.
//!
//! `/healthz` answers 200 as long as the process answers at all: a broker that recovers its logs for an hour is alive. `/readyz` answers 200 while the
//! broker serves, else 503 with its state; a lost ZooKeeper does not change it, since partitions go on serving. `/status` is for an operator who decides.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::RwLock;
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::{Semaphore, mpsc},
};

use crate::{
    Broker,
    lifecycle::{Lifecycle, State},
    metrics::{Collector, Exposition},
    status::{self, Loading},
};

/// Connections at once: a scraper, some probes, an operator.
const CONNECTIONS: usize = 64;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Scrapes at once: each reads all partitions on a thread of its own.
const SCRAPES: usize = 2;
/// Pieces of a scrape that wait for the client.
const PIECES: usize = 4;
/// How long a scraper may take to take a piece before it is given up.
const SLOWEST_SCRAPER: Duration = Duration::from_secs(10);

/// A whole text, or one that comes in pieces.
type Body = BoxBody<Bytes, Infallible>;

/// What the pages show.
#[derive(Debug)]
pub struct Pages {
    /// Where the broker is.
    pub lifecycle: Lifecycle,
    /// How far it is in opening its logs.
    pub loading: RwLock<Option<Loading>>,
    shown: RwLock<Option<Shown>>,
    scrapes: Arc<Semaphore>,
}

/// What there is as soon as the logs are open.
#[derive(Debug, Clone)]
struct Shown {
    broker: Arc<Broker>,
    collector: Arc<Collector>,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            lifecycle: Lifecycle::default(),
            loading: RwLock::default(),
            shown: RwLock::default(),
            scrapes: Arc::new(Semaphore::new(SCRAPES)),
        }
    }
}

impl Pages {
    /// From now on `/metrics` shows what `collector` tells, and `/status` how `broker` is.
    pub fn show(&self, broker: Arc<Broker>, collector: Collector) {
        *self.shown.write() = Some(Shown { broker, collector: Arc::new(collector) });
    }

    /// From now on there is nothing to show.
    pub fn hide(&self) {
        *self.shown.write() = None;
    }

    async fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        if method != Method::GET && method != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
        }
        let state = self.lifecycle.state();
        match path {
            "/healthz" => plain(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" if state == State::Running => plain(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", state.name())),
            "/metrics" => self.metrics().await,
            "/status" => self.status(state).await,
            _ => {
                plain(StatusCode::NOT_FOUND, "/metrics, /status, /healthz and /readyz are here\n".to_owned())
            }
        }
    }

    async fn metrics(&self) -> Response<Body> {
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        let shown = self.shown.read().clone();
        let permit = self.scrapes.clone().acquire_owned().await;
        let (Some(Shown { collector, .. }), Ok(permit)) = (shown, permit) else {
            return typed(StatusCode::OK, TEXT, Full::new(Bytes::new()).boxed());
        };
        let (sender, mut pieces) = mpsc::channel::<String>(PIECES);
        let handle = Handle::current();
        tokio::task::spawn_blocking(move || {
            // The scrape ends with its last piece, or when the client takes none.
            collector.tell(Exposition::new(move |piece| {
                handle.block_on(sender.send_timeout(piece, SLOWEST_SCRAPER)).is_ok()
            }));
            drop(permit);
        });
        let frames = stream::poll_fn(move |cx| {
            pieces.poll_recv(cx).map(|piece| Some(Ok(Frame::data(Bytes::from(piece?)))))
        });
        typed(StatusCode::OK, TEXT, BodyExt::boxed(StreamBody::new(frames)))
    }

    async fn status(&self, state: State) -> Response<Body> {
        let broker = self.shown.read().as_ref().map(|shown| shown.broker.clone());
        let loading = self.loading.read().clone();
        // All partitions are looked at: not on a thread that serves requests.
        let made =
            tokio::task::spawn_blocking(move || status::status(state, loading.as_ref(), broker.as_deref()));
        let (code, text) = match made.await {
            Ok(status) => (StatusCode::OK, format!("{status}\n")),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        };
        let json = HeaderValue::from_static("application/json");
        typed(code, json, Full::new(Bytes::from(text)).boxed())
    }
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    typed(status, kind, Full::new(Bytes::from(text)).boxed())
}

fn typed(status: StatusCode, kind: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The HTTP listener can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("vltava.metrics.listener={address}: {source}")]
pub struct HttpError {
    address: String,
    source: io::Error,
}

/// A listener that serves [`Pages`].
#[derive(Debug)]
pub struct HttpListener {
    socket: TcpListener,
    address: SocketAddr,
}

impl HttpListener {
    /// Opens `host:port` (or `:port` for all addresses; port 0 takes a free one). Must be called within a runtime.
    pub fn bind(address: &str) -> Result<Self, HttpError> {
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
        open().map_err(|source| HttpError { address: address.to_owned(), source })
    }

    /// The address that it has.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped.
    pub async fn serve(self, pages: Arc<Pages>) {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let stream = match self.socket.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!("accepting on the HTTP listener: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let pages = pages.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request: Request<Incoming>| {
                    let pages = pages.clone();
                    async move { Ok::<_, Infallible>(pages.answer(request.method(), request.uri().path()).await) }
                });
                let served = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD_TIMEOUT)
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
                if let Err(error) = served {
                    tracing::debug!("an HTTP connection ended: {error}");
                }
                drop(permit);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_broker_is_alive_before_it_is_ready_and_ready_until_it_stops() {
        let pages = Arc::new(Pages::default());
        let listener = HttpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.address();
        tokio::spawn(listener.serve(pages.clone()));
        for (state, ready) in [
            (State::Starting, "503"),
            (State::Recovering, "503"),
            (State::Running, "200"),
            (State::Stopping, "503"),
        ] {
            pages.lifecycle.advance(state);
            assert!(get(address, "/healthz").await.starts_with("HTTP/1.0 200"));
            let answer = get(address, "/readyz").await;
            assert!(answer.starts_with(&format!("HTTP/1.0 {ready}")), "{state:?}: {answer}");
            assert!(ready == "200" || answer.ends_with(&format!("{}\n", state.name())));
            let status = get(address, "/status").await;
            assert!(status.contains(&format!("\"state\":\"{}\"", state.name())), "{status}");
        }
        assert!(get(address, "/nothing").await.starts_with("HTTP/1.0 404"));
    }

    #[tokio::test]
    async fn an_address_that_cant_be_opened_is_named_with_its_key() {
        let taken = HttpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.address().to_string();
        let error = HttpListener::bind(&address).unwrap_err().to_string();
        assert!(error.starts_with(&format!("vltava.metrics.listener={address}: ")), "{error}");
    }
}
