//! The resources of configuration requests: topics and brokers, by type and name. A broker's loggers are in [`broker_loggers`](super::broker_loggers).

use vltava_protocol::ErrorCode;

use crate::{
    Broker,
    control::{AdminError, topic_names::validate_name, znodes::Entity},
};

/// `ConfigResource.Type` of a topic, a broker, and a broker's loggers.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
pub(super) const BROKER_LOGGER: i8 = 8;

/// The entity of a resource. A topic must exist; of brokers only this one is known here, and the empty name stands for all.
pub(super) fn entity(broker: &Broker, kind: i8, name: &str) -> Result<Entity, AdminError> {
    let error = |code: ErrorCode, message: String| Err(AdminError::new(code, message));
    match kind {
        TOPIC => {
            validate_name(name)?;
            if broker.metadata.snapshot().topic(name).is_none() {
                return error(
                    ErrorCode::UnknownTopicOrPartition,
                    format!("The topic '{name}' does not exist."),
                );
            }
            Ok(Entity::Topic(name.to_owned()))
        }
        BROKER if name.is_empty() => Ok(Entity::BrokerDefault),
        BROKER => match name.parse::<i32>() {
            Ok(id) if id == broker.id => Ok(Entity::Broker(id)),
            Ok(id) => error(
                ErrorCode::InvalidRequest,
                format!("Unexpected broker id, expected {} or empty string, but received {id}", broker.id),
            ),
            Err(_) => {
                error(ErrorCode::InvalidRequest, format!("Broker id must be an integer, but it is: {name}"))
            }
        },
        // A broker's loggers among them: they are no configuration, and AlterConfigs does not know them.
        _ => error(ErrorCode::InvalidRequest, format!("Unknown resource type {kind}")),
    }
}
