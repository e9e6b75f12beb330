//! The table: every broker and topic key once, found by name.

use std::sync::OnceLock;

use crate::definition::Definition;
use crate::{broker, topic};

/// The definitions of one kind of resource, sorted by name.
#[derive(Debug)]
pub struct Table {
    definitions: Vec<&'static Definition>,
}

impl Table {
    fn new(definitions: impl Iterator<Item = &'static Definition>) -> Table {
        let mut definitions: Vec<_> = definitions.collect();
        definitions.sort_by_key(|definition| definition.name);
        Table { definitions }
    }

    /// The definition of a key. A binary search: 9 comparisons.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Definition> {
        self.position(name).map(|index| self.definitions[index])
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.definitions.binary_search_by_key(&name, |definition| definition.name).ok()
    }

    /// All definitions, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static Definition> + '_ {
        self.definitions.iter().copied()
    }

    /// The name in the table that a misspelt one is nearest to, if one is near.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.iter().map(|definition| definition.name))
    }
}

/// All broker keys.
pub fn broker_keys() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::new(broker::AREAS.iter().flat_map(|(_, keys)| keys.iter().copied())))
}

/// All topic keys.
pub fn topic_keys() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::new(topic::KEYS.iter().copied()))
}

/// The candidate that differs from a word in the fewest letters, if in at most a third of them.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A bound on the work: no name is longer.
    if word.len() > 200 {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .min()
        .filter(|&(far, _)| far <= limit)
        .map(|(_, c)| c)
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut least = substituted.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Effect, Literal};

    #[test]
    fn no_key_is_in_the_table_twice() {
        for table in [broker_keys(), topic_keys()] {
            assert!(table.definitions.is_sorted_by(|left, right| left.name < right.name));
        }
    }

    #[test]
    fn every_default_satisfies_its_own_definition() {
        for definition in broker_keys().iter().chain(topic_keys().iter()) {
            let value = crate::value::Value::from_literal(definition.default);
            if let Some(text) = value.shown() {
                assert_eq!(definition.parse(&text), Ok(value), "{}", definition.name);
            } else {
                assert_eq!(definition.default, Literal::Null);
            }
        }
    }

    #[test]
    fn every_key_has_a_sentence_and_every_exception_a_reason() {
        for definition in broker_keys().iter().chain(topic_keys().iter()) {
            assert!(definition.documentation().ends_with('.'), "{}", definition.name);
            if let Effect::Accepted(why) | Effect::Refused(why) = definition.effect {
                assert!(!why.is_empty() && !why.ends_with('.'), "{}", definition.name);
            }
        }
    }

    #[test]
    fn topic_keys_name_broker_keys_that_exist() {
        for definition in topic_keys().iter() {
            for name in definition.broker_keys {
                assert!(broker_keys().find(name).is_some(), "{name} of {}", definition.name);
            }
        }
    }

    #[test]
    fn a_misspelt_key_is_recognised() {
        assert_eq!(broker_keys().nearest("num.partition"), Some("num.partitions"));
        assert_eq!(broker_keys().nearest("auto.create.topic.enable"), Some("auto.create.topics.enable"));
        assert_eq!(topic_keys().nearest("retenion.ms"), Some("retention.ms"));
        assert_eq!(topic_keys().nearest("colour"), None);
    }
}
