//! A client that sends what it is told and shows what it gets.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use vltava_zookeeper::jute::{Decoder, Record};
use vltava_zookeeper::proto::{
    AuthPacket, ConnectRequest, ConnectResponse, NOTIFICATION_XID, ReplyHeader, RequestHeader, WatcherEvent,
    op,
};

/// One connection with its session.
pub struct Raw {
    pub socket: TcpStream,
    pub session: ConnectResponse,
    xid: i32,
    /// Events that came, with the zxid of their header.
    pub events: Vec<(i64, WatcherEvent)>,
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub header: ReplyHeader,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn read<T: Record>(&self) -> T {
        assert_eq!(self.header.err, 0, "{:?}", self.header);
        T::decode(&mut Decoder::new(&self.body)).unwrap()
    }
}

pub fn send_frame(socket: &mut TcpStream, frame: &[u8]) -> io::Result<()> {
    let mut bytes = (frame.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    socket.write_all(&bytes)
}

pub fn read_frame(socket: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    socket.read_exact(&mut len)?;
    let mut frame = vec![0; u32::from_be_bytes(len) as usize];
    socket.read_exact(&mut frame)?;
    Ok(frame)
}

impl Raw {
    /// A new session.
    pub fn connect(address: SocketAddr, timeout: i32) -> io::Result<Raw> {
        let request = ConnectRequest {
            timeout,
            password: Some([0; 16].into()),
            read_only: Some(false),
            ..ConnectRequest::default()
        };
        Raw::connect_with(address, &request)
    }

    /// The session of another connection, taken up.
    pub fn reconnect(address: SocketAddr, session: &ConnectResponse) -> io::Result<Raw> {
        let request = ConnectRequest {
            timeout: session.timeout,
            session_id: session.session_id,
            password: session.password.clone(),
            read_only: Some(false),
            ..ConnectRequest::default()
        };
        Raw::connect_with(address, &request)
    }

    pub fn connect_with(address: SocketAddr, request: &ConnectRequest) -> io::Result<Raw> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        send_frame(&mut socket, &request.to_bytes())?;
        let frame = read_frame(&mut socket)?;
        let session = ConnectResponse::decode(&mut Decoder::new(&frame)).map_err(io::Error::other)?;
        Ok(Raw { socket, session, xid: 0, events: Vec::new() })
    }

    /// Sends a request; returns its xid.
    pub fn send(&mut self, kind: i32, body: &[u8]) -> io::Result<i32> {
        self.xid += 1;
        let xid = match kind {
            op::PING => -2,
            op::AUTH => -4,
            op::SET_WATCHES | op::SET_WATCHES2 => -8,
            _ => self.xid,
        };
        let mut frame = RequestHeader { xid, op: kind }.to_bytes();
        frame.extend_from_slice(body);
        send_frame(&mut self.socket, &frame)?;
        Ok(xid)
    }

    /// The next reply; events on the way are kept.
    pub fn receive(&mut self) -> io::Result<Reply> {
        loop {
            let frame = read_frame(&mut self.socket)?;
            let mut from = Decoder::new(&frame);
            let header = ReplyHeader::decode(&mut from).map_err(io::Error::other)?;
            if header.xid == NOTIFICATION_XID {
                let event = WatcherEvent::decode(&mut from).map_err(io::Error::other)?;
                self.events.push((header.zxid, event));
            } else {
                return Ok(Reply { header, body: from.rest().to_vec() });
            }
        }
    }

    /// Sends a request and waits for its reply.
    pub fn call(&mut self, kind: i32, body: &[u8]) -> io::Result<Reply> {
        let xid = self.send(kind, body)?;
        let reply = self.receive()?;
        assert_eq!(reply.header.xid, xid);
        Ok(reply)
    }

    pub fn add_auth(&mut self, scheme: &str, auth: &str) -> io::Result<Reply> {
        let packet = AuthPacket { auth_type: 0, scheme: scheme.into(), auth: Some(auth.as_bytes().into()) };
        self.call(op::AUTH, &packet.to_bytes())
    }

    /// Events so far: everything that happened before this call has been told.
    pub fn drain_events(&mut self) -> Vec<(i64, WatcherEvent)> {
        self.call(op::PING, &[]).unwrap();
        std::mem::take(&mut self.events)
    }
}
