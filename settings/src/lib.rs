//! Every broker and topic configuration key: name, type, range, default, scope and documentation.
//!
//! One table, written once in [`broker`] and [`topic`], feeds everything: parsing a properties file ([`BrokerConfig`]), typed
//! reading (`config.get(broker::NUM_PARTITIONS)`), AlterConfigs' validation, DescribeConfigs' answers, the custom resources'
//! validation and the reference page `docs/configuration.md`.

#[macro_use]
mod definition;
pub mod broker;
mod config;
mod describe;
mod dynamic;
mod key;
mod listeners;
mod problem;
pub mod properties;
mod protection;
mod reason;
mod reference;
mod rules;
mod table;
pub mod topic;
mod topic_config;
mod value;
mod version;

pub use self::config::BrokerConfig;
pub use self::definition::{Allowed, Definition, Effect, Importance, Kind, Literal, Scope};
pub use self::describe::{ConfigSource, DescribedConfig, Synonym};
pub use self::dynamic::{DynamicConfig, Level, validate_broker_config};
pub use self::key::{Key, Setting};
pub use self::listeners::{EndPoint, Listener, SecurityProtocol};
pub use self::problem::{Problem, Problems, Warning};
pub use self::properties::{Properties, PropertiesError};
pub use self::protection::unkept;
pub use self::reference::reference;
pub use self::table::{Table, broker_keys, nearest, topic_keys};
pub use self::topic_config::{TopicConfig, validate_topic_config, validate_topic_configs};
pub use self::value::{InvalidValue, Password, Value};
pub use self::version::{InvalidVersion, ProtocolVersion};
