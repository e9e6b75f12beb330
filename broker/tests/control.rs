//! The control plane against the embedded ZooKeeper: a member joins, leads, learns, loses its session and comes back; topics are made and
//! changed through it and behind its back.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use vltava_broker::control::{
    Configs, Control, ControlError, Member, MetadataCache, Session, StoredIdentity, ZooKeeperAddress,
    znodes::{self, Entity, paths},
};
use vltava_broker::partitions::Proposed;
use vltava_cluster::controller::Endpoint;
use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{LeaderAndIsrRequest, LeaderAndIsrResponse, StopReplicaRequest, StopReplicaResponse},
};
use vltava_settings::{BrokerConfig, Properties, TopicConfig, topic as topic_keys};
use vltava_zookeeper::{Server, ZooKeeperConfig};
use zookeeper_client as zk;

const PATIENCE: Duration = Duration::from_secs(30);

/// A member that notes what it is told.
#[derive(Default)]
struct Notebook {
    metadata: MetadataCache,
    hosted: Mutex<BTreeMap<(String, i32), (i32, Uuid)>>,
    deleted: Mutex<BTreeSet<(String, i32)>>,
    retention: Mutex<BTreeMap<String, i64>>,
    /// The retention that it was told of as a change.
    changed_to: Mutex<BTreeMap<String, i64>>,
    broker_threads: Mutex<Option<i32>>,
}

impl Member for Notebook {
    fn metadata(&self) -> &MetadataCache {
        &self.metadata
    }

    fn lead_or_follow<'a>(
        &'a self,
        request: LeaderAndIsrRequest<'static>,
        configs: &'a Configs,
    ) -> BoxFuture<'a, LeaderAndIsrResponse<'static>> {
        for topic in &request.topic_states {
            let retention = configs.topic(&topic.topic_name).get(topic_keys::RETENTION_MS);
            self.retention.lock().insert(topic.topic_name.to_string(), retention);
            for state in &topic.partition_states {
                let key = (topic.topic_name.to_string(), state.partition_index);
                self.hosted.lock().insert(key, (state.leader_epoch, topic.topic_id));
            }
        }
        async { LeaderAndIsrResponse::default() }.boxed()
    }

    fn stop_replicas(
        &self,
        request: StopReplicaRequest<'static>,
    ) -> BoxFuture<'_, StopReplicaResponse<'static>> {
        for topic in &request.topic_states {
            for state in &topic.partition_states {
                let key = (topic.topic_name.to_string(), state.partition_index);
                self.hosted.lock().remove(&key);
                if state.delete_partition {
                    self.deleted.lock().insert(key);
                }
            }
        }
        async { StopReplicaResponse::default() }.boxed()
    }

    fn hosts(&self, topic: &str) -> bool {
        self.hosted.lock().keys().any(|(name, _)| name == topic)
    }

    fn take_proposed(&self) -> Option<Proposed> {
        None
    }

    fn log_dir_failed(&self) -> BoxFuture<'_, ()> {
        std::future::pending().boxed()
    }

    fn topic_config_changed(&self, topic: &str, config: &Arc<TopicConfig>) {
        let retention = config.get(topic_keys::RETENTION_MS);
        self.retention.lock().insert(topic.to_owned(), retention);
        self.changed_to.lock().insert(topic.to_owned(), retention);
    }

    fn broker_config_changed(&self, config: &Arc<BrokerConfig>) {
        *self.broker_threads.lock() = Some(config.get(vltava_settings::broker::NUM_IO_THREADS));
    }
}

/// A ZooKeeper of its own for each test.
struct World {
    server: Server,
    _data: tempfile::TempDir,
    chroot: &'static str,
}

