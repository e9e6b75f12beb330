//! The overrides of topics as they were last read, and what they come to.
//!
//! They are read by several tasks at once: when a topic's first replica comes here, when a notification says that they changed, with each session. Whoever
//! reads takes a ticket first. ZooKeeper answers the reads of a session in their order, so what was read with a later ticket is not older; whichever
//! answer is dealt with last, the later ticket stays.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use vltava_settings::{Problem, TopicConfig, topic};

/// A topic's overrides, and what they come to.
#[derive(Debug)]
pub(super) struct TopicSettings {
    /// What `/config/topics/T` says.
    pub(super) overrides: BTreeMap<String, String>,
    /// The overrides over the broker's settings.
    pub(super) config: Arc<TopicConfig>,
    /// With which ticket they were read.
    ticket: u64,
    /// Their znode makes no sense; see [`nobody_chose`].
    is_unreadable: bool,
}

impl TopicSettings {
    fn new(overrides: Overrides, ticket: u64, defaults: &TopicConfig) -> (Self, Vec<Problem>) {
        let (overrides, is_unreadable) = match overrides {
            Overrides::Read(overrides) => (overrides, false),
            Overrides::Unreadable => (BTreeMap::new(), true),
        };
        let (config, problems) =
            if is_unreadable { nobody_chose(defaults) } else { defaults.with_overrides(&overrides) };
        (Self { overrides, config: Arc::new(config), ticket, is_unreadable }, problems)
    }
}

/// What the znode of a topic's overrides holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Overrides {
    /// These.
    Read(BTreeMap<String, String>),
    /// Something that makes no sense. Kafka takes it for no overrides.
    Unreadable,
}

