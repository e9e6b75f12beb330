//! Apache Kafka's own definitions and classes, fetched by Maven.

#![allow(dead_code)] // Each test uses its part.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use serde_json::Value;
use vltava_testkit::{cache, maven};

/// The last release with ZooKeeper, and the newest: between them they have every version of every message.
pub(crate) const RELEASES: [&str; 2] = ["3.9.2", "4.4.0"];

/// The folder of the jars of a release.
pub(crate) fn jars(release: &str) -> PathBuf {
    let libraries: Vec<String> =
        ["kafka-clients", "kafka-group-coordinator", "kafka-transaction-coordinator"]
            .iter()
            .map(|artifact| format!("org.apache.kafka:{artifact}:{release}"))
            .collect();
    let libraries: Vec<&str> = libraries.iter().map(String::as_str).collect();
    maven::libraries(&format!("kafka-messages-{release}"), &libraries)
}

/// The definitions of a release by the names of the messages.
pub(crate) fn definitions(release: &str) -> BTreeMap<String, Value> {
    let jars = jars(release);
    let folder = cache::once(&format!("kafka-definitions-{release}"), &jars, |folder| {
        for artifact in ["kafka-clients", "kafka-group-coordinator", "kafka-transaction-coordinator"] {
            let jar = jars.join(format!("{artifact}-{release}.jar"));
            let output = Command::new("jar")
                .current_dir(folder)
                .arg("xf")
                .arg(&jar)
                .arg("common/message")
                .output()
                .expect("the JDK's jar tool");
            assert!(output.status.success(), "jar xf {}: {output:?}", jar.display());
        }
    });
    let mut definitions = BTreeMap::new();
    for entry in fs::read_dir(folder.join("common/message")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = without_comments(&fs::read_to_string(&path).unwrap());
        let definition: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        definitions.insert(definition["name"].as_str().unwrap().to_owned(), definition);
    }
    definitions
}

/// JSON without comments from `//` to the end of the line; no string of the definitions has such a thing.
fn without_comments(text: &str) -> String {
    let mut plain = String::new();
    for line in text.lines() {
        let mut quoted = false;
        let mut end = line.len();
        for (at, character) in line.char_indices() {
            quoted ^= character == '"';
            if !quoted && line[at..].starts_with("//") {
                end = at;
                break;
            }
        }
        plain.push_str(&line[..end]);
        plain.push('\n');
    }
    plain
}

/// Where a release calls by another name and version what is a version of a message of ours: since 4.0 each key of
/// `__consumer_offsets` is a definition of its own with the version 0, and its number is the version that is written.
pub(crate) fn ours(name: &str, version: i16, definition: &Value) -> (String, i16) {
    let key = definition["apiKey"].as_i64().unwrap_or(0) as i16;
    match (name, definition["type"].as_str()) {
        ("LegacyOffsetCommitKey", _) => ("OffsetCommitKey".to_owned(), 0),
        ("LegacyOffsetCommitValue", _) => ("OffsetCommitValue".to_owned(), 0),
        ("OffsetCommitKey" | "GroupMetadataKey", Some("coordinator-key")) => (name.to_owned(), key),
        _ => (name.to_owned(), version),
    }
}

/// Versions as `0-3`, `2+`, `4` or `none`.
pub(crate) fn contains(versions: Option<&str>, version: i16) -> bool {
    let Some(text) = versions.filter(|text| *text != "none") else { return false };
    if let Some(first) = text.strip_suffix('+') {
        return version >= first.parse().unwrap();
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    (first.parse().unwrap()..=last.parse().unwrap()).contains(&version)
}

/// The versions of a definition.
pub(crate) fn valid_versions(definition: &Value) -> Vec<i16> {
    let text = definition["validVersions"].as_str();
    (0..100).filter(|version| contains(text, *version)).collect()
}
