//! DescribeConfigs: what topics and brokers are set to, where each value comes from, and what it means.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use vltava_protocol::{
    ErrorCode,
    messages::{
        DescribeConfigsRequest, DescribeConfigsResponse,
        describe_configs::{
            DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
            DescribeConfigsSynonym,
        },
    },
};
use vltava_settings::{DescribedConfig, broker_keys, topic_keys};

use super::{
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
    request: &RequestContext,
    body: DescribeConfigsRequest<'_>,
) -> DescribeConfigsResponse<'static> {
    let mut results = Vec::with_capacity(body.resources.len());
    // Each is described once, however often it is named: a description is far larger than a name.
    let mut named = HashSet::new();
    for resource in &body.resources {
        if !named.insert((resource.resource_type, &*resource.resource_name)) {
            continue;
        }
        let described = if resource.resource_type == BROKER_LOGGER {
            broker_loggers::describe(broker.id, resource)
        } else {
            describe(broker, resource).await.map(|configs| {
                let entry = |config| {
                    entry(config, request.version, body.include_synonyms, body.include_documentation)
                };
                configs.into_iter().map(entry).collect()
            })
        };
        let (error, configs) = match described {
            Ok(configs) => (None, configs),
            Err(error) => (Some(error), Vec::new()),
        };
        results.push(DescribeConfigsResult {
            error_code: error.as_ref().map_or(ErrorCode::None, |error| error.code).into(),
            error_message: error.map(|error| error.message.into()),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.to_string().into(),
            configs,
            ..Default::default()
        });
    }
    DescribeConfigsResponse { results, ..Default::default() }
}

async fn describe(
    broker: &Broker,
    resource: &DescribeConfigsResource<'_>,
) -> Result<Vec<DescribedConfig>, AdminError> {
    let entity = entity(broker, resource.resource_type, &resource.resource_name)?;
    let dynamic = broker.control.configs().dynamic();
    // No keys are all keys, as in Kafka. Of those that are asked for only those are looked for that there are.
    let exists = |key: &&str| {
        broker_keys().find(key).is_some()
            || topic_keys().find(key).is_some()
            || dynamic.given().get(key).is_some()
    };
    let asked = resource.configuration_keys.as_ref().filter(|keys| !keys.is_empty());
    let names: Option<BTreeSet<&str>> =
        asked.map(|keys| keys.iter().map(|key| &**key).filter(exists).collect());
    let names: Option<Vec<&str>> = names.map(|names| names.into_iter().collect());
    let names = names.as_deref();
    Ok(match &entity {
        // As ZooKeeper has it, whether or not this broker has a replica.
        Entity::Topic(_) => dynamic.describe_topic(&broker.control.overrides(&entity).await?, names),
        Entity::BrokerDefault => dynamic.describe_cluster(names),
        Entity::Broker(_) | Entity::Other(_) => dynamic.describe_broker(names),
    })
}

fn entry(
    config: DescribedConfig,
    version: i16,
    synonyms: bool,
    documentation: bool,
) -> DescribeConfigsResourceResult<'static> {
    // From version 1 on the source says it.
    let is_default = version == 0 && config.is_default();
    DescribeConfigsResourceResult {
        is_default,
        config_source: config.source.wire_code(),
        config_type: config.kind.map_or(0, vltava_settings::Kind::wire_code),
        documentation: documentation.then(|| config.documentation.into()),
        synonyms: if synonyms {
            config
                .synonyms
                .into_iter()
                .map(|synonym| DescribeConfigsSynonym {
                    name: synonym.name.into(),
                    value: synonym.value.map(Into::into),
                    source: synonym.source.wire_code(),
                    ..Default::default()
                })
                .collect()
        } else {
            Vec::new()
        },
        name: config.name.into(),
        value: config.value.map(Into::into),
        read_only: config.read_only,
        is_sensitive: config.is_sensitive,
        ..Default::default()
    }
}
