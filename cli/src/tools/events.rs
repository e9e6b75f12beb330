//! What happens, a line of JSON each, as Kafka's verifiable clients tell it to the tests that run them.

use jiff::Timestamp;
use serde::Serialize;

use super::output;

#[derive(Serialize)]
struct Event<'a, T> {
    timestamp: i64,
    name: &'a str,
    #[serde(flatten)]
    of: T,
}

/// An event with nothing but its name.
#[derive(Serialize)]
pub(crate) struct Bare {}

/// Writes an event; the fields of `of` follow its time and name.
pub(crate) fn tell(name: &str, of: impl Serialize) {
    let event = Event { timestamp: Timestamp::now().as_millisecond(), name, of };
    match serde_json::to_string(&event) {
        Ok(line) => output::line(line),
        Err(error) => output::line(format_args!("Bad data can't be written as json: {error}")),
    }
}
