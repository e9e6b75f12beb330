//! Plays a session on a stage and writes down what each command did.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use regex::Regex;
use serde::{Deserialize, Serialize};
use vltava_testkit::apache::Version;
use vltava_testkit::process::Running;
use vltava_testkit::{cache, wait};

use super::session::{Batch, Counts, Run, Session, Step, words};
use super::stage::{LIMIT, Stage};

/// What the commands of a session did, in order, and what the words in braces stood for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    /// What each word in braces stood for.
    pub(crate) values: BTreeMap<String, String>,
    /// The folder in which the commands ran.
    pub(crate) folder: String,
    /// One entry a command.
    pub(crate) outcomes: Vec<Outcome>,
}

/// What a command did.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
    /// Its exit code.
    pub(crate) exit: Option<i32>,
}

/// What Apache Kafka's tools do with Apache Kafka's broker: recorded once, then found in the tests' cache until the session changes.
pub(crate) fn apache(version: Version, session: &Session) -> Recording {
    let name = format!("golden-{}-{}", version.number(), session.name);
    // One cluster of JVMs at a time is enough for any machine.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = cache::once(&name, &format!("{session:?}"), |folder| {
        let recording = play(session, Stage::apache(version));
        fs::write(folder.join("recording.json"), serde_json::to_vec(&recording).unwrap()).unwrap();
    });
    serde_json::from_slice(&fs::read(folder.join("recording.json")).unwrap()).unwrap()
}

/// What Vltava's tools do with Vltava's broker.
pub(crate) fn vltava(era: Version, session: &Session) -> Recording {
    play(session, Stage::vltava(era))
}

fn play(session: &Session, mut stage: Stage) -> Recording {
    let mut outcomes = Vec::new();
    let mut beside: Option<Running> = None;
    let mut member: Option<Member> = None;
    for step in &session.steps {
        match step {
            Step::Run(run) => outcomes.push(obey(&mut stage, run)),
            Step::File(name, text) => fs::write(stage.folder().join(name), stage.fill(text)).unwrap(),
            Step::Until(line, pattern) => {
                until(&stage, line, pattern);
            }
            Step::Keep(name, line, pattern) => {
                let value = until(&stage, line, pattern);
                stage.values.insert((*name).to_owned(), value);
            }
            Step::Produce(batch) => produce(&stage, batch),
            Step::Join { group, topic, client } => member = Some(Member::join(&stage, group, topic, client)),
            Step::Leave => member.take().expect("a member").leave(),
            Step::Start(line) => {
                let words = words(&stage.fill(line));
                beside = Some(stage.start(&words[0], &words[1..]));
            }
            Step::Stop => {
                beside.take().expect("a command").stop(LIMIT);
            }
        }
        stage.check();
    }
    let folder = stage.folder().display().to_string();
    Recording { values: stage.values, folder, outcomes }
}

fn obey(stage: &mut Stage, run: &Run) -> Outcome {
    let words = words(&stage.fill(run.line));
    let [stdin, stdout, stderr] = ["stdin", "stdout", "stderr"].map(|name| stage.folder().join(name));
    fs::write(&stdin, stage.fill(run.stdin)).unwrap();
    let exit = stage.run(&words[0], &words[1..], [&stdin, &stdout, &stderr]);
    let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let mut stdout = text(stdout);
    if run.counts == Counts::Squeezed {
        stdout = squeeze(&stdout);
    }
    Outcome { stdout, stderr: text(stderr), exit }
}

/// Repeated lines are one.
fn squeeze(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.dedup();
    lines.concat()
}

/// Asks until the answer matches; what the pattern's first group, or all of it, matched.
fn until(stage: &Stage, line: &str, pattern: &str) -> String {
    let (words, pattern) = (words(&stage.fill(line)), Regex::new(pattern).unwrap());
    let mut last = String::new();
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait::until(&format!("{line} matches {pattern}"), LIMIT, || {
            last = printed(stage.probe(&words));
            let found = pattern.captures(&last)?;
            found.get(1).or_else(|| found.get(0)).map(|found| found.as_str().to_owned())
        })
    }));
    found.unwrap_or_else(|_| panic!("{line} never matched {pattern}; it said\n{last}"))
}

fn printed(mut command: Command) -> String {
    let output = command.output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn produce(stage: &Stage, batch: &Batch) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &stage.values["bootstrap"])
        // So that one batch holds all.
        .set("linger.ms", "200")
        .set("compression.codec", batch.codec)
        .create()
        .unwrap();
    for (key, value, time) in batch.records {
        let mut record = BaseRecord::<str, str>::to(batch.topic).partition(batch.partition).timestamp(*time);
        record.key = *key;
        record.payload = *value;
        producer.send(record).unwrap_or_else(|(error, _)| panic!("{}: {error}", batch.topic));
    }
    producer.flush(LIMIT).unwrap();
    assert_eq!(producer.in_flight_count(), 0, "{batch:?}");
}

/// A member of a group.
struct Member {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Member {
    fn join(stage: &Stage, group: &str, topic: &str, client: &str) -> Member {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &stage.values["bootstrap"])
            .set("group.id", group)
            .set("client.id", client)
            .set("auto.offset.reset", "earliest")
            .set("auto.commit.interval.ms", "100")
            .create()
            .unwrap();
        consumer.subscribe(&[topic]).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                if let Some(read) = consumer.poll(Duration::from_millis(50)) {
                    read.unwrap();
                }
            }
        });
        Member { ends, thread }
    }

    fn leave(self) {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}
