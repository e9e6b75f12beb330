//! `cargo fuzz run embedded`: see `targets::embedded`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::embedded::run(bytes));
