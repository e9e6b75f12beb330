//! `cargo fuzz run records`: see `targets::records`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::records::run(bytes));
