//! TLS of listeners.

use crate::definition::*;
use crate::reason;
use crate::value::Password;

keys! {
    /// Whether a keystore changed at run time may carry another distinguished name.
    SSL_ALLOW_DN_CHANGES: bool = boolean("ssl.allow.dn.changes", false).low().refused(reason::TLS);
    /// Whether a keystore changed at run time may carry other alternative names.
    SSL_ALLOW_SAN_CHANGES: bool = boolean("ssl.allow.san.changes", false).low().refused(reason::TLS);
    /// Cipher suites that are allowed.
    SSL_CIPHER_SUITES: Vec<String> = list("ssl.cipher.suites", &[])
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Whether clients must, may or need not show a certificate.
    SSL_CLIENT_AUTH: String = string("ssl.client.auth", "none")
        .one_of(&["required", "requested", "none"])
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// TLS versions that are allowed.
    SSL_ENABLED_PROTOCOLS: Vec<String> = list("ssl.enabled.protocols", &["TLSv1.2", "TLSv1.3"])
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// How the host name of the other side is checked; empty for not at all.
    SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: String = string("ssl.endpoint.identification.algorithm", "https")
        .per_broker()
        .low()
        .refused(reason::TLS);
    /// A Java class that makes TLS engines.
    SSL_ENGINE_FACTORY_CLASS: Option<String> = optional_class("ssl.engine.factory.class")
        .per_broker()
        .low()
        .refused(reason::TLS);
    /// Password of the private key.
    SSL_KEY_PASSWORD: Option<Password> = optional_password("ssl.key.password")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Java's algorithm of the key manager.
    SSL_KEYMANAGER_ALGORITHM: String = string("ssl.keymanager.algorithm", "SunX509")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// The certificate and its chain, as PEM.
    SSL_KEYSTORE_CERTIFICATE_CHAIN: Option<Password> = optional_password("ssl.keystore.certificate.chain")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// The private key, as PEM.
    SSL_KEYSTORE_KEY: Option<Password> = optional_password("ssl.keystore.key")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// File of the certificate and private key.
    SSL_KEYSTORE_LOCATION: Option<String> = optional_string("ssl.keystore.location")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Password of that file.
    SSL_KEYSTORE_PASSWORD: Option<Password> = optional_password("ssl.keystore.password")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Type of that file: JKS, PKCS12 or PEM.
    SSL_KEYSTORE_TYPE: String = string("ssl.keystore.type", "JKS")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Rules that turn a distinguished name into a user's name.
    SSL_PRINCIPAL_MAPPING_RULES: String = string("ssl.principal.mapping.rules", "DEFAULT")
        .low()
        .refused(reason::TLS);
    /// The TLS version of contexts.
    SSL_PROTOCOL: String = string("ssl.protocol", "TLSv1.3").per_broker().medium().refused(reason::TLS);
    /// The Java security provider for TLS.
    SSL_PROVIDER: Option<String> = optional_string("ssl.provider")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Java's random generator for TLS.
    SSL_SECURE_RANDOM_IMPLEMENTATION: Option<String> = optional_string("ssl.secure.random.implementation")
        .per_broker()
        .low()
        .refused(reason::TLS);
    /// Java's algorithm of the trust manager.
    SSL_TRUSTMANAGER_ALGORITHM: String = string("ssl.trustmanager.algorithm", "PKIX")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// The trusted certificates, as PEM.
    SSL_TRUSTSTORE_CERTIFICATES: Option<Password> = optional_password("ssl.truststore.certificates")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// File of the trusted certificates.
    SSL_TRUSTSTORE_LOCATION: Option<String> = optional_string("ssl.truststore.location")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Password of that file.
    SSL_TRUSTSTORE_PASSWORD: Option<Password> = optional_password("ssl.truststore.password")
        .per_broker()
        .medium()
        .refused(reason::TLS);
    /// Type of that file: JKS, PKCS12 or PEM.
    SSL_TRUSTSTORE_TYPE: String = string("ssl.truststore.type", "JKS")
        .per_broker()
        .medium()
        .refused(reason::TLS);
}
