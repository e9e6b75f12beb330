//! Configurations from texts, for the tests of several programs.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses what it needs of it, and can do nothing better"
)]

use std::collections::BTreeMap;

use vltava_settings::{BrokerConfig, Properties};

pub(crate) fn read(text: &str) -> Result<BrokerConfig, Vec<String>> {
    let properties = Properties::parse(text, "server.properties").unwrap();
    BrokerConfig::from_properties(&properties, &Properties::default())
        .map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
}

pub(crate) fn with_zookeeper(text: &str) -> Result<BrokerConfig, Vec<String>> {
    read(&format!("zookeeper.connect=localhost:2181\n{text}"))
}

pub(crate) fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}
