//! AlterConfigs: replaces all overrides of a resource at once. IncrementalAlterConfigs is its better successor.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use vltava_protocol::{
    ErrorCode,
    messages::{
        AlterConfigsRequest, AlterConfigsResponse,
        alter_configs::{AlterConfigsResource, AlterConfigsResourceResponse},
    },
};
use vltava_settings::{Level, validate_topic_configs};

use super::config_resources::entity;
use crate::{
    Broker,
    control::{AdminError, znodes::Entity},
    net::RequestContext,
};

/// How long an alteration waits for its own effect here; it is written already, and brokers follow at once.
const EFFECT: Duration = Duration::from_secs(5);

pub(super) async fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    body: AlterConfigsRequest<'_>,
) -> AlterConfigsResponse<'static> {
    let mut responses = Vec::with_capacity(body.resources.len());
    let names = body.resources.iter().map(|resource| (resource.resource_type, &*resource.resource_name));
    let twice = repeated(names);
    for resource in &body.resources {
        let outcome = match twice.get(&(resource.resource_type, &*resource.resource_name)) {
            None => replace(broker, resource, body.validate_only).await,
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
    AlterConfigsResponse { responses, ..Default::default() }
}

/// The resources that a request names more than once, and the error of each.
pub(super) fn repeated<'a>(
    resources: impl Iterator<Item = (i8, &'a str)>,
) -> HashMap<(i8, &'a str), AdminError> {
    let mut seen = HashSet::new();
    resources
        .filter(|resource| !seen.insert(*resource))
        .map(|resource| {
            let message = "Each resource must appear at most once.";
            (resource, AdminError::new(ErrorCode::InvalidRequest, message))
        })
        .collect()
}

async fn replace(
    broker: &Broker,
    resource: &AlterConfigsResource<'_>,
    validate_only: bool,
) -> Result<(), AdminError> {
    let entity = entity(broker, resource.resource_type, &resource.resource_name)?;
    let mut wanted = BTreeMap::new();
    for config in &resource.configs {
        let Some(value) = config.value.as_deref() else {
            let message = format!("Null value not supported for : {}", config.name);
            return Err(AdminError::new(ErrorCode::InvalidRequest, message));
        };
        if wanted.insert(config.name.to_string(), value.to_owned()).is_some() {
            return Err(AdminError::new(ErrorCode::InvalidRequest, "Error due to duplicate config keys"));
        }
    }
    alter(broker, &entity, validate_only, &|_| Ok(wanted.clone())).await
}

/// What a request makes of an entity's overrides.
pub(super) type Change<'a> =
    &'a (dyn Fn(&BTreeMap<String, String>) -> Result<BTreeMap<String, String>, AdminError> + Sync);

/// Changes an entity's overrides by `change`, having checked what they come to, and waits for the effect here.
pub(super) async fn alter(
    broker: &Broker,
    entity: &Entity,
    validate_only: bool,
    change: Change<'_>,
) -> Result<(), AdminError> {
    let checked = |before: &BTreeMap<String, String>| {
        let after = change(before)?;
        check(broker, entity, &after)?;
        Ok(after)
    };
    if validate_only {
        return checked(&broker.control.overrides(entity).await?).map(|_| ());
    }
    let after = broker.control.alter_overrides(entity, &checked).await?;
    // What is asked next should see it. It is written in any case.
    broker.control.configs().wait_for(EFFECT, entity, &after).await;
    Ok(())
}

/// Checks what overrides come to, in Kafka's words.
fn check(broker: &Broker, entity: &Entity, after: &BTreeMap<String, String>) -> Result<(), AdminError> {
    let dynamic = broker.control.configs().dynamic();
    let invalid = |message: String| AdminError::new(ErrorCode::InvalidConfig, message);
    match entity {
        Entity::Topic(_) => validate_topic_configs(dynamic.topic_defaults(), after)
            .map(|_| ())
            .map_err(|problem| invalid(problem.to_string())),
        Entity::BrokerDefault => {
            dynamic.validate(Level::Cluster, after).map_err(|problems| invalid(problems.to_string()))
        }
        Entity::Broker(_) | Entity::Other(_) => {
            dynamic.validate(Level::Broker, after).map_err(|problems| invalid(problems.to_string()))
        }
    }
}
