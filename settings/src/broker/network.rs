//! Listeners, connections and the limits of requests.

use crate::definition::*;
use crate::reason;

keys! {
    /// The sockets this broker listens on, as a list of `NAME://host:port`. An empty host is every address;
    /// port 0 takes a free one.
    LISTENERS: String = string("listeners", "PLAINTEXT://:9092").per_broker().by_restart().high();
    /// What clients are told to connect to, where it is not what `listeners` says.
    ADVERTISED_LISTENERS: Option<String> = optional_string("advertised.listeners")
        .per_broker()
        .by_restart()
        .high();
    /// Which security protocol each listener name speaks, as a list of `NAME:PROTOCOL`.
    LISTENER_SECURITY_PROTOCOL_MAP: String = string("listener.security.protocol.map", "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT")
        .per_broker()
        .by_restart()
        .low();
    /// The listener that brokers use among themselves. Excludes `security.inter.broker.protocol`.
    INTER_BROKER_LISTENER_NAME: Option<String> = optional_string("inter.broker.listener.name").medium();
    /// The security protocol brokers use among themselves, when no listener is named for it.
    SECURITY_INTER_BROKER_PROTOCOL: String = string("security.inter.broker.protocol", "PLAINTEXT")
        .one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
        .medium()
        .refused(reason::TLS_AND_SASL);
    /// A listener of its own for requests of the controller.
    CONTROL_PLANE_LISTENER_NAME: Option<String> = optional_string("control.plane.listener.name")
        .high()
        .refused(reason::CONTROL_PLANE);
    /// Listeners that open before the authorizer is ready.
    EARLY_START_LISTENERS: Option<String> = optional_string("early.start.listeners")
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// SO_SNDBUF of accepted sockets, in bytes; -1 leaves the system's.
    SOCKET_SEND_BUFFER_BYTES: i32 = int("socket.send.buffer.bytes", 102_400).high();
    /// SO_RCVBUF of accepted sockets, in bytes; -1 leaves the system's, and so does not setting it.
    SOCKET_RECEIVE_BUFFER_BYTES: i32 = int("socket.receive.buffer.bytes", 102_400).high();
    /// Connections that may wait to be accepted; the system may allow fewer.
    SOCKET_LISTEN_BACKLOG_SIZE: i32 = int("socket.listen.backlog.size", 50).at_least(1).medium();
    /// The largest request, in bytes, that is read; a larger one ends the connection.
    SOCKET_REQUEST_MAX_BYTES: i32 = int("socket.request.max.bytes", 104_857_600).at_least(1).high();
    /// How long, in milliseconds, a connection to another broker may take to be set up at the first try.
    SOCKET_CONNECTION_SETUP_TIMEOUT_MS: i64 = long("socket.connection.setup.timeout.ms", 10_000)
        .medium()
        .accepted(reason::ALONE);
    /// The longest, in milliseconds, that the set-up time-out grows to over repeated tries.
    SOCKET_CONNECTION_SETUP_TIMEOUT_MAX_MS: i64 = long("socket.connection.setup.timeout.max.ms", 30_000)
        .medium()
        .accepted(reason::ALONE);
    /// Requests that may wait to be handled before reading from sockets pauses.
    QUEUED_MAX_REQUESTS: i32 = int("queued.max.requests", 500)
        .at_least(1)
        .high()
        .accepted(reason::BYTES);
    /// Bytes of all requests in memory before reading from sockets pauses; -1 lets Vltava choose.
    QUEUED_MAX_REQUEST_BYTES: i64 = long("queued.max.request.bytes", -1).medium();
    /// A connection without a request for this many milliseconds is closed.
    CONNECTIONS_MAX_IDLE_MS: i64 = long("connections.max.idle.ms", 600_000).medium();
    /// Connections that this broker accepts in all; may also be set per listener.
    MAX_CONNECTIONS: i32 = int("max.connections", i32::MAX).at_least(0).cluster_wide().medium();
    /// Connections that one address may hold.
    MAX_CONNECTIONS_PER_IP: i32 = int("max.connections.per.ip", i32::MAX)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// Exceptions to `max.connections.per.ip`, as a list of `address:count`.
    MAX_CONNECTIONS_PER_IP_OVERRIDES: String = string("max.connections.per.ip.overrides", "")
        .cluster_wide()
        .medium();
    /// New connections accepted in a second; may also be set per listener.
    MAX_CONNECTION_CREATION_RATE: i32 = int("max.connection.creation.rate", i32::MAX)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// The most partitions that one request may describe.
    MAX_REQUEST_PARTITION_SIZE_LIMIT: i32 = int("max.request.partition.size.limit", 2000)
        .at_least(1)
        .medium();
    /// The most bytes that one fetch response carries.
    FETCH_MAX_BYTES: i32 = int("fetch.max.bytes", 57_671_680).at_least(1024).medium();
    /// Incremental fetch sessions (KIP-227) kept.
    MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS: i32 = int("max.incremental.fetch.session.cache.slots", 1000)
        .at_least(0)
        .medium();
    /// Finished fetches kept before Apache Kafka sweeps its waiting list.
    FETCH_PURGATORY_PURGE_INTERVAL_REQUESTS: i32 = int("fetch.purgatory.purge.interval.requests", 1000)
        .medium()
        .accepted(reason::PURGATORY);
    /// Finished produces kept before Apache Kafka sweeps its waiting list.
    PRODUCER_PURGATORY_PURGE_INTERVAL_REQUESTS: i32 = int("producer.purgatory.purge.interval.requests", 1000)
        .medium()
        .accepted(reason::PURGATORY);
    /// Finished DeleteRecords kept before Apache Kafka sweeps its waiting list.
    DELETE_RECORDS_PURGATORY_PURGE_INTERVAL_REQUESTS: i32 = int("delete.records.purgatory.purge.interval.requests", 1)
        .medium()
        .accepted(reason::PURGATORY);
}
