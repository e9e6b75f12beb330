//! Ports of 127.0.0.1, and which of them other `vltava up` of this machine mean to use.
//!
//! A port is chosen before anything listens on it, and nobody listens while a broker restarts. So what is chosen is also claimed:
//! by a socket in Linux' abstract namespace that carries the port's number. Such names are unique in a network namespace, which is
//! what ports are, and go with their process, however that ends.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

/// How many ports that the system offers are tried.
const OFFERS: usize = 100;

/// Why a port can't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum PortError {
    /// Another `vltava up` has claimed it.
    #[error("is in use by another `vltava up`")]
    Claimed,
    /// It is another place's of this cluster.
    #[error("is another's of this cluster")]
    Given,
    /// Something listens on it.
    #[error("is in use by another program")]
    InUse,
    /// The system does not give it to this user.
    #[error("cannot be listened on by this user (ports below 1024 need root)")]
    Forbidden,
    /// Anything else.
    #[error("cannot be listened on: {0}")]
    Other(io::Error),
}

/// The ports of this process.
#[derive(Debug, Default)]
pub(super) struct Ports(BTreeMap<u16, Option<UnixListener>>);

impl Ports {
    /// Takes a port that was chosen in an earlier run, whether or not something listens on it now.
    pub(super) fn claim(&mut self, port: u16) -> Result<(), PortError> {
        if self.0.contains_key(&port) {
            return Ok(());
        }
        let claim = SocketAddr::from_abstract_name(format!("vltava-up/port/{port}"))
            .and_then(|name| UnixListener::bind_addr(&name));
        match claim {
            Ok(socket) => self.0.insert(port, Some(socket)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(PortError::Claimed),
            // Without such sockets (a sandbox may forbid them) ports are as they are for every program.
            Err(_) => self.0.insert(port, None),
        };
        Ok(())
    }

    /// Takes a port that nothing listens on, or that is this process' already: then a broker of ours may listen on it still.
    pub(super) fn take(&mut self, port: u16) -> Result<(), PortError> {
        if self.0.contains_key(&port) {
            return Ok(());
        }
        check(port)?;
        self.claim(port)
    }

    /// Takes a port that the system has left.
    pub(super) fn take_any(&mut self) -> Result<u16, String> {
        for _ in 0..OFFERS {
            let offered =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            let port = offered.map_err(|error| format!("no free port on 127.0.0.1: {error}"))?.port();
            if !self.0.contains_key(&port) && self.claim(port).is_ok() {
                return Ok(port);
            }
        }
        Err("no free port on 127.0.0.1".to_owned())
    }

    /// Gives the others back.
    pub(super) fn keep_only(&mut self, wanted: &BTreeSet<u16>) {
        self.0.retain(|port, _| wanted.contains(port));
    }
}

/// Whether this process could listen on a port now.
pub(super) fn check(port: u16) -> Result<(), PortError> {
    let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else { return Ok(()) };
    Err(match error.kind() {
        io::ErrorKind::AddrInUse => PortError::InUse,
        io::ErrorKind::PermissionDenied => PortError::Forbidden,
        _ => PortError::Other(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_by_one() {
        let (mut one, mut other) = (Ports::default(), Ports::default());
        let port = one.take_any().unwrap();
        assert!(matches!(other.take(port), Err(PortError::Claimed)), "it is free but claimed");
        assert!(one.take(port).is_ok() && one.claim(port).is_ok());
        assert_ne!(one.take_any().unwrap(), port, "one port is not for two listeners");
        one.keep_only(&BTreeSet::new());
        assert!(other.claim(port).is_ok(), "what is given back is free");
        drop(other);
        assert!(one.claim(port).is_ok(), "a claim ends with its owner");
    }

    #[test]
    fn a_port_that_something_listens_on_is_not_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(matches!(check(port), Err(PortError::InUse)));
        assert!(matches!(Ports::default().take(port), Err(PortError::InUse)));
    }
}
