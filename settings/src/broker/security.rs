//! Authorization, principals, tokens and secrets.

use crate::definition::*;
use crate::reason;
use crate::value::Password;

keys! {
    /// The class that decides who may do what. Empty: everybody may do everything.
    AUTHORIZER_CLASS_NAME: String = string("authorizer.class.name", "").low().refused(reason::ACL);
    /// The class that tells who a connection belongs to.
    PRINCIPAL_BUILDER_CLASS: String = class("principal.builder.class", "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder")
        .per_broker()
        .medium()
        .refused(reason::PRINCIPAL);
    /// Java security providers to load.
    SECURITY_PROVIDERS: Option<String> = optional_string("security.providers")
        .low()
        .refused(reason::JAVA_SECURITY);
    /// Milliseconds after which an authenticated connection must authenticate again; 0 is never.
    CONNECTIONS_MAX_REAUTH_MS: i64 = long("connections.max.reauth.ms", 0).medium().refused(reason::SASL);
    /// Milliseconds that a connection which failed to authenticate is kept waiting before it is closed.
    CONNECTION_FAILED_AUTHENTICATION_DELAY_MS: i32 = int("connection.failed.authentication.delay.ms", 100)
        .at_least(0)
        .low()
        .accepted(reason::NO_SASL);
    /// Superseded by `delegation.token.secret.key`.
    DELEGATION_TOKEN_MASTER_KEY: Option<Password> = optional_password("delegation.token.master.key")
        .medium()
        .refused(reason::TOKENS);
    /// The secret that delegation tokens are made with.
    DELEGATION_TOKEN_SECRET_KEY: Option<Password> = optional_password("delegation.token.secret.key")
        .medium()
        .refused(reason::TOKENS);
    /// Milliseconds after which a delegation token can no longer be renewed.
    DELEGATION_TOKEN_MAX_LIFETIME_MS: i64 = long("delegation.token.max.lifetime.ms", 604_800_000)
        .at_least(1)
        .medium()
        .accepted(reason::NO_TOKENS);
    /// Milliseconds after which a delegation token must be renewed.
    DELEGATION_TOKEN_EXPIRY_TIME_MS: i64 = long("delegation.token.expiry.time.ms", 86_400_000)
        .at_least(1)
        .medium()
        .accepted(reason::NO_TOKENS);
    /// Milliseconds between two looks for expired tokens.
    DELEGATION_TOKEN_EXPIRY_CHECK_INTERVAL_MS: i64 = long("delegation.token.expiry.check.interval.ms", 3_600_000)
        .at_least(1)
        .low()
        .accepted(reason::NO_TOKENS);
    /// The secret that passwords in ZooKeeper are encrypted with.
    PASSWORD_ENCODER_SECRET: Option<Password> = optional_password("password.encoder.secret")
        .medium()
        .accepted(reason::ENCODER);
    /// The secret before the last change.
    PASSWORD_ENCODER_OLD_SECRET: Option<Password> = optional_password("password.encoder.old.secret")
        .medium()
        .accepted(reason::ENCODER);
    /// The cipher of those passwords.
    PASSWORD_ENCODER_CIPHER_ALGORITHM: String = string("password.encoder.cipher.algorithm", "AES/CBC/PKCS5Padding")
        .low()
        .accepted(reason::ENCODER);
    /// How their key is derived.
    PASSWORD_ENCODER_KEYFACTORY_ALGORITHM: Option<String> = optional_string("password.encoder.keyfactory.algorithm")
        .low()
        .accepted(reason::ENCODER);
    /// Bits of that key.
    PASSWORD_ENCODER_KEY_LENGTH: i32 = int("password.encoder.key.length", 128)
        .at_least(8)
        .low()
        .accepted(reason::ENCODER);
    /// Rounds of that derivation.
    PASSWORD_ENCODER_ITERATIONS: i32 = int("password.encoder.iterations", 4096)
        .at_least(1024)
        .low()
        .accepted(reason::ENCODER);
    /// Users that may do everything, separated by semicolons; read by Apache Kafka's authorizer.
    SUPER_USERS: String = string("super.users", "").medium().refused(reason::ACL);
    /// Whether a resource without ACLs is open to everybody; read by Apache Kafka's authorizer.
    ALLOW_EVERYONE_IF_NO_ACL_FOUND: bool =
        boolean("allow.everyone.if.no.acl.found", false).medium().accepted(reason::NO_AUTHORIZER);
    /// Providers that fill in `${provider:path:key}` in values.
    CONFIG_PROVIDERS: Vec<String> = list("config.providers", &[]).low().refused(reason::PROVIDERS);
}
