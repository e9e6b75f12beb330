//! How many connections there may be, in all, on one listener and from one address, and how fast they may come.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

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
    /// The limits of single listeners (`listener.name.<name>.max.connections` and so on), by name.
    pub listeners: HashMap<String, ListenerLimits>,
    /// The listener between brokers, where it is not the only one: it accepts although `total` is reached, and the connection of another listener that
    /// has been silent for longest ends.
    pub protected: Option<String>,
}

/// The limits of one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerLimits {
    /// `max.connections`.
    pub total: usize,
    /// `max.connection.creation.rate`.
    pub creation_rate: Option<u32>,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: usize::MAX,
            per_address: usize::MAX,
            overrides: HashMap::new(),
            creation_rate: None,
            listeners: HashMap::new(),
            protected: None,
        }
    }
}

impl ConnectionLimits {
    fn of_listener(&self, listener: &str) -> ListenerLimits {
        let free = ListenerLimits { total: usize::MAX, creation_rate: None };
        self.listeners.get(listener).copied().unwrap_or(free)
    }

    /// Whether `total` leaves a listener alone.
    pub(crate) fn protects(&self, listener: &str) -> bool {
        self.protected.as_deref() == Some(listener)
    }
}

/// An address has as many connections as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many connections from {address} (maximum = {maximum})")]
pub(crate) struct TooManyFromAddress {
    address: IpAddr,
    maximum: usize,
}

/// What accepting a connection means to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// Nothing.
    Free,
    /// Another one must go for it.
    InPlaceOfAnother,
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
    by_listener: HashMap<Arc<str>, OfListener>,
    pace: Pace,
}

#[derive(Debug)]
struct OfListener {
    open: usize,
    pace: Pace,
}

/// When the next connection may be accepted, by a creation rate.
#[derive(Debug, Clone, Copy)]
struct Pace(Instant);

impl Pace {
    fn take(&mut self, rate: Option<u32>) {
        if let Some(rate) = rate {
            // A second's worth may come at once after a quiet time.
            let now = Instant::now();
            let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
            self.0 = self.0.max(earliest) + Duration::from_secs(1) / rate.max(1);
        }
    }
}

impl State {
    /// When `listener` may accept; `None` while it is full.
    fn next(&self, listener: &str) -> Option<Instant> {
        let own = self.by_listener.get(listener);
        let open = own.map_or(0, |own| own.open);
        let full = open >= self.limits.of_listener(listener).total
            || (self.open >= self.limits.total && !self.limits.protects(listener));
        let paces = [Some(self.pace), own.map(|own| own.pace)];
        if full { None } else { paces.into_iter().flatten().map(|pace| pace.0).max() }
    }
}

