//! librdkafka clients, configured in Java's words.
//!
//! [`ClientProperties`] collects what a tool's options and files say under the names of Java's clients; [`ClientProperties::config`]
//! turns them into librdkafka's by the table in [`names`]. A [`Context`] writes what librdkafka reports the way log4j would.

mod context;
mod exceptions;
mod metrics;
pub(crate) mod names;
mod pattern;
mod room;
mod values;

use std::{collections::BTreeMap, path::Path};

use rdkafka::{ClientConfig, config::RDKafkaLogLevel, error::KafkaError};
use vltava_settings::Properties;

use self::names::{Mapping, Role};
use self::values::Conversion;
use super::{failure::Failure, output};

pub(crate) use self::context::{Context, LoggingContext, OnDelivery, OnRebalance, Quiet, is_passing};
pub(crate) use self::exceptions::exception;
pub(crate) use self::metrics::{INTERVAL_MS as METRICS_INTERVAL_MS, Metrics};
pub(crate) use self::pattern::Pattern;
pub(crate) use self::room::Room;

/// Where a client's own warnings come from, in the words of Java's log.
const CONFIG_LOGGERS: [&str; 2] =
    ["org.apache.kafka.clients.producer.ProducerConfig", "org.apache.kafka.clients.consumer.ConsumerConfig"];

/// How Kafka's performance tools write times, a pattern of `SimpleDateFormat`.
pub(crate) const PERF_DATES: &str = "yyyy-MM-dd HH:mm:ss:SSS";

/// What is said to who asks for the CSV reporter of 0.8.
pub(crate) const NO_CSV: &str =
    "--csv-reporter-enabled and --metrics-dir have no effect: there is no CSV metrics reporter";

/// A client's properties by their Java names.
#[derive(Debug, Clone)]
pub(crate) struct ClientProperties {
    role: Role,
    values: BTreeMap<String, String>,
}

impl ClientProperties {
    /// No property yet.
    pub(crate) fn new(role: Role) -> Self {
        Self { role, values: BTreeMap::new() }
    }

    /// Adds the properties of a file; they replace what was set before.
    pub(crate) fn read(&mut self, path: &Path) -> Result<(), Failure> {
        let properties = read_properties(path)?;
        self.values.extend(properties.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        Ok(())
    }

    /// Adds words of the form `name=value`, as `--producer-property` has them.
    pub(crate) fn extend_pairs<'a>(
        &mut self,
        pairs: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), Failure> {
        for pair in pairs {
            let (name, value) = key_value(pair)?;
            self.set(name, value);
        }
        Ok(())
    }

    /// Sets a property.
    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        self.values.insert(name.to_owned(), value.to_string());
    }

    /// Sets a property to an option's value if the option was given, and to its default unless the property is set: so
    /// Kafka's tools let options win over files, and files over the options' defaults.
    pub(crate) fn merge<T: ToString>(&mut self, name: &str, given: Option<T>, default: Option<&str>) {
        match (given, default) {
            (Some(value), _) => self.set(name, value),
            (None, Some(default)) => self.set_default(name, default),
            (None, None) => {}
        }
    }

    /// Sets a property unless it is set.
    pub(crate) fn set_default(&mut self, name: &str, value: &str) {
        self.values.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }

    /// A property's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A property's value as a number, `default` without one.
    pub(crate) fn number(&self, name: &str, default: i64) -> Result<i64, Failure> {
        self.get(name).map_or(Ok(default), |text| {
            text.trim().parse().map_err(|_| values::invalid(name, text, "Not a number of type LONG"))
        })
    }

    /// librdkafka's configuration. Properties that cannot be mapped are warned of by name on standard error.
    pub(crate) fn config(&self) -> Result<ClientConfig, Failure> {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Warning);
        for (name, value) in names::defaults(self.role) {
            config.set(*name, *value);
        }
        for (name, value) in &self.values {
            self.apply(&mut config, name, value.trim())?;
        }
        Ok(config)
    }

    /// The codec in use.
    fn codec(&self) -> Option<&'static str> {
        self.get("compression.type").or_else(|| self.get("compression.codec")).and_then(values::codec)
    }

    fn apply(&self, config: &mut ClientConfig, name: &str, value: &str) -> Result<(), Failure> {
        let logger = CONFIG_LOGGERS[self.role as usize];
        match names::find(name, self.role) {
            Some(Mapping::Same) => set_checked(config, name, name, value),
            Some(Mapping::Name(theirs)) => set_checked(config, name, theirs, value),
            Some(Mapping::Value(convert)) => {
                set_converted(config, name, value, convert(name, value)?, logger)
            }
            Some(Mapping::Level(codec)) if self.codec() == Some(codec) => {
                set_converted(config, name, value, values::level(codec, name, value)?, logger)
            }
            // Another codec is in use, or none.
            Some(Mapping::Level(codec)) => values::level(codec, name, value).map(|_| ()),
            Some(Mapping::Tool) => Ok(()),
            Some(Mapping::Nothing(why)) => {
                output::log_warning(
                    &format!("The configuration '{name}' has no effect here: {why}."),
                    logger,
                );
                Ok(())
            }
            None if is_librdkafkas(name, value) => set_checked(config, name, name, value),
            None => {
                // Java's own words.
                let text = format!("The configuration '{name}' was supplied but isn't a known config.");
                output::log_warning(&text, logger);
                Ok(())
            }
        }
    }
}

