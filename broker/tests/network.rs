//! The network layer through real sockets: frames, answers and their order, ends.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod script;

use std::{
    io::{Read as _, Write as _},
    sync::atomic::Ordering::SeqCst,
    time::Duration,
};

use script::{ends, framed, limits, receive, send, start, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vltava_broker::net::{Listener, ListenerSpec};

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
