//! From sockets to requests, and from responses to sockets.

mod request;
mod response;

pub use request::{Principal, RequestContext};
pub use response::{Answer, Piece, Response};
