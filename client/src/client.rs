//! A client of a whole cluster.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vltava_protocol::messages::{
    ApiVersionsResponse, FindCoordinatorRequest, MetadataRequest, MetadataResponse,
    metadata::MetadataRequestTopic,
};
use vltava_protocol::wire::{IntoOwned, Message, Request};

use crate::connection::Connection;
use crate::error::{ApiError, ClientError};

/// How long to wait before an answer that said "not yet" is asked for again.
const RETRY: Duration = Duration::from_millis(100);

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// `host:port` of brokers to begin with.
    pub bootstrap: Vec<String>,
    /// The client id of every request.
    pub client_id: String,
    /// How long one question may take, retries included.
    pub timeout: Duration,
}

impl Options {
    /// From a comma-separated list of `host:port`.
    ///
    /// # Errors
    /// [`ClientError::Address`] naming the first entry that is not `host:port`.
    pub fn new(bootstrap: &str) -> Result<Options, ClientError> {
        let entries = bootstrap.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let bootstrap: Vec<String> = entries
            .map(|entry| {
                // A listener's name in front, as old configurations have it, says nothing to a client.
                let address = entry.rsplit_once("://").map_or(entry, |(_, address)| address);
                let port =
                    address.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then_some(port));
                match port.map(str::parse::<u16>) {
                    Some(Ok(_)) => Ok(address.to_owned()),
                    _ => Err(ClientError::Address(entry.to_owned())),
                }
            })
            .collect::<Result<_, _>>()?;
        if bootstrap.is_empty() {
            return Err(ClientError::Address("the list is empty".to_owned()));
        }
        Ok(Options { bootstrap, client_id: "vltava-admin".to_owned(), timeout: Duration::from_secs(60) })
    }
}

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node<'a> {
    /// Any broker.
    Any,
    /// The controller, as a broker tells.
    Controller,
    /// A broker by id.
    Broker(i32),
    /// The coordinator of a consumer group.
    Coordinator(&'a str),
}

/// A client of a whole cluster. One question at a time.
#[derive(Debug)]
pub struct Client {
    options: Options,
    connections: HashMap<String, Connection>,
    /// `host:port` of every broker by id.
    brokers: HashMap<i32, String>,
    controller: i32,
}

impl Client {
    /// Connects to the first broker of the list that answers and learns of the others.
    ///
    /// # Errors
    /// When none answers.
    pub async fn connect(options: Options) -> Result<Client, ClientError> {
        let mut client =
            Client { options, connections: HashMap::new(), brokers: HashMap::new(), controller: -1 };
        client.refresh().await?;
        Ok(client)
    }

    /// The options that it was made with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The ids and addresses of the brokers, as of the last look.
    #[must_use]
    pub fn brokers(&self) -> Vec<(i32, String)> {
        let mut brokers: Vec<_> = self.brokers.iter().map(|(id, address)| (*id, address.clone())).collect();
        brokers.sort_unstable();
        brokers
    }

    /// Learns the brokers and the controller anew.
    ///
    /// # Errors
    /// When no broker answers.
    pub async fn refresh(&mut self) -> Result<(), ClientError> {
        self.metadata(Some(&[])).await.map(|_| ())
    }

    /// Metadata of some topics (`None`: all), none of which is created by asking.
    ///
    /// # Errors
    /// When no broker answers.
    pub async fn metadata(
        &mut self,
        topics: Option<&[&str]>,
    ) -> Result<MetadataResponse<'static>, ClientError> {
        let named = |name: &&str| MetadataRequestTopic {
            name: Some((*name).to_owned().into()),
            ..Default::default()
        };
        let mut request = MetadataRequest {
            topics: topics.map(|topics| topics.iter().map(named).collect()),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        // Version 0 means all topics by an empty list and cannot ask for none; up to version 3 it cannot decline creation.
        let version = self.version::<MetadataRequest<'_>>(Node::Any, i16::MAX).await?;
        if version < 4 {
            request.allow_auto_topic_creation = true;
        }
        if version == 0 && request.topics.is_none() {
            request.topics = Some(Vec::new());
        }
        let response = self.ask_at(Node::Any, &request, version).await?;
        self.brokers =
            response.brokers.iter().map(|b| (b.node_id, format!("{}:{}", b.host, b.port))).collect();
        self.controller = response.controller_id;
        Ok(response)
    }

    /// The version in which `R` would be asked of a node, at most `highest`.
    ///
    /// # Errors
    /// When the node cannot be reached or has no version in common with us.
    pub async fn version<R: Request>(&mut self, node: Node<'_>, highest: i16) -> Result<i16, ClientError> {
        self.connection(node).await?.version(R::KEY, highest)
    }

