//! The page of metrics, told in pieces as a scraper takes them.

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
use http_body_util::{BodyExt, StreamBody};
use hyper::{Response, StatusCode, body::Frame, header::HeaderValue};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
};

use super::{Body, typed, whole};
use crate::metrics::{Collector, Exposition};

/// Scrapes at once: each reads all partitions on a thread of its own.
const SCRAPES: usize = 2;
/// Pieces of a scrape that wait for the client.
const PIECES: usize = 4;
/// How long a scraper may take to take a piece before it is given up.
const SLOWEST_SCRAPER: Duration = Duration::from_secs(10);

/// A bound on scrapes.
#[derive(Debug)]
pub(super) struct Scrapes(Arc<Semaphore>);

impl Default for Scrapes {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SCRAPES)))
    }
}

impl Scrapes {
    /// What the collector tells; nothing while there is none.
    pub(super) async fn page(&self, collector: Option<Arc<Collector>>) -> Response<Body> {
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        let permit = self.0.clone().acquire_owned().await;
        let (Some(collector), Ok(permit)) = (collector, permit) else {
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
}
