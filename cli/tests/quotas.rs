//! `kafka-configs` for what only Apache Kafka's broker keeps: quotas of users, client ids and addresses, and subscriptions to clients' metrics.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;
use vltava_testkit::apache::{Broker, Version};
use vltava_testkit::{tools, vltava, wait};

const LIMIT: Duration = Duration::from_secs(120);

/// A broker of Apache Kafka, and both tools.
struct Place {
    folder: TempDir,
    broker: Broker,
}

/// Standard output, the first line of standard error, and the exit code.
type Said = (String, String, Option<i32>);

fn said(output: &Output) -> Said {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let first = text(&output.stderr).lines().find(|line| !is_of_the_jvm(line)).unwrap_or_default().to_owned();
    // Ours shows no passwords.
    let first = first.replace("password=x]", "password=[hidden]]");
    (text(&output.stdout), first, output.status.code())
}

fn is_of_the_jvm(line: &str) -> bool {
    line.starts_with("SLF4J") || line.starts_with('[') || line.is_empty()
}

impl Place {
    fn words(&self, line: &str) -> Vec<String> {
        let line = format!("--bootstrap-server {} {line}", self.broker.address());
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn ours(&self, line: &str) -> Said {
        let mut command: Command = vltava::script("kafka-configs.sh");
        said(&command.args(self.words(line)).output().unwrap())
    }

    fn theirs(&self, line: &str) -> Said {
        let folder = TempDir::new_in(self.folder.path()).unwrap();
        let words = self.words(line);
        said(&tools::script(Version::V3_9, "kafka-configs.sh", &words, folder.path()).output().unwrap())
    }

    /// Ours says what theirs says; the broker may need a moment to know what it was told.
    fn alike(&self, line: &str) -> Said {
        let theirs = self.theirs(line);
        let mut ours = self.ours(line);
        let same = wait::until(&format!("both say the same to {line}"), LIMIT, || {
            if ours != theirs {
                ours = self.ours(line);
            }
            (ours == theirs || ours.2 != theirs.2).then(|| ours.clone())
        });
        assert_eq!(same, theirs, "{line}");
        same
    }
}

#[test]
fn quotas_and_metrics_are_kept_by_the_broker_as_with_kafkas_tool() {
    vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
    let folder = TempDir::new().unwrap();
    let broker = Broker::start(Version::V4, 1, "", folder.path(), &[]);
    let place = Place { folder, broker };
    wait::for_broker("Apache Kafka answers", LIMIT, place.broker.address());
    let alterations = [
        (
            "--entity-type users --entity-name alice --add-config producer_byte_rate=1048576,consumer_byte_rate=2097152",
            "Completed updating config for user alice.\n",
        ),
        (
            "--user-defaults --add-config request_percentage=12.5",
            "Completed updating default config for users in the cluster.\n",
        ),
        (
            "--client-defaults --add-config controller_mutation_rate=3",
            "Completed updating default config for clients in the cluster.\n",
        ),
        (
            "--entity-type clients --entity-name app --entity-type users --entity-name alice --add-config producer_byte_rate=12345678",
            "Completed updating config for client app.\n",
        ),
        (
            "--ip 127.0.0.1 --add-config connection_creation_rate=100",
            "Completed updating config for ip 127.0.0.1.\n",
        ),
        (
            "--entity-type client-metrics --entity-name watch --add-config interval.ms=1000,metrics=[org.apache.kafka.consumer.]",
            "Completed updating config for client-metric watch.\n",
        ),
    ];
    for (line, words) in alterations {
        let (out, err, code) = place.ours(&format!("--alter {line}"));
        assert_eq!((out.as_str(), code), (words, Some(0)), "{line}: {err}");
    }
    let shown = |line: &str, words: &str| {
        let (out, err, _) = place.alike(&format!("--describe {line}"));
        assert!(out.contains(words), "{line}\n{out}{err}");
    };
    shown("--entity-type users", "Quota configs for user-principal 'alice' are ");
    shown("--user-defaults", "Quota configs for the default user-principal are request_percentage=12.5\n");
    shown("--entity-type clients", "the default client-id are controller_mutation_rate=3.0\n");
    shown("--entity-type users --entity-type clients", "user-principal 'alice', client-id 'app' are ");
    shown("--entity-type ips", "Quota configs for ip '127.0.0.1' are connection_creation_rate=100.0\n");
    shown(
        "--entity-type client-metrics",
        "Dynamic configs for client-metric watch are:\n  interval.ms=1000 ",
    );
    // What is wrong, and what takes something back, in the same words; the second to take it back finds nothing.
    for line in [
        "--ip 127.0.0.1 --add-config producer_byte_rate=1",
        "--user alice --add-config no.such=1",
        "--client app --add-config SCRAM-SHA-256=[password=x]",
        "--user alice --delete-config request_percentage",
        "--user alice --add-config producer_byte_rate=much",
    ] {
        let (_, err, code) = place.alike(&format!("--alter {line}"));
        assert!(code == Some(1) && !err.is_empty(), "{line}");
    }
    let gone = "--alter --user alice --delete-config producer_byte_rate,consumer_byte_rate";
    assert_eq!(place.ours(gone).2, Some(0));
    let nothing = || (place.ours("--describe --user alice").0.is_empty()).then_some(());
    wait::until("the quotas are gone", LIMIT, nothing);

    // Users' credentials. That the broker knows them is what it describes; their keys are held against RFC 7677.
    for one in
        ["SCRAM-SHA-256=[iterations=8192,password=alice-secret]", "SCRAM-SHA-512=[password=alice-secret]"]
    {
        let (out, err, code) = place.ours(&format!("--alter --user alice --add-config {one}"));
        assert_eq!((out.as_str(), code), ("Completed updating config for user alice.\n", Some(0)), "{err}");
    }
    wait::until("the broker knows both", LIMIT, || {
        let known = place.ours("--describe --user alice").0;
        (known.contains("SCRAM-SHA-256") && known.contains("SCRAM-SHA-512")).then_some(())
    });
    // It names them in any order.
    for one in ["SCRAM-SHA-256=iterations=8192", "SCRAM-SHA-512=iterations=4096"] {
        shown("--user alice", one);
    }
    for line in [
        "--user alice --add-config SCRAM-SHA-256=[iterations=1,password=x]",
        "--user alice --add-config SCRAM-SHA-256=[password=x],producer_byte_rate=1",
        "--user-defaults --add-config SCRAM-SHA-256=[password=x]",
        "--user bob --delete-config SCRAM-SHA-512",
        "--user bob --add-config SCRAM-SHA-256=[password=x],SCRAM-SHA-512=[password=x]",
    ] {
        let (_, err, code) = place.alike(&format!("--alter {line}"));
        assert!(code == Some(1) && !err.is_empty(), "{line}");
    }
    for one in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        assert_eq!(place.ours(&format!("--alter --user alice --delete-config {one}")).2, Some(0));
    }
    wait::until("the credentials are gone", LIMIT, || {
        (place.ours("--describe --user alice").0.is_empty()).then_some(())
    });
}
