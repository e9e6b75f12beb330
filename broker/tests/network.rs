//! The network layer through real sockets, with a service of a few lines behind it.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs::File,
    io::{Read, Write},
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
struct Script {
    begun: AtomicUsize,
    gate: Arc<Semaphore>,
    file: Arc<File>,
    responses: Arc<RequestMemory>,
}

const FILE: usize = 3 << 20;
const BIG: usize = 4 << 20;

fn framed(body: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(4 + body.len());
    bytes.put_u32(u32::try_from(body.len()).unwrap());
    bytes.put_slice(body);
    bytes.freeze()
}

fn whole(body: &[u8]) -> Response {
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

struct Server {
    network: Arc<Network>,
    script: Arc<Script>,
    address: SocketAddr,
}

fn limits() -> Limits {
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

fn start(limits: Limits) -> Server {
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
    async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    async fn begun(&self, n: usize) {
        until(|| self.script.begun.load(SeqCst) >= n).await;
    }
}

/// Waits for a condition; the test's own deadline is far away from anything that is measured.
async fn until(condition: impl Fn() -> bool) {
    tokio::time::timeout(Duration::from_secs(20), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the condition came true");
}

async fn send(stream: &mut TcpStream, body: &[u8]) {
    stream.write_all(&framed(body)).await.unwrap();
}

async fn receive(stream: &mut TcpStream) -> Vec<u8> {
    tokio::time::timeout(Duration::from_secs(20), async {
        let length = stream.read_u32().await.unwrap();
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).await.unwrap();
        body
    })
    .await
    .expect("a response within 20 s")
}

async fn ends(stream: &mut TcpStream) {
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 16])).await;
    match read.expect("an end within 20 s") {
        Ok(n) => assert_eq!(n, 0, "the connection ends and nothing comes before"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let server = start(limits());
    let mut client = server.connect().await;
    for byte in &framed(b"e slowly") {
        client.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(receive(&mut client).await, b"e slowly");
}

#[tokio::test]
async fn requests_of_every_size_are_read_whole() {
    let server = start(limits());
    let mut client = server.connect().await;
    for size in [1, 4095, 16 * 1024 - 4, 16 * 1024 - 3, 16 * 1024, 40_000, 1 << 20] {
        let mut body = vec![b'e'; size];
        *body.last_mut().unwrap() = b'e';
        let (mut read, mut write) = client.split();
        let sent = framed(&body);
        let (_, answer) = tokio::join!(async { write.write_all(&sent).await.unwrap() }, async {
            let length = read.read_u32().await.unwrap();
            let mut answer = vec![0; length as usize];
            read.read_exact(&mut answer).await.unwrap();
            answer
        });
        assert!(answer == body, "size {size}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(limits());
    let mut client = server.connect().await;
    let sent: Vec<u8> = (0..500).flat_map(|i| framed(format!("e{i}").as_bytes()).to_vec()).collect();
    client.write_all(&sent).await.unwrap();
    for i in 0..500 {
        assert_eq!(receive(&mut client).await, format!("e{i}").into_bytes());
    }
}

#[tokio::test]
async fn a_request_that_waits_lets_the_next_begin_and_keeps_its_place() {
    let server = start(limits());
    let mut client = server.connect().await;
    send(&mut client, b"p first").await;
    send(&mut client, b"p second").await;
    send(&mut client, b"e third").await;
    server.begun(3).await;
    server.script.gate.add_permits(2);
    for expected in [&b"p first"[..], b"p second", b"e third"] {
        assert_eq!(receive(&mut client).await, expected);
    }
}

#[tokio::test]
async fn a_request_that_must_be_answered_whole_holds_up_the_next() {
    let server = start(limits());
    let mut client = server.connect().await;
    let mut other = server.connect().await;
    send(&mut client, b"w first").await;
    server.begun(1).await;
    send(&mut client, b"e second").await;
    // Another connection is served meanwhile; when it has been, the second request has had its chance.
    send(&mut other, b"e other").await;
    assert_eq!(receive(&mut other).await, b"e other");
    assert_eq!(server.script.begun.load(SeqCst), 2);
    server.script.gate.add_permits(1);
    assert_eq!(receive(&mut client).await, b"w first");
    assert_eq!(receive(&mut client).await, b"e second");
}

#[tokio::test]
async fn no_more_requests_wait_than_the_bound_and_all_are_answered() {
    let server = start(limits());
    let mut client = server.connect().await;
    for i in 0..100 {
        send(&mut client, format!("p{i}").as_bytes()).await;
    }
    server.begun(64).await;
    let mut other = server.connect().await;
    send(&mut other, b"e").await;
    receive(&mut other).await;
    assert_eq!(server.script.begun.load(SeqCst), 65, "64 wait, one is the other connection's");
    server.script.gate.add_permits(100);
    for i in 0..100 {
        assert_eq!(receive(&mut client).await, format!("p{i}").into_bytes());
    }
}

#[tokio::test]
async fn a_request_without_an_answer_sends_nothing() {
    let server = start(limits());
    let mut client = server.connect().await;
    send(&mut client, b"s").await;
    send(&mut client, b"e after").await;
    assert_eq!(receive(&mut client).await, b"e after");
}

#[tokio::test]
async fn a_file_range_arrives_unaltered_between_others() {
    let server = start(limits());
    let mut client = server.connect().await;
    send(&mut client, b"e before").await;
    send(&mut client, b"f").await;
    send(&mut client, b"e after").await;
    assert_eq!(receive(&mut client).await, b"e before");
    let file = receive(&mut client).await;
    assert!(file.iter().enumerate().all(|(i, byte)| usize::from(*byte) == i % 251));
    assert_eq!(receive(&mut client).await, b"e after");
}

#[tokio::test]
async fn an_oversized_or_negative_length_closes_the_connection() {
    for length in [(1 << 20) + 1, -1] {
        let server = start(limits());
        let mut client = server.connect().await;
        client.write_i32(length).await.unwrap();
        ends(&mut client).await;
        assert_eq!(server.network.memory().used(), 0);
    }
}

#[tokio::test]
async fn what_cant_be_answered_closes_the_connection_after_the_answers_before_it() {
    let server = start(limits());
    let mut client = server.connect().await;
    send(&mut client, b"e fine").await;
    assert_eq!(receive(&mut client).await, b"e fine");
    send(&mut client, b"x").await;
    ends(&mut client).await;
}

#[tokio::test]
async fn a_client_that_shuts_its_half_still_gets_its_answers() {
    let server = start(limits());
    let mut client = server.connect().await;
    send(&mut client, b"w late").await;
    server.begun(1).await;
    client.shutdown().await.unwrap();
    server.script.gate.add_permits(1);
    assert_eq!(receive(&mut client).await, b"w late");
    ends(&mut client).await;
}

#[tokio::test]
async fn a_reset_connection_is_forgotten() {
    let server = start(limits());
    let mut client = server.connect().await;
    send(&mut client, b"e").await;
    receive(&mut client).await;
    assert_eq!(server.network.connections(), 1);
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    until(|| server.network.connections() == 0).await;
}

#[tokio::test]
async fn a_slow_reader_makes_its_own_requests_wait_and_nobody_elses() {
    let server = start(limits());
    let mut slow = server.connect().await;
    for _ in 0..50 {
        send(&mut slow, b"b").await;
    }
    let mut other = server.connect().await;
    server.begun(1).await;
    for _ in 0..20 {
        send(&mut other, b"e").await;
        assert_eq!(receive(&mut other).await, b"e");
    }
    let begun = server.script.begun.load(SeqCst) - 20;
    assert!(begun <= 8, "{begun} answers of 4 MiB were made for a client that reads nothing");
    for _ in 0..50 {
        assert_eq!(receive(&mut slow).await.len(), BIG);
    }
}

/// An answer that is not taken holds memory that others need for theirs: who takes nothing of it loses the connection.
#[tokio::test]
async fn clients_that_take_nothing_of_their_answers_stop_nobody_else() {
    // A small buffer, so that the kernel does not take the whole answer off our hands.
    let limits = Limits { stall: Duration::from_millis(200), send_buffer: Some(64 << 10), ..limits() };
    let server = start(limits);
    let used = || server.script.responses.used();
    let mut stalled = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        send(&mut stream, b"c").await;
        stalled.push(stream);
        server.begun(stalled.len()).await;
    }
    until(|| used() >= BIG as u64).await;
    let mut reads = server.connect().await;
    for _ in 0..3 {
        send(&mut reads, b"c").await;
        assert_eq!(receive(&mut reads).await.len(), BIG);
    }
    until(|| server.network.connections() == 1).await;
    until(|| used() == 0).await;
}

#[tokio::test]
async fn readers_wait_for_the_memory_of_requests_and_go_on_when_it_is_free() {
    let server = start(Limits { request_memory: Some(100), ..limits() });
    // A request that has come in part holds the memory; another connection's request is not read before it is whole.
    let mut holder = server.connect().await;
    let held = framed(&[b'e'; 50_000]);
    holder.write_all(&held[..20_000]).await.unwrap();
    until(|| server.network.memory().used() >= 50_000).await;
    let mut waiting = server.connect().await;
    send(&mut waiting, b"e waits").await;
    tokio::time::timeout(Duration::from_millis(100), waiting.readable()).await.expect_err("it waits");
    holder.write_all(&held[20_000..]).await.unwrap();
    assert_eq!(receive(&mut holder).await.len(), 50_000);
    assert_eq!(receive(&mut waiting).await, b"e waits");
    until(|| server.network.memory().used() == 0).await;
}

/// Requests that are announced, begun and never finished take all of the memory: small requests still pass, a large one waits until those who hold the memory
/// and send nothing have lost their connections.
#[tokio::test]
async fn clients_that_stall_in_the_middle_of_a_request_stop_nobody_else() {
    const FRAME: usize = 1 << 20;
    const BUDGET: u64 = 4 << 20;
    let limits = Limits { request_memory: Some(BUDGET), stall: Duration::from_millis(300), ..limits() };
    let server = start(limits);
    let mut announcers = Vec::new();
    for _ in 0..100 {
        let mut stream = server.connect().await;
        stream.write_all(&u32::try_from(FRAME).unwrap().to_be_bytes()).await.unwrap();
        announcers.push(stream);
    }
    until(|| server.network.memory().used() > 0).await;
    let mut small = server.connect().await;
    send(&mut small, b"e while lengths were announced").await;
    assert_eq!(receive(&mut small).await, b"e while lengths were announced");
    let held = framed(&vec![b'e'; FRAME]);
    let mut stalled = Vec::new();
    while server.network.memory().used() < BUDGET {
        let mut stream = server.connect().await;
        stream.write_all(&held[..FRAME / 2]).await.unwrap();
        stalled.push(stream);
        // Who has stalled for long enough may have been ended already, in favour of these.
        tokio::task::yield_now().await;
    }
    let mut large = server.connect().await;
    let mut others = server.connect().await;
    let ((), (), ()) = tokio::join!(
        async {
            send(&mut large, &vec![b'e'; FRAME]).await;
            assert_eq!(receive(&mut large).await.len(), FRAME);
        },
        async {
            for _ in 0..50 {
                send(&mut others, b"e in between").await;
                assert_eq!(receive(&mut others).await, b"e in between");
            }
        },
        async {
            send(&mut small, b"e who waits for a request of its own is not ended").await;
            receive(&mut small).await;
        }
    );
    drop((announcers, stalled));
    until(|| server.network.memory().used() == 0).await;
    send(&mut small, b"e after all").await;
    assert_eq!(receive(&mut small).await, b"e after all");
}

/// While nobody waits for memory, a client takes all the time it wants for its request.
#[tokio::test]
async fn a_slow_request_is_nobodys_concern_while_there_is_memory() {
    let server = start(Limits { stall: Duration::from_millis(20), ..limits() });
    let mut slow = server.connect().await;
    let frame = framed(&[b'e'; 100_000]);
    slow.write_all(&frame[..50_000]).await.unwrap();
    until(|| server.network.memory().used() > 0).await;
    let silent = tokio::time::timeout(Duration::from_millis(100), slow.readable()).await;
    silent.expect_err("neither answered nor closed");
    slow.write_all(&frame[50_000..]).await.unwrap();
    assert_eq!(receive(&mut slow).await.len(), 100_000);
}

/// Large requests of many clients at once, none of which is handled for a while: the bytes that they hold stay within the budget, its reserve, one frame, and
/// the first mebibyte of one that began at the last moment; and every one of them is answered in the end.
#[tokio::test]
async fn many_large_requests_share_one_budget() {
    const CLIENTS: usize = 50;
    const FRAME: usize = 3 << 20;
    const BUDGET: usize = 8 << 20;
    let limits = Limits { request_max_bytes: FRAME, request_memory: Some(BUDGET as u64), ..limits() };
    let server = start(limits);
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let mut stream = server.connect().await;
        clients.spawn(async move {
            send(&mut stream, &vec![b'h'; FRAME]).await;
            receive(&mut stream).await
        });
    }
    let bound = (BUDGET + BUDGET / 8 + FRAME + (1 << 20)) as u64;
    let mut most = 0;
    for answered in 0..CLIENTS {
        // One request at a time is handled to its end; until then those that have come hold what they took.
        server.begun(answered + 1).await;
        most = most.max(server.network.memory().used());
        server.script.gate.add_permits(1);
        while clients.len() == CLIENTS - answered {
            most = most.max(server.network.memory().used());
            if let Some(answer) = clients.try_join_next() {
                assert_eq!(answer.unwrap(), b"h");
            }
            tokio::task::yield_now().await;
        }
    }
    assert!(most <= bound, "requests held {most} bytes, which is above {bound}");
    assert!(most >= BUDGET as u64, "the clients never filled the budget: {most}");
    until(|| server.network.memory().used() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_and_an_answering_one_is_not() {
    let idle = Duration::from_secs(600);
    let server = start(Limits { idle: Some(idle), ..limits() });
    let mut quiet = server.connect().await;
    let mut waiting = server.connect().await;
    send(&mut waiting, b"w").await;
    while server.script.begun.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let began = tokio::time::Instant::now();
    assert_eq!(quiet.read(&mut [0; 1]).await.unwrap(), 0);
    let took = began.elapsed();
    assert!(took >= idle - Duration::from_secs(1) && took <= idle + Duration::from_secs(31), "{took:?}");
    server.script.gate.add_permits(1);
    assert_eq!(waiting.read_u32().await.unwrap(), 1);
}

#[tokio::test]
async fn an_address_may_have_so_many_connections() {
    let connections = ConnectionLimits { per_address: 2, ..ConnectionLimits::default() };
    let server = start(Limits { connections, ..limits() });
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        send(&mut client, b"e").await;
        receive(&mut client).await;
        kept.push(client);
    }
    ends(&mut server.connect().await).await;
    kept.pop();
    until(|| server.network.connections() == 1).await;
    let mut client = server.connect().await;
    send(&mut client, b"e").await;
    receive(&mut client).await;
}

#[tokio::test]
async fn at_the_limit_of_all_connections_the_next_waits_for_one_to_end() {
    let connections = ConnectionLimits { total: 1, ..ConnectionLimits::default() };
    let server = start(Limits { connections, ..limits() });
    let mut first = server.connect().await;
    send(&mut first, b"e").await;
    receive(&mut first).await;
    let mut second = server.connect().await;
    send(&mut second, b"e second").await;
    tokio::time::timeout(Duration::from_millis(100), second.readable()).await.expect_err("it waits");
    drop(first);
    assert_eq!(receive(&mut second).await, b"e second");
}

#[tokio::test]
async fn a_graceful_stop_answers_what_has_come_and_ends_every_connection() {
    let server = start(limits());
    let mut busy = server.connect().await;
    let mut quiet = server.connect().await;
    send(&mut busy, b"w in flight").await;
    server.begun(1).await;
    let network = server.network.clone();
    let stop = tokio::spawn(async move { network.stop(Duration::from_secs(20)).await });
    ends(&mut quiet).await;
    server.script.gate.add_permits(1);
    assert_eq!(receive(&mut busy).await, b"w in flight");
    ends(&mut busy).await;
    stop.await.unwrap();
    until(|| std::net::TcpStream::connect(server.address).is_err()).await;
}

#[tokio::test]
async fn a_stop_ends_at_its_deadline_whatever_waits() {
    let server = start(limits());
    let mut stuck = server.connect().await;
    send(&mut stuck, b"w for ever").await;
    server.begun(1).await;
    server.network.stop(Duration::from_millis(50)).await;
    ends(&mut stuck).await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_listener() {
    let server = start(limits());
    let spec = ListenerSpec { name: "OUTSIDE".into(), host: "127.0.0.1".into(), port: server.address.port() };
    let error = Listener::bind(&spec, 50).unwrap_err().to_string();
    assert!(error.contains("OUTSIDE") && error.contains(&server.address.port().to_string()), "{error}");
}

/// A blocking client on another thread, to be sure that nothing depends on this runtime's scheduling.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_of_another_program_are_served_at_once() {
    let server = start(limits());
    let address = server.address;
    let clients: Vec<_> = (0..16)
        .map(|client| {
            std::thread::spawn(move || {
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                for i in 0..100 {
                    let body = format!("e{client}-{i}");
                    stream.write_all(&framed(body.as_bytes())).unwrap();
                    let mut answer = vec![0; 4 + body.len()];
                    stream.read_exact(&mut answer).unwrap();
                    assert_eq!(&answer[4..], body.as_bytes());
                }
            })
        })
        .collect();
    tokio::task::spawn_blocking(move || clients.into_iter().for_each(|client| client.join().unwrap()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_broker_gets_the_place_of_the_client_that_has_been_silent_for_longest() {
    let connections =
        ConnectionLimits { total: 2, protected: Some("INTERNAL".to_owned()), ..ConnectionLimits::default() };
    let server = start(Limits { connections, ..limits() });
    let spec = ListenerSpec { name: "INTERNAL".into(), host: "127.0.0.1".into(), port: 0 };
    let internal = Listener::bind(&spec, 50).unwrap();
    let address = internal.address();
    server.network.serve(internal, server.script.clone());
    let (mut silent, mut busy) = (server.connect().await, server.connect().await);
    for stream in [&mut silent, &mut busy] {
        send(stream, b"e").await;
        assert_eq!(receive(stream).await, b"e");
    }
    // A clock of milliseconds tells them apart.
    until(|| server.network.connections() == 2).await;
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_millis(5) {
        send(&mut busy, b"e again").await;
        assert_eq!(receive(&mut busy).await, b"e again");
    }

    let mut broker = TcpStream::connect(address).await.unwrap();
    send(&mut broker, b"e").await;
    assert_eq!(receive(&mut broker).await, b"e");
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0, "it has made room");
    send(&mut busy, b"e still").await;
    assert_eq!(receive(&mut busy).await, b"e still");
}
