//! The four letter words: questions that an operator types into a bare connection (`echo ruok | nc host 2181`), answered in Apache's
//! layout, because scripts parse it.

use std::fmt::Write as _;
use std::path::Path;

use super::dump;
use super::figures::rows;
use super::shared::{Shared, State};
use crate::watches::ConnectionId;

/// What the version says: the release of Apache's whose protocol this is, and who really answers.
pub(super) const VERSION: &str = concat!("3.9.3-vltava-", env!("CARGO_PKG_VERSION"), ", built on -");

const WORDS: [&str; 16] = [
    "ruok", "srvr", "stat", "mntr", "conf", "cons", "envi", "dump", "wchs", "wchc", "wchp", "isro", "srst",
    "crst", "dirs", "gtmk",
];

/// The word, if these are the first bytes of one and not a frame's length.
pub(super) fn word(head: [u8; 4]) -> Option<&'static str> {
    WORDS.into_iter().find(|word| word.as_bytes() == head)
}

/// What to answer.
pub(super) fn answer(shared: &Shared, word: &'static str, own: ConnectionId) -> String {
    if !shared.config.four_letter_words.allow(word) {
        return format!("{word} is not executed because it is not in the whitelist.\n");
    }
    // Sizes of directories are read without the lock.
    let sizes = || {
        let data = dir_size(&shared.config.data_dir.join("version-2"));
        let log = shared.config.data_log_dir.as_ref().map_or(data, |dir| dir_size(&dir.join("version-2")));
        (data, log)
    };
    match word {
        "conf" => return conf(shared, sizes()),
        "dirs" => {
            let (data, log) = sizes();
            return format!("datadir_size: {data}\nlogdir_size: {log}\n");
        }
        "envi" => return envi(),
        "gtmk" => return "306".into(),
        _ => {}
    }
    let mut state = shared.state.lock();
    if state.engine.log_lost() && !matches!(word, "ruok" | "isro") {
        return "This ZooKeeper instance is not currently serving requests\n".into();
    }
    match word {
        "ruok" if state.engine.log_lost() => String::new(),
        "ruok" => "imok".into(),
        "isro" => if state.engine.log_lost() { "ro" } else { "rw" }.into(),
        "srvr" => format!("Zookeeper version: {VERSION}\n{}", summary(&state)),
        "stat" => {
            let clients = cons(&state, own, false);
            format!("Zookeeper version: {VERSION}\nClients:\n{clients}\n{}", summary(&state))
        }
        "cons" => cons(&state, own, true) + "\n",
        "mntr" => mntr(shared, &state),
        "dump" => dump::dump(&state, shared.now()),
        "wchs" => wchs(&state),
        "wchc" => wchc(&state),
        "wchp" => wchp(&state),
        "srst" => {
            state.engine.reset_latency();
            "Server stats reset.\n".into()
        }
        "crst" => {
            state.engine.reset_connections();
            "Connection stats reset.\n".into()
        }
        // Apache's digest of the tree is not kept.
        _ => String::new(),
    }
}

fn summary(state: &State) -> String {
    let (engine, latency) = (&state.engine, state.engine.latency());
    format!(
        "Latency min/avg/max: {}/{}/{}\nReceived: {}\nSent: {}\nConnections: {}\nOutstanding: {}\nZxid: {:#x}\nMode: standalone\nNode count: {}\n",
        latency.min,
        decimal(latency.average()),
        latency.max,
        latency.received,
        latency.sent,
        state.outboxes.len(),
        engine.queued(),
        engine.tree.last_zxid,
        node_count(state),
    )
}

/// As Apache counts: it has the root twice, under `/` and under the empty path.
pub(super) fn node_count(state: &State) -> usize {
    state.engine.tree.len() + 1
}

/// At most four digits behind the point, at least one, as Apache rounds.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
}

fn cons(state: &State, own: ConnectionId, full: bool) -> String {
    let mut text = String::new();
    for report in state.engine.connections() {
        let Some((peer, _)) = state.outboxes.get(&report.id) else { continue };
        // Apache marks those that wait to be read.
        let interest = u8::from(report.id != own);
        let _ = write!(
            text,
            " /{peer}[{interest}](queued={},recved={},sent={}",
            report.queued, report.received, report.sent
        );
        if full && report.session != 0 {
            let _ = write!(
                text,
                ",sid={:#x},lop={},est={},to={}",
                report.session, report.last_op, report.established, report.timeout
            );
            // The xids of the server's own packets are negative, and left out.
            if report.last_cxid >= 0 {
                let _ = write!(text, ",lcxid={:#x}", report.last_cxid);
            }
            let latency = &report.latency;
            let _ = write!(
                text,
                ",lzxid={:#x},lresp={},llat={},minlat={},avglat={},maxlat={}",
                report.last_zxid,
                report.last_response,
                latency.last,
                latency.min,
                latency.average(),
                latency.max
            );
        }
        text.push_str(")\n");
    }
    text
}

fn mntr(shared: &Shared, state: &State) -> String {
    rows(shared, state).iter().fold(String::new(), |mut text, (key, value)| {
        let _ = writeln!(text, "zk_{key}\t{value}");
        text
    })
}

fn conf(shared: &Shared, (data_size, log_size): (u64, u64)) -> String {
    let config = &shared.config;
    let log_dir = config.data_log_dir.as_ref().unwrap_or(&config.data_dir);
    format!(
        "clientPort={}\nsecureClientPort=-1\ndataDir={}\ndataDirSize={data_size}\ndataLogDir={}\ndataLogSize={log_size}\ntickTime={}\n\
         maxClientCnxns={}\nminSessionTimeout={}\nmaxSessionTimeout={}\nclientPortListenBacklog=-1\nserverId=0\n",
        shared.local_addr.port(),
        config.data_dir.join("version-2").display(),
        log_dir.join("version-2").display(),
        config.tick_time,
        config.max_client_connections,
        config.min_session_timeout,
        config.max_session_timeout,
    )
}

fn envi() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let os_version = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let dir = std::env::current_dir().map(|dir| dir.display().to_string()).unwrap_or_default();
    format!(
        "Environment:\nzookeeper.version={VERSION}\nhost.name={}\nos.name={}\nos.arch={}\nos.version={}\nuser.dir={dir}\n",
        host.trim(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        os_version.trim(),
    )
}

fn wchs(state: &State) -> String {
    let watches = &state.engine.watches;
    let (paths, total) = watches.counts();
    format!("{} connections watching {paths} paths\nTotal watches:{total}\n", watches.by_connection().count())
}

fn wchc(state: &State) -> String {
    let mut text = String::new();
    for (connection, paths) in state.engine.watches.by_connection() {
        let _ = writeln!(text, "{:#x}", state.engine.session_of(connection));
        for path in paths {
            let _ = writeln!(text, "\t{path}");
        }
    }
    text + "\n"
}

fn wchp(state: &State) -> String {
    let mut text = String::new();
    for (path, connections) in state.engine.watches.by_path() {
        let _ = writeln!(text, "{path}");
        for connection in connections {
            let _ = writeln!(text, "\t{:#x}", state.engine.session_of(connection));
        }
    }
    text + "\n"
}

fn dir_size(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
