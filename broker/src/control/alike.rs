//! Names of topics that differ only in '.' and '_': their metrics could not be told apart, so that Kafka makes no second one.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

/// The names of topics that have a '.' or a '_', to find one that is like another in the time of a look-up: a request may name millions.
#[derive(Debug, Clone, Default)]
pub(super) struct AlikeNames {
    /// By what is the same in all that are alike, and then by the name itself.
    names: BTreeSet<(Arc<str>, Arc<str>)>,
}

impl AlikeNames {
    /// A topic has come.
    pub(super) fn insert(&mut self, name: &Arc<str>) {
        if let Some(common) = common(name) {
            self.names.insert((common, name.clone()));
        }
    }

    /// A topic has gone.
    pub(super) fn remove(&mut self, name: &Arc<str>) {
        if let Some(common) = common(name) {
            self.names.remove(&(common, name.clone()));
        }
    }

    /// All topics have gone.
    pub(super) fn clear(&mut self) {
        self.names.clear();
    }

    /// A topic of another name that is like this one.
    pub(super) fn like(&self, name: &str) -> Option<&str> {
        let first = (common(name)?, Arc::default());
        let mut alike = self
            .names
            .range((Bound::Included(&first), Bound::Unbounded))
            .take_while(|(common, _)| *common == first.0)
            .map(|(_, alike)| &**alike);
        alike.find(|alike| *alike != name)
    }
}

/// What all names have in common that are like this one; `None` where none is like it but itself.
fn common(name: &str) -> Option<Arc<str>> {
    name.contains(['.', '_']).then(|| name.replace('.', "_").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_only_in_dots_and_underscores_are_alike() {
        let mut names = AlikeNames::default();
        let topics: Vec<Arc<str>> = ["a.b", "a_b", "a.b.c", "ab", "a-b"].map(Into::into).into();
        topics.iter().for_each(|name| names.insert(name));
        assert_eq!(names.like("a.b"), Some("a_b"));
        assert_eq!(names.like("a_b"), Some("a.b"));
        assert_eq!(names.like("a_b.c"), Some("a.b.c"));
        for alone in ["a.b.c", "ab", "a-b", "b.a", "a.", "_b"] {
            assert_eq!(names.like(alone), None, "{alone}");
        }
        names.remove(&topics[1]);
        assert_eq!(names.like("a.b"), None);
        names.clear();
        assert_eq!(names.like("a_b"), None);
    }
}
