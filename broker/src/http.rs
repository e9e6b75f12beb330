//! The HTTP listener for machines that watch: `/metrics`, `/healthz`, `/readyz`.
//!
//! `/healthz` answers 200 as long as the process answers at all: a broker that recovers its logs for an hour is alive. `/readyz` answers 200 while the
//! broker serves, else 503 with its state.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::RwLock;
use prometheus::{Registry, TextEncoder};
use tokio::{net::TcpListener, sync::Semaphore};

use crate::lifecycle::{Lifecycle, State};

/// Connections at once: a scraper, some probes, an operator.
const CONNECTIONS: usize = 64;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What the pages show.
#[derive(Debug, Default)]
pub struct Pages {
    /// Where the broker is.
    pub lifecycle: Lifecycle,
    /// Set as soon as there is something to count.
    registry: RwLock<Option<Registry>>,
}

impl Pages {
    /// From now on `/metrics` shows what `registry` gathers.
    pub fn show(&self, registry: Registry) {
        *self.registry.write() = Some(registry);
    }

    /// From now on there is nothing to count.
    pub fn hide(&self) {
        *self.registry.write() = None;
    }

    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if method != Method::GET && method != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
        }
        let state = self.lifecycle.state();
        match path {
            "/healthz" => plain(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" if state == State::Running => plain(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", state.name())),
            "/metrics" => self.metrics(),
            _ => plain(StatusCode::NOT_FOUND, "/metrics, /healthz and /readyz are here\n".to_owned()),
        }
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let families = self.registry.read().as_ref().map(Registry::gather).unwrap_or_default();
        match TextEncoder::new().encode_to_string(&families) {
            Ok(text) => {
                let mut response = plain(StatusCode::OK, text);
                let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
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
                    let response = pages.answer(request.method(), request.uri().path());
                    async move { Ok::<_, Infallible>(response) }
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
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
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
            assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
            let answer = get(address, "/readyz").await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {ready}")), "{state:?}: {answer}");
            assert!(ready == "200" || answer.ends_with(&format!("{}\n", state.name())));
        }
        assert!(get(address, "/nothing").await.starts_with("HTTP/1.1 404"));
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text() {
        let pages = Arc::new(Pages::default());
        pages.show(crate::metrics::registry(Vec::new()).unwrap());
        let listener = HttpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.address();
        tokio::spawn(listener.serve(pages));
        let answer = get(address, "/metrics").await;
        assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("# TYPE process_open_fds gauge\n"), "{answer}");
    }

    #[tokio::test]
    async fn an_address_that_cant_be_opened_is_named_with_its_key() {
        let taken = HttpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.address().to_string();
        let error = HttpListener::bind(&address).unwrap_err().to_string();
        assert!(error.starts_with(&format!("vltava.metrics.listener={address}: ")), "{error}");
    }
}
