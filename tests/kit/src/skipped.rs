//! Tests that cannot run on a machine.

use std::io::{self, Write as _};

/// Says that the running test is skipped, in the words that `tests/run` counts: past the test harness, which keeps to itself what a test
/// that passes has printed. The test returns after it.
pub fn because(test: &str, reason: &str) {
    let _ = writeln!(io::stdout().lock(), "SKIPPED {test}: {reason}");
}
