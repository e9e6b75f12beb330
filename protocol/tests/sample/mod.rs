//! Bytes of messages, made from the messages' schemas.

use proptest::{prelude::Rng as _, test_runner::TestRng};
use vltava_protocol::wire::{FieldSchema, Schema, Type, Writer};

/// A message made from its schema alone, by none of the code under test but the writer of single bytes.
pub(crate) fn sample(schema: &Schema, version: i16, random: &mut TestRng) -> Vec<u8> {
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