/// Sets what a property of Java's is to librdkafka, and warns of what is not the same.
fn set_converted(
    config: &mut ClientConfig,
    java: &str,
    value: &str,
    conversion: Conversion,
    logger: &str,
) -> Result<(), Failure> {
    if let Some(differs) = conversion.differs {
        output::log_warning(
            &format!("The configuration '{java}={value}' is not quite Java's here: {differs}."),
            logger,
        );
    }
    for (theirs, value) in conversion.sets {
        set_checked(config, java, theirs, &value)?;
    }
    Ok(())
}

/// A properties file, with Java's exception where it cannot be read.
pub(crate) fn read_properties(path: &Path) -> Result<Properties, Failure> {
    Properties::read(path).map_err(|error| {
        if path.exists() {
            Failure::illegal(error.to_string())
        } else {
            let text = format!("{} (No such file or directory)", path.display());
            Failure::new("java.io.FileNotFoundException", text)
        }
    })
}

/// Checks that a list of brokers is one, as Kafka's tools do before they connect.
pub(crate) fn check_addresses(list: &str) -> Result<(), Failure> {
    let valid = |address: &str| {
        let port =
            address.rsplit_once(':').map(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        port == Some(true)
    };
    if list.split(',').all(valid) {
        Ok(())
    } else {
        Err(Failure::usage("Please provide valid host:port like host1:9091,host2:9092\n"))
    }
}

/// Splits `name=value`; without `=` the value is empty.
pub(crate) fn key_value(pair: &str) -> Result<(&str, &str), Failure> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    if name.is_empty() {
        Err(Failure::illegal(format!("Invalid command line properties: {pair}")))
    } else {
        Ok((name, value))
    }
}

/// Sets a property of librdkafka's after trying it: a value that it refuses is named as the user wrote it.
fn set_checked(config: &mut ClientConfig, java: &str, theirs: &str, value: &str) -> Result<(), Failure> {
    let mut alone = ClientConfig::new();
    alone.set(theirs, value);
    match alone.create_native_config() {
        Ok(_) => {
            config.set(theirs, value);
            Ok(())
        }
        Err(KafkaError::ClientConfig(_, reason, ..)) => Err(values::invalid(java, value, &reason)),
        Err(error) => Err(values::invalid(java, value, &error.to_string())),
    }
}

/// Whether librdkafka itself knows a property by this name.
fn is_librdkafkas(name: &str, value: &str) -> bool {
    use rdkafka::types::RDKafkaConfRes;
    let mut alone = ClientConfig::new();
    alone.set(name, value);
    !matches!(
        alone.create_native_config(),
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..))
    )
}

