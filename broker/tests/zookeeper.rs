//! A whole broker on Apache ZooKeeper: every release line, an ensemble, outages under load, sessions that end, and Apache Kafka's tools that write to
//! ZooKeeper behind its back.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use house::{Client, House, PATIENCE, get, until};
use vltava_broker::{control::Session, server::Server};
use vltava_protocol::{
    ErrorCode,
    messages::{
        CreateTopicsRequest, DeleteTopicsRequest, IncrementalAlterConfigsRequest, InitProducerIdRequest,
        MetadataRequest,
        create_topics::CreatableTopic,
        incremental_alter_configs::{AlterConfigsResource, AlterableConfig},
    },
};
use vltava_settings::topic;
use vltava_testkit::{
    apache::{self, Version},
    zookeeper::{self, Release},
};
use zookeeper_client as zk;

/// The shortest session that a ZooKeeper of the kit grants is one second.
const SHORT_SESSIONS: (&str, &str) = ("zookeeper.session.timeout.ms", "2000");

macro_rules! lives_on {
    ($($name:ident $release:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            lives_on(Release::$release).await;
        }
    )*};
}

lives_on! {
    a_broker_lives_on_zookeeper_3_5 V3_5
    a_broker_lives_on_zookeeper_3_6 V3_6
    a_broker_lives_on_zookeeper_3_7 V3_7
    a_broker_lives_on_zookeeper_3_8 V3_8
    a_broker_lives_on_zookeeper_3_9 V3_9
}

/// One record after the other, each acknowledged, until told to stop.
struct Load {
    acknowledged: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    async fn on(server: &Server, topic: &'static str) -> Self {
        let (acknowledged, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut client = Client::connect(server).await;
        let (count, stopped) = (acknowledged.clone(), stop.clone());
        let task = tokio::spawn(async move {
            while !stopped.load(SeqCst) {
                let n = count.load(SeqCst);
                let offset = client.produce(topic, 0, &[&n.to_string()]).await.expect("no produce fails");
                assert_eq!(offset, i64::try_from(n).unwrap());
                count.fetch_add(1, SeqCst);
            }
        });
        Self { acknowledged, stop, task }
    }

    /// Waits until more has been acknowledged.
    async fn goes_on(&self, why: &str) {
        let wanted = self.acknowledged.load(SeqCst) + 50;
        until(why, async || self.acknowledged.load(SeqCst) >= wanted || self.task.is_finished()).await;
        assert!(!self.task.is_finished(), "{why}");
    }

    async fn end(self) -> usize {
        self.stop.store(true, SeqCst);
        self.task.await.unwrap();
        self.acknowledged.load(SeqCst)
    }
}

/// Creates a topic as soon as the broker can: it may be between two sessions.
async fn create_when_possible(client: &mut Client, name: &str) {
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 5_000, ..Default::default() };
    until(&format!("{name} is created"), async || {
        let code = client.ask(4, &request, |answer| ErrorCode::of(answer.topics[0].error_code)).await;
        match code {
            ErrorCode::None | ErrorCode::TopicAlreadyExists => true,
            ErrorCode::NotController | ErrorCode::RequestTimedOut | ErrorCode::InvalidReplicationFactor => {
                false
            }
            other => panic!("{name}: {other}"),
        }
    })
    .await;
    client.until_led(name, 1).await;
}

/// Ends the broker's session as an expiry does, by closing it from elsewhere, as often as the broker takes it back.
async fn end_session(server: &Server, address: &str) {
    let control = &server.broker().control;
    let (first, epoch) = (control.session().expect("a session"), control.broker_epoch());
    until("a new registration", async || {
        if !first.client().state().is_terminated() {
            let connector = zk::Client::connector().with_session_timeout(Duration::from_secs(1));
            drop(connector.with_session(first.client().session().clone()).connect(address).await);
        }
        control.broker_epoch() != epoch
    })
    .await;
}

