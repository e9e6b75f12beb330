//! Any message at any version: what is read is written again, and then comes back as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vltava_protocol::catalog::MESSAGES;

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (message, version, bytes) = input;
    let entry = &MESSAGES[usize::from(message) % MESSAGES.len()];
    let versions: Vec<i16> = entry.schema.versions.iter().collect();
    let version = versions[usize::from(version) % versions.len()];
    if let Ok(recoded) = (entry.recode)(bytes, version) {
        assert_eq!(recoded.size, recoded.written.len());
        let again = (entry.recode)(&recoded.written, version).expect("what we wrote is readable");
        assert_eq!(again.written, recoded.written);
    }
});
