//! What the reference calls effective is read by the program: every key without a reason is named somewhere in the sources that act on it.

use std::fs;
use std::path::{Path, PathBuf};

use vltava_settings::{Definition, Effect, broker_keys, topic_keys};

/// The constant of a key.
fn constant(definition: &Definition) -> String {
    definition.name.to_uppercase().replace('.', "_")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The text of everything that may act on a key: not the table itself, not the rules that only compare keys with each other.
fn acting_sources() -> String {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for room in ["broker/src", "cli/src", "operator/src"] {
        sources(&house.join(room), &mut found);
    }
    for file in ["config.rs", "listeners.rs", "topic_config.rs"] {
        found.push(house.join("settings/src").join(file));
    }
    found.iter().map(|path| fs::read_to_string(path).expect("a readable source")).collect()
}

fn names(text: &str, constant: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(constant)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + constant.len()..].starts_with(is_part))
}

#[test]
fn every_effective_key_is_read_somewhere() {
    let text = acting_sources();
    // A broker key that topics take their default from acts through the topic's key.
    let through_topics = |name: &str| {
        topic_keys().iter().any(|topic| topic.broker_keys.contains(&name) && names(&text, &constant(topic)))
    };
    let unread = |definitions: Vec<&'static Definition>, other: &dyn Fn(&str) -> bool| -> Vec<&'static str> {
        definitions
            .into_iter()
            .filter(|definition| definition.effect == Effect::Effective)
            .filter(|definition| !names(&text, &constant(definition)) && !other(definition.name))
            .map(|definition| definition.name)
            .collect()
    };
    assert_eq!(
        unread(broker_keys().iter().collect(), &through_topics),
        [""; 0],
        "broker keys that nothing reads"
    );
    assert_eq!(unread(topic_keys().iter().collect(), &|_| false), [""; 0], "topic keys that nothing reads");
}
