//! The levels of this process's log, by logger, and their change while the broker runs (KIP-412).
//!
//! A logger is a module that logs, or `root`, which all others inherit from. It is named as its module with dots between the parts
//! (`vltava_broker.control`): Kafka's tools let no colons pass. Like log4j's, the log belongs to the process: whoever starts it [`install`]s the levels, and brokers find them there.

use std::{collections::BTreeMap, sync::OnceLock};

use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;

/// The logger that all others inherit from.
pub const ROOT: &str = "root";

/// The modules that log, and inherit from the nearest that they are in. A test compares them with the sources.
const MODULES: [&str; 16] = [
    "vltava",
    "vltava_broker",
    "vltava_broker::api",
    "vltava_broker::control",
    "vltava_broker::control::controller",
    "vltava_broker::fetchers",
    "vltava_broker::groups",
    "vltava_broker::http",
    "vltava_broker::net",
    "vltava_broker::partitions",
    "vltava_broker::server",
    "vltava_log",
    "vltava_log::dirs",
    "vltava_log::recovery",
    "vltava_zookeeper",
    "zookeeper_client",
];

/// What a logger lets through, by log4j's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing: no line of ours is that bad.
    Fatal,
    /// Errors.
    Error,
    /// And warnings.
    Warn,
    /// And what an operator must know.
    Info,
    /// And what helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// All of them, with log4j's name and the name in a filter.
    const ALL: [(LogLevel, &str, &str); 6] = [
        (LogLevel::Fatal, "FATAL", "off"),
        (LogLevel::Error, "ERROR", "error"),
        (LogLevel::Warn, "WARN", "warn"),
        (LogLevel::Info, "INFO", "info"),
        (LogLevel::Debug, "DEBUG", "debug"),
        (LogLevel::Trace, "TRACE", "trace"),
    ];

    /// The level of a name; Kafka knows them in capitals only.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(level, ..)| *level)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(level, ..)| *level == self).map_or("", |(_, name, _)| name)
    }

    fn directive(self) -> &'static str {
        Self::ALL.iter().find(|(level, ..)| *level == self).map_or("", |(.., directive)| directive)
    }

    /// The level of a filter's word, such as `info`, `WARN`, `3` or `off`.
    fn of_directive(word: &str) -> Option<Self> {
        let filter: LevelFilter = word.parse().ok()?;
        Some(match filter.into_level() {
            None => Self::Fatal,
            Some(tracing::Level::ERROR) => Self::Error,
            Some(tracing::Level::WARN) => Self::Warn,
            Some(tracing::Level::INFO) => Self::Info,
            Some(tracing::Level::DEBUG) => Self::Debug,
            Some(tracing::Level::TRACE) => Self::Trace,
        })
    }
}

/// The levels of all loggers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    root: LogLevel,
    /// Loggers with a level of their own.
    own: BTreeMap<String, LogLevel>,
    /// What the filter says of spans and fields, which no logger stands for: it stays.
    others: Vec<String>,
}

impl Levels {
    /// Reads a filter such as `info,vltava_broker::control=debug`: of two words about the same logger the later counts.
    #[must_use]
    pub fn of_filter(filter: &str) -> Self {
        let mut levels = Self { root: LogLevel::Fatal, own: BTreeMap::new(), others: Vec::new() };
        for word in words(filter) {
            if word.contains(['[', '{']) {
                levels.others.push(word.to_owned());
                continue;
            }
            let (target, level) = match word.split_once('=') {
                Some((target, level)) => (Some(target), LogLevel::of_directive(level)),
                None => match LogLevel::of_directive(word) {
                    Some(level) => (None, Some(level)),
                    // A module alone is all that it says.
                    None => (Some(word), Some(LogLevel::Trace)),
                },
            };
            match (target, level) {
                (Some(target), Some(level)) => drop(levels.own.insert(target.to_owned(), level)),
                (None, Some(level)) => levels.root = level,
                (_, None) => levels.others.push(word.to_owned()),
            }
        }
        levels
    }

    /// The filter that these levels are. A filter's word counts for every name that begins with it, a logger only for the modules within: those that
    /// are beside it (`vltava_broker` beside `vltava`) are given their own.
    #[must_use]
    pub fn filter(&self) -> String {
        let beside = MODULES.iter().filter(|module| {
            let nearest = self.own.iter().rfind(|(target, _)| module.starts_with(target.as_str()));
            nearest.is_some_and(|(_, level)| *level != self.inherited(module))
        });
        let named = beside.map(|module| (*module, self.inherited(module)));
        let mut words: BTreeMap<&str, LogLevel> =
            self.own.iter().map(|(target, level)| (target.as_str(), *level)).collect();
        words.extend(named);
        let words = words.iter().map(|(target, level)| format!("{target}={}", level.directive()));
        let all: Vec<String> = std::iter::once(self.root.directive().to_owned())
            .chain(words)
            .chain(self.others.clone())
            .collect();
        all.join(",")
    }

    /// Whether a logger has this name.
    #[must_use]
    pub fn knows(&self, logger: &str) -> bool {
        let target = target(logger);
        logger == ROOT || MODULES.contains(&target.as_str()) || self.own.contains_key(&target)
    }

