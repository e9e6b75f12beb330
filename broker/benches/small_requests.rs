//! What a small request costs the broker: 50 producers without linger, each with one request of one 100-byte record in flight, over loopback.
//!
//! `cargo bench -p vltava-broker --bench small_requests [-- seconds [value bytes [producers]]]`. The clients are another process, so that the CPU time that is
//! printed is the broker's alone. `strace -c -f -p` of the broker shows the system calls; the figures that decided something stand beside what they decided.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use vltava_broker::{
    api::Dispatcher,
    net::{ConnectionLimits, Limits, Listener, ListenerSpec, Network},
};
use vltava_protocol::{frame::encode_request, records::BatchOptions};

#[allow(dead_code)]
#[path = "../tests/data/harness.rs"]
mod harness;

fn main() {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let args: Vec<String> = std::env::args().filter(|arg| arg != "--bench").collect();
    if args.get(1).is_some_and(|arg| arg == "client") {
        return client(
            args[2].parse().unwrap(),
            args[3].parse().unwrap(),
            args[4].parse().unwrap(),
            args[5].parse().unwrap(),
        );
    }
    if !is_bench {
        // Run among the tests: measuring takes a quiet machine.
        return;
    }
    let number = |at: usize, default: u64| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (seconds, bytes, producers) = (number(1, 5), number(2, 100), number(3, 50));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let house = harness::House::new();
        house.lead("t", 1);
        let network = Network::new(Limits {
            request_max_bytes: 100 << 20,
            request_memory: None,
            stall: Duration::from_secs(10),
            idle: None,
            send_buffer: None,
            receive_buffer: None,
            connections: ConnectionLimits::default(),
        });
        let spec = ListenerSpec { name: "PLAINTEXT".into(), host: "127.0.0.1".into(), port: 0 };
        let listener = Listener::bind(&spec, 128).unwrap();
        let address = listener.address();
        network.serve(listener, Arc::new(Dispatcher::new(house.broker.clone())));
        let before = cpu();
        let began = Instant::now();
        let output = tokio::task::spawn_blocking(move || {
            Command::new(std::env::current_exe().unwrap())
                .args(["client", &address.to_string(), &seconds.to_string(), &bytes.to_string(), &producers.to_string()])
                .output()
                .unwrap()
        })
        .await
        .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (elapsed, used) = (began.elapsed(), cpu() - before);
        let requests = house.partition("t", 0).log_end();
        println!(
            "{producers} producers, {bytes} B: {:.0} requests/s, {:.2} us of broker CPU each, {:.2} cores; {}",
            requests as f64 / elapsed.as_secs_f64(),
            used.as_secs_f64() * 1e6 / requests as f64,
            used.as_secs_f64() / elapsed.as_secs_f64(),
            String::from_utf8_lossy(&output.stdout).trim(),
        );
    });
}

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// So many connections, each with one request in flight.
fn client(address: SocketAddr, seconds: u64, bytes: u64, producers: u64) {
    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..producers)
        .map(|_| {
            let (stop, sent) = (stop.clone(), sent.clone());
            std::thread::spawn(move || {
                let value = "x".repeat(usize::try_from(bytes).unwrap());
                let records = harness::batch(&[&value], BatchOptions::default());
                let frame =
                    encode_request(42, Some("bench"), 9, &harness::produce("t", 0, -1, &records)).unwrap();
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut answer = [0; 4096];
                let mut times = Vec::with_capacity(1 << 16);
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    stream.write_all(&frame).unwrap();
                    stream.read_exact(&mut answer[..4]).unwrap();
                    let length = u32::from_be_bytes(answer[..4].try_into().unwrap()) as usize;
                    stream.read_exact(&mut answer[..length]).unwrap();
                    times.push(began.elapsed());
                    sent.fetch_add(1, Ordering::Relaxed);
                }
                times
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(seconds));
    stop.store(true, Ordering::Relaxed);
    let mut times: Vec<Duration> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!("p50 {:?}, p99 {:?}, p99.9 {:?}", at(0.5), at(0.99), at(0.999));
}
