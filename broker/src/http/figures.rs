//! The pages of a program that is no broker: `/metrics`, and `/healthz` while it answers at all.

use std::sync::Arc;

use hyper::{Method, Response, StatusCode};

use super::{Body, Site, plain, refuse, scrape::Scrapes};
use crate::metrics::{Collector, SharedSource};

/// What the pages show.
#[derive(Debug)]
pub struct Figures {
    collector: Arc<Collector>,
    scrapes: Scrapes,
}

impl Figures {
    /// Shows the numbers of these sources, and of the process.
    pub fn new(sources: Vec<SharedSource>) -> Self {
        Self { collector: Arc::new(Collector::new(sources)), scrapes: Scrapes::default() }
    }
}

impl Site for Figures {
    async fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        if let Some(refused) = refuse(method) {
            return refused;
        }
        match path {
            "/metrics" => self.scrapes.page(Some(self.collector.clone())).await,
            "/healthz" => plain(StatusCode::OK, "ok\n".to_owned()),
            _ => plain(StatusCode::NOT_FOUND, "/metrics and /healthz are here\n".to_owned()),
        }
    }
}
