//! One connection to one broker: a request, its answer, the versions that both speak.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vltava_protocol::frame::{decode_response, encode_request};
use vltava_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use vltava_protocol::wire::{IntoOwned, Message, Request};
use vltava_protocol::{ApiKey, ErrorCode};

use crate::error::ClientError;

/// An answer larger than this is no answer to an administrator's question.
const MAX_ANSWER: usize = 100 * 1024 * 1024;

/// A connection to one broker, on which requests are answered one after the other. After an error other than
/// [`ClientError::Unsupported`] and [`ClientError::Request`] it is of no use: an answer may still be on its way.
#[derive(Debug)]
pub struct Connection {
    address: String,
    stream: TcpStream,
    client_id: String,
    limit: Duration,
    next_correlation: i32,
    /// The broker's lowest and highest version of each API; empty for one before 0.10, which has no ApiVersions.
    versions: HashMap<i16, (i16, i16)>,
    features: Option<ApiVersionsResponse<'static>>,
}

impl Connection {
    /// Connects to `host:port` and asks what it speaks. `limit` is for each step, and each answer after.
    ///
    /// # Errors
    /// When there is no broker, or it does not answer.
    pub async fn open(address: &str, client_id: &str, limit: Duration) -> Result<Connection, ClientError> {
        let mut connection = Connection::connect(address, client_id, limit).await?;
        match connection.negotiate().await {
            Ok(()) => Ok(connection),
            // Before 0.10 a broker closes the connection on a request that it does not know. It speaks version 0 of everything.
            Err(ClientError::Connection { source, .. }) if closed(&source) => {
                Connection::connect(address, client_id, limit).await
            }
            Err(error) => Err(error),
        }
    }

    async fn connect(address: &str, client_id: &str, limit: Duration) -> Result<Connection, ClientError> {
        let broken = |source| ClientError::Connection { address: address.to_owned(), source };
        let stream = timeout(limit, TcpStream::connect(address))
            .await
            .map_err(|_| broken(io::ErrorKind::TimedOut.into()))?
            .map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Connection {
            address: address.to_owned(),
            stream,
            client_id: client_id.to_owned(),
            limit,
            next_correlation: 0,
            versions: HashMap::new(),
            features: None,
        })
    }

    async fn negotiate(&mut self) -> Result<(), ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: "vltava".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
            ..ApiVersionsRequest::default()
        };
        let mut response = self.ask_versions(&request, 3).await?;
        // A broker that does not know version 3 says so in version 0. From 2.4 on it says with it what it does know (KIP-511); one
        // before has to be asked again.
        if response.error_code == ErrorCode::UnsupportedVersion as i16 && response.api_keys.is_empty() {
            response = self.ask_versions(&ApiVersionsRequest::default(), 0).await?;
        }
        self.versions =
            response.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version))).collect();
        self.features = Some(response);
        Ok(())
    }

    async fn ask_versions(
        &mut self,
        request: &ApiVersionsRequest<'_>,
        version: i16,
    ) -> Result<ApiVersionsResponse<'static>, ClientError> {
        let (frame, correlation) = self.exchange(request, version).await?;
        let garbage = |error| ClientError::garbage(&self.address, ApiKey::ApiVersions.name(), &error);
        let unsupported = frame.get(4..6) == Some(&i16::to_be_bytes(ErrorCode::UnsupportedVersion as i16));
        let version = if unsupported { 0 } else { version };
        let (answered, response) =
            decode_response::<ApiVersionsRequest<'_>>(&frame, version).map_err(garbage)?;
        self.expect(ApiKey::ApiVersions, correlation, answered)?;
        Ok(response.into_owned())
    }

    /// What the broker answered to ApiVersions; nothing from one before 0.10.
    pub(crate) fn features(&self) -> Option<&ApiVersionsResponse<'static>> {
        self.features.as_ref()
    }

    /// The highest version that the broker, we and the caller (`highest`) have in common.
    ///
    /// # Errors
    /// [`ClientError::Unsupported`] when there is none.
    pub fn version(&self, key: ApiKey, highest: i16) -> Result<i16, ClientError> {
        let ours = key.versions();
        let unsupported = || ClientError::Unsupported { address: self.address.clone(), api: key.name() };
        if self.versions.is_empty() {
            return if ours.contains(0) { Ok(0) } else { Err(unsupported()) };
        }
        let (low, high) = self.versions.get(&key.into()).copied().ok_or_else(unsupported)?;
        let version = high.min(highest).min(ours.last);
        if version >= low && ours.contains(version) { Ok(version) } else { Err(unsupported()) }
    }

    /// Asks, in a version that [`Connection::version`] gave.
    ///
    /// # Errors
    /// When there is no answer. What the answer says is the caller's to read.
    pub async fn ask<'r, R>(&mut self, request: &R, version: i16) -> Result<R::Response<'static>, ClientError>
    where
        R: Request + Message<'r>,
        for<'b> R::Response<'b>: IntoOwned<Owned = R::Response<'static>>,
    {
        let (frame, correlation) = self.exchange(request, version).await?;
        let (answered, response) = decode_response::<R>(&frame, version)
            .map_err(|error| ClientError::garbage(&self.address, R::KEY.name(), &error))?;
        self.expect(R::KEY, correlation, answered)?;
        Ok(response.into_owned())
    }

    fn expect(&self, key: ApiKey, correlation: i32, answered: i32) -> Result<(), ClientError> {
        if answered == correlation {
            return Ok(());
        }
        let reason = format!("correlation id {answered} instead of {correlation}");
        Err(ClientError::Answer { address: self.address.clone(), api: key.name(), reason })
    }

    async fn exchange<'r, R: Request + Message<'r>>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<(Vec<u8>, i32), ClientError> {
        let api = R::KEY.name();
        let correlation = self.next_correlation;
        self.next_correlation = self.next_correlation.wrapping_add(1);
        let frame = encode_request(correlation, Some(&self.client_id), version, request)
            .map_err(|source| ClientError::Request { api, version, source })?;
        let limit = self.limit;
        let answer = timeout(limit, exchange(&mut self.stream, &frame))
            .await
            .map_err(|_| ClientError::Timeout { address: self.address.clone(), api })?
            .map_err(|source| ClientError::Connection { address: self.address.clone(), source })?;
        Ok((answer, correlation))
    }
}

fn closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

async fn exchange(stream: &mut TcpStream, frame: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(frame).await?;
    let length = stream.read_i32().await?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_ANSWER);
    let Some(length) = length else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer's size is out of bounds"));
    };
    // Grows with what arrives, so that a peer that only announces a large answer takes no memory.
    let mut answer = Vec::new();
    let read = stream.take(length as u64).read_to_end(&mut answer).await?;
    if read == length { Ok(answer) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
