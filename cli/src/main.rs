//! The `vltava` program.

fn main() {}
