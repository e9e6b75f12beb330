//! Listening sockets.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::{
    Network,
    connection::{Connection, End},
    quotas::Admitted,
    request::Principal,
    service::{ConnectionInfo, Service},
};
use crate::metrics::{Counter, Gauge};

/// How long accepting pauses when the process has no file descriptor or memory for one more connection.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(250);

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSpec {
    /// The listener's name, as in `listeners`: `PLAINTEXT`, `EXTERNAL`.
    pub name: String,
    /// Host name or address; empty is all addresses.
    pub host: String,
    /// 0 lets the kernel choose.
    pub port: u16,
}

/// A listener that can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("Socket server failed to bind listener {name} to {host}:{port}: {source}")]
pub struct BindError {
    name: String,
    host: String,
    port: u16,
    source: io::Error,
}

/// What a listener counts.
#[derive(Debug, Default)]
pub struct ListenerCounts {
    /// Connections open now.
    pub connections: Gauge,
    /// Connections accepted.
    pub accepted: Counter,
    /// Connections closed at once because of a limit.
    pub rejected: Counter,
    /// Bytes read.
    pub bytes_in: Counter,
    /// Bytes sent.
    pub bytes_out: Counter,
}

/// A socket that listens; connections wait in its backlog until it is served.
#[derive(Debug)]
pub struct Listener {
    name: Arc<str>,
    socket: TcpListener,
    address: SocketAddr,
    counts: Arc<ListenerCounts>,
}

impl Listener {
    /// Opens a listener. `backlog` is `socket.listen.backlog.size`. Must be called within the runtime.
    pub fn bind(spec: &ListenerSpec, backlog: i32) -> Result<Self, BindError> {
        let failed =
            |source| BindError { name: spec.name.clone(), host: spec.host.clone(), port: spec.port, source };
        let socket = open(spec, backlog).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { name: spec.name.as_str().into(), socket, address, counts: Arc::default() })
    }

    /// The listener's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address that it has, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it counts.
    pub fn counts(&self) -> &Arc<ListenerCounts> {
        &self.counts
    }

    /// Accepts connections until `network` stops.
    pub(crate) async fn serve(self, network: Arc<Network>, service: Arc<dyn Service>) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = network.stopping.cancelled() => return,
                accepted = self.accept(&network) => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, &network, &service),
                // The client has gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    network.complaints.warn(format_args!("Accepting on listener {}: {error}", self.name));
                    tokio::time::sleep(OUT_OF_RESOURCES).await;
                }
            }
        }
    }

    async fn accept(&self, network: &Network) -> io::Result<(TcpStream, SocketAddr)> {
        network.quotas.room(&self.name).await;
        self.socket.accept().await
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, network: &Arc<Network>, service: &Arc<dyn Service>) {
        self.counts.accepted.increment();
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        match network.quotas.acquire(&self.name, peer.ip()) {
            Ok(Admitted::Free) => {}
            Ok(Admitted::InPlaceOfAnother) => network.registry.end_longest_silent(),
            Err(refused) => {
                self.counts.rejected.increment();
                network.complaints.warn(format_args!("Rejected connection from {peer}: {refused}"));
                return;
            }
        }
        let limits = &network.limits;
        let socket = SockRef::from(&stream);
        // A socket that refuses an option (its peer has reset it) fails at its first read.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_keepalive(true);
        if let Some(bytes) = limits.send_buffer {
            let _ = socket.set_send_buffer_size(bytes);
        }
        if let Some(bytes) = limits.receive_buffer {
            let _ = socket.set_recv_buffer_size(bytes);
        }
        let info = ConnectionInfo {
            id: 0,
            listener: self.name.clone(),
            peer,
            principal: network.anonymous.clone(),
            client_id: None,
        };
        let connection = Connection::new(stream, info, network.clone(), service.clone(), self.counts.clone());
        let this = network.clone();
        network.tasks.spawn(async move { this.run(connection).await });
    }
}

fn open(spec: &ListenerSpec, backlog: i32) -> io::Result<TcpListener> {
    let candidates: Vec<SocketAddr> = if spec.host.is_empty() {
        // One socket for both families where there is IPv6, as the JVM's.
        vec![SocketAddr::from(([0_u16; 8], spec.port)), SocketAddr::from(([0_u8; 4], spec.port))]
    } else {
        (spec.host.as_str(), spec.port).to_socket_addrs()?.collect()
    };
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in candidates {
        match open_at(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn open_at(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restarted broker takes its port back although old connections linger.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// Runs a connection and says why it ended, if somebody should know.
pub(crate) async fn run(network: &Network, connection: Connection) {
    let (id, peer, listener) = {
        let info = connection.info();
        (info.id, info.peer, info.listener.clone())
    };
    match connection.await {
        end @ (End::Length(_) | End::Refused(_)) => {
            network.complaints.warn(format_args!("Closing connection {id} from {peer} on {listener}: {end}"));
        }
        end => tracing::debug!(connection = id, %peer, %listener, "Connection ended: {end}"),
    }
}

/// The principal of everybody, until authentication is built.
pub(crate) fn anonymous() -> Principal {
    Principal::anonymous()
}
