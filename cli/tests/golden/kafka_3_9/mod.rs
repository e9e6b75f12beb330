//! Sessions with Kafka 3.9's tools, one for each part of a cluster that they are about.

pub(crate) mod configs;
pub(crate) mod dumps;
pub(crate) mod groups;
pub(crate) mod mistakes;
pub(crate) mod offsets;
pub(crate) mod topics;
