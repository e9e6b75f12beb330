//! Typed keys: the only way to read a value.

use std::marker::PhantomData;

use crate::definition::{Definition, Kind, Literal};
use crate::value::{Password, Value};

/// A key whose value is read as a `T`, such as `Key<i32>` or `Key<Option<String>>`.
#[derive(Debug)]
pub struct Key<T: 'static> {
    definition: &'static Definition,
    reads: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    /// What is known about the key.
    #[must_use]
    pub const fn definition(self) -> &'static Definition {
        self.definition
    }

    /// The key's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.definition.name
    }
}

impl<T: Setting> Key<T> {
    /// Runs in the compiler: a definition whose type or missing default does not fit `T` does not compile.
    pub(crate) const fn new(definition: &'static Definition) -> Self {
        assert!(kinds_match(definition.kind, T::KIND), "the definition's type is not the key's");
        assert!(
            T::NULLABLE == matches!(definition.default, Literal::Null),
            "a key without default reads as an Option"
        );
        Key { definition, reads: PhantomData }
    }
}

const fn kinds_match(defined: Kind, read: Kind) -> bool {
    // Names of classes are read as strings.
    let defined = if matches!(defined, Kind::Class) { Kind::String } else { defined };
    defined as u8 == read as u8
}

/// A type that a value is read as.
pub trait Setting: 'static {
    /// What reading gives: numbers by value, text borrowed.
    type Read<'a>;
    /// The type that a key's definition must have.
    const KIND: Kind;
    /// Whether the key may be without value.
    const NULLABLE: bool = false;

    /// Reads the value. The table guarantees that the type fits; if it does not, the result is the type's zero.
    fn read(value: &Value) -> Self::Read<'_>;
}

macro_rules! plain_settings {
    ($($type:ty: $kind:ident $variant:ident;)*) => {$(
        impl Setting for $type {
            type Read<'a> = $type;
            const KIND: Kind = Kind::$kind;

            fn read(value: &Value) -> $type {
                match value {
                    Value::$variant(value) => *value,
                    _ => <$type>::default(),
                }
            }
        }
    )*};
}

plain_settings! {
    bool: Boolean Boolean;
    i16: Short Short;
    i32: Int Int;
    i64: Long Long;
    f64: Double Double;
}

impl Setting for String {
    type Read<'a> = &'a str;
    const KIND: Kind = Kind::String;

    fn read(value: &Value) -> &str {
        match value {
            Value::Text(text) => text,
            _ => "",
        }
    }
}

impl Setting for Vec<String> {
    type Read<'a> = &'a [String];
    const KIND: Kind = Kind::List;

    fn read(value: &Value) -> &[String] {
        match value {
            Value::List(items) => items,
            _ => &[],
        }
    }
}

impl Setting for Password {
    type Read<'a> = &'a str;
    const KIND: Kind = Kind::Password;

    fn read(value: &Value) -> &str {
        match value {
            Value::Password(password) => password.reveal(),
            _ => "",
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    type Read<'a> = Option<T::Read<'a>>;
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;

    fn read(value: &Value) -> Option<T::Read<'_>> {
        (*value != Value::Null).then(|| T::read(value))
    }
}
