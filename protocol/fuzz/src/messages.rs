//! Any message at any version: what is read is written again, and then comes back as it was.

use vltava_protocol::catalog::MESSAGES;

/// Two bytes choose the message and its version; the rest are its bytes.
pub fn run(input: &[u8]) {
    let &[message, version, ref bytes @ ..] = input else { return };
    let entry = &MESSAGES[usize::from(message) % MESSAGES.len()];
    let versions: Vec<i16> = entry.schema.versions.iter().collect();
    let version = versions[usize::from(version) % versions.len()];
    let Ok(recoded) = (entry.recode)(bytes, version) else { return };
    let place = (entry.schema.name, version);
    assert!(recoded.read <= bytes.len(), "{place:?} read beyond its bytes");
    assert_eq!(recoded.size, recoded.written.len(), "{place:?} has another size than it said");
    let again = (entry.recode)(&recoded.written, version).expect("what was written can be read");
    assert_eq!(again.read, recoded.written.len(), "{place:?} was not read to its end");
    assert_eq!(again.written, recoded.written, "{place:?} is written differently the second time");
}
