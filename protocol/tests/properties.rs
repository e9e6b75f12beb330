//! Laws of every message at every version: what is well formed survives, and what is not harms nothing.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use proptest::{prelude::*, test_runner::TestRng};
use vltava_protocol::{
    catalog::{Entry, MESSAGES},
    wire::{FieldSchema, Schema, Type, Versions, Writer},
};

/// Counts what this thread has allocated and not freed, and the highest that this was.
struct Counting;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends frees after its counters are gone; that does not matter here.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most memory in use during `action` beyond what was in use before.
fn peak_of(action: impl FnOnce()) -> usize {
    let before = NOW.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    action();
    (PEAK.with(Cell::get) - before).max(0) as usize
}

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

/// A message made from its schema alone, by none of the code under test but the writer of single bytes.
fn sample(schema: &Schema, version: i16, random: &mut TestRng) -> Vec<u8> {
    let mut sampler = Sampler { version, random, unusual: false, out: Writer::new() };
    sampler.structure(schema);
    sampler.out.into_parts().0
}

struct Sampler<'r> {
    version: i16,
    random: &'r mut TestRng,
    /// Whether values must differ from every default there is: a tagged field with its default is not written.
    unusual: bool,
    out: Writer,
}

impl Sampler<'_> {
    fn below(&mut self, bound: u32) -> u32 {
        self.random.next_u32() % bound
    }

    fn structure(&mut self, schema: &Schema) {
        let version = self.version;
        let flexible = schema.flexible.contains(version);
        let (mut inline, mut tagged) = (Vec::new(), Vec::new());
        for field in schema.fields.iter().filter(|field| field.versions.contains(version)) {
            if field.tagged.contains(version) { &mut tagged } else { &mut inline }.push(field);
        }
        for field in inline {
            self.field(field, flexible);
        }
        if !flexible {
            return;
        }
        let mut section = Vec::new();
        for field in tagged {
            if self.below(2) == 0 {
                let value = self.apart(|sampler| sampler.field(field, flexible));
                section.push((field.tag.unwrap(), value));
            }
        }
        if self.below(4) == 0 {
            section.push((1000 + self.below(1000), vec![1, 2, 3]));
        }
        section.sort();
        self.out.unsigned_varint(section.len() as u32);
        for (tag, value) in section {
            self.out.unsigned_varint(tag);
            self.out.unsigned_varint(value.len() as u32);
            self.out.put(&value);
        }
    }

    /// What `write` writes, in values that no default has.
    fn apart(&mut self, write: impl FnOnce(&mut Self)) -> Vec<u8> {
        let (out, unusual) = (std::mem::take(&mut self.out), std::mem::replace(&mut self.unusual, true));
        write(self);
        self.unusual = unusual;
        std::mem::replace(&mut self.out, out).into_parts().0
    }

    fn field(&mut self, field: &FieldSchema, flexible: bool) {
        let flexible = field.flexible.map_or(flexible, |versions| versions.contains(self.version));
        let nullable = field.nullable.contains(self.version);
        let null = nullable && !self.unusual && self.below(3) == 0;
        match field.kind {
            Type::Struct(_) if null => self.out.put(&[0xff]),
            Type::Struct(schema) => {
                if nullable {
                    self.out.put(&[1]);
                }
                self.structure(schema);
            }
            Type::Primitive("string") => self.text(null, flexible),
            Type::Primitive("bytes" | "records") => self.bytes(null, flexible),
            Type::Array(_) if null => self.length(None, flexible),
            kind => self.value(kind, flexible),
        }
    }

    fn value(&mut self, kind: Type, flexible: bool) {
        match kind {
            Type::Struct(schema) => self.structure(schema),
            Type::Array(element) => {
                let count = if self.unusual { 1 } else { self.below(3) };
                self.length(Some(count as usize), flexible);
                for _ in 0..count {
                    self.value(*element, flexible);
                }
            }
            Type::Primitive("string") => self.text(false, flexible),
            Type::Primitive("bytes" | "records") => self.bytes(false, flexible),
            Type::Primitive("bool") => {
                let set = self.unusual || self.below(2) == 0;
                self.out.put(&[u8::from(set)]);
            }
            // Never NaN, which differs from itself.
            Type::Primitive("float64") => {
                let number = f64::from(self.below(1_000_000)) / 7.0;
                self.out.put(&number.to_be_bytes());
            }
            Type::Primitive(name) => {
                let width = match name {
                    "int8" => 1,
                    "int16" | "uint16" => 2,
                    "int32" | "uint32" => 4,
                    "int64" => 8,
                    "uuid" => 16,
                    _ => panic!("no sample of a {name}"),
                };
                let mut number = [0; 16];
                if self.unusual {
                    number[width - 1] = 1 + self.below(100) as u8;
                } else {
                    self.random.fill_bytes(&mut number);
                }
                self.out.put(&number[..width]);
            }
        }
    }

    fn text(&mut self, null: bool, flexible: bool) {
        let text = ["orders", "", "Čeština", "x"][if self.unusual { 0 } else { self.below(4) as usize }];
        let length = (!null).then_some(text.len());
        if flexible {
            self.length(length, true);
        } else {
            self.out.put(&length.map_or(-1, |length| length as i16).to_be_bytes());
        }
        if !null {
            self.out.put(text.as_bytes());
        }
    }

    fn bytes(&mut self, null: bool, flexible: bool) {
        let count = 1 + self.below(20) as usize;
        let mut bytes = vec![0; count];
        self.random.fill_bytes(&mut bytes);
        self.length((!null).then_some(count), flexible);
        if !null {
            self.out.put(&bytes);
        }
    }

    fn length(&mut self, length: Option<usize>, flexible: bool) {
        if flexible {
            self.out.unsigned_varint(length.map_or(0, |length| length as u32 + 1));
        } else {
            self.out.put(&length.map_or(-1, |length| length as i32).to_be_bytes());
        }
    }
}