impl World {
    async fn new(chroot: &'static str) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let text = format!(
            "dataDir={}\nclientPort=0\ntickTime=100\nmaxSessionTimeout=60000\n",
            data.path().display()
        );
        let (mut config, _) = ZooKeeperConfig::from_properties(&text).expect("a configuration");
        config.client_address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let server = Server::start(config).await.expect("a server");
        Self { server, _data: data, chroot }
    }

    fn connect_string(&self) -> String {
        format!("{}{}", self.server.local_addr(), self.chroot)
    }

    fn config(&self, more: &str) -> Arc<BrokerConfig> {
        let text = format!(
            "zookeeper.connect={}\nzookeeper.session.timeout.ms=6000\nlisteners=PLAINTEXT://127.0.0.1:0\n{more}\n",
            self.connect_string()
        );
        let properties = Properties::parse(&text, "server.properties").expect("properties");
        Arc::new(BrokerConfig::from_properties(&properties, &Properties::default()).expect("a configuration"))
    }

    async fn join(&self, more: &str) -> (Control, Arc<Notebook>) {
        let control =
            Control::connect(self.config(more), &StoredIdentity::default()).await.expect("connected");
        let member = Arc::new(Notebook::default());
        control.join(member.clone(), vec![endpoint(9092)]).await.expect("joined");
        (control, member)
    }

    /// A session of an administrator with old tools.
    async fn tool(&self) -> Session {
        let seconds = Duration::from_secs(10);
        let connect = self.connect_string();
        Session::open(&ZooKeeperAddress { connect, session_timeout: seconds, connection_timeout: seconds })
            .await
            .expect("a session")
    }
}

fn endpoint(port: u16) -> Endpoint {
    Endpoint { listener: "PLAINTEXT".into(), host: "127.0.0.1".into(), port, security_protocol: 0 }
}

const PERSISTENT: zk::CreateOptions<'static> = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
const SEQUENTIAL: zk::CreateOptions<'static> =
    zk::CreateMode::PersistentSequential.with_acls(zk::Acls::anyone_all());

async fn write(tool: &Session, path: &str, data: &str) {
    tool.client()
        .create(path, data.as_bytes(), &PERSISTENT)
        .await
        .unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// Waits until a condition holds.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn led(member: &Notebook, topic: &str, partitions: usize) -> Uuid {
    let found = member.metadata.wait_for(PATIENCE, |now| {
        let topic = now.topic(topic)?;
        let led = topic.partitions.values().filter(|partition| partition.leader >= 0).count();
        (led == partitions).then_some(topic.id)
    });
    found.await.unwrap_or_else(|| panic!("{topic} is not led with {partitions} partitions"))
}

async fn gone(member: &Notebook, topic: &str) {
    let gone = member.metadata.wait_for(PATIENCE, |now| now.topic(topic).is_none().then_some(())).await;
    assert!(gone.is_some(), "{topic} is still there");
}

