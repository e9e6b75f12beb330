//! A resource against the schema of its own definition, in the words of an API server.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;

/// The most violations that are told of one document.
const MAX_VIOLATIONS: usize = 100;
/// How deep resources may nest; schemas are far flatter.
const MAX_DEPTH: usize = 64;

/// What breaks the schema: field and message.
pub(super) fn check(crd: &CustomResourceDefinition, value: &Value) -> Vec<(String, String)> {
    let version = crd.spec.versions.first();
    let schema = version.and_then(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref());
    let mut violations = Vec::new();
    if let (Some(schema), Value::Object(fields)) = (schema, value) {
        // apiVersion, kind and metadata are the API server's own.
        let known = |name: &str| matches!(name, "apiVersion" | "kind" | "metadata");
        let own = fields.iter().filter(|(name, _)| !known(name));
        let own: Value =
            own.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into();
        check_value(schema, &own, "", 0, &mut violations);
        check_metadata(fields.get("metadata"), &mut violations);
        check_config(value.pointer("/spec/config"), &mut violations);
    }
    violations.truncate(MAX_VIOLATIONS);
    violations
}

fn check_metadata(metadata: Option<&Value>, violations: &mut Vec<(String, String)>) {
    // The fields that people write; the rest is the API server's to fill.
    const FIELDS: [&str; 6] = ["name", "namespace", "labels", "annotations", "finalizers", "ownerReferences"];
    for (name, value) in metadata.and_then(Value::as_object).into_iter().flatten() {
        let field = format!("metadata.{name}");
        if matches!(name.as_str(), "name" | "namespace") && !value.is_string() {
            violations.push((field.clone(), format!("must be of type string, not {}", shown(value))));
        }
        let servers =
            ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "generateName"];
        if !FIELDS.contains(&name.as_str()) && !servers.contains(&name.as_str()) {
            violations.push((field, unknown(name, FIELDS.into_iter())));
        }
    }
}

/// A structural schema leaves these values open; what they may be is [`crate::api::ConfigValue`].
fn check_config(config: Option<&Value>, violations: &mut Vec<(String, String)>) {
    for (key, value) in config.and_then(Value::as_object).into_iter().flatten() {
        if value.is_object() || value.is_array() {
            let what = format!("must be a string, a number or a boolean, not {}", shown(value));
            violations.push((format!("spec.config[\"{key}\"]"), what));
        }
    }
}

fn unknown<'a>(name: &str, fields: impl Iterator<Item = &'a str>) -> String {
    match vltava_settings::nearest(name, fields) {
        Some(nearest) => format!("unknown field, did you mean {nearest}"),
        None => "unknown field".to_owned(),
    }
}

fn check_value(
    schema: &JSONSchemaProps,
    value: &Value,
    path: &str,
    depth: usize,
    violations: &mut Vec<(String, String)>,
) {
    if depth > MAX_DEPTH || violations.len() >= MAX_VIOLATIONS {
        return;
    }
    let mut fail = |what: String| violations.push((path.to_owned(), what));
    if let Some(kind) = schema.type_.as_deref()
        && !is_of(kind, value)
    {
        return fail(format!("must be of type {kind}, not {}", shown(value)));
    }
    if let Some(allowed) = &schema.enum_ {
        let allowed: Vec<String> =
            allowed.iter().filter(|word| !word.0.is_null()).map(|word| plain(&word.0)).collect();
        if !allowed.contains(&plain(value)) {
            return fail(format!(
                "unsupported value {}: must be one of {}",
                shown(value),
                allowed.join(", ")
            ));
        }
    }
    match value {
        Value::Object(fields) => check_object(schema, fields, path, depth, violations),
        Value::Array(items) => {
            if let Some(what) = bounds(items.len(), schema.min_items, schema.max_items, "items") {
                fail(what);
            }
            if let Some(JSONSchemaPropsOrArray::Schema(inner)) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    check_value(inner, item, &format!("{path}[{index}]"), depth + 1, violations);
                }
            }
            check_list_map(schema, items, path, violations);
            check_set(schema, items, path, violations);
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            if schema.minimum.is_some_and(|least| number < least) {
                fail(format!("must be at least {}, not {number}", schema.minimum.unwrap_or_default()));
            }
            if schema.maximum.is_some_and(|most| number > most) {
                fail(format!("must be at most {}, not {number}", schema.maximum.unwrap_or_default()));
            }
        }
        Value::String(text) => {
            if let Some(what) =
                bounds(text.chars().count(), schema.min_length, schema.max_length, "characters")
            {
                fail(what);
            }
            // Patterns come from our own definitions; one that does not compile matches everything.
            let pattern = schema.pattern.as_deref().and_then(|pattern| regex::Regex::new(pattern).ok());
            if let Some(pattern) = pattern.filter(|pattern| !pattern.is_match(text)) {
                fail(format!("{} does not match {pattern}", shown(value)));
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}

fn check_object(
    schema: &JSONSchemaProps,
    fields: &serde_json::Map<String, Value>,
    path: &str,
    depth: usize,
    violations: &mut Vec<(String, String)>,
) {
    if let Some(what) = bounds(fields.len(), schema.min_properties, schema.max_properties, "entries") {
        violations.push((path.to_owned(), what));
    }
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for name in schema.required.iter().flatten() {
        if !fields.contains_key(name) && !matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            violations.push((join(name), "required".to_owned()));
        }
    }
    for (name, value) in fields {
        if let Some(inner) = schema.properties.as_ref().and_then(|properties| properties.get(name)) {
            check_value(inner, value, &join(name), depth + 1, violations);
            continue;
        }
        match &schema.additional_properties {
            Some(JSONSchemaPropsOrBool::Schema(inner)) => {
                check_value(inner, value, &format!("{path}[\"{name}\"]"), depth + 1, violations);
            }
            Some(JSONSchemaPropsOrBool::Bool(true)) => {}
            _ if schema.x_kubernetes_preserve_unknown_fields == Some(true) => {}
            _ => {
                let names =
                    schema.properties.iter().flat_map(|properties| properties.keys()).map(String::as_str);
                violations.push((join(name), unknown(name, names)));
            }
        }
    }
}

/// Items of a list-map must differ in their keys.
fn check_list_map(
    schema: &JSONSchemaProps,
    items: &[Value],
    path: &str,
    violations: &mut Vec<(String, String)>,
) {
    for key in schema.x_kubernetes_list_map_keys.iter().flatten() {
        for (index, item) in items.iter().enumerate() {
            if item.get(key).is_some() && items[..index].iter().any(|other| other.get(key) == item.get(key)) {
                let what = format!("duplicate value {}", item.get(key).map(shown).unwrap_or_default());
                violations.push((format!("{path}[{index}].{key}"), what));
            }
        }
    }
}

/// Items of a set must differ.
fn check_set(schema: &JSONSchemaProps, items: &[Value], path: &str, violations: &mut Vec<(String, String)>) {
    if schema.x_kubernetes_list_type.as_deref() != Some("set") {
        return;
    }
    for (index, item) in items.iter().enumerate() {
        if items[..index].contains(item) {
            violations.push((format!("{path}[{index}]"), format!("duplicate value {}", shown(item))));
        }
    }
}

fn bounds(length: usize, least: Option<i64>, most: Option<i64>, what: &str) -> Option<String> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    match (least, most) {
        (Some(least), _) if length < least => {
            Some(format!("must have at least {least} {what}, not {length}"))
        }
        (_, Some(most)) if length > most => Some(format!("must have at most {most} {what}, not {length}")),
        _ => None,
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}
