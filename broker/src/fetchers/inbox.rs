//! Which partitions a fetcher follows. Whoever obeys the controller puts them in and takes them out; the fetcher looks before each request.

use std::{
    collections::BTreeMap,
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use vltava_cluster::replication::Agreement;

use super::session::Key;
use crate::partitions::Partition;

/// A partition that is followed.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    pub(super) partition: Arc<Partition>,
    /// The epoch in which its leader is followed.
    pub(super) leader_epoch: i32,
    /// Not before then.
    pub(super) not_before: Option<Instant>,
    /// How far it has come to agree with its leader.
    pub(super) agreement: Agreement,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    followed: BTreeMap<Key, Followed>,
    /// The connection that the fetcher waits on.
    waits_on: Option<TcpStream>,
    is_over: bool,
}

impl Inbox {
    /// Follows a partition from now on; one that is followed in the same epoch goes on as it is.
    pub(super) fn follow(&self, partition: Arc<Partition>, leader_epoch: i32) {
        let mut state = self.state.lock();
        let key = key(&partition);
        let is_known = state.followed.get(&key).is_some_and(|known| {
            known.leader_epoch == leader_epoch && Arc::ptr_eq(&known.partition, &partition)
        });
        if !is_known {
            let followed =
                Followed { partition, leader_epoch, not_before: None, agreement: Agreement::default() };
            state.followed.insert(key, followed);
            self.changed.notify_one();
        }
    }

    pub(super) fn unfollow(&self, partition: &Partition) {
        self.state.lock().followed.remove(&key(partition));
    }

    /// Takes a partition out, unless it is followed in another epoch by now.
    pub(super) fn give_up(&self, key: &Key, leader_epoch: i32) {
        let mut state = self.state.lock();
        if state.followed.get(key).is_some_and(|followed| followed.leader_epoch == leader_epoch) {
            state.followed.remove(key);
        }
    }

    /// Changes a partition that is followed in that epoch still.
    pub(super) fn change(&self, key: &Key, leader_epoch: i32, change: impl FnOnce(&mut Followed)) {
        let mut state = self.state.lock();
        if let Some(followed) = state.followed.get_mut(key)
            && followed.leader_epoch == leader_epoch
        {
            change(followed);
        }
    }

    /// Every partition waits: the leader cannot be reached.
    pub(super) fn delay_all(&self, by: Duration) {
        let until = Instant::now() + by;
        for followed in self.state.lock().followed.values_mut() {
            followed.not_before = Some(until);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state.lock().followed.is_empty()
    }

    /// Waits until there are partitions to fetch; `None` when it is over or there are none at all.
    pub(super) fn due(&self) -> Option<BTreeMap<Key, Followed>> {
        let mut state = self.state.lock();
        loop {
            if state.is_over || state.followed.is_empty() {
                return None;
            }
            let now = Instant::now();
            let is_due = |followed: &Followed| followed.not_before.is_none_or(|then| then <= now);
            let due: BTreeMap<Key, Followed> = state
                .followed
                .iter()
                .filter(|(_, followed)| is_due(followed))
                .map(|(key, followed)| (key.clone(), followed.clone()))
                .collect();
            if !due.is_empty() {
                return Some(due);
            }
            let next = state.followed.values().filter_map(|followed| followed.not_before).min();
            self.changed.wait_until(&mut state, next.unwrap_or(now + Duration::from_secs(1)));
        }
    }

    /// What the fetcher waits on from now on, so that the wait can be ended.
    pub(super) fn waits_on(&self, stream: Option<TcpStream>) {
        let mut state = self.state.lock();
        state.waits_on = stream;
        if state.is_over {
            state.shut();
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.lock().is_over
    }

    /// The fetcher is to end, whatever it waits for.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.is_over = true;
        state.shut();
        self.changed.notify_one();
    }
}

impl State {
    fn shut(&self) {
        if let Some(stream) = &self.waits_on {
            // One that is closed already has nobody waiting.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn key(partition: &Partition) -> Key {
    (partition.topic.name.clone(), partition.index)
}
