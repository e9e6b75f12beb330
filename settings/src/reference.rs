//! The reference page, generated from the table.

use std::fmt::Write as _;

use crate::broker;
use crate::definition::{Definition, Effect};
use crate::table::{broker_keys, topic_keys};
use crate::topic;
use crate::value::Value;

/// `docs/configuration.md`, whole.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         <!-- Generated from the settings table by `make docs`. Edit settings/src, not this page. -->\n\n\
         Vltava reads the properties files of Apache Kafka 0.8 to 3.9. This page lists every key and says what Vltava does with it:\n\n\
         - **effective**: it has the effect that Kafka documents;\n\
         - **no effect**: it is read and checked, and changes nothing, for the reason given;\n\
         - **refused**: any value other than the default stops the start with that reason. Ignoring such a key would open what its \
         owner closed, or promise what is not there.\n\n\
         An unknown key is reported and ignored. A wrong value stops the start, with the key, the value and what is allowed.\n\
         Dynamic keys can be changed while brokers run, for one broker (*per-broker*) or for all (*cluster-wide*).\n",
    );
    page.push_str("\n## Contents\n\n- [Topics](#topics)\n");
    for (title, _) in broker::AREAS {
        let _ = writeln!(page, "- [{title}](#{})", anchor(title));
    }
    page.push_str("\n## Topics\n\nA topic takes a key that it does not set from its broker.\n\n");
    page.push_str("| key | type, default, allowed | from the broker's | what it does |\n|---|---|---|---|\n");
    for definition in topic_keys().iter() {
        let from: Vec<String> = definition.broker_keys.iter().map(|key| format!("`{key}`")).collect();
        row(&mut page, definition, &from.join(", "));
    }
    for (title, keys) in broker::AREAS {
        let _ = write!(page, "\n## {title}\n\n");
        page.push_str("| key | type, default, allowed | changed | what it does |\n|---|---|---|---|\n");
        for definition in keys {
            let changed = match (definition.removed_in, definition.scope) {
                (Some(version), _) => format!("dropped in {version}"),
                (None, _) if !definition.is_dynamic() => "by a restart".to_owned(),
                (None, scope) if definition.only_dynamic => format!("{scope}, at run time only"),
                (None, scope) => scope.to_string(),
            };
            row(&mut page, definition, &changed);
        }
    }
    let count = |effect: fn(&Effect) -> bool| {
        broker_keys()
            .iter()
            .chain(topic_keys().iter())
            .filter(|definition| effect(&definition.effect))
            .count()
    };
    let _ = write!(
        page,
        "\n## In numbers\n\n{} broker keys and {} topic keys: {} effective, {} without effect, {} refused.\n",
        broker_keys().iter().len(),
        topic_keys().iter().len(),
        count(|effect| *effect == Effect::Effective),
        count(|effect| matches!(effect, Effect::Accepted(_))),
        count(|effect| matches!(effect, Effect::Refused(_))),
    );
    // The constant keeps the order of areas and the table from drifting apart unnoticed.
    debug_assert_eq!(topic::KEYS.len(), topic_keys().iter().len());
    page
}

fn row(page: &mut String, definition: &Definition, third: &str) {
    let default = match Value::from_literal(definition.default).shown() {
        None => "none".to_owned(),
        Some(text) if text.is_empty() => "empty".to_owned(),
        Some(text) => format!("`{text}`"),
    };
    let allowed = match definition.allowed_values().as_str() {
        "any" | "true or false" => String::new(),
        allowed => format!("; {allowed}"),
    };
    let effect = match definition.effect {
        Effect::Effective => String::new(),
        Effect::Accepted(why) => format!(" **No effect**: {why}."),
        Effect::Refused(why) => format!(" **Refused**: {why}."),
    };
    let instead = definition.instead.map(|key| format!(" Use {key}.")).unwrap_or_default();
    let _ = writeln!(
        page,
        "| `{}` | {}, {default}{allowed} | {third} | {}{effect}{instead} |",
        definition.name,
        definition.kind,
        definition.documentation().replace('|', "\\|")
    );
}

/// The anchor that Markdown renderers give a heading.
fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter_map(|c| if c == ' ' { Some('-') } else { c.is_alphanumeric().then_some(c) })
        .collect()
}
