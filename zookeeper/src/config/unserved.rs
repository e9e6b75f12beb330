//! Keys of Apache ZooKeeper 3.4 to 3.9 that this server does not serve. Most can be left without harm, and a warning says so; with some a door would stay
//! open that its owner closed, or a promise be broken, and the server does not start.

use super::ConfigError;
use super::text::Value;

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is without effect; why.
    Warns(&'static str),
    /// The server does not start; why.
    Refuses(&'static str),
    /// The server does not start unless the value is this one, which is what it does anyway.
    RefusesUnless(&'static str, &'static str),
    /// It is without effect unless the value is this one, which is what the server does anyway; why.
    WarnsUnless(&'static str, &'static str),
}

use Fate::{Refuses, RefusesUnless, Warns, WarnsUnless};

const ONE_NODE: &str =
    "this server is one node; for an ensemble use Apache ZooKeeper, which Vltava works with as well";
const ENSEMBLES: &str = "it concerns ensembles, this server is one node";
const TLS: &str = "TLS is not built; for TLS use Apache ZooKeeper";
const SASL: &str = "SASL is not built; a server that should require it must not start without";
const PROVIDERS: &str = "other authentication providers than digest and ip are not built";
const NO_ADMIN: &str = "there is no admin server; use the four letter words";
const THREADS: &str = "threads are not divided so here";
const CACHES: &str = "there is no such cache here";
const THROTTLING: &str = "connections and requests are bounded, and not throttled";
const FILES: &str = "files are written in another way here";
const WATCHES: &str = "watches are kept in one way here";

/// Keys, or their beginnings where they end in a dot or a star.
const KEYS: &[(&str, Fate)] = &[
    ("server.", Refuses(ONE_NODE)),
    ("group.", Refuses(ONE_NODE)),
    ("weight.", Refuses(ONE_NODE)),
    ("dynamicConfigFile", Refuses(ONE_NODE)),
    ("peerType", Refuses(ONE_NODE)),
    ("observerMasterPort", Refuses(ONE_NODE)),
    ("initLimit", Warns(ENSEMBLES)),
    ("syncLimit", Warns(ENSEMBLES)),
    ("electionAlg", Warns(ENSEMBLES)),
    ("electionPortBindRetry", Warns(ENSEMBLES)),
    ("standaloneEnabled", Warns(ENSEMBLES)),
    ("reconfigEnabled", Warns(ENSEMBLES)),
    ("leaderServes", Warns(ENSEMBLES)),
    ("cnxTimeout", Warns(ENSEMBLES)),
    ("quorumCnxnTimeoutMs", Warns(ENSEMBLES)),
    ("quorumListenOnAllIPs", Warns(ENSEMBLES)),
    ("connectToLearnerMasterLimit", Warns(ENSEMBLES)),
    ("maxTimeToWaitForEpoch", Warns(ENSEMBLES)),
    ("syncEnabled", Warns(ENSEMBLES)),
    ("observer.", Warns(ENSEMBLES)),
    ("learner.", Warns(ENSEMBLES)),
    ("leader.", Warns(ENSEMBLES)),
    ("fastleader.", Warns(ENSEMBLES)),
    ("fastLeader.", Warns(ENSEMBLES)),
    ("multiAddress.", Warns(ENSEMBLES)),
    ("quorum.", Warns(ENSEMBLES)),
    ("oraclePath", Warns(ENSEMBLES)),
    ("forward_learner_requests_to_commit_processor_disabled", Warns(ENSEMBLES)),
    ("commitLogCount", Warns(ENSEMBLES)),
    ("readonlymode.enabled", Warns(ENSEMBLES)),
    ("tcpKeepAlive", Warns(ENSEMBLES)),
    ("localSessionsEnabled", Warns(ENSEMBLES)),
    ("localSessionsUpgradingEnabled", Warns(ENSEMBLES)),
    ("secureClientPort", Refuses(TLS)),
    ("secureClientPortAddress", Refuses(TLS)),
    ("client.portUnification", RefusesUnless("false", TLS)),
    ("portUnification", RefusesUnless("false", TLS)),
    ("sslQuorum", RefusesUnless("false", TLS)),
    ("sslQuorumReloadCertFiles", Warns(ENSEMBLES)),
    ("ssl.", Refuses(TLS)),
    ("fips-mode", Warns("it concerns TLS")),
    ("sessionRequireClientSASLAuth", RefusesUnless("false", SASL)),
    ("requireSasl", RefusesUnless("false", SASL)),
    ("enforce.auth.enabled", RefusesUnless("false", SASL)),
    ("enforce.auth.schemes", Warns("nobody is made to authenticate without enforce.auth.enabled")),
    ("requireClientAuthScheme", Refuses(SASL)),
    ("allowSaslFailedClients", Warns("SASL is not built")),
    ("kerberos.", Refuses(SASL)),
    ("jaasLoginRenew", Refuses(SASL)),
    ("sasl.", Refuses(SASL)),
    ("authProvider*", Refuses(PROVIDERS)),
    ("superUser", Warns("it names a user of SASL, which is not built")),
    ("X509AuthenticationProvider.", Warns("it names a user of TLS, which is not built")),
    ("DigestAuthenticationProvider.enabled", RefusesUnless("true", "digests are always taken")),
    (
        "DigestAuthenticationProvider.digestAlg",
        RefusesUnless("SHA1", "digests of other algorithms are not built"),
    ),
    (
        "IPAuthenticationProvider.usexforwardedfor",
        RefusesUnless("false", "clients are known by their own address"),
    ),
    ("audit.enable", RefusesUnless("false", "no audit log is written")),
    ("audit.impl.class", Warns("no audit log is written")),
    ("admin.enableServer", WarnsUnless("false", NO_ADMIN)),
    ("admin.", Warns(NO_ADMIN)),
    ("serverCnxnFactory", Warns(THREADS)),
    ("nio.", Warns(THREADS)),
    ("netty.", Warns(THREADS)),
    ("commitProcessor.", Warns(THREADS)),
    ("watcherCleanThreadsNum", Warns(WATCHES)),
    ("watcherCleanThreshold", Warns(WATCHES)),
    ("watcherCleanIntervalInSeconds", Warns(WATCHES)),
    ("maxInProcessingDeadWatchers", Warns(WATCHES)),
    ("bitHashCacheSize", Warns(WATCHES)),
    ("watchManagerName", Warns(WATCHES)),
    ("maxResponseCacheSize", Warns(CACHES)),
    ("maxGetChildrenResponseCacheSize", Warns(CACHES)),
    ("intBufferStartingSizeBytes", Warns(CACHES)),
    ("globalOutstandingLimit", Warns(THROTTLING)),
    ("connection*", Warns(THROTTLING)),
    ("request*", Warns(THROTTLING)),
    ("largeRequest*", Warns(THROTTLING)),
    ("throttledOpWaitTime", Warns(THROTTLING)),
    ("outstandingHandshake.limit", Warns(THROTTLING)),
    ("advancedFlowControlEnabled", Warns(THROTTLING)),
    ("clientPortListenBacklog", Warns("as many connections wait to be accepted as the system lets")),
    ("preAllocSize", Warns(FILES)),
    ("snapSizeLimitInKb", Warns(FILES)),
    ("txnLogSizeLimitInKb", Warns(FILES)),
    ("flushDelay", Warns(FILES)),
    ("maxWriteQueuePollTime", Warns(FILES)),
    ("maxBatchSize", Warns(FILES)),
    ("fsync.warningthresholdms", Warns(FILES)),
    ("snapshot.", Warns(FILES)),
    ("serializeLastProcessedZxid.enabled", Warns(FILES)),
    ("digest.enabled", Warns("no digest of the tree is kept")),
    ("jute.maxbuffer.extrasize", Warns("what is written with a request has no bound of its own")),
    ("emulate353TTLNodes", RefusesUnless("false", "TTL nodes of 3.5.3 are not built")),
    ("znode.container.maxNeverUsedIntervalMs", Warns("a container that never had a child stays")),
    ("jvm.", Warns("there is no Java here")),
];

/// What becomes of a key that is not served: a warning, nothing, or no server.
pub(super) fn fate(key: &str, value: &Value<'_>) -> Result<Option<String>, ConfigError> {
    let Some(fate) = find(key) else { return Ok(Some(format!("{key} is unknown and has no effect"))) };
    match fate {
        RefusesUnless(harmless, _) | WarnsUnless(harmless, _)
            if value.value.eq_ignore_ascii_case(harmless) =>
        {
            Ok(None)
        }
        Warns(why) | WarnsUnless(_, why) => Ok(Some(format!("{key} has no effect: {why}"))),
        RefusesUnless(_, why) | Refuses(why) => Err(ConfigError::Unsupported { key: key.to_owned(), why }),
    }
}

/// A key that stands whole in the table is before one of which only the beginning does.
fn find(key: &str) -> Option<Fate> {
    let begins = |name: &str| match name.strip_suffix('*') {
        Some(beginning) => key.starts_with(beginning),
        None => name.ends_with('.') && key.starts_with(name),
    };
    let whole = KEYS.iter().find(|(name, _)| *name == key);
    whole.or_else(|| KEYS.iter().find(|(name, _)| begins(name))).map(|(_, fate)| *fate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &str, value: &str) -> Result<Option<String>, String> {
        fate(key, &Value { key, value }).map_err(|error| error.to_string())
    }

    /// What Apache's administrator's guides of 3.4 to 3.9 list and this server does not serve, with the values that their owners would write.
    const DOCUMENTED: &[(&str, &str)] = &[
        ("admin.commandURL", "/commands"),
        ("admin.idleTimeout", "30000"),
        ("admin.serverAddress", "0.0.0.0"),
        ("admin.serverPort", "8080"),
        ("advancedFlowControlEnabled", "true"),
        ("bitHashCacheSize", "10"),
        ("clientPortListenBacklog", "50"),
        ("cnxTimeout", "5"),
        ("commitLogCount", "500"),
        ("commitProcessor.numWorkerThreads", "4"),
        ("connectToLearnerMasterLimit", "4"),
        ("connectionDecreaseRatio", "0"),
        ("connectionDropDecrease", "0.002"),
        ("connectionDropIncrease", "0.02"),
        ("connectionFreezeTime", "-1"),
        ("connectionMaxTokens", "0"),
        ("connectionTokenFillCount", "1"),
        ("connectionTokenFillTime", "1"),
        ("connection_throttle_weight_enabled", "false"),
        ("digest.enabled", "true"),
        ("electionAlg", "3"),
        ("electionPortBindRetry", "3"),
        ("fastleader.maxNotificationInterval", "60000"),
        ("fips-mode", "true"),
        ("flushDelay", "0"),
        ("forward_learner_requests_to_commit_processor_disabled", "false"),
        ("fsync.warningthresholdms", "1000"),
        ("globalOutstandingLimit", "1000"),
        ("initLimit", "10"),
        ("jute.maxbuffer.extrasize", "1"),
        ("jvm.pause.warn-threshold.ms", "10000"),
        ("largeRequestMaxBytes", "100"),
        ("largeRequestThreshold", "-1"),
        ("leader.closeSocketAsync", "false"),
        ("leaderServes", "yes"),
        ("learner.asyncSending", "false"),
        ("localSessionsEnabled", "true"),
        ("localSessionsUpgradingEnabled", "true"),
        ("maxBatchSize", "1000"),
        ("maxGetChildrenResponseCacheSize", "400"),
        ("maxInProcessingDeadWatchers", "1"),
        ("maxResponseCacheSize", "400"),
        ("maxTimeToWaitForEpoch", "-1"),
        ("maxWriteQueuePollTime", "0"),
        ("multiAddress.enabled", "false"),
        ("netty.server.outstandingHandshake.limit", "250"),
        ("nio.numSelectorThreads", "2"),
        ("nio.numWorkerThreads", "4"),
        ("observer.reconnectDelayMs", "0"),
        ("oraclePath", "/x"),
        ("outstandingHandshake.limit", "1"),
        ("preAllocSize", "65536"),
        ("quorum.auth.enableSasl", "false"),
        ("quorumCnxnTimeoutMs", "-1"),
        ("quorumListenOnAllIPs", "false"),
        ("readonlymode.enabled", "false"),
        ("reconfigEnabled", "false"),
        ("requestStaleConnectionCheck", "true"),
        ("requestThrottleLimit", "0"),
        ("request_throttle_max_requests", "0"),
        ("serializeLastProcessedZxid.enabled", "true"),
        ("serverCnxnFactory", "org.apache.zookeeper.server.NIOServerCnxnFactory"),
        ("snapSizeLimitInKb", "4194304"),
        ("snapshot.compression.method", "gz"),
        ("snapshot.trust.empty", "false"),
        ("standaloneEnabled", "true"),
        ("superUser", "x"),
        ("syncEnabled", "true"),
        ("syncLimit", "5"),
        ("tcpKeepAlive", "false"),
        ("throttledOpWaitTime", "0"),
        ("txnLogSizeLimitInKb", "-1"),
        ("watchManagerName", "x"),
        ("watcherCleanIntervalInSeconds", "600"),
        ("watcherCleanThreadsNum", "2"),
        ("watcherCleanThreshold", "1000"),
        ("znode.container.maxNeverUsedIntervalMs", "0"),
    ];

    #[test]
    fn every_documented_key_is_known_and_says_why_it_has_no_effect() {
        for (key, value) in DOCUMENTED {
            let warning = told(key, value).unwrap().unwrap();
            assert!(warning.starts_with(&format!("{key} has no effect: ")), "{warning}");
        }
        assert_eq!(told("nonsense", "1").unwrap().unwrap(), "nonsense is unknown and has no effect");
        assert_eq!(told("admin.enableServer", "false"), Ok(None));
        assert!(told("admin.enableServer", "true").unwrap().is_some());
    }

    #[test]
    fn what_would_promise_too_much_is_refused_by_name() {
        for (key, value) in [
            ("DigestAuthenticationProvider.digestAlg", "SHA3-256"),
            ("DigestAuthenticationProvider.enabled", "false"),
            ("IPAuthenticationProvider.usexforwardedfor", "true"),
            ("audit.enable", "true"),
            ("authProvider.1", "x"),
            ("authProvider.x509", "x"),
            ("client.portUnification", "true"),
            ("dynamicConfigFile", "x"),
            ("emulate353TTLNodes", "true"),
            ("enforce.auth.enabled", "true"),
            ("group.1", "1:2"),
            ("kerberos.removeHostFromPrincipal", "true"),
            ("observerMasterPort", "2191"),
            ("requireClientAuthScheme", "sasl"),
            ("secureClientPort", "2281"),
            ("secureClientPortAddress", "::"),
            ("server.1", "a:2888:3888"),
            ("sessionRequireClientSASLAuth", "true"),
            ("ssl.clientAuth", "need"),
            ("ssl.keyStore.location", "x"),
            ("weight.1", "1"),
        ] {
            let refused = told(key, value).unwrap_err();
            assert!(refused.starts_with(&format!("{key} is set: ")), "{refused}");
        }
        for (key, value) in
            [("enforce.auth.enabled", "false"), ("audit.enable", "false"), ("sslQuorum", "False")]
        {
            assert_eq!(told(key, value), Ok(None), "{key}={value}");
        }
    }
}
