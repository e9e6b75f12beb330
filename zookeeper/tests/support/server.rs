//! `zookeeper-test-server FILE`: the server on a properties file, until it is killed. Prints its address once it serves.
//!
//! What tests run as a process of its own, to kill it.

#![allow(clippy::expect_used)]

#[tokio::main(worker_threads = 2)]
async fn main() {
    let file = std::env::args().nth(1).expect("usage: zookeeper_server FILE");
    let text = std::fs::read_to_string(&file).expect("the properties file can be read");
    let (config, warnings) =
        vltava_zookeeper::ZooKeeperConfig::from_properties(&text).expect("the properties are right");
    for warning in warnings {
        eprintln!("{warning}");
    }
    let server = vltava_zookeeper::Server::start(config).await.expect("the server starts");
    println!("{}", server.local_addr());
    std::future::pending::<()>().await;
}
