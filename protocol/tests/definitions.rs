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

/// Definitions that are neither request nor response and have no struct here: by whole name, or by the first words of record keys and
/// values.
const ABSENT_DATA: &[(&str, &[&str])] = &[
    (
        "the control records of Raft",
        &[
            "KRaftVersionRecord",
            "LeaderChangeMessage",
            "SnapshotHeaderRecord",
            "SnapshotFooterRecord",
            "VotersRecord",
        ],
    ),
    (
        "in records/control.rs, which is compared with the classes",
        &["ControlRecordTypeSchema", "EndTxnMarker"],
    ),
    ("an entry of .txnindex: the log's", &["AbortedTxn"]),
    ("what the new coordinator writes for itself", &["ConsumerGroup", "ShareGroup", "StreamsGroup"]),
];

fn is_absent_data(name: &str, kind: &str) -> bool {
    let record = name.ends_with("Key") || name.ends_with("Value");
    let of_data = ["data", "coordinator-key", "coordinator-value"].contains(&kind);
    let named = |known: &str| name == known || (record && name.starts_with(known));
    of_data && ABSENT_DATA.iter().any(|(_, names)| names.iter().copied().any(named))
}

#[test]
fn every_definition_is_ours_or_left_out_on_purpose() {
    let mut missing = BTreeSet::new();
    for release in official::RELEASES {
        for (name, definition) in official::definitions(release) {
            let Some(version) = official::valid_versions(&definition).pop() else { continue };
            let (our_name, _) = official::ours(&name, version, &definition);
            let api = name.trim_end_matches("Request").trim_end_matches("Response");
            let kind = definition["type"].as_str().unwrap_or_default();
            let absent = ABSENT.iter().any(|(_, names)| names.contains(&api)) || is_absent_data(&name, kind);
            let ours = MESSAGES.iter().any(|entry| entry.schema.name == our_name);
            assert!(!(ours && absent), "{name} is listed as absent");
            if !ours && !absent {
                missing.insert(format!("{name} ({})", definition["type"]));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The comparison is worth what it finds: each definition with one thing changed must differ from ours.
#[test]
fn a_change_of_any_kind_is_found() {
    let mut changes = BTreeMap::new();
    for (name, definition) in official::definitions(official::RELEASES[1]) {
        let Some(version) = official::valid_versions(&definition).pop() else { continue };
        let (our_name, our_version) = official::ours(&name, version, &definition);
        let Some(entry) = MESSAGES.iter().find(|entry| entry.schema.name == our_name) else { continue };
        let differences = |definition: &Value| {
            let mut problems = Vec::new();
            let place = name.clone();
            Check { definition, version, our_version, later: false, place, problems: &mut problems }
                .structure(&definition["fields"], entry.schema);
            problems
        };
        assert_eq!(differences(&definition), Vec::<String>::new());
        for path in fields(&definition, version) {
            for (kind, change) in CHANGES {
                let mut changed = definition.clone();
                if change(changed.pointer_mut(&path).unwrap(), version) {
                    assert!(!differences(&changed).is_empty(), "{name} {path}: {kind} was not found");
                    *changes.entry(kind).or_insert(0) += 1;
                }
            }
            let mut removed = definition.clone();
            let (list, place) = path.rsplit_once('/').unwrap();
            let list = removed.pointer_mut(list).and_then(Value::as_array_mut).unwrap();
            let field = list.remove(place.parse().unwrap());
            assert!(!differences(&removed).is_empty(), "{name}: the field {field} is not missed");
        }
    }
    for (kind, _) in CHANGES {
        assert!(changes.get(kind).is_some_and(|count| *count > 10), "{kind}: {changes:?}");
    }
}

/// One change of a field's definition; `false` where it would change nothing.
type Change = fn(&mut Value, i16) -> bool;

const CHANGES: &[(&str, Change)] = &[
    ("another name", |field, _| {
        field["name"] = format!("{}Else", field["name"].as_str().unwrap()).into();
        true
    }),
    ("another type", |field, _| {
        let wider = match field["type"].as_str().unwrap() {
            "int32" => "int64",
            "string" => "bytes",
            "[]int32" => "[]int64",
            "bool" => "int8",
            _ => "int32",
        };
        let changed = field["type"] != wider;
        field["type"] = wider.into();
        // A struct's fields say nothing of what it is now.
        field.as_object_mut().unwrap().remove("fields");
        changed && field["default"].is_null()
    }),
    ("not in this version", |field, version| {
        field["versions"] = format!("{}+", version + 1).into();
        field.as_object_mut().unwrap().remove("taggedVersions");
        true
    }),
    ("nullable or not", |field, version| {
        let nullable = official::contains(field["nullableVersions"].as_str(), version);
        field["nullableVersions"] = if nullable { "none".into() } else { "0+".into() };
        true
    }),
    ("another tag", |field, version| {
        let tagged = official::contains(field["taggedVersions"].as_str(), version);
        if tagged {
            field["tag"] = (field["tag"].as_u64().unwrap() + 1000).into();
        }
        tagged
    }),
    ("tagged or not", |field, version| {
        let tagged = official::contains(field["taggedVersions"].as_str(), version);
        field["taggedVersions"] = if tagged { "none".into() } else { "0+".into() };
        field["tag"] = 1000.into();
        true
    }),
    ("another default", |field, _| {
        let value: Value = match field["type"].as_str().unwrap() {
            "string" => "elsewise".into(),
            "bool" => field["default"].as_str().is_none_or(|text| text != "true").to_string().into(),
            "int8" | "int16" | "int32" | "int64" | "uint16" | "uint32" => "77".into(),
            _ => return false,
        };
        field["default"] = value;
        true
    }),
];

/// Where the fields are that a version carries, as JSON pointers.
fn fields(definition: &Value, version: i16) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec!["/fields".to_owned()];
    while let Some(list) = open.pop() {
        let fields = definition.pointer(&list).and_then(Value::as_array).unwrap();
        for (place, field) in fields.iter().enumerate() {
            let versions = field["versions"].as_str().or(field["taggedVersions"].as_str());
            if !official::contains(versions, version) {
                continue;
            }
            let path = format!("{list}/{place}");
            if field.get("fields").is_some() {
                open.push(format!("{path}/fields"));
            }
            found.push(path);
        }
    }
    found
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
