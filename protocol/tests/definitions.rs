//! Every field of every message is what the definitions inside the official jars say, and nothing is missing or added.

mod official;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vltava_protocol::{
    ApiKey,
    catalog::MESSAGES,
    wire::{FieldSchema, Schema, Type},
};

/// APIs that neither a client nor a ZooKeeper-mode broker uses, and those that Vltava leaves out, by the words of their names.
const ABSENT: &[(&str, &[&str])] = &[
    (
        "Raft and its controllers",
        &[
            "Vote",
            "BeginQuorumEpoch",
            "EndQuorumEpoch",
            "DescribeQuorum",
            "FetchSnapshot",
            "AddRaftVoter",
            "RemoveRaftVoter",
            "UpdateRaftVoter",
            "BrokerRegistration",
            "BrokerHeartbeat",
            "ControllerRegistration",
            "UnregisterController",
            "AssignReplicasToDirs",
        ],
    ),
    (
        "share groups",
        &[
            "ShareFetch",
            "ShareAcknowledge",
            "ShareGroupHeartbeat",
            "ShareGroupDescribe",
            "InitializeShareGroupState",
            "ReadShareGroupState",
            "ReadShareGroupStateSummary",
            "WriteShareGroupState",
            "DeleteShareGroupState",
            "DescribeShareGroupOffsets",
            "AlterShareGroupOffsets",
            "DeleteShareGroupOffsets",
        ],
    ),
    (
        "streams groups",
        &["StreamsGroupHeartbeat", "StreamsGroupDescribe", "StreamsGroupTopologyDescriptionUpdate"],
    ),
    ("telemetry", &["GetTelemetrySubscriptions", "PushTelemetry"]),
    // Version 0 of ListConfigResources, under its old name.
    ("renamed", &["ListClientMetricsResources"]),
];

/// Names that changed between releases: message, the old name, the new one, which is ours.
const RENAMED: &[(&str, &str, &str)] =
    &[("TxnOffsetCommitRequest", "GenerationId", "GenerationIdOrMemberEpoch")];