impl ConnectionQuotas {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        let state = State {
            limits,
            open: 0,
            by_address: HashMap::new(),
            by_listener: HashMap::new(),
            pace: Pace(Instant::now()),
        };
        Self { state: Mutex::new(state), freed: Notify::new() }
    }

    pub(crate) fn set_limits(&self, limits: ConnectionLimits) {
        self.state.lock().limits = limits;
        self.freed.notify_waiters();
    }

    pub(crate) fn protects(&self, listener: &str) -> bool {
        self.state.lock().limits.protects(listener)
    }

    /// Returns when `listener` may accept one more connection: as in Kafka, at `max.connections` the next ones wait in the backlog.
    pub(crate) async fn room(&self, listener: &str) {
        loop {
            let freed = self.freed.notified();
            let next = self.state.lock().next(listener);
            match next {
                Some(next) if next <= Instant::now() => return,
                // Other limits may hold by then.
                Some(next) => tokio::select! {
                    () = tokio::time::sleep_until(next) => {}
                    () = freed => {}
                },
                None => freed.await,
            }
        }
    }

    /// Counts a connection that was accepted.
    pub(crate) fn acquire(
        &self,
        listener: &Arc<str>,
        address: IpAddr,
    ) -> Result<Admitted, TooManyFromAddress> {
        let mut state = self.state.lock();
        let State { limits, open: all, by_address, by_listener, pace } = &mut *state;
        pace.take(limits.creation_rate);
        let own =
            by_listener.entry(listener.clone()).or_insert(OfListener { open: 0, pace: Pace(Instant::now()) });
        own.pace.take(limits.of_listener(listener).creation_rate);
        let maximum = limits.overrides.get(&address).copied().unwrap_or(limits.per_address);
        let open = by_address.entry(address).or_insert(0);
        if *open >= maximum {
            if *open == 0 {
                by_address.remove(&address);
            }
            return Err(TooManyFromAddress { address, maximum });
        }
        *open += 1;
        own.open += 1;
        *all += 1;
        Ok(if *all > limits.total { Admitted::InPlaceOfAnother } else { Admitted::Free })
    }

    pub(crate) fn release(&self, listener: &str, address: IpAddr) {
        let mut state = self.state.lock();
        state.open = state.open.saturating_sub(1);
        if let Some(own) = state.by_listener.get_mut(listener) {
            own.open = own.open.saturating_sub(1);
        }
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

    fn plain() -> Arc<str> {
        "PLAINTEXT".into()
    }

    fn may_accept(quotas: &ConnectionQuotas, listener: &str) -> bool {
        quotas.state.lock().next(listener).is_some_and(|next| next <= Instant::now())
    }

    #[test]
    fn an_address_has_its_own_limit_or_that_of_all() {
        let quotas = ConnectionQuotas::new(ConnectionLimits {
            per_address: 1,
            overrides: [(B, 2)].into(),
            ..ConnectionLimits::default()
        });
        let listener = plain();
        quotas.acquire(&listener, A).unwrap();
        assert_eq!(quotas.acquire(&listener, A), Err(TooManyFromAddress { address: A, maximum: 1 }));
        quotas.acquire(&listener, B).unwrap();
        quotas.acquire(&listener, B).unwrap();
        quotas.acquire(&listener, B).unwrap_err();
        quotas.release(&listener, A);
        quotas.acquire(&listener, A).unwrap();
    }

    #[test]
    fn a_full_listener_holds_up_no_other() {
        let one = ListenerLimits { total: 1, creation_rate: None };
        let quotas = ConnectionQuotas::new(ConnectionLimits {
            listeners: [("EXTERNAL".to_owned(), one)].into(),
            ..ConnectionLimits::default()
        });
        let external: Arc<str> = "EXTERNAL".into();
        quotas.acquire(&external, A).unwrap();
        assert!(!may_accept(&quotas, "EXTERNAL"));
        assert!(may_accept(&quotas, "PLAINTEXT"));
        quotas.release("EXTERNAL", A);
        assert!(may_accept(&quotas, "EXTERNAL"));
    }

    #[test]
    fn brokers_get_in_although_clients_have_taken_every_place() {
        let quotas = ConnectionQuotas::new(ConnectionLimits {
            total: 1,
            protected: Some("INTERNAL".to_owned()),
            ..ConnectionLimits::default()
        });
        let (external, internal): (Arc<str>, Arc<str>) = ("EXTERNAL".into(), "INTERNAL".into());
        assert_eq!(quotas.acquire(&external, A), Ok(Admitted::Free));
        assert!(!may_accept(&quotas, "EXTERNAL"));
        assert!(may_accept(&quotas, "INTERNAL"));
        assert_eq!(quotas.acquire(&internal, B), Ok(Admitted::InPlaceOfAnother));
    }

    #[tokio::test(start_paused = true)]
    async fn connections_come_no_faster_than_the_creation_rate_after_a_first_second() {
        let ten = Some(10);
        let of_listener = ListenerLimits { total: usize::MAX, creation_rate: ten };
        let listener = plain();
        for limits in [
            ConnectionLimits { creation_rate: ten, ..Default::default() },
            ConnectionLimits {
                listeners: [("PLAINTEXT".to_owned(), of_listener)].into(),
                ..Default::default()
            },
        ] {
            let quotas = ConnectionQuotas::new(limits);
            let start = Instant::now();
            for _ in 0..40 {
                quotas.room(&listener).await;
                quotas.acquire(&listener, A).unwrap();
            }
            let took = start.elapsed();
            assert!(took >= Duration::from_millis(2900) && took <= Duration::from_secs(4), "{took:?}");
        }
    }
}
