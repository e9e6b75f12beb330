//! `cargo fuzz run messages`: see `targets::messages`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::messages::run(bytes));
