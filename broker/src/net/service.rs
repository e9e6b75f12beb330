//! What the network layer serves: it knows frames and answers, not APIs.

use std::{net::SocketAddr, sync::Arc};

use super::{
    frame::Frame,
    request::Principal,
    response::{Answer, Order},
};

/// Serves requests.
pub trait Service: Send + Sync + 'static {
    /// Begins a request. It runs on a network thread and must not block on a disk that may be slow; what must happen in the connection's order
    /// happens before it returns.
    fn begin(&self, connection: &mut ConnectionInfo, frame: Frame) -> (Answer, Order);
}

/// What is known about a connection, and remembered from one of its requests to the next.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// Unique in this broker's life.
    pub id: u64,
    /// The name of the listener that accepted it.
    pub listener: Arc<str>,
    /// The client's address.
    pub peer: SocketAddr,
    /// Who the client is.
    pub principal: Principal,
    /// The client id of the last request: most clients never change it, so that it is allocated once.
    pub client_id: Option<Arc<str>>,
}

impl ConnectionInfo {
    /// The counted form of a request's client id.
    pub fn intern_client_id(&mut self, client_id: Option<&str>) -> Option<Arc<str>> {
        if self.client_id.as_deref() != client_id {
            self.client_id = client_id.map(Arc::from);
        }
        self.client_id.clone()
    }
}
