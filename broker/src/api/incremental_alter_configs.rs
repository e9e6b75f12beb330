//! IncrementalAlterConfigs (KIP-339): sets and deletes single overrides, and adds to or takes from lists.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vltava_protocol::{
    ErrorCode,
    messages::{
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
        incremental_alter_configs::{AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig},
    },
};
use vltava_settings::{Definition, Kind, Value, broker_keys, topic_keys};

use super::{
    alter_configs::{alter, repeated},
    broker_loggers,
    config_resources::{BROKER_LOGGER, entity},
};
use crate::{
    Broker,
    control::{AdminError, znodes::Entity},
    net::RequestContext,
};

pub(super) async fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    body: IncrementalAlterConfigsRequest<'_>,
) -> IncrementalAlterConfigsResponse<'static> {
    let mut responses = Vec::with_capacity(body.resources.len());
    let names = body.resources.iter().map(|resource| (resource.resource_type, &*resource.resource_name));
    let twice = repeated(names);
    for resource in &body.resources {
        let outcome = match twice.get(&(resource.resource_type, &*resource.resource_name)) {
            None => change(broker, resource, body.validate_only).await,
            Some(error) => Err(error.clone()),
        };
        let error = outcome.err();
        responses.push(AlterConfigsResourceResponse {
            error_code: error.as_ref().map_or(ErrorCode::None, |error| error.code).into(),
            error_message: error.map(|error| error.message.into()),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.to_string().into(),
            ..Default::default()
        });
    }
    IncrementalAlterConfigsResponse { responses, ..Default::default() }
}

async fn change(
    broker: &Broker,
    resource: &AlterConfigsResource<'_>,
    validate_only: bool,
) -> Result<(), AdminError> {
    let invalid = |message: String| AdminError::new(ErrorCode::InvalidRequest, message);
    let names: BTreeSet<&str> = resource.configs.iter().map(|config| &*config.name).collect();
    if names.len() != resource.configs.len() {
        return Err(invalid("Error due to duplicate config keys".to_owned()));
    }
    let nulls: Vec<&str> = resource
        .configs
        .iter()
        .filter(|config| config.value.is_none() && config.config_operation != DELETE)
        .map(|config| &*config.name)
        .collect();
    if !nulls.is_empty() {
        return Err(invalid(format!("Null value not supported for : {}", nulls.join(", "))));
    }
    if resource.resource_type == BROKER_LOGGER {
        return broker_loggers::alter(broker.id, resource, validate_only);
    }
    let entity = entity(broker, resource.resource_type, &resource.resource_name)?;
    let dynamic = broker.control.configs().dynamic();
    let inherited = |definition: &Definition| -> Vec<String> {
        let value = match &entity {
            Entity::Topic(_) => dynamic.topic_defaults().value(definition),
            _ => dynamic.current().value(definition),
        };
        if let Value::List(items) = value { items.clone() } else { Vec::new() }
    };
    let apply = |before: &BTreeMap<String, String>| {
        let mut after = before.clone();
        for config in &resource.configs {
            one(&mut after, &entity, config, &inherited)?;
        }
        Ok(after)
    };
    alter(broker, &entity, validate_only, &apply).await
}

pub(super) const SET: i8 = 0;
pub(super) const DELETE: i8 = 1;
pub(super) const APPEND: i8 = 2;
pub(super) const SUBTRACT: i8 = 3;

/// Applies one operation. A list that has no override of its own begins with what it inherits.
fn one(
    overrides: &mut BTreeMap<String, String>,
    entity: &Entity,
    config: &AlterableConfig<'_>,
    inherited: &dyn Fn(&Definition) -> Vec<String>,
) -> Result<(), AdminError> {
    let name = &*config.name;
    let value = config.value.as_deref().unwrap_or_default();
    match config.config_operation {
        SET => drop(overrides.insert(name.to_owned(), value.to_owned())),
        DELETE => drop(overrides.remove(name)),
        operation @ (APPEND | SUBTRACT) => {
            let table = if let Entity::Topic(_) = entity { topic_keys() } else { broker_keys() };
            let Some(definition) = table.find(name).filter(|definition| definition.kind == Kind::List) else {
                let verb = if operation == APPEND { "APPEND" } else { "SUBTRACT" };
                let message = format!("Config value {verb} is not allowed for config key: {name}");
                return Err(AdminError::new(ErrorCode::InvalidConfig, message));
            };
            let items = |text: &str| -> Vec<String> {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
            };
            let mut list = overrides.get(name).map_or_else(|| inherited(definition), |text| items(text));
            for item in items(value) {
                if operation == SUBTRACT {
                    list.retain(|present| *present != item);
                } else if !list.contains(&item) {
                    list.push(item);
                }
            }
            overrides.insert(name.to_owned(), list.join(","));
        }
        other => {
            return Err(AdminError::new(
                ErrorCode::InvalidRequest,
                format!("Unknown operation {other} on {name}"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(
        before: &[(&str, &str)],
        operation: i8,
        name: &'static str,
        value: Option<&'static str>,
    ) -> Result<String, AdminError> {
        let mut overrides: BTreeMap<String, String> =
            before.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let config = AlterableConfig {
            name: name.into(),
            config_operation: operation,
            value: value.map(Into::into),
            ..Default::default()
        };
        one(&mut overrides, &Entity::Topic("t".into()), &config, &|_| vec!["delete".to_owned()])?;
        let all: Vec<String> = overrides.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Ok(all.join(" "))
    }

    #[test]
    fn operations_change_what_they_name() {
        let retention = [("retention.ms", "1")];
        let policy = [("cleanup.policy", "compact")];
        let text = |result: Result<String, AdminError>| result.expect("allowed");
        assert_eq!(text(apply(&retention, SET, "segment.ms", Some("2"))), "retention.ms=1 segment.ms=2");
        assert_eq!(text(apply(&retention, DELETE, "retention.ms", None)), "");
        assert_eq!(
            text(apply(&policy, APPEND, "cleanup.policy", Some("delete"))),
            "cleanup.policy=compact,delete"
        );
        assert_eq!(text(apply(&policy, APPEND, "cleanup.policy", Some("compact"))), "cleanup.policy=compact");
        assert_eq!(
            text(apply(&[], APPEND, "cleanup.policy", Some("compact"))),
            "cleanup.policy=delete,compact"
        );
        assert_eq!(text(apply(&policy, SUBTRACT, "cleanup.policy", Some("compact"))), "cleanup.policy=");
        let refused = apply(&[], APPEND, "retention.ms", Some("1")).expect_err("no list");
        assert_eq!(refused.code, ErrorCode::InvalidConfig);
        assert_eq!(
            apply(&[], 9, "retention.ms", Some("1")).expect_err("unknown").code,
            ErrorCode::InvalidRequest
        );
    }
}
