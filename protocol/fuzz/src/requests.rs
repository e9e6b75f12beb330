//! Frames as they come from the network: the header, and the body that it announces.

use vltava_protocol::{catalog::MESSAGES, frame::RequestFrame};

/// A frame without its size.
pub fn run(frame: &[u8]) {
    let Ok(request) = RequestFrame::parse(frame) else { return };
    let name = request.key.request_schema().name;
    let entry = MESSAGES.iter().find(|entry| entry.schema.name == name).expect("every API is in the catalog");
    let _ = (entry.recode)(request.body.rest(), request.version);
}
