//! A fetcher's connection: blocking, since a fetcher has a thread and does one thing at a time.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use vltava_protocol::{
    frame::encode_request,
    wire::{Message, Request},
};

/// See the module.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    correlation: i32,
    client_id: String,
    largest: usize,
}

impl Connection {
    /// Connects; each wait is at most `patience`. Answers larger than `largest` are refused.
    pub(super) fn open(
        address: &(String, u16),
        client_id: &str,
        patience: Duration,
        largest: usize,
        receive_buffer: Option<usize>,
    ) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name leads to no address");
        for resolved in (address.0.as_str(), address.1).to_socket_addrs()? {
            match TcpStream::connect_timeout(&resolved, patience) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(patience))?;
                    stream.set_write_timeout(Some(patience))?;
                    if let Some(bytes) = receive_buffer {
                        socket2::SockRef::from(&stream).set_recv_buffer_size(bytes)?;
                    }
                    return Ok(Self { stream, correlation: 0, client_id: client_id.to_owned(), largest });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Another handle to the socket, to end a wait from another thread.
    pub(super) fn handle(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    /// Sends a request and reads the frame of its answer into `frame`, without its size.
    pub(super) fn ask<R: Request + Message<'static>>(
        &mut self,
        request: &R,
        version: i16,
        frame: &mut Vec<u8>,
    ) -> io::Result<()> {
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        self.correlation = self.correlation.wrapping_add(1);
        let bytes = encode_request(self.correlation, Some(&self.client_id), version, request)
            .map_err(|error| invalid(error.to_string()))?;
        self.stream.write_all(&bytes)?;
        let mut size = [0; 4];
        self.stream.read_exact(&mut size)?;
        let size = usize::try_from(i32::from_be_bytes(size)).ok().filter(|size| *size <= self.largest);
        let Some(size) = size else { return Err(invalid("the answer's size is out of bounds".to_owned())) };
        // Grows with what arrives: a peer that only announces takes no memory.
        frame.clear();
        let read = Read::by_ref(&mut self.stream).take(size as u64).read_to_end(frame)?;
        if read < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match frame.get(..4) {
            Some(correlation) if correlation == self.correlation.to_be_bytes() => Ok(()),
            _ => Err(invalid("the answer is not to this request".to_owned())),
        }
    }
}
