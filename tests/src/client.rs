//! Every client library that the tests know: how its program is started, and what it can do.

use std::path::{Path, PathBuf};
use std::process::Command;

use vltava_testkit::{go, java, maven, python};

const OLD: &[&str] = &["none", "gzip", "snappy", "lz4"];
const ALL: &[&str] = &["none", "gzip", "snappy", "lz4", "zstd"];

/// How a client makes topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creates {
    /// By the admin APIs.
    Admin,
    /// By writing to ZooKeeper.
    ZooKeeper,
    /// Not at all: the broker makes a topic that a producer asks for.
    ByUse,
}

/// A client library and its test program.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name, with the version where several are tested.
    pub name: &'static str,
    program: Program,
    /// The codecs that it can write.
    pub codecs: &'static [&'static str],
    /// How it makes topics.
    pub creates: Creates,
    /// Whether its groups live in ZooKeeper.
    pub zookeeper_groups: bool,
    /// The commands that produce: 0.8 has two producers.
    pub produces: &'static [&'static str],
    /// Whether its records have timestamps, and it looks up offsets by them.
    pub timestamps: bool,
    /// Whether its records have headers.
    pub headers: bool,
    /// What an old consumer says about zstd; none for one that reads it.
    pub refuses_zstd: Option<&'static str>,
}

#[derive(Debug, Clone)]
enum Program {
    Native(PathBuf),
    Python { environment: PathBuf },
    Java { class_path: String },
}

impl Client {
    /// The program with a command's arguments.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.program {
            Program::Native(path) => Command::new(path),
            Program::Python { environment } => python::program(environment, &sources("python/client.py")),
            Program::Java { class_path } => java::program(class_path, "clients.Client"),
        };
        command.args(arguments);
        command
    }
}

fn sources(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// librdkafka, by the rdkafka crate. `program` is the executable `librdkafka` of this package.
#[must_use]
pub fn librdkafka(program: &str) -> Client {
    modern("librdkafka", Program::Native(program.into()))
}

/// kafka-python, with the libraries of every codec.
#[must_use]
pub fn kafka_python() -> Client {
    let environment = python::environment(
        "kafka-python",
        &["kafka-python==3.0.12", "python-snappy==0.7.3", "lz4==4.4.5", "zstandard==0.25.0"],
    );
    modern("kafka-python", Program::Python { environment })
}

/// franz-go.
#[must_use]
pub fn franz_go() -> Client {
    modern("franz-go", Program::Native(go::build("clients", &sources("go")).join("franz")))
}

/// sarama.
#[must_use]
pub fn sarama() -> Client {
    modern("sarama", Program::Native(go::build("clients", &sources("go")).join("sarama")))
}

/// A generation of the Java clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Java {
    /// 0.8.2.2: two producers, the consumer of ZooKeeper, the SimpleConsumer.
    V0_8,
    /// 0.9.0.1: the first consumer with groups at the broker.
    V0_9,
    /// 0.10.2.2: timestamps.
    V0_10,
    /// 0.11.0.3: record batches, headers, an admin client.
    V0_11,
    /// 1.1.1.
    V1_1,
    /// 2.8.2: zstd.
    V2_8,
    /// 3.9.2.
    V3_9,
    /// 4.4.0.
    V4,
}

impl Java {
    /// All of them, the oldest first.
    pub const ALL: [Java; 8] =
        [Java::V0_8, Java::V0_9, Java::V0_10, Java::V0_11, Java::V1_1, Java::V2_8, Java::V3_9, Java::V4];

    /// The client of this generation; its libraries are fetched and its program is compiled on first use.
    #[must_use]
    pub fn client(self) -> Client {
        const POLL: &[&str] = &["shared", "by-time", "admin", "0.11"];
        const DURATION: &[&str] = &["shared", "by-time", "admin", "2.0"];
        // A consumer of 0.9 to 1.1 logs a code that it does not know and asks again, for ever.
        const UNEXPECTED: Option<&str> = Some("Unexpected error code 76 while fetching data");
        const UNKNOWN: Option<&str> = Some("Unexpected error code: 76");
        match self {
            Java::V0_8 => {
                let libraries = ["org.apache.kafka:kafka_2.11:0.8.2.2", "org.slf4j:slf4j-simple:1.7.36"];
                Client {
                    creates: Creates::ZooKeeper,
                    zookeeper_groups: true,
                    produces: &["produce", "produce-scala"],
                    timestamps: false,
                    ..old(
                        "java-0.8.2.2",
                        java_program("0.8.2.2", &libraries, &["shared/clients/Line.java", "0.8"]),
                    )
                }
            }
            Java::V0_9 => Client {
                timestamps: false,
                refuses_zstd: UNEXPECTED,
                ..old("java-0.9.0.1", kafka_clients("0.9.0.1", &["shared", "0.9"]))
            },
            Java::V0_10 => Client {
                refuses_zstd: UNKNOWN,
                ..old("java-0.10.2.2", kafka_clients("0.10.2.2", &["shared", "by-time", "0.10"]))
            },
            Java::V0_11 => Client {
                codecs: OLD,
                refuses_zstd: UNKNOWN,
                ..modern("java-0.11.0.3", kafka_clients("0.11.0.3", POLL))
            },
            Java::V1_1 => Client {
                codecs: OLD,
                refuses_zstd: UNKNOWN,
                ..modern("java-1.1.1", kafka_clients("1.1.1", POLL))
            },
            Java::V2_8 => modern("java-2.8.2", kafka_clients("2.8.2", DURATION)),
            Java::V3_9 => modern("java-3.9.2", kafka_clients("3.9.2", DURATION)),
            Java::V4 => modern("java-4.4.0", kafka_clients("4.4.0", DURATION)),
        }
    }
}

/// A client of today: every codec, the admin APIs, timestamps and headers.
fn modern(name: &'static str, program: Program) -> Client {
    Client {
        name,
        program,
        codecs: ALL,
        creates: Creates::Admin,
        zookeeper_groups: false,
        produces: &["produce"],
        timestamps: true,
        headers: true,
        refuses_zstd: None,
    }
}

/// A client from before record batches.
fn old(name: &'static str, program: Program) -> Client {
    Client { codecs: OLD, creates: Creates::ByUse, headers: false, ..modern(name, program) }
}

fn kafka_clients(version: &str, folders: &[&str]) -> Program {
    let clients = format!("org.apache.kafka:kafka-clients:{version}");
    java_program(version, &[&clients, "org.slf4j:slf4j-simple:1.7.36"], folders)
}

fn java_program(version: &str, libraries: &[&str], folders: &[&str]) -> Program {
    let name = format!("clients-{version}");
    let jars = maven::class_path(&maven::libraries(&name, libraries));
    let folders: Vec<PathBuf> = folders.iter().map(|folder| sources("java/clients").join(folder)).collect();
    let classes = java::compile_together(&name, &folders, &jars);
    Program::Java { class_path: format!("{}:{jars}", classes.display()) }
}