/// A client that librdkafka refuses to make: the combination of properties is wrong, or a feature is not built in.
pub(crate) fn refused(error: &KafkaError) -> Failure {
    let text = match error {
        KafkaError::ClientConfig(_, reason, name, value) if !name.is_empty() => {
            format!("Invalid value {value} for configuration {name}: {reason}")
        }
        KafkaError::ClientConfig(_, reason, ..) | KafkaError::ClientCreation(reason) => reason.clone(),
        other => other.to_string(),
    };
    Failure::new("org.apache.kafka.common.config.ConfigException", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(role: Role, pairs: &[&str]) -> Result<ClientConfig, Failure> {
        let mut properties = ClientProperties::new(role);
        properties.extend_pairs(&pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<_>>())?;
        properties.config()
    }

    #[test]
    fn java_names_become_librdkafkas() {
        let cases = [
            (Role::Producer, "linger.ms=5", "linger.ms", "5"),
            (Role::Producer, "acks=all", "acks", "all"),
            (Role::Producer, "buffer.memory=33554432", "queue.buffering.max.kbytes", "32768"),
            (Role::Producer, "max.request.size=2000000", "message.max.bytes", "2000000"),
            (Role::Producer, "batch.size=0", "batch.num.messages", "1"),
            (Role::Producer, "compression.codec=2", "compression.codec", "snappy"),
            (Role::Producer, "send.buffer.bytes=-1", "socket.send.buffer.bytes", "0"),
            (Role::Producer, "metadata.broker.list=a:1,b:2", "bootstrap.servers", "a:1,b:2"),
            (Role::Producer, "security.protocol=PLAINTEXT", "security.protocol", "plaintext"),
            (Role::Consumer, "fetch.max.wait.ms=7", "fetch.wait.max.ms", "7"),
            (Role::Consumer, "auto.offset.reset=none", "auto.offset.reset", "error"),
            (Role::Consumer, "auto.offset.reset=smallest", "auto.offset.reset", "earliest"),
            (Role::Consumer, "auto.commit.enable=false", "enable.auto.commit", "false"),
            (
                Role::Consumer,
                "partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor",
                "partition.assignment.strategy",
                "roundrobin",
            ),
            (Role::Consumer, "queued.max.messages.kbytes=64", "queued.max.messages.kbytes", "64"),
        ];
        for (role, pair, name, value) in cases {
            assert_eq!(config(role, &[pair]).unwrap().get(name), Some(value), "{pair}");
        }
    }

    #[test]
    fn only_the_level_of_the_codec_in_use_counts() {
        let levels = ["compression.zstd.level=3", "compression.gzip.level=9", "compression.lz4.level=17"];
        let level = |codec: &str| {
            let pairs: Vec<String> = levels.iter().map(|pair| (*pair).to_owned()).collect();
            let mut properties = ClientProperties::new(Role::Producer);
            properties.extend_pairs(&pairs).unwrap();
            properties.set("compression.type", codec);
            properties.config().unwrap().get("compression.level").map(str::to_owned)
        };
        assert_eq!(level("gzip").as_deref(), Some("9"));
        assert_eq!(level("zstd").as_deref(), Some("3"));
        // librdkafka's highest.
        assert_eq!(level("lz4").as_deref(), Some("12"));
        assert_eq!((level("none"), level("snappy")), (None, None));
        for pair in ["compression.gzip.level=10", "compression.lz4.level=0", "compression.zstd.level=23"] {
            assert!(config(Role::Producer, &[pair]).is_err(), "{pair}");
        }
    }

    #[test]
    fn what_librdkafka_does_otherwise_is_told() {
        for class in ["UniformStickyPartitioner", "RoundRobinPartitioner"] {
            let class = format!("org.apache.kafka.clients.producer.{class}");
            let conversion = values::partitioner("partitioner.class", &class).unwrap();
            assert_eq!(conversion.sets, [("partitioner", "random".to_owned())]);
            assert!(conversion.differs.is_some());
        }
        let plain = values::partitioner("partitioner.class", "DefaultPartitioner").unwrap();
        assert_eq!((plain.sets[0].1.as_str(), plain.differs), ("murmur2_random", None));
        assert!(values::level("zstd", "compression.zstd.level", "22").unwrap().differs.is_some());
        assert!(values::level("zstd", "compression.zstd.level", "12").unwrap().differs.is_none());
    }

    #[test]
    fn a_wrong_value_is_named_as_it_was_written() {
        for pair in ["acks=some", "linger.ms=soon", "auto.offset.reset=sometimes", "batch.size=-1"] {
            let (name, value) = pair.split_once('=').unwrap();
            let role = if name == "auto.offset.reset" { Role::Consumer } else { Role::Producer };
            let error = config(role, &[pair]).unwrap_err();
            assert_eq!(error.class, "org.apache.kafka.common.config.ConfigException");
            assert!(
                error.message.starts_with(&format!("Invalid value {value} for configuration {name}: ")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_the_tool_itself_or_nobody_needs_is_left_out() {
        let pairs =
            ["key.serializer=a.B", "no.such.thing=1", "interceptor.classes=a.B", "max.poll.records=5"];
        for role in [Role::Producer, Role::Consumer] {
            let config = config(role, &pairs).unwrap();
            for pair in pairs {
                assert_eq!(config.get(pair.split_once('=').unwrap().0), None, "{pair}");
            }
        }
    }
}
