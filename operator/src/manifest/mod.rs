//! Manifests: YAML files of custom resources, read as strictly as an API server with field validation would, and then some.
//!
//! Each document passes four gates: YAML, the resource's own schema ([`schema`]: unknown fields, types, ranges), its CEL rules, and
//! [`crate::validation`] (configuration against the settings table, what is not yet supported). All errors of all documents come
//! back at once.

mod error;
mod locate;
mod schema;

use kube::{CustomResourceExt, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::error::{ManifestError, ManifestErrors};
use crate::api::{GROUP, KafkaCluster, Topic, VERSION};
use crate::validation;

/// The largest manifest that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// The most documents of one manifest.
const MAX_DOCUMENTS: usize = 10_000;

/// One document of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// A cluster.
    KafkaCluster(Box<KafkaCluster>),
    /// A topic.
    Topic(Box<Topic>),
    /// Something of another API group, which Vltava leaves alone.
    Other {
        /// `apiVersion` and `kind`, such as `v1 Namespace`.
        kind: String,
        /// Its name.
        name: String,
    },
}

/// Reads all documents of a manifest.
///
/// # Errors
///
/// Everything that is wrong, each with document, line, field and what is allowed.
pub fn read_manifests(text: &str) -> Result<Vec<Resource>, ManifestErrors> {
    // Some editors begin a file with a mark of its encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut resources: Vec<Resource> = Vec::new();
    let mut errors = Vec::new();
    if text.len() > MAX_BYTES {
        let what = format!("a manifest may have {MAX_BYTES} bytes at most");
        return Err(ManifestErrors(vec![ManifestError::new(1, Some(1), "", what)]));
    }
    let mut number = 0;
    for document in documents(text) {
        if document.text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            continue;
        }
        number += 1;
        if number > MAX_DOCUMENTS {
            let what = format!("a manifest may have {MAX_DOCUMENTS} documents at most");
            errors.push(ManifestError::new(number, Some(document.first_line), "", what));
            break;
        }
        let mut found = Vec::new();
        for outcome in read_document(document.text) {
            match outcome {
                Ok(resource) => {
                    if let Some(twin) = twin_of(&resource, &resources) {
                        found.push(ManifestError::new(number, Some(1), "metadata.name", twin));
                    }
                    resources.push(resource);
                }
                Err(wrong) => found.extend(wrong),
            }
        }
        errors.extend(found.into_iter().map(|error| {
            let line = error.line.or_else(|| locate::line_of(document.text, &error.field)).unwrap_or(1);
            ManifestError { document: number, line: Some(document.first_line + line - 1), ..error }
        }));
    }
    if errors.is_empty() { Ok(resources) } else { Err(ManifestErrors(errors)) }
}

struct Document<'a> {
    text: &'a str,
    /// The line of the file on which it begins, counted from 1.
    first_line: usize,
}

/// Splits a file at its `---` lines.
fn documents(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        offset += line.len();
        let bare = line.trim_end();
        if bare == "---" || bare.starts_with("--- ") {
            documents.push(Document { text: &text[start..offset - line.len()], first_line });
            (start, first_line) = (offset, index + 2);
        }
    }
    documents.push(Document { text: &text[start..], first_line });
    documents
}

/// What a document holds: a resource, or those of a `v1 List`.
fn read_document(text: &str) -> Vec<Result<Resource, Vec<ManifestError>>> {
    let value = match read_yaml(text) {
        Ok(value) => value,
        Err(error) => return vec![Err(vec![error])],
    };
    let is = |field: &str, word: &str| value.get(field).and_then(Value::as_str) == Some(word);
    let items = match value.get("items") {
        Some(Value::Array(items)) if is("apiVersion", "v1") && is("kind", "List") => items,
        _ => return vec![read_resource(&value)],
    };
    if items.len() > MAX_DOCUMENTS {
        let what = format!("a list may have {MAX_DOCUMENTS} items at most");
        return vec![Err(vec![ManifestError::new(0, None, "items", what)])];
    }
    let inside = |index: usize| {
        move |error: ManifestError| {
            let dot = if error.field.is_empty() { "" } else { "." };
            ManifestError { field: format!("items[{index}]{dot}{}", error.field), ..error }
        }
    };
    let read = |(index, item)| {
        read_resource(item).map_err(|errors: Vec<_>| errors.into_iter().map(inside(index)).collect())
    };
    items.iter().enumerate().map(read).collect()
}