#[test]
fn every_field_is_as_defined() {
    let mut problems = Vec::new();
    let newest = official::definitions(official::RELEASES[1]);
    for release in official::RELEASES {
        for (name, definition) in official::definitions(release) {
            for version in official::valid_versions(&definition) {
                let (our_name, our_version) = official::ours(&name, version, &definition);
                let later = release != official::RELEASES[1]
                    && newest
                        .get(&name)
                        .is_some_and(|later| official::valid_versions(later).contains(&version));
                let Some(entry) = MESSAGES.iter().find(|entry| entry.schema.name == our_name) else {
                    continue;
                };
                let mut check = Check {
                    definition: &definition,
                    version,
                    our_version,
                    later,
                    place: format!("{release} {name} v{version}"),
                    problems: &mut problems,
                };
                check.structure(&definition["fields"], entry.schema);
            }
        }
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn each_message_has_the_versions_of_both_releases_together() {
    let mut defined: BTreeMap<String, BTreeSet<i16>> = BTreeMap::new();
    for release in official::RELEASES {
        for (name, definition) in official::definitions(release) {
            for version in official::valid_versions(&definition) {
                let (name, version) = official::ours(&name, version, &definition);
                defined.entry(name).or_default().insert(version);
            }
        }
    }
    for entry in MESSAGES {
        let ours: BTreeSet<i16> = entry.schema.versions.iter().collect();
        assert_eq!(defined.get(entry.schema.name), Some(&ours), "{}", entry.schema.name);
    }
}

#[test]
fn only_the_apis_left_out_on_purpose_are_missing() {
    for release in official::RELEASES {
        for (name, definition) in official::definitions(release) {
            let (Some("request"), Some(key)) = (definition["type"].as_str(), definition["apiKey"].as_i64())
            else {
                continue;
            };
            let api = name.trim_end_matches("Request");
            let absent = ABSENT.iter().any(|(_, names)| names.contains(&api));
            match ApiKey::try_from(key as i16) {
                Ok(ours) if !absent => assert_eq!(ours.name(), api),
                Ok(ours) => assert_ne!(ours.name(), api, "{api} is listed as absent"),
                Err(_) => assert!(absent, "{api} ({key}) of {release} is missing"),
            }
        }
    }
}

#[test]
fn a_field_that_may_be_dropped_silently_is_one_that_kafka_drops() {
    let newest = official::definitions(official::RELEASES[1]);
    let oldest = official::definitions(official::RELEASES[0]);
    let mut problems = Vec::new();
    for entry in MESSAGES {
        let name = entry.schema.name;
        // The newest word counts: 4.x dropped what was needed for old versions only, and made names ignorable beside topic ids.
        let mut official: BTreeMap<(String, String), bool> = BTreeMap::new();
        for definition in [oldest.get(name), newest.get(name)].into_iter().flatten() {
            collect_ignorable(name, definition, &definition["fields"], &mut official);
        }
        let mut ours = BTreeMap::new();
        collect_our_ignorable(entry.schema, entry.schema, &mut ours);
        for (field, (ignorable, always)) in ours {
            let expected =
                official.get(&(field.0.clone(), field.1.to_lowercase())).copied().unwrap_or_default();
            if ignorable != (expected && !always) {
                problems.push(format!("{name} {}.{}: ignorable is {ignorable}", field.0, field.1));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn collect_ignorable(
    structure: &str,
    definition: &Value,
    fields: &Value,
    into: &mut BTreeMap<(String, String), bool>,
) {
    let message = definition["name"].as_str().unwrap();
    for field in fields.as_array().into_iter().flatten() {
        let name = renamed(message, field["name"].as_str().unwrap()).to_lowercase();
        into.insert((structure.to_owned(), name), field["ignorable"].as_bool().unwrap_or(false));
        if let Some((inner, fields)) = structure_of(definition, field) {
            collect_ignorable(inner, definition, fields, into);
        }
    }
}

fn collect_our_ignorable(
    root: &Schema,
    schema: &Schema,
    into: &mut BTreeMap<(String, String), (bool, bool)>,
) {
    for field in schema.fields {
        let always = field.versions.intersect(root.versions) == schema.versions.intersect(root.versions);
        into.insert((schema.name.to_owned(), field.name.to_owned()), (field.ignorable, always));
        if let Some(inner) = struct_in(field.kind) {
            collect_our_ignorable(root, inner, into);
        }
    }
}

fn struct_in(kind: Type) -> Option<&'static Schema> {
    match kind {
        Type::Primitive(_) => None,
        Type::Array(element) => struct_in(*element),
        Type::Struct(schema) => Some(schema),
    }
}

fn renamed<'a>(message: &str, field: &'a str) -> &'a str {
    RENAMED.iter().find(|(of, old, _)| *of == message && *old == field).map_or(field, |(_, _, new)| new)
}

/// The name and the fields of the struct that a field holds, in place or among the common ones.
fn structure_of<'a>(definition: &'a Value, field: &'a Value) -> Option<(&'a str, &'a Value)> {
    let name = field["type"].as_str().unwrap().trim_start_matches("[]");
    if let Some(fields) = field.get("fields") {
        return Some((name, fields));
    }
    let common = definition.get("commonStructs")?.as_array()?;
    common.iter().find(|common| common["name"] == name).map(|common| (name, &common["fields"]))
}

/// The comparison of one version of one message.
struct Check<'a> {
    definition: &'a Value,
    version: i16,
    our_version: i16,
    /// Whether a later release has this version too: it may have given it tagged fields, which are compared there.
    later: bool,
    place: String,
    problems: &'a mut Vec<String>,
}

impl Check<'_> {
    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: T, official: T) {
        if ours != official {
            self.problems.push(format!("{}: {what} is {ours:?}, officially {official:?}", self.place));
        }
    }

    fn structure(&mut self, official: &Value, ours: &Schema) {
        let flexible = official::contains(self.definition["flexibleVersions"].as_str(), self.version);
        self.expect("flexible", ours.flexible.contains(self.our_version), flexible);

        let version = self.version;
        let carried = |field: &&Value| {
            official::contains(field["versions"].as_str().or(field["taggedVersions"].as_str()), version)
        };
        let mut official: Vec<&Value> = official.as_array().unwrap().iter().filter(carried).collect();
        let mut ours: Vec<&FieldSchema> =
            ours.fields.iter().filter(|field| field.versions.contains(self.our_version)).collect();
        if self.later {
            ours.retain(|field| {
                field.tag.is_none()
                    || official.iter().any(|known| self.official_name(known).eq_ignore_ascii_case(field.name))
            });
        }
        // In order on the wire; the tagged ones, which have no order there, by their tags.
        official.sort_by_key(|field| tag(field, version));
        ours.sort_by_key(|field| field.tag.filter(|_| field.tagged.contains(self.our_version)));

        let names = |name: &str| name.to_owned();
        let official_names: Vec<_> = official.iter().map(|field| names(self.official_name(field))).collect();
        let our_names: Vec<_> = ours.iter().map(|field| names(field.name)).collect();
        if our_names.len() != official_names.len() {
            self.expect("the list of fields", our_names, official_names);
            return;
        }
        for (official, ours) in official.into_iter().zip(ours) {
            let place = self.place.clone();
            let name = self.official_name(official).to_owned();
            self.place = format!("{place} {name}");
            self.field(official, &name, ours);
            self.place = place;
        }
    }

    fn official_name<'a>(&self, field: &'a Value) -> &'a str {
        renamed(self.definition["name"].as_str().unwrap(), field["name"].as_str().unwrap())
    }

    fn field(&mut self, official: &Value, name: &str, ours: &FieldSchema) {
        // Definitions of records begin field names in lower case, all others in upper case, with two exceptions.
        self.expect("the name", capitalised(ours.name), capitalised(name));
        self.expect("the type", ours.kind.to_string(), official["type"].as_str().unwrap().to_owned());
        let nullable = official::contains(official["nullableVersions"].as_str(), self.version);
        self.expect("nullable", ours.nullable.contains(self.our_version), nullable);
        let our_tag = ours.tag.filter(|_| ours.tagged.contains(self.our_version));
        self.expect("the tag", our_tag, tag(official, self.version));
        let own_flexible = official
            .get("flexibleVersions")
            .map(|versions| official::contains(versions.as_str(), self.version));
        self.expect(
            "flexible on its own",
            ours.flexible.map(|versions| versions.contains(self.our_version)),
            own_flexible,
        );
        self.expect("the default", our_default(ours), official_default(official));
        if let (Some(inner), Some((_, fields))) =
            (struct_in(ours.kind), structure_of(self.definition, official))
        {
            let fields = fields.clone();
            self.structure(&fields, inner);
        }
    }
}

