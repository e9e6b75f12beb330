//! What the network layer allows its clients: memory, connections and time.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod script;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use script::{BIG, ends, framed, limits, receive, send, start, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use vltava_broker::net::{ConnectionLimits, Limits, Listener, ListenerSpec};

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
