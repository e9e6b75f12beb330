//! A thin admin client over the protocol, shared by the operator and the tools.
//!
//! [`Client`] knows addresses, opens connections as they are needed, agrees on versions with each broker and finds the controller,
//! leaders and coordinators. [`admin`] puts the administrative APIs into functions of plain values. Producing and consuming are
//! librdkafka's trade, not this crate's.

pub mod admin;
mod client;
mod connection;
mod error;

pub use client::{Client, Node, Options};
pub use connection::Connection;
pub use error::{ApiError, ClientError};
