//! SASL of listeners.

use crate::definition::*;
use crate::reason;
use crate::value::Password;

keys! {
    /// Mechanisms that listeners offer.
    SASL_ENABLED_MECHANISMS: Vec<String> = list("sasl.enabled.mechanisms", &["GSSAPI"])
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// The mechanism of brokers among themselves.
    SASL_MECHANISM_INTER_BROKER_PROTOCOL: String = string("sasl.mechanism.inter.broker.protocol", "GSSAPI")
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// The mechanism towards KRaft controllers.
    SASL_MECHANISM_CONTROLLER_PROTOCOL: String = string("sasl.mechanism.controller.protocol", "GSSAPI")
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// The JAAS login context.
    SASL_JAAS_CONFIG: Option<Password> = optional_password("sasl.jaas.config")
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// A Java class that answers the client side of SASL.
    SASL_CLIENT_CALLBACK_HANDLER_CLASS: Option<String> = optional_class("sasl.client.callback.handler.class")
        .medium()
        .refused(reason::SASL);
    /// A Java class that answers the server side of SASL.
    SASL_SERVER_CALLBACK_HANDLER_CLASS: Option<String> = optional_class("sasl.server.callback.handler.class")
        .medium()
        .refused(reason::SASL);
    /// A Java class that answers at login.
    SASL_LOGIN_CALLBACK_HANDLER_CLASS: Option<String> = optional_class("sasl.login.callback.handler.class")
        .medium()
        .refused(reason::SASL);
    /// A Java class that performs the login.
    SASL_LOGIN_CLASS: Option<String> = optional_class("sasl.login.class").medium().refused(reason::SASL);
    /// Milliseconds that connecting to the identity provider may take.
    SASL_LOGIN_CONNECT_TIMEOUT_MS: Option<i32> = optional_int("sasl.login.connect.timeout.ms")
        .low()
        .refused(reason::SASL);
    /// Milliseconds that reading from the identity provider may take.
    SASL_LOGIN_READ_TIMEOUT_MS: Option<i32> = optional_int("sasl.login.read.timeout.ms")
        .low()
        .refused(reason::SASL);
    /// Milliseconds before the first retry of a login.
    SASL_LOGIN_RETRY_BACKOFF_MS: i64 = long("sasl.login.retry.backoff.ms", 100).low().refused(reason::SASL);
    /// The longest wait, in milliseconds, between retries of a login.
    SASL_LOGIN_RETRY_BACKOFF_MAX_MS: i64 = long("sasl.login.retry.backoff.max.ms", 10_000)
        .low()
        .refused(reason::SASL);
    /// Seconds kept between the refresh of a token and its end.
    SASL_LOGIN_REFRESH_BUFFER_SECONDS: i16 = short("sasl.login.refresh.buffer.seconds", 300)
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// Seconds between two refreshes of a token at least.
    SASL_LOGIN_REFRESH_MIN_PERIOD_SECONDS: i16 = short("sasl.login.refresh.min.period.seconds", 60)
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// The part of a token's life after which it is refreshed.
    SASL_LOGIN_REFRESH_WINDOW_FACTOR: f64 = double("sasl.login.refresh.window.factor", 0.8)
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// How much that part varies at random.
    SASL_LOGIN_REFRESH_WINDOW_JITTER: f64 = double("sasl.login.refresh.window.jitter", 0.05)
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// Bytes that a client may send before it is authenticated.
    SASL_SERVER_MAX_RECEIVE_SIZE: i32 = int("sasl.server.max.receive.size", 524_288)
        .medium()
        .accepted(reason::NO_SASL);
    /// Path of `kinit`.
    SASL_KERBEROS_KINIT_CMD: String = string("sasl.kerberos.kinit.cmd", "/usr/bin/kinit")
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// Milliseconds between two Kerberos logins.
    SASL_KERBEROS_MIN_TIME_BEFORE_RELOGIN: i64 = long("sasl.kerberos.min.time.before.relogin", 60_000)
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// Rules that turn a Kerberos principal into a user's name.
    SASL_KERBEROS_PRINCIPAL_TO_LOCAL_RULES: Vec<String> = list("sasl.kerberos.principal.to.local.rules", &["DEFAULT"])
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// The Kerberos principal that brokers run as.
    SASL_KERBEROS_SERVICE_NAME: Option<String> = optional_string("sasl.kerberos.service.name")
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// How much the renewal of a ticket varies at random.
    SASL_KERBEROS_TICKET_RENEW_JITTER: f64 = double("sasl.kerberos.ticket.renew.jitter", 0.05)
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// The part of a ticket's life after which it is renewed.
    SASL_KERBEROS_TICKET_RENEW_WINDOW_FACTOR: f64 = double("sasl.kerberos.ticket.renew.window.factor", 0.8)
        .per_broker()
        .medium()
        .refused(reason::SASL);
    /// Seconds that clocks may differ when a token is checked.
    SASL_OAUTHBEARER_CLOCK_SKEW_SECONDS: i32 = int("sasl.oauthbearer.clock.skew.seconds", 30)
        .low()
        .refused(reason::SASL);
    /// The audience that a token must be for.
    SASL_OAUTHBEARER_EXPECTED_AUDIENCE: Option<Vec<String>> = optional_list("sasl.oauthbearer.expected.audience")
        .low()
        .refused(reason::SASL);
    /// The issuer that a token must be from.
    SASL_OAUTHBEARER_EXPECTED_ISSUER: Option<String> = optional_string("sasl.oauthbearer.expected.issuer")
        .low()
        .refused(reason::SASL);
    /// Where the keys of the issuer are found.
    SASL_OAUTHBEARER_JWKS_ENDPOINT_URL: Option<String> = optional_string("sasl.oauthbearer.jwks.endpoint.url")
        .medium()
        .refused(reason::SASL);
    /// Milliseconds between two fetches of those keys.
    SASL_OAUTHBEARER_JWKS_ENDPOINT_REFRESH_MS: i64 = long("sasl.oauthbearer.jwks.endpoint.refresh.ms", 3_600_000)
        .low()
        .refused(reason::SASL);
    /// Milliseconds before the first retry of such a fetch.
    SASL_OAUTHBEARER_JWKS_ENDPOINT_RETRY_BACKOFF_MS: i64 = long("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", 100)
        .low()
        .refused(reason::SASL);
    /// The longest wait, in milliseconds, between such retries.
    SASL_OAUTHBEARER_JWKS_ENDPOINT_RETRY_BACKOFF_MAX_MS: i64 = long("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", 10_000)
        .low()
        .refused(reason::SASL);
    /// The claim that holds the scope.
    SASL_OAUTHBEARER_SCOPE_CLAIM_NAME: String = string("sasl.oauthbearer.scope.claim.name", "scope")
        .low()
        .refused(reason::SASL);
    /// The claim that holds the subject.
    SASL_OAUTHBEARER_SUB_CLAIM_NAME: String = string("sasl.oauthbearer.sub.claim.name", "sub")
        .low()
        .refused(reason::SASL);
    /// Where tokens are issued.
    SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: Option<String> = optional_string("sasl.oauthbearer.token.endpoint.url")
        .medium()
        .refused(reason::SASL);
}