fn capitalised(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

fn tag(field: &Value, version: i16) -> Option<u32> {
    official::contains(field["taggedVersions"].as_str(), version)
        .then(|| field["tag"].as_u64().and_then(|tag| u32::try_from(tag).ok()))
        .flatten()
}

/// A default as a number, a text or null, whichever way it is written.
#[derive(Debug, PartialEq)]
enum Default {
    Null,
    Number(i128),
    Text(String),
}

fn official_default(field: &Value) -> Default {
    let kind = field["type"].as_str().unwrap();
    let text = match &field["default"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    match kind {
        // Kafka's generator has null for records, whatever the definition says.
        "records" => Default::Null,
        _ if text == "null" => Default::Null,
        "string" => Default::Text(text),
        "bool" => Default::Number(i128::from(text.eq_ignore_ascii_case("true"))),
        _ => Default::Number(number(&text)),
    }
}

fn our_default(field: &FieldSchema) -> Default {
    let kind = field.kind.to_string();
    let text = field.default.replace([' ', '_'], "");
    match (kind.as_str(), text.as_str()) {
        (_, "None") => Default::Null,
        ("records", _) => Default::Null,
        ("string", _) => Default::Text(text.trim_matches('"').to_owned()),
        ("bool", _) => Default::Number(i128::from(text == "true")),
        (_, "i32::MIN") => Default::Number(i32::MIN.into()),
        (_, "i32::MAX") => Default::Number(i32::MAX.into()),
        (_, "i64::MAX") => Default::Number(i64::MAX.into()),
        _ => Default::Number(number(&text)),
    }
}

fn number(text: &str) -> i128 {
    if text.is_empty() {
        return 0;
    }
    text.strip_prefix("0x")
        .map_or_else(|| text.parse(), |hex| i128::from_str_radix(hex, 16))
        .unwrap_or_else(|error| panic!("the default {text:?}: {error}"))
}
