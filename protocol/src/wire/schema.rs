//! What a derived message says about itself, so that tests and tools can compare it with the official definitions.

use std::fmt;

/// A range of versions, both ends included; empty if `first > last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The lowest version.
    pub first: i16,
    /// The highest version; `i16::MAX` for "and all later ones".
    pub last: i16,
}

impl Versions {
    /// Every version there is or will be.
    pub const ALL: Self = Self { first: 0, last: i16::MAX };
    /// No version.
    pub const NONE: Self = Self { first: 0, last: -1 };

    /// From `first` to `last`.
    #[must_use]
    pub const fn new(first: i16, last: i16) -> Self {
        Self { first, last }
    }

    /// Whether the version lies in the range.
    #[must_use]
    #[inline]
    pub const fn contains(self, version: i16) -> bool {
        self.first <= version && version <= self.last
    }

    /// Whether no version lies in the range.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// The versions in both ranges.
    #[must_use]
    pub const fn intersect(self, other: Self) -> Self {
        let first = if self.first > other.first { self.first } else { other.first };
        let last = if self.last < other.last { self.last } else { other.last };
        Self { first, last }
    }

    /// The versions from first to last, in order. An open range ends at `i16::MAX`.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = i16> {
        self.first..=self.last
    }
}

/// `0-13`, `9+`, `3` or `none`, as in the official definitions.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first > last => f.write_str("none"),
            (first, i16::MAX) => write!(f, "{first}+"),
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// The shape of a message or of a struct inside one.
#[derive(Debug)]
pub struct Schema {
    /// The official name.
    pub name: &'static str,
    /// The versions that exist; [`Versions::ALL`] for a struct that leaves this to the message around it.
    pub versions: Versions,
    /// The versions with compact lengths and tagged fields (KIP-482).
    pub flexible: Versions,
    /// The fields in the order of the wire.
    pub fields: &'static [FieldSchema],
}

/// The shape of one field.
#[derive(Debug)]
pub struct FieldSchema {
    /// The official name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Type,
    /// The versions that carry it.
    pub versions: Versions,
    /// The versions in which it may be null, among those that carry it.
    pub nullable: Versions,
    /// Its tag, if it is a tagged field in some version.
    pub tag: Option<u32>,
    /// The versions in which it lies among the tagged fields.
    pub tagged: Versions,
    /// Its own flexible versions, where they differ from the struct's.
    pub flexible: Option<Versions>,
    /// The default as written in the attribute; empty for the type's own: zero, false, empty, but null for records.
    pub default: &'static str,
    /// Whether a version that does not carry it drops it silently.
    pub ignorable: bool,
}

/// The type of a field, with the official names of the primitives.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// A type of the protocol itself: `bool`, `int8` … `float64`, `string`, `bytes`, `records`, `uuid`.
    Primitive(&'static str),
    /// A sequence of one type.
    Array(&'static Type),
    /// A struct.
    Struct(&'static Schema),
}

/// The official spelling: `int32`, `[]string`, `TopicProduceData`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(name) => f.write_str(name),
            Self::Array(element) => write!(f, "[]{element}"),
            Self::Struct(schema) => f.write_str(schema.name),
        }
    }
}

/// A Rust type that stands for a type of the protocol.
pub trait Typed {
    /// That type.
    const TYPE: Type;
}

/// A derived message or sub-struct.
pub trait Described {
    /// Its shape.
    const SCHEMA: &'static Schema;
}
