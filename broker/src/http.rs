//! The HTTP listener for machines that watch: `/metrics`, `/status`, `/healthz`, `/readyz`.
//!
//! `/healthz` answers 200 as long as the process answers at all: a broker that recovers its logs for an hour is alive. `/readyz` answers 200 while the
//! broker serves, else 503 with its state; a lost ZooKeeper does not change it, since partitions go on serving. `/status` is for an operator who decides.

mod listener;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Response, StatusCode,
    body::Frame,
    header::{CONTENT_TYPE, HeaderValue},
};
pub use listener::{HttpError, HttpListener};
use parking_lot::RwLock;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
};

use crate::{
    Broker,
    lifecycle::{Lifecycle, State},
    metrics::{Collector, Exposition},
    status::{self, Loading},
};

/// Scrapes at once: each reads all partitions on a thread of its own.
const SCRAPES: usize = 2;
/// Pieces of a scrape that wait for the client.
const PIECES: usize = 4;
/// How long a scraper may take to take a piece before it is given up.
const SLOWEST_SCRAPER: Duration = Duration::from_secs(10);

/// A whole text, or one that comes in pieces.
type Body = BoxBody<Bytes, io::Error>;

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
            return typed(StatusCode::OK, TEXT, whole(String::new()));
        };
        let (sender, mut pieces) = mpsc::channel::<String>(PIECES);
        let given_up = Arc::new(AtomicBool::new(false));
        let handle = Handle::current();
        let gives_up = given_up.clone();
        tokio::task::spawn_blocking(move || {
            // The scrape ends with its last piece, or when the client takes none.
            collector.tell(Exposition::new(move |piece| {
                let taken = handle.block_on(sender.send_timeout(piece, SLOWEST_SCRAPER)).is_ok();
                if !taken {
                    gives_up.store(true, Ordering::Release);
                }
                taken
            }));
            drop(permit);
        });
        // What was given up must not end like a scrape that is whole.
        let frames = stream::poll_fn(move |cx| {
            pieces.poll_recv(cx).map(|piece| match piece {
                Some(piece) => Some(Ok(Frame::data(Bytes::from(piece)))),
                None => given_up.load(Ordering::Acquire).then(|| Err(io::ErrorKind::TimedOut.into())),
            })
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
        typed(code, json, whole(text))
    }
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    typed(status, kind, whole(text))
}

fn whole(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed()
}

fn typed(status: StatusCode, kind: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

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
}