async fn lives_on(release: Release) {
    let folder = tempfile::tempdir().unwrap();
    let mut apache = zookeeper::Server::start(release, folder.path());
    let address = apache.address().to_string();
    // The first of the hosts is not there, and the chroot is made.
    let nobody = vltava_testkit::wait::free_port();
    let house = House::on(format!("127.0.0.1:{nobody},{address}/kafka/one"));
    let server = house.start_with(&[SHORT_SESSIONS]).await;
    let outside = House::on(address.as_str()).session().await;
    assert!(
        outside.read("/kafka/one/brokers/ids/0").await.unwrap().is_some(),
        "it is registered below the chroot"
    );

    let mut client = Client::connect(&server).await;
    client.create("load", 1, &[]).await;
    let load = Load::on(&server, "load").await;
    load.goes_on("records are acknowledged").await;

    apache.kill();
    load.goes_on("records are acknowledged without ZooKeeper").await;
    let pages = server.metrics_address().unwrap();
    assert!(get(pages, "/readyz").await.starts_with("HTTP/1.0 200"), "it goes on serving, so it stays ready");
    apache.start_again();
    create_when_possible(&mut client, "after-the-outage").await;
    load.goes_on("records are acknowledged after the outage").await;

    end_session(&server, &address).await;
    create_when_possible(&mut client, "after-the-session").await;
    load.goes_on("records are acknowledged in the next session").await;
    let mine = server.broker().control.session().unwrap().client().session_id().0;
    for path in ["/brokers/ids/0", "/controller"] {
        let (_, stat) = house.session().await.read(path).await.unwrap().unwrap();
        assert_eq!(stat.ephemeral_owner, mine, "{path} belongs to the session that lives");
    }

    let acknowledged = load.end().await;
    let mut read = Vec::new();
    while read.len() < acknowledged {
        let more = client.fetch("load", 0, read.len() as i64).await;
        assert!(!more.is_empty(), "{} of {acknowledged} records", read.len());
        read.extend(more);
    }
    let sent: Vec<String> = (0..acknowledged).map(|n| n.to_string()).collect();
    assert!(read == sent, "every acknowledged record once and in order");
    server.stop().await;
    for path in ["/brokers/ids/0", "/controller"] {
        assert_eq!(house.session().await.read(path).await.unwrap(), None, "{path} is taken back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_outlives_the_leader_of_its_ensemble() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = zookeeper::ensemble(Release::V3_9, folder.path());
    let hosts: Vec<String> = servers.iter().map(|server| server.address().to_string()).collect();
    let house = House::on(format!("{}/kafka", hosts.join(",")));
    let server = house.start_with(&[("zookeeper.session.timeout.ms", "20000")]).await;
    let mut client = Client::connect(&server).await;
    client.create("load", 1, &[]).await;
    let load = Load::on(&server, "load").await;
    let epoch = server.broker().control.broker_epoch();
    let leader = servers.iter().position(|server| server.mode().as_deref() == Some("leader")).unwrap();
    servers[leader].kill();
    create_when_possible(&mut client, "with-two-left").await;
    assert_eq!(server.broker().control.broker_epoch(), epoch, "the session moved to another server");
    load.goes_on("records are acknowledged").await;
    load.end().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_that_is_left_is_replaced_if_it_is_ours_and_respected_if_not() {
    let folder = tempfile::tempdir().unwrap();
    let apache = zookeeper::Server::start(Release::V3_8, folder.path());
    let house = House::on(format!("{}/kafka", apache.address()));
    let first = house.start().await;
    let port = first.listeners()[0].1.port();
    let former = house.session().await;
    let (registration, _) = former.read("/brokers/ids/0").await.unwrap().unwrap();
    first.stop().await;
    let ephemeral = zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all());
    former.client().create("/brokers/ids/0", &registration, &ephemeral).await.unwrap();

    let listeners = format!("PLAINTEXT://127.0.0.1:{port}");
    let again =
        Server::start(house.config(&[("listeners", &listeners)])).await.expect("its former self makes way");
    again.stop().await;

    former.client().create("/brokers/ids/0", &registration, &ephemeral).await.unwrap();
    let error = Server::start(house.config(&[SHORT_SESSIONS])).await.unwrap_err().to_string();
    assert!(error.contains("broker.id=0 is taken") && error.contains("/brokers/ids/0"), "{error}");
}

/// Runs a tool of Apache Kafka to its end; what it said.
fn tool(version: Version, main: &str, arguments: &[&str]) -> String {
    let mut command: Command = version.tool(main);
    let output = command.args(arguments).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{main} {}: {said}", arguments.join(" "));
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_old_tools_do_in_zookeeper_takes_effect() {
    let folder = tempfile::tempdir().unwrap();
    let apache = zookeeper::Server::start(Release::V3_5, folder.path());
    let connect = format!("{}/kafka", apache.address());
    let house = House::on(connect.as_str());
    house.start().await.stop().await;
    // Without a broker alive the last tool of ZooKeeper's time may set what all brokers start with.
    let all_brokers = ["--entity-type", "brokers", "--entity-default", "--alter", "--add-config"];
    let retention = ["log.retention.ms=12345678"];
    let arguments = [&["--zookeeper", &connect][..], &all_brokers, &retention].concat();
    tool(Version::V3_9, "kafka.admin.ConfigCommand", &arguments);
    let server = house.start().await;
    let configs = server.broker().control.configs().clone();
    let retention_of = |name: &str| configs.topic(name).get(topic::RETENTION_MS);
    assert_eq!(retention_of("any"), 12_345_678);

    let topics = |arguments: &[&str]| {
        tool(
            Version::V0_11,
            "kafka.admin.TopicCommand",
            &[&["--zookeeper", &connect][..], arguments].concat(),
        )
    };
    let mut client = Client::connect(&server).await;
    let two = ["--partitions", "2", "--replication-factor", "1", "--config", "retention.ms=3600000"];
    let said = topics(&[&["--create", "--topic", "made"][..], &two].concat());
    assert!(said.contains("Created topic \"made\"."), "{said}");
    client.until_led("made", 2).await;
    assert_eq!(retention_of("made"), 3_600_000);
    client.produce("made", 1, &["kept"]).await.unwrap();

    let said = topics(&["--alter", "--topic", "made", "--partitions", "4"]);
    assert!(said.contains("Adding partitions succeeded!"), "{said}");
    client.until_led("made", 4).await;
    assert_eq!(client.fetch("made", 1, 0).await, ["kept"]);
    client.produce("made", 3, &["new"]).await.unwrap();

    let entity = ["--entity-type", "topics", "--entity-name", "made", "--alter", "--add-config"];
    let arguments = [&["--zookeeper", &connect][..], &entity, &["retention.ms=7200000"]].concat();
    tool(Version::V0_11, "kafka.admin.ConfigCommand", &arguments);
    until("the override takes effect", async || retention_of("made") == 7_200_000).await;
    let said = topics(&["--describe", "--topic", "made"]);
    assert!(said.contains("PartitionCount:4") && said.contains("retention.ms=7200000"), "{said}");

    topics(&["--delete", "--topic", "made"]);
    until("the topic is gone", async || {
        let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
        client.ask(5, &all, |answer| answer.topics.is_empty()).await
    })
    .await;
    until("the tool sees it too", async || !topics(&["--list"]).contains("made")).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protection_that_old_tools_left_in_zookeeper_stops_the_start_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let apache = zookeeper::Server::start(Release::V3_7, folder.path());
    let user = ["--entity-type", "users", "--entity-name", "alice", "--alter"];
    let scram = ["--add-config", "SCRAM-SHA-256=[iterations=8192,password=alice-secret]"];
    let acl = ["--add", "--allow-principal", "User:Bob", "--operation", "Read", "--topic", "orders"];
    let prefixed = ["--resource-pattern-type", "prefixed"];
    let authorizer = ["--authorizer", "kafka.security.authorizer.AclAuthorizer"];
    for (chroot, closed) in [
        ("/scram", "/config/users/alice"),
        ("/acl", "/kafka-acl/Topic/orders"),
        ("/prefixed", "/kafka-acl-extended/prefixed/Topic/orders"),
        ("/quota", "/config/clients/app"),
        ("/tls", "/config/brokers/0"),
    ] {
        let connect = format!("{}{chroot}", apache.address());
        let house = House::on(connect.as_str());
        house.start().await.stop().await;
        let zookeeper = format!("zookeeper.connect={connect}");
        let properties = ["--authorizer-properties", zookeeper.as_str()];
        match chroot {
            "/scram" => {
                let arguments = [&["--zookeeper", connect.as_str()][..], &user, &scram].concat();
                tool(Version::V3_9, "kafka.admin.ConfigCommand", &arguments)
            }
            "/quota" => {
                let client = ["--entity-type", "clients", "--entity-name", "app", "--alter"];
                let quota = ["--add-config", "producer_byte_rate=1024"];
                let arguments = [&["--zookeeper", connect.as_str()][..], &client, &quota].concat();
                tool(Version::V0_11, "kafka.admin.ConfigCommand", &arguments)
            }
            "/tls" => {
                let broker = ["--entity-type", "brokers", "--entity-name", "0", "--alter"];
                let keystore = ["--add-config", "listener.name.internal.ssl.keystore.location=/k"];
                let arguments = [&["--zookeeper", connect.as_str()][..], &broker, &keystore].concat();
                tool(Version::V3_9, "kafka.admin.ConfigCommand", &arguments)
            }
            "/acl" => tool(Version::V0_11, "kafka.admin.AclCommand", &[&properties[..], &acl].concat()),
            _ => {
                let arguments = [&authorizer[..], &properties, &acl, &prefixed].concat();
                tool(Version::V3_9, "kafka.admin.AclCommand", &arguments)
            }
        };
        let error = Server::start(house.config(&[])).await.unwrap_err().to_string();
        assert!(error.contains(closed), "{closed}: {error}");
        assert!(!error.contains("alice-secret") && !error.contains("stored_key"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tool_of_3_9_describes_and_changes_the_levels_of_the_log() {
    let filter = house::watched_loggers("info,zookeeper_client=error");
    let house = House::new().await;
    let server = house.start().await;
    let address = server.listeners()[0].1.to_string();
    let loggers = |more: &[&str]| {
        let which = ["--bootstrap-server", &address, "--entity-type", "broker-loggers", "--entity-name", "0"];
        tool(Version::V3_9, "kafka.admin.ConfigCommand", &[&which[..], more].concat())
    };
    let described = loggers(&["--describe"]);
    assert!(described.contains("Dynamic configs for broker-logger 0 are:"), "{described}");
    for (logger, level) in
        [("root", "INFO"), ("vltava_broker.control", "INFO"), ("zookeeper_client", "ERROR")]
    {
        assert!(
            described.contains(&format!("  {logger}={level} sensitive=false synonyms={{}}\n")),
            "{described}"
        );
    }
    let altered = loggers(&["--alter", "--add-config", "root=WARN,vltava_broker.control=DEBUG"]);
    assert!(altered.contains("Completed updating config for broker-logger 0."), "{altered}");
    assert_eq!(*filter.lock(), "warn,vltava_broker::control=debug,zookeeper_client=error");
    loggers(&["--alter", "--delete-config", "vltava_broker.control"]);
    assert_eq!(*filter.lock(), "warn,zookeeper_client=error");
    server.stop().await;
}

/// What one broker leaves in ZooKeeper: a line for each znode with its kind, data version, ACL and data, what differs from run to run masked.
async fn dump(session: &Session) -> Vec<String> {
    let mut lines = Vec::new();
    let mut paths = vec!["/".to_owned()];
    while let Some(path) = paths.pop() {
        let base = if path == "/" { "" } else { path.as_str() };
        let children = session.children(&path).await.unwrap().unwrap_or_default();
        paths.extend(children.into_iter().map(|name| format!("{base}/{name}")));
        if path == "/" || path == "/zookeeper" {
            continue;
        }
        let (data, stat) = session.read(&path).await.unwrap().unwrap();
        let (acl, _) = session.client().get_acl(&path).await.unwrap();
        let kind = if stat.ephemeral_owner == 0 { "" } else { "[EPHEMERAL] " };
        // Apache Kafka writes its registration twice as it starts, or once: a matter of time.
        let version = if path.starts_with("/brokers/ids/") { 0 } else { stat.version };
        let data = mask(&String::from_utf8(data).unwrap());
        lines.push(format!("{path} {kind}v{version} {acl:?} {data}"));
    }
    lines.sort();
    lines
}

/// Masks times, ports and ids: runs of digits longer than three, and words of 22 characters.
fn mask(text: &str) -> String {
    let mut masked = String::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if end == 0 {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = &rest[..end];
        let number = word.len() > 3 && word.bytes().all(|c| c.is_ascii_digit());
        masked.push_str(if number {
            "N"
        } else if word.len() == 22 {
            "ID"
        } else {
            word
        });
        rest = &rest[end..];
    }
    masked
}

/// The same session on any broker.
async fn work(client: &mut Client) {
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    let ready =
        async || client.ask(5, &all, |answer| answer.controller_id == 0 && answer.brokers.len() == 1).await;
    until("the broker knows itself", ready).await;
    client.create("orders", 3, &[("retention.ms", "3600000")]).await;
    client.create("gone", 1, &[]).await;
    client.produce("orders", 0, &["a"]).await.unwrap();
    let config = AlterableConfig {
        name: "retention.ms".into(),
        value: Some("7200000".into()),
        ..AlterableConfig::default()
    };
    let resource = AlterConfigsResource {
        resource_type: 2,
        resource_name: "orders".into(),
        configs: vec![config],
        ..AlterConfigsResource::default()
    };
    let alter = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
    assert_eq!(client.ask(0, &alter, |answer| answer.responses[0].error_code).await, 0);
    let init = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    until("a producer id", async || client.ask(0, &init, |answer| answer.error_code == 0).await).await;
    let delete = DeleteTopicsRequest {
        topic_names: vec!["gone".into()],
        timeout_ms: 30_000,
        ..DeleteTopicsRequest::default()
    };
    assert_eq!(client.ask(3, &delete, |answer| answer.responses[0].error_code).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_leaves_the_same_znodes_as_apache_kafka_3_9() {
    let folder = tempfile::tempdir().unwrap();
    let zookeeper = zookeeper::Server::start(Release::V3_8, folder.path());
    let (ours, theirs) = (
        House::on(format!("{}/vltava", zookeeper.address())),
        House::on(format!("{}/apache", zookeeper.address())),
    );
    let connect = format!("{}/apache", zookeeper.address());
    let broker = apache::Broker::start(Version::V3_9, 0, &connect, folder.path(), &[]);
    let mut client = Client(tokio::net::TcpStream::connect(broker.address()).await.unwrap());
    work(&mut client).await;
    let server = ours.start().await;
    work(&mut Client::connect(&server).await).await;
    let (ours, theirs) = (ours.session().await, theirs.session().await);
    let (mut had, mut wanted) = (dump(&ours).await, dump(&theirs).await);
    // Deletions end in the background.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while had != wanted && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
        (had, wanted) = (dump(&ours).await, dump(&theirs).await);
    }
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|line| !those.contains(line)).cloned().collect::<Vec<_>>().join("\n")
    };
    assert!(had == wanted, "only ours:\n{}\nonly Apache's:\n{}", only(&had, &wanted), only(&wanted, &had));
    server.stop().await;
}
