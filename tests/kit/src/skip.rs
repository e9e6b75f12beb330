//! Tests that a machine cannot run: said in a way that the test run counts, and never passed over in silence.

use std::io::Write as _;

/// Says that the test `name` cannot run here. The caller returns.
///
/// Not by `println!`, which the test harness keeps to itself when a test passes.
pub fn skip(name: &str, reason: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "SKIPPED {name}: {reason}");
    let _ = out.flush();
}
