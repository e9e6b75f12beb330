//! Frames as they come from the network: the header, and the body that it announces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vltava_protocol::{catalog::MESSAGES, frame::RequestFrame};

fuzz_target!(|bytes: &[u8]| {
    let Ok(frame) = RequestFrame::parse(bytes) else { return };
    let name = frame.key.request_schema().name;
    let entry = MESSAGES.iter().find(|entry| entry.schema.name == name).expect("every API is in the catalog");
    let _ = (entry.recode)(frame.body.rest(), frame.version);
});
