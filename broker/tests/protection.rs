//! What an owner closed in ZooKeeper, and this broker would leave open: it stops the start by name, and is an error while the broker runs.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::sync::Arc;

use house::{Client, House, until};
use parking_lot::Mutex;
use vltava_broker::{control::Session, server::Server};
use vltava_settings::broker as keys;
use zookeeper_client as zk;

/// Writes a znode, and its parents.
async fn write(tool: &Session, path: &str, data: &str) {
    tool.make_path(path.rsplit_once('/').unwrap().0).await.unwrap();
    let persistent = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
    tool.client().create(path, data.as_bytes(), &persistent).await.unwrap();
}

/// Overrides as Kafka's tools write them.
fn overrides(config: &str) -> String {
    format!(r#"{{"version":1,"config":{config}}}"#)
}

const SCRAM: &str = r#"{"SCRAM-SHA-256":"salt=x,stored_key=y,server_key=z,iterations=4096"}"#;
const QUOTA: &str = r#"{"producer_byte_rate":"1024"}"#;

#[tokio::test]
async fn what_its_owner_closed_stops_the_start_by_znode_and_key() {
    for (entity, config, key) in [
        ("users/alice", SCRAM, "SCRAM-SHA-256"),
        ("users/<default>", QUOTA, "producer_byte_rate=1024"),
        ("users/alice/clients/app", QUOTA, "producer_byte_rate=1024"),
        ("clients/app", QUOTA, "producer_byte_rate=1024"),
        ("ips/10.0.0.1", r#"{"connection_creation_rate":"5"}"#, "connection_creation_rate=5"),
        (
            "brokers/0",
            r#"{"listener.name.internal.ssl.keystore.location":"/k","log.retention.ms":"1"}"#,
            "listener.name.internal.ssl.keystore.location=/k",
        ),
        (
            "brokers/0",
            r#"{"listener.name.internal.ssl.key.password":"stored_key"}"#,
            "ssl.key.password=[hidden]",
        ),
        ("brokers/<default>", r#"{"listeners":"SSL://127.0.0.1:9093"}"#, "listeners=SSL://127.0.0.1:9093"),
    ] {
        let house = House::new().await;
        let tool = house.session().await;
        let path = format!("/config/{entity}");
        write(&tool, &path, &overrides(config)).await;
        let refused = Server::start(house.config(&[])).await.unwrap_err().to_string();
        assert!(refused.starts_with(&path) && refused.contains(key), "{refused}");
        assert!(!refused.contains("stored_key"), "no secret is told: {refused}");
        // Taken back, it stops nobody.
        tool.client().set_data(&path, overrides("{}").as_bytes(), None).await.unwrap();
        house.start().await.stop().await;
    }
}

#[tokio::test]
async fn another_broker_s_protection_and_values_that_are_kept_stop_nobody() {
    let house = House::new().await;
    let tool = house.session().await;
    write(&tool, "/config/brokers/2", &overrides(r#"{"ssl.keystore.location":"/k"}"#)).await;
    let kept = r#"{"max.connections":"7","listeners":"PLAINTEXT://127.0.0.1:0","ssl.client.auth":"none"}"#;
    write(&tool, "/config/brokers/0", &overrides(kept)).await;
    house.start().await.stop().await;
}

/// What is logged by a test that runs on one thread.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_closed_while_the_broker_runs_is_an_error_and_not_taken() {
    let told = Told::default();
    let writer = told.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::ERROR)
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let house = House::new().await;
    let server = house.start().await;
    let tool = house.session().await;
    for (entity, config) in [
        ("users/alice", SCRAM),
        ("users/bob/clients/app", r#"{"consumer_byte_rate":"7"}"#),
        ("ips/10.0.0.1", r#"{"connection_creation_rate":"5"}"#),
        ("brokers/0", r#"{"advertised.listeners":"SSL://h:1","log.retention.ms":"1000"}"#),
    ] {
        write(&tool, &format!("/config/{entity}"), &overrides(config)).await;
        let notification = format!(r#"{{"version":2,"entity_path":"{entity}"}}"#);
        let sequential = zk::CreateMode::PersistentSequential.with_acls(zk::Acls::anyone_all());
        let path = "/config/changes/config_change_";
        tool.client().create(path, notification.as_bytes(), &sequential).await.unwrap();
    }
    let now = || server.broker().control.configs().broker();
    until("the rest of the broker's values is taken", async || {
        now().get(keys::LOG_RETENTION_MS) == Some(1000)
    })
    .await;
    assert_eq!(now().get(keys::ADVERTISED_LISTENERS), None);
    Client::connect(&server).await.create("t", 1, &[]).await;
    let lines = String::from_utf8(told.0.lock().clone()).unwrap();
    for part in [
        "/config/users/alice",
        "consumer_byte_rate=7",
        "connection_creation_rate=5",
        "advertised.listeners=SSL://h:1",
    ] {
        let line =
            lines.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part} in {lines}"));
        assert!(line.contains("ERROR") && line.contains("NOT enforced"), "{line}");
    }
    assert!(!lines.contains("stored_key"), "{lines}");
    server.stop().await;
}
