//! A service of a few lines behind the network layer, and a client of a few more.

// Each test program uses a part of it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs::File,
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use smallvec::smallvec;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};
use vltava_broker::net::{
    Answer, ConnectionInfo, ConnectionLimits, FileSlice, Frame, Limits, Listener, ListenerSpec, Network,
    Order, Piece, Refusal, RequestMemory, Response, Service,
};

/// Answers by the first byte of a frame: `e` echoes, `s` stays silent, `w` echoes when `gate` opens, and holds up the next request, `p` the same without
/// holding it up, `h` as `w` but keeps the request's memory until then and answers `h`, `f` sends the file, `b` sends a big answer, `c` the same when there is
/// memory of the budget for responses, which it holds, `x` refuses.
pub(crate) struct Script {
    pub(crate) begun: AtomicUsize,
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) file: Arc<File>,
    pub(crate) responses: Arc<RequestMemory>,
}

pub(crate) const FILE: usize = 3 << 20;
pub(crate) const BIG: usize = 4 << 20;

pub(crate) fn framed(body: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(4 + body.len());
    bytes.put_u32(u32::try_from(body.len()).unwrap());
    bytes.put_slice(body);
    bytes.freeze()
}

pub(crate) fn whole(body: &[u8]) -> Response {
    Response::new(smallvec![Piece::Bytes(framed(body))])
}

impl Service for Script {
    fn begin(&self, connection: &mut ConnectionInfo, frame: Frame) -> (Answer, Order) {
        self.begun.fetch_add(1, SeqCst);
        let kind = frame.first().copied().unwrap_or(b'x');
        if kind == b'h' {
            let gate = self.gate.clone();
            let answer = async move {
                gate.acquire().await.unwrap().forget();
                drop(frame);
                whole(b"h")
            };
            return (Answer::Later(Box::pin(answer)), Order::Whole);
        }
        let body = frame.bytes().clone();
        drop(frame);
        let order = if kind == b'p' { Order::UntilItWaits } else { Order::Whole };
        let answer = match kind {
            b'e' => Answer::Now(whole(&body)),
            b's' => Answer::Now(Response::none()),
            b'w' | b'p' => {
                let gate = self.gate.clone();
                Answer::Later(Box::pin(async move {
                    gate.acquire().await.unwrap().forget();
                    whole(&body)
                }))
            }
            b'f' => {
                let head = Bytes::copy_from_slice(&u32::try_from(FILE).unwrap().to_be_bytes());
                let slice =
                    Piece::File(FileSlice { file: self.file.clone(), position: 0, length: FILE as u64 });
                Answer::Now(Response::new(smallvec![Piece::Bytes(head), slice]))
            }
            b'b' => Answer::Now(whole(&vec![b'b'; BIG])),
            b'c' => {
                let (memory, id) = (self.responses.clone(), connection.id);
                Answer::Later(Box::pin(async move {
                    let held = memory.take_in_turn(id, BIG).await;
                    whole(&vec![b'c'; BIG]).holding(held)
                }))
            }
            _ => Answer::Now(Response::refuse(Refusal::UnknownApi { key: 999 })),
        };
        (answer, order)
    }
}

pub(crate) struct Server {
    pub(crate) network: Arc<Network>,
    pub(crate) script: Arc<Script>,
    pub(crate) address: SocketAddr,
}

pub(crate) fn limits() -> Limits {
    Limits {
        request_max_bytes: 1 << 20,
        request_memory: Some(4 << 20),
        stall: Duration::from_secs(3600),
        idle: None,
        send_buffer: None,
        receive_buffer: None,
        connections: ConnectionLimits::default(),
    }
}

pub(crate) fn start(limits: Limits) -> Server {
    let mut file = tempfile::tempfile().unwrap();
    let pattern: Vec<u8> = (0..FILE).map(|i| u8::try_from(i % 251).unwrap()).collect();
    file.write_all(&pattern).unwrap();
    let script = Arc::new(Script {
        begun: AtomicUsize::new(0),
        gate: Arc::new(Semaphore::new(0)),
        file: Arc::new(file),
        responses: RequestMemory::new(Some(BIG as u64)),
    });
    let network = Network::new(limits);
    let spec = ListenerSpec { name: "PLAINTEXT".into(), host: "127.0.0.1".into(), port: 0 };
    let listener = Listener::bind(&spec, 50).unwrap();
    let address = listener.address();
    network.serve(listener, script.clone());
    network.reap(script.responses.clone());
    Server { network, script, address }
}

impl Server {
    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub(crate) async fn begun(&self, n: usize) {
        until(|| self.script.begun.load(SeqCst) >= n).await;
    }
}

/// Waits for a condition; the test's own deadline is far away from anything that is measured.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    tokio::time::timeout(Duration::from_secs(20), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the condition came true");
}

pub(crate) async fn send(stream: &mut TcpStream, body: &[u8]) {
    stream.write_all(&framed(body)).await.unwrap();
}

pub(crate) async fn receive(stream: &mut TcpStream) -> Vec<u8> {
    tokio::time::timeout(Duration::from_secs(20), async {
        let length = stream.read_u32().await.unwrap();
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).await.unwrap();
        body
    })
    .await
    .expect("a response within 20 s")
}

pub(crate) async fn ends(stream: &mut TcpStream) {
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 16])).await;
    match read.expect("an end within 20 s") {
        Ok(n) => assert_eq!(n, 0, "the connection ends and nothing comes before"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}
