//! What the controller reads and watches. Of each subject at most one read is under way and at most one watch is set: answers cannot overtake each other,
//! and a storm of notifications costs one read.

use std::collections::{HashMap, HashSet};

use vltava_cluster::controller::TopicName;

/// A znode, or a directory of them, that is read as one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// `/brokers/ids` and what is in it.
    Brokers,
    /// One registration: watched, and read with the others.
    Broker(String),
    /// `/brokers/topics`.
    Topics,
    /// One topic's assignment.
    Topic(TopicName),
    /// A topic's `unclean.leader.election.enable`. Not watched: changes are notified.
    Unclean(TopicName),
    /// `/admin/delete_topics`.
    Deletions,
    /// `/admin/preferred_replica_election`.
    PreferredElection,
    /// `/admin/reassign_partitions`.
    Reassignment,
    /// `/isr_change_notification`.
    IsrChanges,
    /// `/log_dir_event_notification`.
    LogDirEvents,
    /// `/controller`: that it is still ours.
    Office,
}

/// Which subjects are being read, and which are watched.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// The value: whether another read is wanted after this one.
    reading: HashMap<Subject, bool>,
    watched: HashSet<Subject>,
}

impl Subjects {
    /// Wants a read; whether it should start now.
    pub(super) fn want(&mut self, subject: &Subject) -> bool {
        if let Some(again) = self.reading.get_mut(subject) {
            *again = true;
            return false;
        }
        self.reading.insert(subject.clone(), false);
        true
    }

    /// A read has ended; whether another one is wanted.
    pub(super) fn has_read(&mut self, subject: &Subject) -> bool {
        self.reading.remove(subject).unwrap_or(false)
    }

    /// A watch has been set.
    pub(super) fn is_watched_now(&mut self, subject: Subject) {
        self.watched.insert(subject);
    }

    /// A watch has fired.
    pub(super) fn has_fired(&mut self, subject: &Subject) {
        self.watched.remove(subject);
    }

    /// Whether a watch is set.
    pub(super) fn is_watched(&self, subject: &Subject) -> bool {
        self.watched.contains(subject)
    }

    /// The topics that are watched: all there are.
    pub(super) fn watched_topics(&self) -> Vec<TopicName> {
        let name =
            |subject: &Subject| if let Subject::Topic(name) = subject { Some(name.clone()) } else { None };
        self.watched.iter().filter_map(name).collect()
    }

    /// The registrations that are watched.
    pub(super) fn watched_brokers(&self) -> HashSet<String> {
        let name =
            |subject: &Subject| if let Subject::Broker(name) = subject { Some(name.clone()) } else { None };
        self.watched.iter().filter_map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_of_one_subject_follow_each_other_and_join() {
        let mut subjects = Subjects::default();
        assert!(subjects.want(&Subject::Topics));
        assert!(!subjects.want(&Subject::Topics), "one is under way");
        assert!(!subjects.want(&Subject::Topics), "another one is wanted already");
        assert!(subjects.want(&Subject::Brokers), "another subject");
        assert!(subjects.has_read(&Subject::Topics), "and once again");
        assert!(subjects.want(&Subject::Topics));
        assert!(!subjects.has_read(&Subject::Topics));
    }
}
