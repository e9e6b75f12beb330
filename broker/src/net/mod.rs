//! From sockets to requests, and from responses to sockets.
//!
//! [`Network`] is all connections of a broker, over all its listeners. Each connection is one task on the runtime that [`runtime`] builds; handlers
//! run on it, so that a request that needs nothing but memory and the page cache is answered without changing threads.

mod complaints;
mod connection;
mod frame;
mod listener;
mod memory;
mod outgoing;
mod quotas;
mod registry;
mod request;
mod response;
pub mod runtime;
mod service;

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use frame::{Frame, InvalidLength};
pub use listener::{BindError, Listener, ListenerCounts, ListenerSpec};
pub use memory::{RequestMemory, Reservation};
pub use quotas::{ConnectionLimits, ListenerLimits};
pub use request::{Principal, RequestContext};
pub use response::{Answer, Later, Order, Piece, Refusal, Response};
pub use vltava_log::FileSlice;

pub use service::{ConnectionInfo, Service};

pub(crate) use complaints::Complaints;
use quotas::ConnectionQuotas;
use registry::{Holding, Registry, Told};

/// What bounds all connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest frame, `socket.request.max.bytes`.
    pub request_max_bytes: usize,
    /// The memory that requests may hold together, `queued.max.request.bytes`.
    pub request_memory: Option<u64>,
    /// How long a connection may be silent, `connections.max.idle.ms`.
    pub idle: Option<Duration>,
    /// How long a client may hold memory for a request and send nothing more of it, or for a response and take nothing more of it, while others wait for such
    /// memory.
    pub stall: Duration,
    /// `socket.send.buffer.bytes`; `None` leaves it to the kernel.
    pub send_buffer: Option<usize>,
    /// `socket.receive.buffer.bytes`; `None` leaves it to the kernel.
    pub receive_buffer: Option<usize>,
    /// How many connections.
    pub connections: ConnectionLimits,
}

/// All connections of a broker.
#[derive(Debug)]
pub struct Network {
    limits: Limits,
    memory: Arc<RequestMemory>,
    registry: Registry,
    quotas: ConnectionQuotas,
    complaints: Complaints,
    anonymous: Principal,
    stopping: CancellationToken,
    /// Listeners and connections.
    tasks: TaskTracker,
}

impl Network {
    /// A network without listeners.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            memory: RequestMemory::new(limits.request_memory),
            registry: Registry::new(),
            quotas: ConnectionQuotas::new(limits.connections.clone()),
            complaints: Complaints::new(),
            anonymous: listener::anonymous(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            limits,
        })
    }

    /// Serves a listener's connections, and those in its backlog, until [`Self::stop`]. Must be called within the runtime.
    pub fn serve(self: &Arc<Self>, listener: Listener, service: Arc<dyn Service>) {
        self.tasks.spawn(listener.serve(self.clone(), service));
    }

    /// Ends idle and stalled connections until [`Self::stop`]. `responses` is the budget that responses may hold memory of. To be called once, within the
    /// runtime.
    pub fn reap(self: &Arc<Self>, responses: Arc<RequestMemory>) {
        for (memory, what) in [(self.memory.clone(), Holding::Request), (responses, Holding::Response)] {
            let network = self.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = network.stopping.cancelled() => {}
                    () = network.registry.end_stalled(&memory, what, network.limits.stall) => {}
                }
            });
        }
        if let Some(limit) = self.limits.idle {
            let network = self.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = network.stopping.cancelled() => {}
                    () = network.registry.sweep(limit) => {}
                }
            });
        }
    }

    /// Replaces the limits on the number of connections, for those that come.
    pub fn set_connection_limits(&self, limits: ConnectionLimits) {
        self.quotas.set_limits(limits);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.registry.len()
    }

    /// The memory that requests hold.
    pub fn memory(&self) -> &RequestMemory {
        &self.memory
    }

    /// Stops accepting and reading, answers the requests that have come whole, and closes; what is not answered after `grace` is cut off.
    pub async fn stop(&self, grace: Duration) {
        self.stopping.cancel();
        self.registry.tell_all(Told::Drain);
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!("{} connections were still being answered after {grace:?}", self.registry.len());
            self.registry.tell_all(Told::End);
            let _ = tokio::time::timeout(Duration::from_secs(1), self.tasks.wait()).await;
        }
    }

    async fn run(&self, connection: connection::Connection) {
        listener::run(self, connection).await;
    }
}
