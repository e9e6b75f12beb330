//! The HTTP listener for machines that watch: `/metrics`, `/status`, `/healthz`, `/readyz`.
//!
//! `/healthz` answers 200 as long as the process answers at all: a broker that recovers its logs for an hour is alive. `/readyz` answers 200 while the
//! broker serves, else 503 with its state; a lost ZooKeeper does not change it, since partitions go on serving. `/status` is for an operator who decides.
//!
//! A program that is no broker and has metrics to show is a [`Site`] of [`Figures`].

mod figures;
mod listener;
mod scrape;

use std::{io, sync::Arc};

use bytes::Bytes;
pub use figures::Figures;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
pub use listener::{HttpError, HttpListener};
use parking_lot::RwLock;
use scrape::Scrapes;

use crate::{
    Broker,
    lifecycle::{Lifecycle, State},
    metrics::Collector,
    status::{self, Loading},
};

/// A whole text, or one that comes in pieces.
pub type Body = BoxBody<Bytes, io::Error>;

/// Pages that an [`HttpListener`] serves.
pub trait Site: Send + Sync + 'static {
    /// Answers a request.
    fn answer(&self, method: &Method, path: &str) -> impl Future<Output = Response<Body>> + Send;
}

/// What the pages show.
#[derive(Debug, Default)]
pub struct Pages {
    /// Where the broker is.
    pub lifecycle: Lifecycle,
    /// How far it is in opening its logs.
    pub loading: RwLock<Option<Loading>>,
    shown: RwLock<Option<Shown>>,
    scrapes: Scrapes,
}

/// What there is as soon as the logs are open.
#[derive(Debug, Clone)]
struct Shown {
    broker: Arc<Broker>,
    collector: Arc<Collector>,
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

    async fn metrics(&self) -> Response<Body> {
        let collector = self.shown.read().as_ref().map(|shown| shown.collector.clone());
        self.scrapes.page(collector).await
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

impl Site for Pages {
    async fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        if let Some(refused) = refuse(method) {
            return refused;
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
}

/// Pages are only read.
fn refuse(method: &Method) -> Option<Response<Body>> {
    let reads = method == Method::GET || method == Method::HEAD;
    (!reads).then(|| plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned()))
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
        let listener = HttpListener::bind("listener", "127.0.0.1:0").unwrap();
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
