//! The resource BROKER_LOGGER (KIP-412): the levels of this broker's log, described and changed while it runs. They last as long as the process.

use vltava_protocol::{
    ErrorCode,
    messages::{
        describe_configs::{DescribeConfigsResource, DescribeConfigsResourceResult},
        incremental_alter_configs::AlterConfigsResource,
    },
};

use super::incremental_alter_configs::{APPEND, DELETE, SET, SUBTRACT};
use crate::{
    control::AdminError,
    loggers::{self, Levels, LogLevel, Loggers, ROOT},
};

/// `ConfigSource` of a logger's level.
const DYNAMIC_BROKER_LOGGER_CONFIG: i8 = 6;

/// Describes the loggers.
pub(super) fn describe(
    broker_id: i32,
    resource: &DescribeConfigsResource<'_>,
) -> Result<Vec<DescribeConfigsResourceResult<'static>>, AdminError> {
    let name = &*resource.resource_name;
    let invalid = |message: String| Err(AdminError::new(ErrorCode::InvalidRequest, message));
    match name.parse::<i32>() {
        _ if name.is_empty() => return invalid("Broker id must not be empty".to_owned()),
        Err(_) => return invalid(format!("Broker id must be an integer, but it is: {name}")),
        Ok(id) if id != broker_id => {
            return invalid(format!("Unexpected broker id, expected {broker_id} but received {name}"));
        }
        Ok(_) => {}
    }
    let asked = resource.configuration_keys.as_deref().unwrap_or_default();
    let wanted = |logger: &str| asked.is_empty() || asked.iter().any(|key| **key == *logger);
    let all = changeable()?.levels().all();
    let described = all.into_iter().filter(|(logger, _)| wanted(logger)).map(|(logger, level)| {
        DescribeConfigsResourceResult {
            name: logger.into(),
            value: Some(level.name().into()),
            config_source: DYNAMIC_BROKER_LOGGER_CONFIG,
            ..Default::default()
        }
    });
    Ok(described.collect())
}

/// Changes levels as Kafka's `RuntimeLoggerManager` does: all of a request's, or none.
pub(super) fn alter(
    broker_id: i32,
    resource: &AlterConfigsResource<'_>,
    validate_only: bool,
) -> Result<(), AdminError> {
    let name = &*resource.resource_name;
    let invalid = |message: String| Err(AdminError::new(ErrorCode::InvalidRequest, message));
    match name.parse::<i32>() {
        Err(_) => return invalid(format!("Node id must be an integer, but it is: {name}")),
        Ok(id) if id != broker_id => {
            return invalid(format!("Unexpected node id. Expected {broker_id}, but received {id}"));
        }
        Ok(_) => {}
    }
    let loggers = changeable()?;
    let changes = changes(&loggers.levels(), resource)?;
    if validate_only {
        return Ok(());
    }
    loggers
        .change(changes.iter().copied())
        .map_err(|error| AdminError::new(ErrorCode::UnknownServerError, error))?;
    for (logger, level) in changes {
        match level {
            Some(level) => tracing::warn!("Updated the log level of {logger} to {}", level.name()),
            None => tracing::warn!("Unset the log level of {logger}"),
        }
    }
    Ok(())
}

fn changeable() -> Result<&'static Loggers, AdminError> {
    loggers::installed().ok_or_else(|| {
        let message = "The log of this process belongs to another program, which sets its levels";
        AdminError::new(ErrorCode::InvalidRequest, message)
    })
}

/// The changes that a request asks for, each checked.
fn changes<'a>(
    levels: &Levels,
    resource: &'a AlterConfigsResource<'_>,
) -> Result<Vec<(&'a str, Option<LogLevel>)>, AdminError> {
    let invalid = |message: String| Err(AdminError::new(ErrorCode::InvalidRequest, message));
    let mut changes = Vec::with_capacity(resource.configs.len());
    for config in &resource.configs {
        let logger = &*config.name;
        match config.config_operation {
            SET | DELETE if !levels.knows(logger) => {
                let message = format!("Logger {logger} does not exist!");
                return Err(AdminError::new(ErrorCode::InvalidConfig, message));
            }
            SET => {
                let value = config.value.as_deref().unwrap_or_default();
                let Some(level) = LogLevel::named(value) else {
                    let message = format!(
                        "Cannot set the log level of {logger} to {value} as it is not a supported log level. \
                         Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"
                    );
                    return Err(AdminError::new(ErrorCode::InvalidConfig, message));
                };
                changes.push((logger, Some(level)));
            }
            DELETE if logger == ROOT => {
                return invalid(format!("Removing the log level of the {ROOT} logger is not allowed"));
            }
            DELETE => changes.push((logger, None)),
            APPEND => {
                return invalid("APPEND operation is not allowed for the BROKER_LOGGER resource".to_owned());
            }
            SUBTRACT => {
                return invalid(
                    "SUBTRACT operation is not allowed for the BROKER_LOGGER resource".to_owned(),
                );
            }
            other => {
                return invalid(format!(
                    "Unknown operation type {other} is not allowed for the BROKER_LOGGER resource"
                ));
            }
        }
    }
    Ok(changes)
}
