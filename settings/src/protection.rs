//! Values that were set while brokers ran, by an Apache Kafka that obeyed them, and that would protect what Vltava leaves open.

use crate::broker::{ADVERTISED_LISTENERS, LISTENER_SECURITY_PROTOCOL_MAP, LISTENERS};
use crate::config::{BrokerConfig, definition_of, same_as_default};
use crate::definition::Effect;
use crate::problem::Problem;
use crate::reason;

/// Why a broker with these properties must not pass over a dynamic value of its own or of all brokers, if it must not: the value asks for
/// something that is not built, or for other listeners than the properties file does.
///
/// The scope does not matter: whoever wrote the value, into whichever znode, meant it.
#[must_use]
pub fn unkept(config: &BrokerConfig, name: &str, text: &str) -> Option<Problem> {
    let definition = definition_of(name)?;
    let listeners = [LISTENERS.name(), LISTENER_SECURITY_PROTOCOL_MAP.name(), ADVERTISED_LISTENERS.name()];
    if listeners.contains(&name) {
        let same = definition.parse(text).is_ok_and(|value| value == *config.value(definition));
        return (!same).then(|| Problem::refused(name, definition, text.trim(), reason::LISTENERS_STAY));
    }
    let Effect::Refused(why) = definition.effect else { return None };
    // What cannot be read is refused too: nobody knows what it would close.
    let harmless = definition.parse(text).is_ok_and(|value| same_as_default(definition, &value));
    (!harmless).then(|| Problem::refused(name, definition, text.trim(), why))
}
