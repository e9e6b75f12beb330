//! Followers fetch: for each leader `num.replica.fetchers` threads, each with one connection and one request for all of its partitions.
//!
//! | file | idea |
//! |---|---|
//! | `inbox` | which partitions a fetcher follows, and since which epoch |
//! | `fetcher` | the thread: one fetch after the other |
//! | `exchange` | requests to the leader and what its answers mean |
//! | `session` | what changed since the last request (KIP-227) |
//! | `connection` | a blocking connection |
//!
//! A fetcher is a thread and not a task: it does one thing at a time, appends wait for the disk, and what arrives wakes it without a detour. A leader whose
//! partitions have all gone elsewhere costs nothing: its fetchers end.

mod connection;
mod exchange;
mod fetcher;
mod inbox;
mod session;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, OnceLock, Weak},
    thread::JoinHandle,
};

use parking_lot::Mutex;
use tracing::error;
use vltava_settings::broker as keys;

use crate::{Broker, partitions::Partition};
use inbox::Inbox;

/// All fetchers of a broker.
#[derive(Debug, Default)]
pub struct Fetchers {
    broker: OnceLock<Weak<Broker>>,
    running: Arc<Mutex<Running>>,
}

/// By leader, and the number among its fetchers.
#[derive(Debug, Default)]
struct Running {
    fetchers: HashMap<(i32, u64), (Arc<Inbox>, JoinHandle<()>)>,
    is_over: bool,
}

impl Fetchers {
    /// Follows for `broker`; before that nothing is fetched.
    pub fn serve(&self, broker: &Arc<Broker>) {
        if self.broker.set(Arc::downgrade(broker)).is_err() {
            error!("a second broker for the same fetchers is ignored");
        }
    }

    /// Fetches a partition from its leader, and from no other any more. `leader` may be -1: nobody.
    pub fn follow(&self, partition: &Arc<Partition>, leader: i32, leader_epoch: i32) {
        let Some(weak) = self.broker.get() else { return };
        let Some(broker) = weak.upgrade() else { return };
        let number = number_of(partition, broker.control.configs().broker().get(keys::NUM_REPLICA_FETCHERS));
        let mut running = self.running.lock();
        running.forget(partition, Some((leader, number)));
        if leader < 0 || leader == broker.id || running.is_over {
            return;
        }
        if let Some((inbox, _)) = running.fetchers.get(&(leader, number)) {
            inbox.follow(partition.clone(), leader_epoch);
            return;
        }
        let inbox = Arc::new(Inbox::default());
        inbox.follow(partition.clone(), leader_epoch);
        let (weak, all, own) = (weak.clone(), Arc::clone(&self.running), Arc::clone(&inbox));
        let run = move || fetcher::run(&weak, leader, number, &own, || retire(&all, (leader, number), &own));
        match std::thread::Builder::new().name(format!("fetcher-{leader}-{number}")).spawn(run) {
            Ok(thread) => {
                running.fetchers.insert((leader, number), (inbox, thread));
            }
            Err(failure) => {
                error!(%failure, leader, "no thread for a fetcher: its partitions are not followed")
            }
        }
    }

    /// Fetches a partition no more.
    pub fn unfollow(&self, partition: &Arc<Partition>) {
        self.running.lock().forget(partition, None);
    }

    /// Ends every fetcher, and waits until none writes any more.
    pub fn stop(&self) {
        let ended: Vec<_> = {
            let mut running = self.running.lock();
            running.is_over = true;
            running.fetchers.drain().map(|(_, fetcher)| fetcher).collect()
        };
        for (inbox, _) in &ended {
            inbox.end();
        }
        for (_, thread) in ended {
            if thread.join().is_err() {
                error!("a fetcher ended badly");
            }
        }
    }
}

impl Running {
    fn forget(&self, partition: &Partition, except: Option<(i32, u64)>) {
        for (place, (inbox, _)) in &self.fetchers {
            if Some(*place) != except {
                inbox.unfollow(partition);
            }
        }
    }
}

/// Takes a fetcher without partitions out; `false` if it was given one meanwhile.
fn retire(all: &Mutex<Running>, place: (i32, u64), inbox: &Inbox) -> bool {
    let mut running = all.lock();
    if !inbox.is_empty() {
        return false;
    }
    running.fetchers.remove(&place);
    true
}

fn number_of(partition: &Partition, fetchers: i32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&partition.topic.name, partition.index).hash(&mut hasher);
    hasher.finish() % u64::from(fetchers.max(1).unsigned_abs())
}
