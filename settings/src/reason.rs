//! Why a key has no effect, or is refused: one sentence each, in messages and in the reference.

pub(crate) const POOL: &str = "Vltava sizes its threads by the machine";
pub(crate) const PURGATORY: &str = "Vltava's waiting requests need no sweeping";
pub(crate) const JMX: &str = "metrics are served to Prometheus, see vltava.metrics.listener";
pub(crate) const TELEMETRY: &str = "clients cannot push metrics to Vltava";
pub(crate) const UNSTABLE: &str = "Vltava serves no unstable versions";
pub(crate) const POLICY: &str = "Vltava cannot load Java classes, so the policy would not be enforced";
pub(crate) const POLICY_OFF: &str = "there are no policy classes to configure";
pub(crate) const QUOTA_CALLBACK: &str =
    "Vltava cannot load Java classes, so the quotas would not be enforced";
pub(crate) const QUOTAS: &str = "quotas are not built yet";
pub(crate) const SELECTOR: &str = "fetching from followers is not built yet";
pub(crate) const CONTROL_PLANE: &str = "a separate listener for the controller is not built yet";
pub(crate) const ALTER_DIRS: &str = "moving replicas between directories is not built yet";
pub(crate) const CLEANER_BUFFER: &str = "a cleaner's buffers are as large as the largest batch";
pub(crate) const TRANSACTIONS: &str = "transactions are not built yet";
pub(crate) const KIP848: &str = "the consumer group protocol of KIP-848 is not built yet";
pub(crate) const KRAFT: &str = "Vltava coordinates through ZooKeeper and has no KRaft mode";
pub(crate) const KRAFT_ONLY: &str = "it configures KRaft mode, which Vltava does not have";
pub(crate) const TLS: &str = "TLS is not built yet";
pub(crate) const TLS_AND_SASL: &str = "TLS and SASL are not built yet: only PLAINTEXT is served";
pub(crate) const ZK_ACL: &str =
    "ZooKeeper ACLs are not built yet, so the znodes would stay open to everybody";
pub(crate) const TIERED: &str = "remote storage is not built yet";
pub(crate) const TIERED_OFF: &str = "remote storage is not built yet, and off";
pub(crate) const ACL: &str = "authorization is not built yet, so everybody could do everything";
pub(crate) const PRINCIPAL: &str =
    "Vltava cannot load Java classes, so principals would not be what it makes of them";
pub(crate) const JAVA_SECURITY: &str = "Vltava cannot load Java classes";
pub(crate) const SASL: &str = "SASL is not built yet";
pub(crate) const NO_SASL: &str = "SASL is not built yet, and off";
pub(crate) const TOKENS: &str = "delegation tokens are not built yet";
pub(crate) const NO_TOKENS: &str = "delegation tokens are not built yet, and off";
pub(crate) const ENCODER: &str = "Vltava stores no passwords";
pub(crate) const SHARE: &str = "share groups are not built";
pub(crate) const QUOTA_DEFAULTS: &str = "quotas are not built yet, so clients would not be held to it";
pub(crate) const ALONE: &str = "brokers do not speak to each other yet";
pub(crate) const REBALANCE: &str = "there is no other broker yet that leadership could be moved back from";
pub(crate) const BYTES: &str = "what waits is bounded by bytes, see queued.max.request.bytes";
pub(crate) const SHARED_THREADS: &str = "all listeners share the threads of num.network.threads";
pub(crate) const WITH_RECOVERY_POINTS: &str =
    "they are written with the recovery points, see log.flush.offset.checkpoint.interval.ms";
pub(crate) const NO_DELAY: &str = "each task first waits its own interval";
pub(crate) const PREALLOCATE: &str = "segments grow as they are written";
pub(crate) const PIPELINE: &str =
    "Vltava keeps as many requests to ZooKeeper in flight as there are to send, up to 256";
pub(crate) const ALL_IN_SYNC: &str = "a commit always waits for every replica that is in sync";
pub(crate) const UNUSED: &str = "nothing depends on it any more";
pub(crate) const LAG_MESSAGES: &str = "lag is measured in time since Kafka 0.9, by replica.lag.time.max.ms";
pub(crate) const PER_TOPIC: &str =
    "topics have configurations of their own since Kafka 0.8.1, where it must be set";
pub(crate) const NO_AUTHORIZER: &str = "there is no authorizer yet: every resource is open to everybody";
pub(crate) const PROVIDERS: &str = "Vltava cannot load Java classes, so the values would stay unresolved";
pub(crate) const ONLY_DYNAMIC: &str = "it can only be set while the broker runs, see kafka-configs";
pub(crate) const LISTENERS_STAY: &str =
    "listeners do not change while the broker runs, so it belongs into the properties file";
