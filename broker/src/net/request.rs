//! What a handler knows about a request beyond its body.

use std::{net::SocketAddr, sync::Arc};

use vltava_protocol::ApiKey;

/// Who sent a request. Until authentication is built everybody is `User:ANONYMOUS`, as on a PLAINTEXT listener of Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// The principal of a connection that has not authenticated.
    pub fn anonymous() -> Self {
        Self("User:ANONYMOUS".into())
    }

    /// `type:name`, as in ACLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The header of a request and the connection it came by. Cloning it counts references, nothing more.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The API.
    pub api_key: ApiKey,
    /// The version of request and response.
    pub version: i16,
    /// Echoed in the response.
    pub correlation_id: i32,
    /// As the client named itself; `None` also in the headers of version 0, which carry none.
    pub client_id: Option<Arc<str>>,
    /// The name of the listener that accepted the connection: answers advertise the endpoints of the same name.
    pub listener: Arc<str>,
    /// The client's address.
    pub peer: SocketAddr,
    /// Who the client is.
    pub principal: Principal,
    /// Identifies the connection among all of this broker's life.
    pub connection: u64,
}