/// The settings of a topic whose own can't be read: the broker's, but that retention deletes nothing, since its owner may have said how long records
/// are to be kept.
fn nobody_chose(defaults: &TopicConfig) -> (TopicConfig, Vec<Problem>) {
    let kept = [topic::RETENTION_MS.name(), topic::RETENTION_BYTES.name()];
    defaults.with_overrides(&kept.map(|key| (key.to_owned(), "-1".to_owned())).into())
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct TopicTable {
    tickets: AtomicU64,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Arc<str>, Arc<TopicSettings>>,
    /// Topics that are not known and are being read, by how many.
    learning: HashMap<Arc<str>, usize>,
}

/// The right to say what a topic's overrides are, of a moment before they are read.
#[derive(Debug)]
pub(super) struct Ticket {
    table: Arc<TopicTable>,
    name: Arc<str>,
    number: u64,
    learns: bool,
}

impl TopicTable {
    /// To be called before the overrides of a topic that is not known, or was made again, are read.
    pub(super) fn learn(self: &Arc<Self>, name: &str) -> Ticket {
        let name: Arc<str> = name.into();
        *self.state.write().learning.entry(name.clone()).or_default() += 1;
        Ticket { table: self.clone(), name, number: self.next(), learns: true }
    }

    /// To be called before the overrides of a topic are read again; `None` if nobody here wants to know.
    pub(super) fn reread(self: &Arc<Self>, name: &str) -> Option<Ticket> {
        let concerns = {
            let state = self.state.read();
            state.known.contains_key(name) || state.learning.contains_key(name)
        };
        concerns.then(|| Ticket {
            table: self.clone(),
            name: name.into(),
            number: self.next(),
            learns: false,
        })
    }

    fn next(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// What is known of a topic.
    pub(super) fn get(&self, name: &str) -> Option<Arc<TopicSettings>> {
        self.state.read().known.get(name).cloned()
    }

    /// The names of the topics that are known.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.state.read().known.keys().cloned().collect()
    }

    /// The topic is of no concern any more.
    pub(super) fn forget(&self, name: &str) {
        self.state.write().known.remove(name);
    }

    /// Other defaults: what each topic's overrides come to over them.
    pub(super) fn rebase(&self, defaults: &TopicConfig) -> Vec<(Arc<str>, Arc<TopicConfig>)> {
        let mut state = self.state.write();
        let rebased = state.known.iter_mut().map(|(name, settings)| {
            let overrides = if settings.is_unreadable {
                Overrides::Unreadable
            } else {
                Overrides::Read(settings.overrides.clone())
            };
            // What has no effect was told when it was read.
            let (rebased, _) = TopicSettings::new(overrides, settings.ticket, defaults);
            let config = rebased.config.clone();
            *settings = Arc::new(rebased);
            (name.clone(), config)
        });
        rebased.collect()
    }
}

impl Ticket {
    /// The topic.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Says what was read. Answers what it comes to, and which overrides have no effect; `None` if somebody has said what was read later, or the topic is of
    /// no concern any more, or if it is unreadable and others are in force: those stay.
    pub(super) fn put(
        self,
        overrides: Overrides,
        defaults: &TopicConfig,
    ) -> Option<(Arc<TopicConfig>, Vec<Problem>)> {
        let mut state = self.table.state.write();
        let wanted = match state.known.get(&self.name) {
            Some(settings) => settings.ticket < self.number && overrides != Overrides::Unreadable,
            None => self.learns || state.learning.contains_key(&self.name),
        };
        if !wanted {
            return None;
        }
        let (settings, problems) = TopicSettings::new(overrides, self.number, defaults);
        let config = settings.config.clone();
        state.known.insert(self.name.clone(), Arc::new(settings));
        drop(state);
        Some((config, problems))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.learns {
            return;
        }
        let mut state = self.table.state.write();
        if let Some(count) = state.learning.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                state.learning.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use vltava_settings::{BrokerConfig, Properties};

    use super::*;

    fn defaults() -> TopicConfig {
        let properties = Properties::parse("zookeeper.connect=z:1", "p").expect("properties");
        let broker =
            BrokerConfig::from_properties(&properties, &Properties::default()).expect("a configuration");
        TopicConfig::defaults(&broker)
    }

    fn retention(ms: i64) -> Overrides {
        Overrides::Read(BTreeMap::from([("retention.ms".to_owned(), ms.to_string())]))
    }

    fn known(table: &TopicTable) -> Option<i64> {
        table.get("t").map(|settings| settings.config.get(topic::RETENTION_MS))
    }

    #[test]
    fn what_was_read_later_stays_whoever_says_it_last() {
        let (table, defaults) = (Arc::new(TopicTable::default()), defaults());
        let first = table.learn("t");
        let second = table.reread("t").expect("it is being learned");
        assert!(second.put(retention(2), &defaults).is_some());
        assert!(first.put(retention(1), &defaults).is_none());
        assert_eq!(known(&table), Some(2));
        let third = table.reread("t").expect("it is known");
        assert!(table.reread("t").expect("it is known").put(retention(4), &defaults).is_some());
        assert!(third.put(retention(3), &defaults).is_none());
        assert_eq!(known(&table), Some(4));
    }

    #[test]
    fn what_is_forgotten_while_it_is_read_again_stays_forgotten() {
        let (table, defaults) = (Arc::new(TopicTable::default()), defaults());
        assert!(table.reread("t").is_none(), "nobody asked for it");
        table.learn("t").put(retention(1), &defaults).expect("it is new");
        let again = table.reread("t").expect("it is known");
        table.forget("t");
        assert!(again.put(retention(2), &defaults).is_none());
        assert_eq!(known(&table), None);
        drop(table.learn("t"));
        assert!(table.reread("t").is_none(), "what could not be read is not being read any more");
    }

    #[test]
    fn other_defaults_revert_no_override() {
        let (table, mut defaults) = (Arc::new(TopicTable::default()), defaults());
        table.learn("t").put(retention(1), &defaults).expect("it is new");
        table.learn("u").put(Overrides::Read(BTreeMap::new()), &defaults).expect("it is new");
        let Overrides::Read(seven) = retention(7) else { return };
        let (changed, _) = defaults.with_overrides(&seven);
        defaults = changed;
        assert_eq!(table.rebase(&defaults).len(), 2);
        assert_eq!(known(&table), Some(1));
        assert_eq!(table.get("u").map(|settings| settings.config.get(topic::RETENTION_MS)), Some(7));
        assert!(table.reread("t").expect("known").put(retention(2), &defaults).is_some());
    }

    #[test]
    fn unreadable_overrides_delete_nothing_and_replace_no_others() {
        let (table, defaults) = (Arc::new(TopicTable::default()), defaults());
        let unreadable = Overrides::Unreadable;
        table.learn("t").put(unreadable.clone(), &defaults).expect("it is new");
        assert_eq!(known(&table), Some(-1));
        table.rebase(&defaults);
        assert_eq!(known(&table), Some(-1), "other defaults change nothing about it");
        table.reread("t").expect("it is known").put(retention(5), &defaults).expect("it was put right");
        assert!(table.reread("t").expect("it is known").put(unreadable.clone(), &defaults).is_none());
        assert!(table.learn("t").put(unreadable.clone(), &defaults).is_none(), "for a new partition too");
        assert_eq!(known(&table), Some(5), "what was in force stays");
        table.forget("t");
        table.learn("t").put(unreadable, &defaults).expect("a topic that was made again is another");
        assert_eq!(known(&table), Some(-1));
    }
}