    /// All loggers and what they let through, by name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, LogLevel> {
        let names = MODULES.iter().copied().chain(self.own.keys().map(String::as_str));
        let mut all: BTreeMap<String, LogLevel> =
            names.map(|target| (target.replace("::", "."), self.inherited(target))).collect();
        all.insert(ROOT.to_owned(), self.root);
        all
    }

    fn inherited(&self, target: &str) -> LogLevel {
        let mut name = target;
        loop {
            if let Some(level) = self.own.get(name) {
                return *level;
            }
            match name.rsplit_once("::") {
                Some((parent, _)) => name = parent,
                None => return self.root,
            }
        }
    }

    /// Gives a logger a level, or lets it inherit again.
    fn set(&mut self, logger: &str, level: Option<LogLevel>) {
        match (logger, level) {
            (ROOT, Some(level)) => self.root = level,
            (_, Some(level)) => drop(self.own.insert(target(logger), level)),
            (_, None) => drop(self.own.remove(&target(logger))),
        }
    }
}

/// What a logger's module is called in a filter and in the log's lines.
fn target(logger: &str) -> String {
    logger.replace('.', "::")
}

/// The parts of a filter: at commas, but not at those within a span's brackets.
fn words(filter: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    filter
        .split(move |c| {
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// Makes a filter the log's.
pub type Apply = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// The loggers of this process.
pub struct Loggers {
    levels: Mutex<Levels>,
    apply: Apply,
}

impl std::fmt::Debug for Loggers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loggers").field("levels", &self.levels).finish_non_exhaustive()
    }
}

static INSTALLED: OnceLock<Loggers> = OnceLock::new();

/// Lets brokers of this process see and change the levels of its log. The first time counts: there is one log.
pub fn install(levels: Levels, apply: Apply) {
    drop(INSTALLED.set(Loggers { levels: Mutex::new(levels), apply }));
}

/// The loggers of this process, if its log can be changed.
#[must_use]
pub fn installed() -> Option<&'static Loggers> {
    INSTALLED.get()
}

impl Loggers {
    /// The levels as they are now.
    #[must_use]
    pub fn levels(&self) -> Levels {
        self.levels.lock().clone()
    }

    /// Gives loggers levels, or lets them inherit again, all at once.
    ///
    /// # Errors
    /// What the log says that cannot take the filter; it keeps the former one.
    pub fn change<'a>(
        &self,
        changes: impl Iterator<Item = (&'a str, Option<LogLevel>)>,
    ) -> Result<(), String> {
        let mut levels = self.levels.lock();
        let mut next = levels.clone();
        for (logger, level) in changes {
            next.set(logger, level);
        }
        (self.apply)(&next.filter())?;
        *levels = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn a_filter_is_levels_and_levels_are_a_filter() {
        let levels = Levels::of_filter(
            "zookeeper_client=error, info ,vltava_broker::control=DEBUG,vltava_log,[request{api,version}]=trace,a=b=c",
        );
        assert_eq!(
            levels.filter(),
            "info,vltava_broker::control=debug,vltava_log=trace,zookeeper_client=error,[request{api,version}]=trace,a=b=c"
        );
        assert_eq!(Levels::of_filter(&levels.filter()), levels);
        assert_eq!(Levels::of_filter("x=2").filter(), "off,x=warn", "what is not named is not logged");
        let program = Levels::of_filter("warn,vltava=info").filter();
        assert!(program.contains(",vltava=info,vltava_broker=warn,"), "{program}");
        assert!(
            program.contains(",vltava_zookeeper=warn") && !program.contains("zookeeper_client"),
            "{program}"
        );
    }

    #[test]
    fn loggers_inherit_from_the_nearest_above() {
        let mut levels = Levels::of_filter("warn,vltava_broker=info");
        levels.set("vltava_broker.control", Some(LogLevel::Debug));
        let all = levels.all();
        let level = |name: &str| all[name].name();
        assert_eq!((level(ROOT), level("vltava_log"), level("vltava_broker.net")), ("WARN", "WARN", "INFO"));
        assert_eq!(level("vltava_broker.control.controller"), "DEBUG");
        levels.set("vltava_broker.control", None);
        levels.set("vltava_broker", None);
        levels.set(ROOT, Some(LogLevel::Fatal));
        assert_eq!(levels.filter(), "off");
        assert_eq!(levels.all()["vltava_broker.control.controller"], LogLevel::Fatal);
        assert!(levels.knows(ROOT) && levels.knows("vltava_log") && !levels.knows("kafka.server"));
    }

    #[test]
    fn every_module_that_logs_has_a_logger() {
        fn logging(folder: &Path, module: &str, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
                if path.is_dir() {
                    logging(&path, &format!("{module}::{name}"), found);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let text = fs::read_to_string(&path).expect("a source");
                    let says = |level: &str| {
                        text.contains(&format!("tracing::{level}!"))
                            || text.contains(&format!(" {level}!(")) && text.contains("use tracing::")
                    };
                    if ["error", "warn", "info", "debug", "trace"].iter().any(|level| says(level)) {
                        found.push(format!("{module}::{name}"));
                    }
                }
            }
        }
        let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = Vec::new();
        for (room, module) in [
            ("broker", "vltava_broker"),
            ("log", "vltava_log"),
            ("zookeeper", "vltava_zookeeper"),
            ("cli", "vltava"),
        ] {
            logging(&house.join(room).join("src"), module, &mut found);
        }
        assert!(found.len() > 20, "{found:?}");
        let covers = |module: &&String| {
            let folder = module.split("::").take(2).collect::<Vec<_>>().join("::");
            MODULES.contains(&folder.as_str())
                || folder.starts_with("vltava::")
                || folder.starts_with("vltava_zookeeper::")
                || folder.starts_with("vltava_log::")
        };
        let without: Vec<&String> = found.iter().filter(|module| !covers(module)).collect();
        assert!(without.is_empty(), "{without:?} say something and have no logger: add theirs to MODULES");
    }
}
