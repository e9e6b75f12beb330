//! The table against Apache Kafka 3.9.2's own definitions, and the parsers against Java's.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vltava_settings::{
    Allowed, Definition, Importance, Kind, Literal, Properties, Scope, Value, broker_keys, topic_keys,
};
use vltava_testkit::{java, maven};

fn class_path() -> String {
    let libraries =
        maven::libraries("kafka-3.9.2", &["org.apache.kafka:kafka_2.13:3.9.2", "org.slf4j:slf4j-nop:1.7.36"]);
    let jars = maven::class_path(&libraries);
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java");
    format!("{}:{jars}", java::compile("settings", &sources, &jars).display())
}

/// Keys that 3.9.2 has in no definition, and why the table has them.
const NOT_DEFINED_THERE: &[(&str, &str)] = &[
    ("super.users", "read by Apache Kafka's authorizer itself"),
    ("allow.everyone.if.no.acl.found", "read by Apache Kafka's authorizer itself"),
    ("config.providers", "read by the configuration parser itself"),
    ("vltava.metrics.listener", "Vltava's own"),
    ("leader.replication.throttled.rate", "set at run time only, see QuotaConfigs.brokerQuotaConfigs"),
    ("follower.replication.throttled.rate", "set at run time only, see QuotaConfigs.brokerQuotaConfigs"),
    (
        "replica.alter.log.dirs.io.max.bytes.per.second",
        "set at run time only, see QuotaConfigs.brokerQuotaConfigs",
    ),
];

/// Keys whose allowed values differ on purpose, and why.
const ALLOWED_DIFFERS: &[(&str, &str)] = &[
    ("authorizer.class.name", "no null can be written in a properties file"),
    ("controller.quorum.voters", "refused unless empty"),
    ("controller.quorum.bootstrap.servers", "refused unless empty"),
    ("inter.broker.protocol.version", "versions end at 3.9: 4.0 has no ZooKeeper mode"),
    ("log.message.format.version", "versions end at 3.9: 4.0 has no ZooKeeper mode"),
    ("message.format.version", "versions end at 3.9: 4.0 has no ZooKeeper mode"),
];

