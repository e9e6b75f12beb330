//! One file per API, and the table of what is served.
//!
//! To serve an API: write `api/<name>.rs` and add its line to [`TABLE`]. ApiVersions advertises exactly this table.

use std::{ops::RangeInclusive, sync::Arc};

use crate::{
    Broker,
    net::{Answer, Frame, Order, RequestContext},
};

/// Starts the work of a request whose body is `body` (what follows the header). What must happen in the order of the connection's requests happens
/// before it returns; see [`Answer`].
pub type Begin = fn(&Arc<Broker>, RequestContext, Frame) -> Answer;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Api {
    /// The key on the wire.
    pub key: i16,
    /// The versions that are served whole, and advertised.
    pub versions: RangeInclusive<i16>,
    /// When the connection's next request begins.
    pub order: Order,
    /// The handler.
    pub begin: Begin,
}

/// All that this broker serves, by key.
pub const TABLE: &[Api] = &[];

/// The line of an API key.
pub fn find(key: i16) -> Option<&'static Api> {
    TABLE.iter().find(|api| api.key == key)
}