#[tokio::test]
async fn a_broker_registers_and_becomes_the_controller() {
    let world = World::new("/clusters/one").await;
    let (control, member) = world.join("broker.id=7").await;
    member.metadata.wait_for(PATIENCE, |now| now.is_initialized().then_some(())).await.expect("told");
    let now = member.metadata.owned();
    assert_eq!((now.controller(), control.broker_id(), control.cluster_id().len()), (Some(7), 7, 22));
    assert_eq!(now.broker(7).expect("itself").endpoint("PLAINTEXT"), Some(("127.0.0.1", 9092)));
    let tool = world.tool().await;
    let text = |found: Option<(Vec<u8>, zk::Stat)>| String::from_utf8(found.expect("there").0).expect("text");
    let broker = text(tool.read("/brokers/ids/7").await.expect("read"));
    assert!(broker.contains(r#""endpoints":["PLAINTEXT://127.0.0.1:9092"],"jmx_port":-1,"port":9092,"host":"127.0.0.1","version":5"#), "{broker}");
    assert!(
        text(tool.read("/controller").await.expect("read"))
            .starts_with(r#"{"version":2,"brokerid":7,"timestamp":""#)
    );
    assert_eq!(text(tool.read("/controller_epoch").await.expect("read")), "1");
    assert_eq!(text(tool.read("/feature").await.expect("read")), r#"{"features":{},"version":2,"status":1}"#);
    for path in paths::PERSISTENT {
        assert!(tool.read(path).await.expect("read").is_some(), "{path}");
    }
    control.leave().await;
    assert_eq!(tool.read("/brokers/ids/7").await.expect("read"), None, "nothing is left to wait for");
    assert_eq!(tool.read("/controller").await.expect("read"), None);
}

#[tokio::test]
async fn broker_ids_are_generated_above_the_reserved_ones_and_a_taken_one_is_refused() {
    let world = World::new("").await;
    let connect = async |more: &str| Control::connect(world.config(more), &StoredIdentity::default()).await;
    assert_eq!(connect("broker.id=-1").await.expect("first").broker_id(), 1001);
    assert_eq!(connect("broker.id=-1\nreserved.broker.max.id=5").await.expect("second").broker_id(), 7);
    let (first, _) = world.join("broker.id=3").await;
    let second = connect("broker.id=3\nzookeeper.session.timeout.ms=400").await.expect("connected");
    let other = second.join(Arc::new(Notebook::default()), vec![endpoint(9999)]).await.expect_err("taken");
    let ControlError::Registration(error) = other else { panic!("{other}") };
    let said = error.to_string();
    assert!(
        said.contains(
            "broker.id=3 is taken: /brokers/ids/3 belongs to a broker at PLAINTEXT://127.0.0.1:9092,"
        ),
        "{said}"
    );
    // The same endpoints can only be a former self's: the directory locks are ours.
    let again = connect("broker.id=3").await.expect("connected");
    again.join(Arc::new(Notebook::default()), vec![endpoint(9092)]).await.expect("replaced");
    first.leave().await;
    again.leave().await;
}

#[tokio::test]
async fn the_cluster_is_recognised() {
    let world = World::new("/k").await;
    let control =
        Control::connect(world.config("broker.id=1"), &StoredIdentity::default()).await.expect("connected");
    let same = StoredIdentity { cluster_id: Some(control.cluster_id().to_owned()), broker_id: Some(1) };
    let again = Control::connect(world.config("broker.id=-1"), &same).await.expect("the same cluster");
    assert_eq!((again.cluster_id(), again.broker_id()), (control.cluster_id(), 1));
    let other = StoredIdentity { cluster_id: Some("AAAAAAAAAAAAAAAAAAAAAA".into()), broker_id: None };
    let refused = Control::connect(world.config("broker.id=1"), &other).await.expect_err("another cluster");
    let said = refused.to_string();
    assert!(
        said.starts_with("The Cluster ID ") && said.contains("stored cluster.id AAAAAAAAAAAAAAAAAAAAAA in"),
        "{said}"
    );
    let other = StoredIdentity { cluster_id: None, broker_id: Some(2) };
    let refused = Control::connect(world.config("broker.id=1"), &other).await.expect_err("another broker");
    assert!(
        refused.to_string().starts_with("Configured broker.id 1 doesn't match stored broker.id 2"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_its_owner_closed_stays_closed() {
    let acl = r#"{"version":1,"acls":[{"principal":"User:Bob","permissionType":"Allow","operation":"Read","host":"*"}]}"#;
    let scram =
        r#"{"version":1,"config":{"SCRAM-SHA-256":"salt=x,stored_key=y,server_key=z,iterations=4096"}}"#;
    let cases: [(&[&str], &str, &str); 3] = [
        (&["/kafka-acl", "/kafka-acl/Topic"], "/kafka-acl/Topic/orders", acl),
        (
            &["/kafka-acl-extended", "/kafka-acl-extended/prefixed", "/kafka-acl-extended/prefixed/Topic"],
            "/kafka-acl-extended/prefixed/Topic/pre-",
            acl,
        ),
        (&["/config", "/config/users"], "/config/users/alice", scram),
    ];
    for (parents, path, data) in cases {
        let world = World::new("").await;
        let tool = world.tool().await;
        for parent in parents {
            write(&tool, parent, "").await;
        }
        Control::connect(world.config("broker.id=1"), &StoredIdentity::default())
            .await
            .expect("empty parents close nothing");
        write(&tool, path, data).await;
        let refused =
            Control::connect(world.config("broker.id=1"), &StoredIdentity::default()).await.expect_err(path);
        assert!(refused.to_string().contains(path), "{refused}");
    }
}

#[tokio::test]
async fn topics_are_created_grown_and_deleted_through_the_control_plane() {
    let world = World::new("/k").await;
    let (control, member) = world.join("broker.id=0").await;
    let overrides = BTreeMap::from([("retention.ms".to_owned(), "3600000".to_owned())]);
    let id = control.create_topic("orders", vec![vec![0], vec![0]], &overrides).await.expect("created");
    assert_eq!(led(&member, "orders", 2).await, id);
    assert_eq!(member.retention.lock()["orders"], 3_600_000, "the log is made with its overrides");
    let again = control.create_topic("orders", vec![vec![0]], &overrides).await.expect_err("it exists");
    assert_eq!(
        (again.code, again.message.as_str()),
        (ErrorCode::TopicAlreadyExists, "Topic 'orders' already exists.")
    );

    control.add_partitions("orders", 2, &[vec![0]]).await.expect("grown");
    assert_eq!(led(&member, "orders", 3).await, id);

    control.request_deletion("orders").await.expect("asked");
    gone(&member, "orders").await;
    until("the files are deleted", || member.deleted.lock().len() == 3).await;
    let tool = world.tool().await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tool.read("/admin/delete_topics/orders").await.expect("read").is_some() {
        assert!(tokio::time::Instant::now() < deadline, "the request is still there");
    }
    for path in ["/brokers/topics/orders", "/config/topics/orders"] {
        assert_eq!(tool.read(path).await.expect("read"), None, "{path}");
    }
    let next = control.create_topic("orders", vec![vec![0]], &BTreeMap::new()).await.expect("created again");
    assert_ne!(next, id);
    assert_eq!(led(&member, "orders", 1).await, next);
    control.leave().await;
}

#[tokio::test]
async fn what_old_tools_write_takes_effect() {
    let world = World::new("/k").await;
    let (control, member) = world.join("broker.id=0").await;
    let tool = world.tool().await;
    // kafka-topics --create of 0.11: configuration, then the assignment without an id.
    write(&tool, "/config/topics/old", r#"{"version":1,"config":{"retention.ms":"1000"}}"#).await;
    write(&tool, "/brokers/topics/old", r#"{"version":1,"partitions":{"1":[0],"0":[0]}}"#).await;
    let id = led(&member, "old", 2).await;
    assert!(!id.is_zero(), "it is given an id");
    assert_eq!(member.retention.lock()["old"], 1000);

    // --alter --partitions: the id is lost, and put back.
    let grown = br#"{"version":1,"partitions":{"2":[0],"1":[0],"0":[0]}}"#;
    tool.client().set_data("/brokers/topics/old", grown, None).await.expect("written");
    assert_eq!(led(&member, "old", 3).await, id);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (data, _) = tool.read("/brokers/topics/old").await.expect("read").expect("there");
        if znodes::decode_topic("/brokers/topics/old", &data).expect("sound").topic_id == Some(id) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the id is not put back");
    }

    // kafka-configs --alter, with notifications of both versions.
    for (value, notification) in [
        (2000, r#"{"version":2,"entity_path":"topics/old"}"#),
        (3000, r#"{"version":1,"entity_type":"topics","entity_name":"old"}"#),
    ] {
        let config = format!(r#"{{"version":1,"config":{{"retention.ms":"{value}"}}}}"#);
        tool.client().set_data("/config/topics/old", config.as_bytes(), None).await.expect("written");
        tool.client()
            .create(paths::CONFIG_CHANGE_PREFIX, notification.as_bytes(), &SEQUENTIAL)
            .await
            .expect("notified");
        until("the override takes effect", || member.retention.lock()["old"] == value).await;
    }

    // kafka-preferred-replica-election and kafka-reassign-partitions wait until their request is gone.
    for (path, request) in [
        (paths::PREFERRED_ELECTION, r#"{"version":1,"partitions":[{"topic":"old","partition":0}]}"#),
        (
            paths::REASSIGN_PARTITIONS,
            r#"{"version":1,"partitions":[{"topic":"old","partition":0,"replicas":[0]}]}"#,
        ),
    ] {
        write(&tool, path, request).await;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tool.read(path).await.expect("read").is_some() {
            assert!(tokio::time::Instant::now() < deadline, "{path} is still there");
        }
    }

    // --delete.
    write(&tool, "/admin/delete_topics/old", "").await;
    gone(&member, "old").await;
    // A deletion of nothing is cleared.
    write(&tool, "/admin/delete_topics/never", "").await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tool.read("/admin/delete_topics/never").await.expect("read").is_some() {
        assert!(tokio::time::Instant::now() < deadline, "the request is still there");
    }
    control.leave().await;
}

#[tokio::test]
async fn a_topic_whose_configuration_makes_no_sense_is_led_and_keeps_its_records() {
    let world = World::new("").await;
    let (control, member) = world.join("broker.id=0").await;
    let tool = world.tool().await;
    let retention = |topic: &str| member.retention.lock().get(topic).copied();
    // Nobody can tell what was asked for: perhaps that its records are kept for ever. The defaults would delete after a week.
    write(&tool, "/config/topics/torn", r#"{"version":1,"config":{"retention.ms":"-1"#).await;
    write(&tool, "/brokers/topics/torn", r#"{"version":1,"partitions":{"0":[0]}}"#).await;
    led(&member, "torn", 1).await;
    until("it is hosted", || retention("torn") == Some(-1)).await;
    let entity = Entity::Topic("torn".into());
    let none = control.overrides(&entity).await.expect("as Kafka sees it");
    assert_eq!(none, BTreeMap::new());

    // Put right by hand, it is obeyed.
    let week = r#"{"version":1,"config":{"retention.ms":"604800000"}}"#;
    tool.client().set_data("/config/topics/torn", week.as_bytes(), None).await.expect("written");
    let notification = r#"{"version":2,"entity_path":"topics/torn"}"#.as_bytes();
    tool.client().create(paths::CONFIG_CHANGE_PREFIX, notification, &SEQUENTIAL).await.expect("notified");
    until("the topic obeys", || retention("torn") == Some(604_800_000)).await;

    // What is in force stays when it is damaged again, for partitions that are made meanwhile too.
    tool.client().set_data("/config/topics/torn", b"{", None).await.expect("written");
    tool.client().create(paths::CONFIG_CHANGE_PREFIX, notification, &SEQUENTIAL).await.expect("notified");
    control.add_partitions("torn", 1, &[vec![0]]).await.expect("grown");
    led(&member, "torn", 2).await;
    until("both are hosted", || member.hosted.lock().len() == 2).await;
    assert_eq!(retention("torn"), Some(604_800_000));

    // And whoever alters it puts it right.
    let set = |before: &BTreeMap<String, String>| {
        assert_eq!(*before, BTreeMap::new());
        Ok(BTreeMap::from([("retention.ms".to_owned(), "5000".to_owned())]))
    };
    control.alter_overrides(&entity, &set).await.expect("altered");
    until("the topic obeys again", || retention("torn") == Some(5000)).await;
    control.leave().await;
}

#[tokio::test]
async fn what_is_read_for_a_new_partition_holds_for_those_that_are_here() {
    let world = World::new("").await;
    let (control, member) = world.join("broker.id=0").await;
    let tool = world.tool().await;
    let forever = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
    control.create_topic("orders", vec![vec![0]], &forever).await.expect("created");
    led(&member, "orders", 1).await;
    let week = br#"{"version":1,"config":{"retention.ms":"604800000"}}"#;
    tool.client().set_data("/config/topics/orders", week, None).await.expect("written");
    control.add_partitions("orders", 1, &[vec![0]]).await.expect("grown");
    led(&member, "orders", 2).await;
    assert_eq!(member.changed_to.lock().get("orders"), Some(&604_800_000));
    control.leave().await;
}

#[tokio::test]
async fn a_topic_removed_by_force_is_no_longer_served_and_keeps_its_files() {
    let world = World::new("").await;
    let (control, member) = world.join("broker.id=0").await;
    control.create_topic("orders", vec![vec![0]], &BTreeMap::new()).await.expect("created");
    led(&member, "orders", 1).await;
    let tool = world.tool().await;
    for path in [
        "/brokers/topics/orders/partitions/0/state",
        "/brokers/topics/orders/partitions/0",
        "/brokers/topics/orders/partitions",
        "/brokers/topics/orders",
    ] {
        tool.client().delete(path, None).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    gone(&member, "orders").await;
    until("it stops", || member.hosted.lock().is_empty()).await;
    assert!(member.deleted.lock().is_empty());
    control.leave().await;
}

#[tokio::test]
async fn alterations_are_written_notified_and_obeyed() {
    let world = World::new("").await;
    let (control, member) = world.join("broker.id=0\nnum.io.threads=4").await;
    control.create_topic("orders", vec![vec![0]], &BTreeMap::new()).await.expect("created");
    led(&member, "orders", 1).await;
    let set = |key: &'static str, value: &'static str| {
        move |before: &BTreeMap<String, String>| {
            let mut after = before.clone();
            after.insert(key.to_owned(), value.to_owned());
            Ok(after)
        }
    };
    control
        .alter_overrides(&Entity::Topic("orders".into()), &set("retention.ms", "5000"))
        .await
        .expect("altered");
    until("the topic obeys", || member.retention.lock()["orders"] == 5000).await;
    control.alter_overrides(&Entity::Broker(0), &set("num.io.threads", "3")).await.expect("altered");
    until("the broker obeys", || *member.broker_threads.lock() == Some(3)).await;
    control.alter_overrides(&Entity::BrokerDefault, &set("log.retention.ms", "7000")).await.expect("altered");
    // The topic's own override stays above the broker's.
    until("both are there", || control.configs().topic("other").get(topic_keys::RETENTION_MS) == 7000).await;
    assert_eq!(member.retention.lock()["orders"], 5000);
    control.leave().await;
}

#[tokio::test]
async fn an_expired_session_heals() {
    let world = World::new("/k").await;
    let (control, member) = world.join("broker.id=0").await;
    control.create_topic("before", vec![vec![0]], &BTreeMap::new()).await.expect("created");
    led(&member, "before", 1).await;
    let first = control.session().expect("a session");
    let epoch = control.broker_epoch();
    // Closing the session from elsewhere ends it as an expiry does. The broker's client takes it back as often as it can.
    let address = world.server.local_addr().to_string();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while control.broker_epoch() == epoch {
        assert!(tokio::time::Instant::now() < deadline, "no new registration");
        if first.client().state().is_terminated() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        let connector = zk::Client::connector().with_session_timeout(Duration::from_secs(1));
        drop(connector.with_session(first.client().session().clone()).connect(&address).await);
    }
    let made = async {
        loop {
            match control.create_topic("after", vec![vec![0]], &BTreeMap::new()).await {
                Ok(id) => return id,
                Err(error)
                    if error.code == ErrorCode::NotController || error.code == ErrorCode::RequestTimedOut =>
                {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, made).await.expect("created");
    led(&member, "after", 1).await;
    assert!(member.metadata.owned().topic("before").is_some());
    control.leave().await;
}

#[tokio::test]
async fn a_registration_that_somebody_deletes_is_made_again() {
    let world = World::new("/k").await;
    let (control, member) = world.join("broker.id=0").await;
    control.create_topic("orders", vec![vec![0]], &BTreeMap::new()).await.expect("created");
    led(&member, "orders", 1).await;
    let tool = world.tool().await;
    for _ in 0..3 {
        let (epoch, session) = (control.broker_epoch(), control.session().expect("a session"));
        tool.client().delete("/brokers/ids/0", None).await.expect("deleted");
        until("it registers again", || control.broker_epoch() > epoch).await;
        let (_, stat) = tool.read("/brokers/ids/0").await.expect("read").expect("there");
        assert_eq!(stat.czxid, control.broker_epoch());
        assert_eq!(stat.ephemeral_owner, session.client().session_id().0, "the session is the same");
        let told = member.metadata.wait_for(PATIENCE, |now| now.broker(0).map(|_| ()));
        told.await.expect("the controller knows");
        led(&member, "orders", 1).await;
    }
    control.leave().await;
    assert_eq!(tool.read("/brokers/ids/0").await.expect("read"), None);
}

#[tokio::test]
async fn what_keeps_elections_from_being_held_is_told_and_heals() {
    let world = World::new("").await;
    let tool = world.tool().await;
    write(&tool, "/controller_epoch", "garbage").await;
    let (control, member) = world.join("broker.id=0").await;
    until("it is told", || control.election_failure().is_some()).await;
    let failure = control.election_failure().expect("told");
    assert!(failure.contains("/controller_epoch"), "{failure}");
    assert!(!control.is_active_controller());
    tool.client().set_data("/controller_epoch", b"6", None).await.expect("written");
    member.metadata.wait_for(PATIENCE, |now| now.is_initialized().then_some(())).await.expect("elected");
    assert_eq!(control.election_failure(), None);
    control.leave().await;
}

#[tokio::test]
async fn what_nothing_can_be_named_is_no_topic() {
    let world = World::new("").await;
    let (control, member) = world.join("broker.id=0").await;
    let tool = world.tool().await;
    write(&tool, "/brokers/topics/bad:name", r#"{"version":1,"partitions":{"0":[0]}}"#).await;
    write(&tool, "/brokers/topics/good", r#"{"version":1,"partitions":{"0":[0]}}"#).await;
    led(&member, "good", 1).await;
    assert!(member.metadata.owned().topic("bad:name").is_none());
    assert_eq!(tool.read("/brokers/topics/bad:name/partitions/0/state").await.expect("read"), None);
    control.leave().await;
}

#[tokio::test]
async fn nobody_holds_an_office_without_a_session() {
    // The session's end reaches the office and the session's owner in either order, so it is tried several times.
    let lone = async || {
        let world = World::new("").await;
        let (control, _member) = world.join("broker.id=0\nzookeeper.session.timeout.ms=2000").await;
        let mut status = control.controller_status();
        let told = tokio::time::timeout(PATIENCE, status.wait_for(|status| status.active)).await;
        told.expect("in office").expect("told");
        world.server.stop().await;
        let told = tokio::time::timeout(PATIENCE, status.wait_for(|status| !status.active)).await;
        told.expect("out of office").expect("told");
    };
    futures_util::future::join_all((0..8).map(|_| lone())).await;
}

#[tokio::test]
async fn a_restarted_broker_finds_its_topics_with_their_ids_and_epochs() {
    let world = World::new("/k").await;
    let (control, member) = world.join("broker.id=0").await;
    let id = control.create_topic("orders", vec![vec![0], vec![0]], &BTreeMap::new()).await.expect("created");
    led(&member, "orders", 2).await;
    let before = member.hosted.lock().clone();
    control.leave().await;
    let (control, member) = world.join("broker.id=0").await;
    assert_eq!(led(&member, "orders", 2).await, id);
    until("it leads again", || *member.hosted.lock() == before).await;
    control.leave().await;
}

#[tokio::test]
async fn producer_ids_come_in_blocks_that_are_never_given_twice() {
    let world = World::new("").await;
    let (control, _) = world.join("broker.id=0").await;
    let mut ids = BTreeSet::new();
    for _ in 0..1500 {
        assert!(ids.insert(control.next_producer_id().await.expect("an id")));
    }
    assert_eq!((ids.first(), ids.last()), (Some(&0), Some(&1499)));
    control.leave().await;
    let (control, _) = world.join("broker.id=0").await;
    assert_eq!(control.next_producer_id().await.expect("an id"), 2000, "the rest of the old block is gone");
    control.leave().await;
}

#[tokio::test]
async fn nobody_waits_for_a_producer_id_longer_than_a_request_may_take() {
    let world = World::new("").await;
    let patient = "broker.id=0\nzookeeper.session.timeout.ms=60000\nrequest.timeout.ms=50";
    let (control, _) = world.join(patient).await;
    world.server.stop().await;
    // The second waits for the first, which waits for ZooKeeper.
    let both = async { tokio::join!(control.next_producer_id(), control.next_producer_id()) };
    let (first, second) = tokio::time::timeout(PATIENCE, both).await.expect("not until the session ends");
    for answer in [first, second] {
        let error = answer.expect_err("ZooKeeper is away").to_string();
        assert_eq!(error, "/latest_producer_id_block: no answer from ZooKeeper within 50 ms");
    }
}
