//! The fuzz targets (see `fuzz/`) over a bounded, repeatable set of inputs: no input panics, takes memory out of proportion, or is never
//! done with.
//!
//! Seeds are well formed: each message at each version, record data of each magic and codec. Most inputs are seeds that were damaged a
//! little, because those get deeper than noise. `VLTAVA_SEED=n` makes other mutations, `VLTAVA_FUZZ_ROUNDS=n` more of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod counting;
mod mutation;
mod record_seeds;
mod sample;
#[allow(unreachable_pub, dead_code, reason = "a library of its own for libFuzzer")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use mutation::Mutator;
use proptest::test_runner::{RngAlgorithm, TestRng};
use sample::sample;
use vltava_protocol::{
    ApiKey,
    catalog::MESSAGES,
    messages::RequestHeader,
    wire::{Message, Writer},
};

/// How long all inputs of one target may take together: far more than they do on the slowest machine, far less than for ever.
const PATIENCE: Duration = Duration::from_secs(480);

/// What an input may take: so many bytes, and so many for each byte of it.
struct Memory {
    at_least: usize,
    per_byte: usize,
}

/// A struct may take many times its bytes on the wire, in a vector that has doubled; it is decoded four times and encoded twice.
const OF_MESSAGES: Memory = Memory { at_least: 16 << 10, per_byte: 200 };
/// An lz4 block is 4 MiB at most and 255 times its compressed bytes; windows and tables of the codecs come on top.
const OF_RECORDS: Memory = Memory { at_least: 2 << 20, per_byte: 600 };

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: a number")))
}

/// Runs a target over the seeds, and over `rounds` times as many mutations of them.
fn fuzz(target: fn(&[u8]), seeds: Vec<Vec<u8>>, memory: Memory, rounds: u64, repair: fn(&mut Vec<u8>)) {
    let rounds = number("VLTAVA_FUZZ_ROUNDS", rounds);
    let mut mutator = Mutator::new(number("VLTAVA_SEED", 1));
    let current = Arc::new(Mutex::new(Vec::new()));
    let (done, result) = mpsc::channel();
    let shown = current.clone();
    let worker = std::thread::spawn(move || {
        let run = |input: &[u8]| {
            input.clone_into(&mut shown.lock().unwrap());
            let peak = counting::peak_of(|| target(input));
            let allowed = memory.at_least + memory.per_byte * input.len();
            assert!(peak <= allowed, "{peak} bytes taken for an input of {}, {allowed} allowed", input.len());
        };
        seeds.iter().for_each(|seed| run(seed));
        for _ in 0..rounds {
            for at in 0..seeds.len() {
                let mut input = mutator.mutate(&seeds, at);
                if mutator.chance(50) {
                    repair(&mut input);
                }
                run(&input);
            }
        }
        let _ = done.send(());
    });
    let end = result.recv_timeout(PATIENCE);
    let input = || {
        let input = current.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        input.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    match end {
        Ok(()) => worker.join().unwrap(),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("the input was {}", input()),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("not done in {PATIENCE:?}; at the input {}", input()),
    }
}

fn random() -> TestRng {
    TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32])
}

#[test]
fn every_message_at_every_version() {
    let mut random = random();
    let mut seeds = Vec::new();
    for (message, entry) in MESSAGES.iter().enumerate() {
        for (place, version) in entry.schema.versions.iter().enumerate() {
            let mut seed = vec![u8::try_from(message).unwrap(), u8::try_from(place).unwrap()];
            seed.extend(sample(entry.schema, version, &mut random));
            seeds.push(seed);
        }
    }
    fuzz(targets::messages::run, seeds, OF_MESSAGES, 20, |_| {});
}

#[test]
fn the_frame_of_every_request_at_every_version() {
    let mut random = random();
    let mut seeds = Vec::new();
    for &key in ApiKey::ALL {
        for version in key.versions().iter() {
            let mut header = RequestHeader {
                request_api_key: key.into(),
                request_api_version: version,
                correlation_id: 7,
                ..RequestHeader::default()
            };
            if key.request_header_version(version) > 0 {
                header.client_id = Some("fuzz".into());
            }
            let mut writer = Writer::new();
            header.encode(&mut writer, key.request_header_version(version)).unwrap();
            writer.put(&sample(key.request_schema(), version, &mut random));
            seeds.push(writer.into_parts().0);
        }
    }
    fuzz(targets::requests::run, seeds, OF_MESSAGES, 40, |_| {});
}

#[test]
fn records_of_every_magic_and_codec() {
    fuzz(targets::records::run, record_seeds::all(), OF_RECORDS, 120, |input| record_seeds::repair(input));
}

#[test]
fn conversion_and_validation_of_every_magic_and_codec() {
    let seeds = record_seeds::all().into_iter().enumerate().map(|(number, records)| {
        // What is asked differs from seed to seed, and mutations change it too.
        let how = [(number * 37) as u8, (number % 7) as u8];
        [&how, &records[..]].concat()
    });
    let repair = |input: &mut Vec<u8>| {
        let mut records = input.split_off(input.len().min(2));
        record_seeds::repair(&mut records);
        input.append(&mut records);
    };
    fuzz(targets::conversion::run, seeds.collect(), OF_RECORDS, 120, repair);
}

#[test]
fn metadata_of_consumers_and_records_of_internal_topics() {
    let mut random = random();
    let carry_their_version = [
        "ConsumerProtocolSubscription",
        "ConsumerProtocolAssignment",
        "OffsetCommitKey",
        "OffsetCommitValue",
        "GroupMetadataKey",
        "GroupMetadataValue",
        "TransactionLogKey",
        "TransactionLogValue",
    ];
    let mut seeds = vec![vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 9], vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 9]];
    for name in carry_their_version {
        let entry = MESSAGES.iter().find(|entry| entry.schema.name == name).unwrap();
        for version in entry.schema.versions.iter() {
            seeds.push([&version.to_be_bytes()[..], &sample(entry.schema, version, &mut random)].concat());
        }
    }
    fuzz(targets::embedded::run, seeds, OF_MESSAGES, 400, |_| {});
}
