//! Ports of 127.0.0.1, and which of them other `vltava up` of this machine mean to use.
//!
//! A port is chosen before anything listens on it, and nobody listens while a broker restarts. So what is chosen is also claimed:
//! by a socket in Linux' abstract namespace that carries the port's number. Such names are unique in a network namespace, which is
//! what ports are, and go with their process, however that ends.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

/// How many ports that the system offers are tried.
const OFFERS: usize = 100;

/// The ports of this process.
#[derive(Debug, Default)]
pub(super) struct Ports(BTreeMap<u16, Option<UnixListener>>);

impl Ports {
    /// Takes a port that was chosen in an earlier run. `false` if another `vltava up` has it.
    pub(super) fn claim(&mut self, port: u16) -> bool {
        if self.0.contains_key(&port) {
            return true;
        }
        let claim = SocketAddr::from_abstract_name(format!("vltava-up/port/{port}"))
            .and_then(|name| UnixListener::bind_addr(&name));
        match claim {
            Ok(socket) => self.0.insert(port, Some(socket)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return false,
            // Without such sockets (a sandbox may forbid them) ports are as they are for every program.
            Err(_) => self.0.insert(port, None),
        };
        true
    }

    /// The wanted port, else one that the system has left.
    pub(super) fn choose(&mut self, wanted: u16) -> Result<u16, String> {
        if !self.0.contains_key(&wanted) && is_free(wanted) && self.claim(wanted) {
            return Ok(wanted);
        }
        for _ in 0..OFFERS {
            let offered =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            let port = offered.map_err(|error| format!("no free port on 127.0.0.1: {error}"))?.port();
            if !self.0.contains_key(&port) && self.claim(port) {
                return Ok(port);
            }
        }
        Err("no free port on 127.0.0.1".to_owned())
    }
}

/// Whether nothing listens on a port.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_chosen_by_one() {
        let (mut one, mut other) = (Ports::default(), Ports::default());
        let port = one.choose(0).unwrap();
        let elsewhere = other.choose(port).unwrap();
        assert_ne!(elsewhere, port, "it is free but claimed");
        assert!(one.claim(port) && !other.claim(port));
        assert_ne!(one.choose(port).unwrap(), port, "one port is not for two listeners");
        drop(one);
        assert!(other.claim(port), "a claim ends with its owner");
    }

    #[test]
    fn a_port_that_something_listens_on_is_not_chosen() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        assert_ne!(Ports::default().choose(port).unwrap(), port);
    }
}