#[test]
fn the_table_is_kafka_3_9_2_s() {
    let output = java::program(&class_path(), "Definitions").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut official = [BTreeMap::new(), BTreeMap::new()];
    let mut differences = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [resource, name, kind, default, valid, importance, internal, mode, synonyms] = fields[..] else {
            panic!("not 9 fields: {line}")
        };
        let (table, names) = match resource {
            "broker" => (broker_keys(), &mut official[0]),
            _ => (topic_keys(), &mut official[1]),
        };
        names.insert(name.to_owned(), ());
        let Some(definition) = table.find(name) else {
            differences.push(format!("{resource} {name} is missing"));
            continue;
        };
        let mut same = |what: &str, ours: String, theirs: &str| {
            if ours != theirs {
                differences.push(format!("{resource} {name}: {what} is {ours}, officially {theirs}"));
            }
        };
        same("type", definition.kind.to_string().to_uppercase(), kind);
        same("default", default_of(definition), default);
        same("importance", importance_of(definition), importance);
        same("internal", definition.internal.to_string(), internal);
        if resource == "broker" {
            same("scope", definition.scope.to_string(), mode);
        } else {
            assert_eq!(definition.scope, Scope::ReadOnly);
        }
        same("broker keys", definition.broker_keys.join(","), synonyms);
        assert_eq!(definition.removed_in, None, "{name}");
        if !ALLOWED_DIFFERS.iter().any(|(differs, _)| *differs == name) {
            same("allowed", allowed_of(definition), valid);
        }
    }
    for (table, names) in [(broker_keys(), &official[0]), (topic_keys(), &official[1])] {
        for definition in table.iter() {
            let known = names.contains_key(definition.name)
                || definition.removed_in.is_some()
                || NOT_DEFINED_THERE.iter().any(|(name, _)| *name == definition.name);
            if !known {
                differences.push(format!("{} is not a key of 3.9.2", definition.name));
            }
        }
    }
    assert!(official[0].len() > 300 && official[1].len() > 30, "too few definitions were printed");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn default_of(definition: &Definition) -> String {
    match definition.default {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Short(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Long(value) => value.to_string(),
        Literal::Double(value) if value == f64::MAX => "1.7976931348623157E308".to_owned(),
        Literal::Double(value) => format!("{value:?}"),
        Literal::Text(text) => text.to_owned(),
        Literal::List(items) => items.join(","),
    }
}

fn importance_of(definition: &Definition) -> String {
    match definition.importance {
        Importance::High => "HIGH",
        Importance::Medium => "MEDIUM",
        Importance::Low => "LOW",
    }
    .to_owned()
}

/// The official validator's text for what a definition allows.
fn allowed_of(definition: &Definition) -> String {
    match definition.allowed {
        Allowed::Any | Allowed::ProtocolVersion => String::new(),
        Allowed::Range { min, max: None } => format!("[{min},...]"),
        Allowed::Range { min, max: Some(max) } => format!("[{min},...,{max}]"),
        Allowed::RealRange { min, max: None } => format!("[{min},...]"),
        Allowed::RealRange { min, max: Some(max) } => format!("[{min},...,{max}]"),
        Allowed::OneOf(words) => format!("[{}]", words.join(", ")),
        Allowed::OneOfIgnoringCase(words) => format!("(case insensitive) [{}]", words.join(", ")),
        Allowed::NonEmpty => "non-empty string".to_owned(),
        Allowed::GzipLevel => "[1,...,9] or -1".to_owned(),
        Allowed::ThreadPool => {
            "The default value of -1 means that this will be set to the configured value of \
             remote.log.manager.thread.pool.size, if available; otherwise, it defaults to 10."
                .to_owned()
        }
        Allowed::ThrottledReplicas => "[partitionId]:[brokerId],[partitionId]:[brokerId],...".to_owned(),
    }
}

/// A Java process that answers one question a line.
struct Oracle {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    fn start() -> Oracle {
        let mut command = java::program(&class_path(), "Oracle");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Oracle { process, questions, answers }
    }

    /// `Ok` with what follows `ok`, or `Err` with the decoded message.
    fn ask(&mut self, kind: &str, texts: &[&str]) -> Result<String, String> {
        let encoded: Vec<String> = texts.iter().map(|text| BASE64.encode(text)).collect();
        writeln!(self.questions, "{kind} {}", encoded.join(" ")).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        match answer.trim_end().split_once(' ') {
            Some(("ok", rest)) => Ok(rest.to_owned()),
            Some(("error", message)) => Err(decode(message)),
            _ if answer.trim_end() == "ok" => Ok(String::new()),
            _ => panic!("the oracle answered {answer:?}"),
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn decode(text: &str) -> String {
    String::from_utf8(BASE64.decode(text).unwrap()).unwrap()
}

#[test]
fn properties_are_read_as_java_reads_them() {
    let oracle = RefCell::new(Oracle::start());
    let line = prop_oneof![
        "[a-c .]{0,3}[=: \t]{0,3}[a-c\\\\=: ]{0,6}",
        "[ \t\u{c}]{0,2}[#!]?[a-c\\\\=]{0,5}",
        "\\\\u[0-9a-fA-F]{4}|\\\\u00[0-9a-g]{1,2}|[a-b]=\\\\[tnrfxu0\\\\ é]{0,3}",
        "[\\\\]{0,4}",
        "k\\PC{0,4}",
    ];
    let text = prop::collection::vec((line, prop_oneof!["\n", "\r", "\r\n", "\n\n"]), 0..8);
    let text =
        text.prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end]).collect::<String>());
    // A lone surrogate, which Java can hold and Rust cannot, is a question mark once Java writes it out.
    let said = |text: &str| text.replace('\u{fffd}', "?");
    let mut runner = TestRunner::new(Config { cases: 2_000, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&text, |text| {
        let ours = Properties::parse(&text, "p").ok().map(|properties| {
            let pairs = properties.iter().map(|(key, value)| (said(key), said(value)));
            pairs.collect::<BTreeMap<_, _>>()
        });
        let theirs = oracle.borrow_mut().ask("properties", &[&text]).ok().map(|entries| {
            let pairs = entries.split(';').filter_map(|entry| entry.split_once(':'));
            pairs.map(|(key, value)| (said(&decode(key)), said(&decode(value)))).collect::<BTreeMap<_, _>>()
        });
        prop_assert_eq!(ours, theirs, "{:?}", text);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn values_are_parsed_shown_and_refused_as_kafka_does() {
    let mut oracle = Oracle::start();
    let candidates = [
        "",
        " ",
        "true",
        "TRUE",
        " false ",
        "yes",
        "0",
        "1",
        "-1",
        "-2",
        "+5",
        " 7 ",
        "007",
        "13",
        "14",
        "100",
        "32767",
        "32768",
        "2147483647",
        "2147483648",
        "-2147483649",
        "9223372036854775807",
        "9223372036854775808",
        "1.5",
        "0.5",
        ".5",
        "5.",
        "1e3",
        "1E-4",
        "1d",
        "NaN",
        "-Infinity",
        "inf",
        "nan",
        "infinity",
        "0x10",
        "1_000",
        "delete",
        "delete, compact",
        "delete,,compact",
        "compact",
        "gzip",
        "zstd",
        "GZIP",
        "producer",
        "CreateTime",
        "LogAppendTime",
        "createtime",
        "*",
        "1:2,3:4",
        "1:x",
        "*,1:2",
        "0.8.2",
        "0.10.0",
        "0.10.0-IV0",
        "0.11.0.2",
        "2.7",
        "2.7.1",
        "3.9.2",
        "3.9-IV0",
        "7.0",
        "abc",
        "a,b , c",
        "PLAINTEXT",
        "SASL_SSL",
        "none",
        "required",
        "ünï",
        "1.0e400",
        "1e-7",
        "12345678.9",
        "0.001",
        "upgrade",
        "classic,consumer",
    ];
    let mut differences = Vec::new();
    for (resource, table) in [("broker", broker_keys()), ("topic", topic_keys())] {
        let comparable = |definition: &&Definition| {
            let lists = [NOT_DEFINED_THERE, &ALLOWED_DIFFERS[..3]];
            // Classes are not loaded here, so any name passes.
            definition.removed_in.is_none()
                && definition.kind != Kind::Class
                && definition.kind != Kind::Password
                && !lists.iter().any(|list| list.iter().any(|(name, _)| *name == definition.name))
        };
        for definition in table.iter().filter(comparable) {
            for text in candidates {
                let theirs = oracle.ask(resource, &[definition.name, text]).map(|shown| decode(&shown));
                let ours = definition.parse(text);
                let agree = match (&ours, &theirs) {
                    (Ok(value), Ok(shown)) => value.shown().as_ref() == Some(shown),
                    (Err(ours), Err(theirs)) => words_match(definition, &ours.to_string(), theirs),
                    _ => false,
                };
                if !agree {
                    let ours = ours.as_ref().map(Value::shown).map_err(ToString::to_string);
                    differences
                        .push(format!("{} = {text:?}: {ours:?}, officially {theirs:?}", definition.name));
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}

/// Messages are Kafka's, except where its own say less than what is allowed.
fn words_match(definition: &Definition, ours: &str, theirs: &str) -> bool {
    let own_words =
        matches!(definition.allowed, Allowed::ProtocolVersion | Allowed::ThreadPool | Allowed::GzipLevel);
    ours == theirs || own_words && ours.split(": ").next() == theirs.split(": ").next()
}