fn read_yaml(text: &str) -> Result<Value, ManifestError> {
    let yaml: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| {
        ManifestError::new(0, error.location().map(|at| at.line()), "", format!("not YAML: {error}"))
    })?;
    let mut value: Value = serde_json::to_value(yaml)
        .map_err(|error| ManifestError::new(0, None, "", format!("not a resource: {error}")))?;
    drop_nulls(&mut value);
    Ok(value)
}

fn read_resource(value: &Value) -> Result<Resource, Vec<ManifestError>> {
    let fail = |field: &str, what: String| vec![ManifestError::new(0, None, field, what)];
    let part = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind, name) = (part("/apiVersion"), part("/kind"), part("/metadata/name"));
    if api_version.is_empty() || kind.is_empty() {
        return Err(fail("", "a resource needs apiVersion and kind".to_owned()));
    }
    let Some(version) = api_version.strip_prefix(&format!("{GROUP}/")) else {
        return Ok(Resource::Other { kind: format!("{api_version} {kind}"), name: name.to_owned() });
    };
    if value.pointer("/metadata/name").is_none() {
        return Err(fail("metadata.name", "required".to_owned()));
    }
    if version != VERSION {
        let what = format!("{version} is not served: use {GROUP}/{VERSION}");
        return Err(fail("apiVersion", what));
    }
    match kind {
        "KafkaCluster" => {
            let cluster: KafkaCluster = read_kind(value)?;
            finish(cluster.validate_cel(), validation::cluster(&cluster))?;
            Ok(Resource::KafkaCluster(Box::new(cluster)))
        }
        "Topic" => {
            let topic: Topic = read_kind(value)?;
            finish(topic.validate_cel(), validation::topic(&topic))?;
            Ok(Resource::Topic(Box::new(topic)))
        }
        _ => {
            let nearest = vltava_settings::nearest(kind, ["KafkaCluster", "Topic"].into_iter());
            let hint = nearest.map(|kind| format!(", did you mean {kind}")).unwrap_or_default();
            Err(fail(
                "kind",
                format!("{kind} is not a kind of {GROUP}{hint}: there are KafkaCluster and Topic"),
            ))
        }
    }
}

/// As kubectl apply does: a null is an absent field.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn read_kind<T: CustomResourceExt + DeserializeOwned>(value: &Value) -> Result<T, Vec<ManifestError>> {
    let violations = schema::check(&T::crd(), value);
    if !violations.is_empty() {
        let errors = violations.into_iter().map(|(field, what)| ManifestError::new(0, None, &field, what));
        return Err(errors.collect());
    }
    serde_json::from_value(value.clone())
        .map_err(|error| vec![ManifestError::new(0, None, "", format!("not a resource: {error}"))])
}

/// Joins what the CEL rules and the validation say.
fn finish(
    rules: Result<(), kube::core::cel::ValidationErrors>,
    violations: Vec<validation::Violation>,
) -> Result<(), Vec<ManifestError>> {
    let all = validation::broken_rules(rules).into_iter().chain(violations);
    let errors: Vec<_> = all.map(|found| ManifestError::new(0, None, &found.field, found.what)).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// A message if the resource is there already.
fn twin_of(resource: &Resource, earlier: &[Resource]) -> Option<String> {
    let identity = |resource: &Resource| match resource {
        Resource::KafkaCluster(cluster) => {
            Some(("KafkaCluster", cluster.namespace(), cluster.name().to_owned()))
        }
        Resource::Topic(topic) => Some(("Topic", topic.namespace(), topic.name().to_owned())),
        Resource::Other { .. } => None,
    };
    let own = identity(resource)?;
    let twin = earlier.iter().any(|other| identity(other).as_ref() == Some(&own));
    twin.then(|| format!("there is another {} {} above", own.0, own.2))
}
