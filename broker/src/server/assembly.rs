//! A broker's parts, made from its configuration.

use std::{net::ToSocketAddrs, sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vltava_cluster::controller::Endpoint;
use vltava_log::LogDirs;
use vltava_settings::{BrokerConfig, broker as keys};

use super::StartError;
use crate::{
    Broker,
    control::{Control, MetadataCache},
    groups::Groups,
    metrics::Metrics,
    net::{ConnectionLimits, Limits, Listener, ListenerLimits},
    partitions::{
        FileWork, Proposals, Replicas, Setup, Storage, Surroundings,
        cleaners::{CleanerConfig, Cleaners},
        fetch_sessions, now_ms,
        upkeep::Schedule,
    },
};

/// What requests may hold when `queued.max.request.bytes` sets no limit: eight of the largest that producers make by default, more than network
/// threads work on at once, and a bound on the broker's size whatever its clients do. A request that is larger still passes.
const REQUEST_MEMORY: u64 = 8 << 20;

/// How long a client may hold memory for a request and send nothing more of it, while others wait for memory: a third of the time after which clients give a
/// request up by default (`request.timeout.ms`), and longer than a connection that lives is silent.
const STALL: Duration = Duration::from_secs(10);

/// File work that may wait for a thread.
const QUEUED_FILE_WORK: usize = 4096;

/// Raises the limit on open files to what the system allows: connections and segments both need them.
pub(super) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(?limit, "the limit on open files can't be raised: {error}");
        }
    }
}

/// Files that the logs may keep open: half of what the process may, the rest is for connections.
fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
    usize::try_from(limit / 2).unwrap_or(1 << 20).clamp(256, 1 << 20)
}

/// Locks the log directories.
pub(super) async fn open_directories(config: Arc<BrokerConfig>) -> Result<LogDirs, StartError> {
    let open = move || LogDirs::open(&config.log_dirs(), open_files(), producer_id_expiration(&config));
    Ok(tokio::task::spawn_blocking(open).await??)
}

/// After how many milliseconds an idle producer is forgotten; the key is dynamic.
pub(super) fn producer_id_expiration(config: &BrokerConfig) -> i64 {
    i64::from(config.get(keys::PRODUCER_ID_EXPIRATION_MS))
}

/// Opens every log.
pub(super) async fn load(
    storage: Storage,
    config: Arc<BrokerConfig>,
    control: &Control,
) -> Result<Storage, StartError> {
    let configs = control.configs().clone();
    let threads = count(config.get(keys::NUM_RECOVERY_THREADS_PER_DATA_DIR));
    let load = move || {
        storage.load(threads, &|partition| configs.partition_settings(&partition.topic).log, now_ms());
        storage
    };
    Ok(tokio::task::spawn_blocking(load).await?)
}

/// Puts the parts together.
pub(super) fn broker(config: &Arc<BrokerConfig>, control: Control, storage: Storage) -> Arc<Broker> {
    let metrics = Arc::new(Metrics::default());
    let configs = control.configs().clone();
    let replicas = Replicas::new(Setup {
        surroundings: Surroundings {
            broker_id: control.broker_id(),
            replica_lag_ms: config.get(keys::REPLICA_LAG_TIME_MAX_MS),
            fetch_max_bytes: u64::try_from(config.get(keys::FETCH_MAX_BYTES)).unwrap_or(0),
            files: FileWork::new(file_threads(config), QUEUED_FILE_WORK),
            proposals: Proposals::default(),
            high_watermark_moved: std::sync::atomic::AtomicBool::new(false),
        },
        storage,
        sessions: fetch_sessions::Limits {
            slots: usize::try_from(config.get(keys::MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS)).unwrap_or(0),
            ..fetch_sessions::Limits::default()
        },
        configs: Box::new(move |topic| configs.partition_settings(topic)),
        metrics: metrics.clone(),
    });
    Arc::new(Broker {
        id: control.broker_id(),
        config: BrokerConfig::clone(config),
        replicas,
        cleaners: Cleaners::default(),
        metadata: MetadataCache::default(),
        control,
        groups: Groups::new(config),
        metrics,
    })
}

fn count(value: i32) -> usize {
    usize::try_from(value).unwrap_or(1).max(1)
}

/// The most threads for file work; the key is dynamic.
pub(super) fn file_threads(config: &BrokerConfig) -> usize {
    count(config.get(keys::NUM_IO_THREADS))
}

/// What the cleaners go by; all keys but `log.cleaner.enable` are dynamic.
pub(super) fn cleaners(config: &BrokerConfig) -> CleanerConfig {
    let threads = usize::try_from(config.get(keys::LOG_CLEANER_THREADS)).unwrap_or(0);
    let milliseconds = |value: i64| Duration::from_millis(u64::try_from(value).unwrap_or(0));
    CleanerConfig {
        threads: if config.get(keys::LOG_CLEANER_ENABLE) { threads } else { 0 },
        dedupe_buffer_bytes: usize::try_from(config.get(keys::LOG_CLEANER_DEDUPE_BUFFER_SIZE)).unwrap_or(0),
        load_factor: config.get(keys::LOG_CLEANER_IO_BUFFER_LOAD_FACTOR),
        io_bytes_per_second: config.get(keys::LOG_CLEANER_IO_MAX_BYTES_PER_SECOND),
        backoff: milliseconds(config.get(keys::LOG_CLEANER_BACKOFF_MS)),
    }
}

