//! `cargo fuzz run requests`: see `targets::requests`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::requests::run(bytes));
