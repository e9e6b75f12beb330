//! The `zookeeper-client` crate, which the broker uses, against the server.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use vltava_zookeeper::{Server, ZooKeeperConfig};
use zookeeper_client as zk;

fn config(dir: &std::path::Path, port: u16) -> ZooKeeperConfig {
    let text = format!(
        "dataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=200\n4lw.commands.whitelist=*",
        dir.display()
    );
    ZooKeeperConfig::from_properties(&text).unwrap().0
}

async fn connect(server: &Server) -> zk::Client {
    zk::Client::connector()
        .with_session_timeout(Duration::from_secs(4))
        .connect(&server.local_addr().to_string())
        .await
        .unwrap()
}

const OPEN: zk::CreateMode = zk::CreateMode::Persistent;

#[tokio::test]
async fn nodes_are_created_read_changed_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(config(dir.path(), 0)).await.unwrap();
    let client = connect(&server).await;
    let acls = zk::Acls::anyone_all();
    client.create("/a", b"one", &OPEN.with_acls(acls)).await.unwrap();
    assert_eq!(client.create("/a", b"", &OPEN.with_acls(acls)).await.unwrap_err(), zk::Error::NodeExists);
    let (data, stat) = client.get_data("/a").await.unwrap();
    assert_eq!((data.as_slice(), stat.version), (&b"one"[..], 0));
    let stat = client.set_data("/a", b"two", Some(0)).await.unwrap();
    assert_eq!(stat.version, 1);
    assert_eq!(client.set_data("/a", b"x", Some(0)).await.unwrap_err(), zk::Error::BadVersion);
    let sequential = zk::CreateMode::EphemeralSequential.with_acls(acls);
    let (_, sequence) = client.create("/a/n-", b"", &sequential).await.unwrap();
    assert_eq!(format!("{sequence}"), "0000000000");
    assert_eq!(client.list_children("/a").await.unwrap(), ["n-0000000000"]);
    assert_eq!(client.delete("/a", None).await.unwrap_err(), zk::Error::NotEmpty);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn watches_fire_and_ephemerals_go_with_their_session() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(config(dir.path(), 0)).await.unwrap();
    let (owner, watcher) = (connect(&server).await, connect(&server).await);
    owner.create("/e", b"", &zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all())).await.unwrap();
    let (_, _, watch) = watcher.get_and_watch_data("/e").await.unwrap();
    let (_, _, children) = watcher.get_and_watch_children("/").await.unwrap();
    drop(owner);
    assert_eq!(watch.changed().await.event_type, zk::EventType::NodeDeleted);
    assert_eq!(children.changed().await.event_type, zk::EventType::NodeChildrenChanged);
    assert_eq!(watcher.check_stat("/e").await.unwrap(), None);
    server.stop().await;
}

#[tokio::test]
async fn a_multi_happens_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(config(dir.path(), 0)).await.unwrap();
    let client = connect(&server).await;
    let options = OPEN.with_acls(zk::Acls::anyone_all());
    let mut writer = client.new_multi_writer();
    writer.add_create("/m", b"", &options).unwrap();
    writer.add_create("/m/a", b"1", &options).unwrap();
    writer.add_set_data("/m", b"x", Some(0)).unwrap();
    assert_eq!(writer.commit().await.unwrap().len(), 3);
    let mut writer = client.new_multi_writer();
    writer.add_delete("/m/a", None).unwrap();
    writer.add_check_version("/m", 7).unwrap();
    writer.commit().await.unwrap_err();
    assert!(client.check_stat("/m/a").await.unwrap().is_some());
    server.stop().await;
}

#[tokio::test]
async fn a_session_and_its_ephemerals_survive_a_restart_of_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(config(dir.path(), 0)).await.unwrap();
    let port = server.local_addr().port();
    let client = connect(&server).await;
    let session = client.session_id();
    client.create("/e", b"mine", &zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all())).await.unwrap();
    server.stop().await;
    let server = Server::start(config(dir.path(), port)).await.unwrap();
    let mut state = client.state_watcher();
    let data = loop {
        match client.get_data("/e").await {
            Ok((data, _)) => break data,
            Err(zk::Error::ConnectionLoss) => {
                state.changed().await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(data, b"mine");
    assert_eq!(client.session_id(), session);
    server.stop().await;
}