/// When which upkeep is due.
pub(super) fn schedule(config: &BrokerConfig) -> Schedule {
    Schedule {
        retention_ms: config.get(keys::LOG_RETENTION_CHECK_INTERVAL_MS),
        high_watermark_ms: config.get(keys::REPLICA_HIGH_WATERMARK_CHECKPOINT_INTERVAL_MS),
        checkpoint_ms: i64::from(config.get(keys::LOG_FLUSH_OFFSET_CHECKPOINT_INTERVAL_MS)),
        producers_ms: i64::from(config.get(keys::PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS)),
    }
}

/// What the broker registers: the advertised addresses, with actual ports.
pub(super) fn endpoints(config: &BrokerConfig, bound: &[Listener]) -> Vec<Endpoint> {
    let advertised = config.listeners().iter().zip(bound).filter_map(|(listener, bound)| {
        let end = listener.advertised.as_ref()?;
        Some(Endpoint {
            listener: listener.name().to_owned(),
            host: if end.host.is_empty() { own_name() } else { end.host.clone() },
            port: if end.port == 0 { bound.address().port() } else { end.port },
            security_protocol: listener.protocol.wire_code(),
        })
    });
    advertised.collect()
}

/// The machine's name, as the JVM's `getLocalHost` has it; `localhost` where the name leads nowhere, since no client could follow it.
fn own_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if !name.is_empty() && (name, 0_u16).to_socket_addrs().is_ok_and(|mut found| found.next().is_some()) {
        return name.to_owned();
    }
    tracing::warn!(
        "this machine's name {name:?} can't be resolved: localhost is advertised; set advertised.listeners for clients elsewhere"
    );
    "localhost".to_owned()
}

/// The bounds of the network.
pub(super) fn limits(config: &BrokerConfig) -> Limits {
    let positive = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
    let buffer = |value: i32| usize::try_from(value).ok().filter(|value| *value > 0);
    Limits {
        request_max_bytes: usize::try_from(config.get(keys::SOCKET_REQUEST_MAX_BYTES)).unwrap_or(usize::MAX),
        request_memory: positive(config.get(keys::QUEUED_MAX_REQUEST_BYTES)).or(Some(REQUEST_MEMORY)),
        idle: positive(config.get(keys::CONNECTIONS_MAX_IDLE_MS)).map(Duration::from_millis),
        stall: STALL,
        send_buffer: buffer(config.get(keys::SOCKET_SEND_BUFFER_BYTES)),
        // Kafka's default of 100 KiB makes a producer of 1 MiB requests wait for a window update every 64 KiB, and each wakes it from here: 1.7 s of CPU for
        // a GB, against 1.0 where the system lets the buffer grow with the connection. Sending is the other way round (0.3 against 0.7 s: a
        // megabyte on its way has left the caches), so that default stays.
        receive_buffer: config
            .is_given(keys::SOCKET_RECEIVE_BUFFER_BYTES.name())
            .then(|| buffer(config.get(keys::SOCKET_RECEIVE_BUFFER_BYTES)))
            .flatten(),
        connections: connection_limits(config),
    }
}

/// How many connections there may be; these keys are dynamic.
pub(super) fn connection_limits(config: &BrokerConfig) -> ConnectionLimits {
    let number =
        |value: i32| if value == i32::MAX { usize::MAX } else { usize::try_from(value).unwrap_or(0) };
    let rate = |value: i32| u32::try_from(value).ok().filter(|_| value != i32::MAX);
    let inter_broker = config.inter_broker_listener();
    let mut limits = ConnectionLimits {
        total: number(config.get(keys::MAX_CONNECTIONS)),
        per_address: number(config.get(keys::MAX_CONNECTIONS_PER_IP)),
        creation_rate: rate(config.get(keys::MAX_CONNECTION_CREATION_RATE)),
        protected: (config.listeners().len() > 1).then(|| inter_broker.to_owned()),
        ..ConnectionLimits::default()
    };
    for listener in config.listeners() {
        let name = listener.name();
        let (total, creation_rate) = (
            config.get_own(keys::MAX_CONNECTIONS, name),
            config.get_own(keys::MAX_CONNECTION_CREATION_RATE, name),
        );
        if total.is_some() || creation_rate.is_some() {
            let own = ListenerLimits {
                total: total.map_or(usize::MAX, number),
                creation_rate: creation_rate.and_then(rate),
            };
            limits.listeners.insert(name.to_owned(), own);
        }
    }
    for (host, limit) in config.connections_per_ip_overrides() {
        // Names are resolved once, as in Kafka.
        match (host.as_str(), 0_u16).to_socket_addrs() {
            Ok(found) => {
                let addresses = found.map(|address| address.ip().to_canonical());
                limits.overrides.extend(addresses.map(|address| (address, number(limit))));
            }
            Err(error) => {
                tracing::warn!("max.connections.per.ip.overrides: {host} can't be resolved: {error}");
            }
        }
    }
    limits
}
