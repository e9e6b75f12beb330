//! The ZooKeeper ensemble that coordinates the cluster.

use crate::definition::*;
use crate::reason;
use crate::value::Password;

keys! {
    /// The ensemble, as `host:port,host:port/chroot`. Required.
    ZOOKEEPER_CONNECT: Option<String> = optional_string("zookeeper.connect").high();
    /// Milliseconds of silence after which ZooKeeper drops this broker.
    ZOOKEEPER_SESSION_TIMEOUT_MS: i32 = int("zookeeper.session.timeout.ms", 18_000).high();
    /// Milliseconds that the first connection may take; without it the session time-out holds.
    ZOOKEEPER_CONNECTION_TIMEOUT_MS: Option<i32> = optional_int("zookeeper.connection.timeout.ms").high();
    /// Requests to ZooKeeper that may be unanswered at a time.
    ZOOKEEPER_MAX_IN_FLIGHT_REQUESTS: i32 = int("zookeeper.max.in.flight.requests", 10)
        .at_least(1)
        .high()
        .accepted(reason::PIPELINE);
    /// Whether znodes are created so that only this cluster may write them.
    ZOOKEEPER_SET_ACL: bool = boolean("zookeeper.set.acl", false).high().refused(reason::ZK_ACL);
    /// The Java class of the ZooKeeper client's socket, set for TLS.
    ZOOKEEPER_CLIENT_CNXN_SOCKET: Option<String> = optional_string("zookeeper.clientCnxnSocket")
        .medium()
        .refused(reason::TLS);
    /// Whether to speak TLS to ZooKeeper.
    ZOOKEEPER_SSL_CLIENT_ENABLE: bool = boolean("zookeeper.ssl.client.enable", false)
        .medium()
        .refused(reason::TLS);
    /// Cipher suites for ZooKeeper.
    ZOOKEEPER_SSL_CIPHER_SUITES: Option<Vec<String>> = optional_list("zookeeper.ssl.cipher.suites")
        .low()
        .refused(reason::TLS);
    /// Whether certificate revocation lists are consulted for ZooKeeper.
    ZOOKEEPER_SSL_CRL_ENABLE: bool = boolean("zookeeper.ssl.crl.enable", false).low().refused(reason::TLS);
    /// TLS versions allowed for ZooKeeper.
    ZOOKEEPER_SSL_ENABLED_PROTOCOLS: Option<Vec<String>> = optional_list("zookeeper.ssl.enabled.protocols")
        .low()
        .refused(reason::TLS);
    /// How the ZooKeeper server's host name is checked; empty for not at all.
    ZOOKEEPER_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: String = string("zookeeper.ssl.endpoint.identification.algorithm", "HTTPS")
        .low()
        .refused(reason::TLS);
    /// File of this broker's certificate for ZooKeeper.
    ZOOKEEPER_SSL_KEYSTORE_LOCATION: Option<String> = optional_string("zookeeper.ssl.keystore.location")
        .medium()
        .refused(reason::TLS);
    /// Password of that file.
    ZOOKEEPER_SSL_KEYSTORE_PASSWORD: Option<Password> = optional_password("zookeeper.ssl.keystore.password")
        .medium()
        .refused(reason::TLS);
    /// Type of that file.
    ZOOKEEPER_SSL_KEYSTORE_TYPE: Option<String> = optional_string("zookeeper.ssl.keystore.type")
        .medium()
        .refused(reason::TLS);
    /// Whether OCSP is consulted for ZooKeeper.
    ZOOKEEPER_SSL_OCSP_ENABLE: bool = boolean("zookeeper.ssl.ocsp.enable", false)
        .low()
        .refused(reason::TLS);
    /// TLS version negotiated with ZooKeeper.
    ZOOKEEPER_SSL_PROTOCOL: String = string("zookeeper.ssl.protocol", "TLSv1.2").low().refused(reason::TLS);
    /// File of the certificates trusted for ZooKeeper.
    ZOOKEEPER_SSL_TRUSTSTORE_LOCATION: Option<String> = optional_string("zookeeper.ssl.truststore.location")
        .medium()
        .refused(reason::TLS);
    /// Password of that file.
    ZOOKEEPER_SSL_TRUSTSTORE_PASSWORD: Option<Password> = optional_password("zookeeper.ssl.truststore.password")
        .medium()
        .refused(reason::TLS);
    /// Type of that file.
    ZOOKEEPER_SSL_TRUSTSTORE_TYPE: Option<String> = optional_string("zookeeper.ssl.truststore.type")
        .medium()
        .refused(reason::TLS);
    /// Whether the cluster is being moved to KRaft.
    ZOOKEEPER_METADATA_MIGRATION_ENABLE: bool = boolean("zookeeper.metadata.migration.enable", false)
        .high()
        .refused(reason::KRAFT);
    /// Records in a batch of that move.
    ZOOKEEPER_METADATA_MIGRATION_MIN_BATCH_SIZE: i32 = int("zookeeper.metadata.migration.min.batch.size", 200)
        .at_least(1)
        .medium()
        .internal()
        .accepted(reason::KRAFT_ONLY);
}