    /// What a broker answered to ApiVersions; nothing from one before 0.10.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn api_versions(
        &mut self,
        node: Node<'_>,
    ) -> Result<Option<ApiVersionsResponse<'static>>, ClientError> {
        Ok(self.connection(node).await?.features().cloned())
    }

    /// Asks a node in the highest version that both speak.
    ///
    /// # Errors
    /// When there is no answer. What the answer says is the caller's to read.
    pub async fn ask<'r, R>(
        &mut self,
        node: Node<'_>,
        request: &R,
    ) -> Result<R::Response<'static>, ClientError>
    where
        R: Request + Message<'r>,
        for<'b> R::Response<'b>: IntoOwned<Owned = R::Response<'static>>,
    {
        let version = self.version::<R>(node, i16::MAX).await?;
        self.ask_at(node, request, version).await
    }

    /// Asks a node in one version, which [`Client::version`] gave.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask_at<'r, R>(
        &mut self,
        node: Node<'_>,
        request: &R,
        version: i16,
    ) -> Result<R::Response<'static>, ClientError>
    where
        R: Request + Message<'r>,
        for<'b> R::Response<'b>: IntoOwned<Owned = R::Response<'static>>,
    {
        let (address, connection) = self.connection_at(node).await?;
        let answer = connection.ask(request, version).await;
        if let Err(
            ClientError::Connection { .. } | ClientError::Timeout { .. } | ClientError::Answer { .. },
        ) = answer
        {
            // Whatever is still on its way there would be taken for the next answer.
            self.connections.remove(&address);
        }
        answer
    }

    /// Asks again and again, looking for the node anew each time, until `verdict` says that the answer stands or time is up.
    ///
    /// # Errors
    /// When there is no answer, or the last verdict.
    pub async fn ask_until<'r, R, T>(
        &mut self,
        node: Node<'_>,
        request: &R,
        verdict: impl Fn(R::Response<'static>) -> Result<T, ApiError>,
    ) -> Result<T, ClientError>
    where
        R: Request + Message<'r>,
        for<'b> R::Response<'b>: IntoOwned<Owned = R::Response<'static>>,
    {
        let end = Instant::now() + self.options.timeout;
        loop {
            let error = match self.ask(node, request).await.map(&verdict) {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if error.code.is_retriable() => ClientError::Api(error),
                Ok(Err(error)) => return Err(error.into()),
                Err(error @ ClientError::Connection { .. }) => error,
                Err(ClientError::Api(error)) if error.code.is_retriable() => ClientError::Api(error),
                Err(error) => return Err(error),
            };
            if Instant::now() + RETRY >= end {
                return Err(error);
            }
            sleep(RETRY).await;
            self.refresh().await?;
        }
    }

    async fn connection(&mut self, node: Node<'_>) -> Result<&mut Connection, ClientError> {
        self.connection_at(node).await.map(|(_, connection)| connection)
    }

    async fn connection_at(&mut self, node: Node<'_>) -> Result<(String, &mut Connection), ClientError> {
        let address = match node {
            Node::Any => return self.any().await,
            Node::Broker(id) => self.address_of(id)?,
            Node::Controller => match self.brokers.get(&self.controller) {
                Some(address) => address.clone(),
                // Metadata v0 does not tell; such a broker has no API that only a controller answers.
                None => return self.any().await,
            },
            Node::Coordinator(group) => Box::pin(self.coordinator_of(group)).await?.1,
        };
        let connection = match self.connections.entry(address.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(Connection::open(&address, &self.options.client_id, self.options.timeout).await?)
            }
        };
        Ok((address, connection))
    }

    fn address_of(&self, id: i32) -> Result<String, ClientError> {
        let address = self.brokers.get(&id).cloned();
        address.ok_or_else(|| ClientError::NoSuchNode(format!("broker {id} is not alive")))
    }

    async fn any(&mut self) -> Result<(String, &mut Connection), ClientError> {
        let known: Vec<String> =
            self.options.bootstrap.iter().chain(self.brokers.values()).cloned().collect();
        let open = known.iter().find(|address| self.connections.contains_key(*address)).cloned();
        let address = match open {
            Some(address) => address,
            None => self.open_first(known).await?,
        };
        match self.connections.get_mut(&address) {
            Some(connection) => Ok((address, connection)),
            None => Err(ClientError::NoSuchNode(format!("no connection to {address}"))),
        }
    }

    async fn open_first(&mut self, addresses: Vec<String>) -> Result<String, ClientError> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in &addresses {
            match Connection::open(address, &self.options.client_id, self.options.timeout).await {
                Ok(connection) => {
                    self.connections.insert(address.clone(), connection);
                    return Ok(address.clone());
                }
                Err(ClientError::Connection { source, .. }) => last = source,
                Err(error) => return Err(error),
            }
        }
        Err(ClientError::Unreachable { addresses: addresses.join(","), source: last })
    }

    /// Id and `host:port` of a group's coordinator, which may take a moment to exist in a fresh cluster.
    ///
    /// # Errors
    /// When none is found in time.
    pub async fn coordinator_of(&mut self, group: &str) -> Result<(i32, String), ClientError> {
        let end = Instant::now() + self.options.timeout;
        loop {
            let version = self.version::<FindCoordinatorRequest<'_>>(Node::Any, i16::MAX).await?;
            let mut request = FindCoordinatorRequest::default();
            if version >= 4 {
                request.coordinator_keys = vec![group.into()];
            } else {
                request.key = group.into();
            }
            let mut found = self.ask_at(Node::Any, &request, version).await?;
            let (code, message, id, host, port) = match found.coordinators.pop() {
                Some(one) if version >= 4 => {
                    (one.error_code, one.error_message, one.node_id, one.host, one.port)
                }
                _ => (found.error_code, found.error_message, found.node_id, found.host, found.port),
            };
            match ApiError::check(code, message.as_deref()) {
                Ok(()) => return Ok((id, format!("{host}:{port}"))),
                Err(error) if error.code.is_retriable() && Instant::now() + RETRY < end => sleep(RETRY).await,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
