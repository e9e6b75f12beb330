//! `cargo fuzz run conversion`: see `targets::conversion`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::conversion::run(bytes));
