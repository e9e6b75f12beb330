//! The way to the controller, when it is another broker.

use vltava_client::{ClientError, Connection};
use vltava_protocol::wire::{IntoOwned, Message, Request};

use super::{MetadataCache, peers::Peers};

/// Why the controller cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// This broker has not been told who it is.
    #[error("the controller is not known")]
    Unknown,
    /// It has no endpoint on the listener between brokers.
    #[error("the controller, broker {0}, has no endpoint on the listener between brokers")]
    NoEndpoint(i32),
    /// It cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A connection to whoever is the controller, kept from one question to the next.
#[derive(Debug)]
pub(crate) struct Link {
    peers: Peers,
    open: Option<(i32, Connection)>,
}

impl Link {
    pub(crate) fn new(peers: Peers) -> Self {
        Self { peers, open: None }
    }

    /// Asks the broker that `metadata` calls the controller; `request` makes the question in a version.
    pub(crate) async fn ask<R>(
        &mut self,
        metadata: &MetadataCache,
        request: impl FnOnce(i16) -> R,
    ) -> Result<R::Response<'static>, LinkError>
    where
        R: Request + Message<'static>,
        for<'b> R::Response<'b>: IntoOwned<Owned = R::Response<'static>>,
    {
        let (id, address) = {
            let snapshot = metadata.snapshot();
            let id = snapshot.controller().ok_or(LinkError::Unknown)?;
            let broker = snapshot.broker(id).ok_or(LinkError::Unknown)?;
            let (host, port) = broker.endpoint(&self.peers.listener).ok_or(LinkError::NoEndpoint(id))?;
            (id, (host.to_owned(), u16::try_from(port).unwrap_or(0)))
        };
        let (known, mut connection) = match self.open.take() {
            Some((known, connection)) if known == id => (known, connection),
            _ => (id, self.peers.connect(&address).await?),
        };
        let version = self.peers.version_of(&connection, R::KEY)?;
        // Kept only if it answered: an answer may still be on its way otherwise.
        let response = connection.ask(&request(version), version).await?;
        self.open = Some((known, connection));
        Ok(response)
    }
}
