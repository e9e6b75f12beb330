//! How many connections there may be, in all and from one address, and how fast they may come.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

/// The limits on connections; all are dynamic in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// `max.connections`.
    pub total: usize,
    /// `max.connections.per.ip`.
    pub per_address: usize,
    /// `max.connections.per.ip.overrides`, resolved.
    pub overrides: HashMap<IpAddr, usize>,
    /// `max.connection.creation.rate`, new connections a second.
    pub creation_rate: Option<u32>,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: usize::MAX, per_address: usize::MAX, overrides: HashMap::new(), creation_rate: None }
    }
}

/// An address has as many connections as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many connections from {address} (maximum = {maximum})")]
pub(crate) struct TooManyFromAddress {
    address: IpAddr,
    maximum: usize,
}

/// Counts open connections against the limits.
#[derive(Debug)]
pub(crate) struct ConnectionQuotas {
    state: Mutex<State>,
    /// Notified when a connection ends or the limits change.
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limits: ConnectionLimits,
    open: usize,
    by_address: HashMap<IpAddr, usize>,
    /// When the next connection may be accepted, by the creation rate.
    next: Instant,
}

impl ConnectionQuotas {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self {
            state: Mutex::new(State { limits, open: 0, by_address: HashMap::new(), next: Instant::now() }),
            freed: Notify::new(),
        }
    }

    pub(crate) fn set_limits(&self, limits: ConnectionLimits) {
        self.state.lock().limits = limits;
        self.freed.notify_waiters();
    }

    /// Returns when one more connection may be accepted: as in Kafka, at `max.connections` the next ones wait in the backlog.
    pub(crate) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            let wait = {
                let state = self.state.lock();
                (state.open < state.limits.total).then_some(state.next)
            };
            match wait {
                Some(next) if next <= Instant::now() => return,
                Some(next) => tokio::time::sleep_until(next).await,
                None => freed.await,
            }
        }
    }

    /// Counts a connection that was accepted.
    pub(crate) fn acquire(&self, address: IpAddr) -> Result<(), TooManyFromAddress> {
        let mut state = self.state.lock();
        if let Some(rate) = state.limits.creation_rate {
            // A second's worth may come at once after a quiet time.
            let now = Instant::now();
            let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
            state.next = state.next.max(earliest) + Duration::from_secs(1) / rate.max(1);
        }
        let maximum = state.limits.overrides.get(&address).copied().unwrap_or(state.limits.per_address);
        let open = state.by_address.entry(address).or_insert(0);
        if *open >= maximum {
            if *open == 0 {
                state.by_address.remove(&address);
            }
            return Err(TooManyFromAddress { address, maximum });
        }
        *open += 1;
        state.open += 1;
        Ok(())
    }

    pub(crate) fn release(&self, address: IpAddr) {
        let mut state = self.state.lock();
        state.open = state.open.saturating_sub(1);
        if let Some(open) = state.by_address.get_mut(&address) {
            *open -= 1;
            if *open == 0 {
                state.by_address.remove(&address);
            }
        }
        drop(state);
        self.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn an_address_has_its_own_limit_or_that_of_all() {
        let quotas = ConnectionQuotas::new(ConnectionLimits {
            per_address: 1,
            overrides: [(B, 2)].into(),
            ..ConnectionLimits::default()
        });
        quotas.acquire(A).unwrap();
        assert_eq!(quotas.acquire(A), Err(TooManyFromAddress { address: A, maximum: 1 }));
        quotas.acquire(B).unwrap();
        quotas.acquire(B).unwrap();
        quotas.acquire(B).unwrap_err();
        quotas.release(A);
        quotas.acquire(A).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn connections_come_no_faster_than_the_creation_rate_after_a_first_second() {
        let quotas =
            ConnectionQuotas::new(ConnectionLimits { creation_rate: Some(10), ..Default::default() });
        let start = Instant::now();
        for _ in 0..40 {
            quotas.room().await;
            quotas.acquire(A).unwrap();
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(2900) && took <= Duration::from_secs(4), "{took:?}");
    }
}
