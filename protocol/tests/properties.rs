//! Laws of every message at every version: what is well formed survives, and what is not harms nothing.

mod counting;
mod sample;

use counting::peak_of;
use proptest::{prelude::*, test_runner::TestRng};
use sample::sample;
use vltava_protocol::{
    catalog::{Entry, MESSAGES},
    wire::Versions,
};

/// A struct may take this many times its bytes on the wire (a partition of 12 bytes is one of about 150 in memory, in a vector that
/// has doubled), and it is decoded twice, encoded, and compared.
const BYTES_IN_MEMORY_PER_BYTE: usize = 100;
const BYTES_IN_MEMORY_AT_LEAST: usize = 16 * 1024;

fn check_harmless(entry: &Entry, bytes: &[u8], version: i16) {
    let peak = peak_of(|| {
        let _ = (entry.recode)(bytes, version);
    });
    let allowed = BYTES_IN_MEMORY_AT_LEAST + BYTES_IN_MEMORY_PER_BYTE * bytes.len();
    assert!(peak <= allowed, "{} v{version} took {peak} bytes for {}", entry.schema.name, bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_harm_no_decoder(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for entry in MESSAGES {
            for version in entry.schema.versions.iter() {
                check_harmless(entry, &bytes, version);
            }
        }
    }

    /// Nearly valid input gets deeper than random bytes do.
    #[test]
    fn damaged_messages_harm_no_decoder(seed: [u8; 32], damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut random = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed);
        for entry in MESSAGES {
            for version in entry.schema.versions.iter() {
                let mut bytes = sample(entry.schema, version, &mut random);
                if bytes.is_empty() {
                    continue;
                }
                for (place, value) in &damage {
                    let place = place.index(bytes.len());
                    bytes[place] = *value;
                }
                check_harmless(entry, &bytes, version);
                let half = bytes.len() / 2;
                check_harmless(entry, &bytes[..half], version);
            }
        }
    }

    #[test]
    fn what_the_schema_says_is_read_and_written_again(seed: [u8; 32]) {
        let mut random = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed);
        for entry in MESSAGES {
            for version in entry.schema.versions.iter() {
                let bytes = sample(entry.schema, version, &mut random);
                let place = format!("{} v{version} {bytes:02x?}", entry.schema.name);
                let recoded = (entry.recode)(&bytes, version).unwrap_or_else(|error| panic!("{error}: {place}"));
                prop_assert_eq!(recoded.read, bytes.len(), "{}", &place);
                prop_assert_eq!(&recoded.written, &bytes, "{}", &place);
                prop_assert_eq!(recoded.size, bytes.len(), "{}", &place);
                prop_assert!(recoded.same, "{}", &place);
            }
        }
    }
}

#[test]
fn every_proper_prefix_of_a_message_is_refused() {
    let mut random = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[7; 32]);
    for entry in MESSAGES {
        for version in entry.schema.versions.iter() {
            let bytes = sample(entry.schema, version, &mut random);
            for end in 0..bytes.len() {
                let cut = (entry.recode)(&bytes[..end], version);
                assert!(
                    cut.is_err(),
                    "{} v{version} is whole after {end} of {bytes:02x?}",
                    entry.schema.name
                );
            }
        }
    }
}

#[test]
fn a_version_that_does_not_exist_is_refused() {
    for entry in MESSAGES {
        let Versions { first, last } = entry.schema.versions;
        for version in [first - 1, last + 1, i16::MIN, i16::MAX] {
            assert!((entry.recode)(&[0; 64], version).is_err(), "{} v{version}", entry.schema.name);
        }
    }
}

#[test]
fn a_count_that_cannot_be_is_refused_before_memory_is_taken() {
    for entry in MESSAGES {
        for version in entry.schema.versions.iter() {
            // Every count in it is two thousand million, or as much in 7-bit groups.
            check_harmless(entry, &[0x7f; 512], version);
            check_harmless(entry, &[0xff, 0xff, 0xff, 0xff, 0x07].repeat(100), version);
        }
    }
}
