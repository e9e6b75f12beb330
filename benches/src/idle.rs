//! Connections that have nothing to say.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::raw;

/// Opens `count` connections, each of which has asked one question, so that it has been a client's.
pub(crate) fn connections(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let question = raw::api_versions_request();
    let open = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        raw::ask(&mut stream, &question)?;
        Ok::<TcpStream, std::io::Error>(stream)
    };
    (0..count).map(|_| open().expect("a connection")).collect()
}
