//! Values: parsed from text by the rules, and refused in the words, of Kafka's `ConfigDef`.

use std::fmt;

use crate::definition::{Allowed, Definition, Kind, Literal};
use crate::version::ProtocolVersion;

/// A value of some key.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A boolean.
    Boolean(bool),
    /// 16 bits.
    Short(i16),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// A floating-point number.
    Double(f64),
    /// A string or the name of a class.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// Text that is never shown.
    Password(Password),
}

/// Text that prints as `[hidden]`, as Kafka's `Password` does.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Value {
    pub(crate) fn from_literal(literal: Literal) -> Value {
        match literal {
            Literal::Null => Value::Null,
            Literal::Boolean(value) => Value::Boolean(value),
            Literal::Short(value) => Value::Short(value),
            Literal::Int(value) => Value::Int(value),
            Literal::Long(value) => Value::Long(value),
            Literal::Double(value) => Value::Double(value),
            Literal::Text(value) => Value::Text(value.to_owned()),
            Literal::List(items) => Value::List(items.iter().map(|&item| item.to_owned()).collect()),
        }
    }

    /// The value as DescribeConfigs shows it: `None` for no value and for a password.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        match self {
            Value::Null | Value::Password(_) => None,
            Value::Boolean(value) => Some(value.to_string()),
            Value::Short(value) => Some(value.to_string()),
            Value::Int(value) => Some(value.to_string()),
            Value::Long(value) => Some(value.to_string()),
            Value::Double(value) => Some(java_double(*value)),
            Value::Text(value) => Some(value.clone()),
            Value::List(items) => Some(items.join(",")),
        }
    }
}

/// A value that does not fit its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Text that is not of the key's type, or a value out of range; worded as Kafka's `ConfigException`.
    #[error("Invalid value {value} for configuration {name}: {why}")]
    Invalid {
        /// The key.
        name: String,
        /// The value as given; `[hidden]` for a password.
        value: String,
        /// What is wrong with it, and what is allowed.
        why: String,
    },
    /// A key that the table does not have.
    #[error("Unknown {what} config name: {name}")]
    Unknown {
        /// `topic` or `broker`.
        what: &'static str,
        /// The key.
        name: String,
    },
}

impl InvalidValue {
    /// A value that is of its key's type and cannot be used.
    pub(crate) fn of(definition: &Definition, value: &Value, why: String) -> InvalidValue {
        definition.invalid(&value.shown().unwrap_or_default(), why)
    }
}

impl Definition {
    /// Reads a value from text, as Kafka's `ConfigDef.parseType` and the key's validator do: surrounding white space is
    /// dropped, numbers are decimal, lists are split at commas.
    ///
    /// # Errors
    ///
    /// The text is not of the key's type or not among what is allowed.
    pub fn parse(&self, text: &str) -> Result<Value, InvalidValue> {
        let value = self.parse_kind(text)?;
        self.check(&value)?;
        Ok(value)
    }

    fn invalid(&self, value: &str, why: impl Into<String>) -> InvalidValue {
        let value = if self.is_sensitive() { "[hidden]" } else { value };
        InvalidValue::Invalid { name: self.name.to_owned(), value: value.to_owned(), why: why.into() }
    }

    fn parse_kind(&self, given: &str) -> Result<Value, InvalidValue> {
        let text = given.trim_matches(|c| c <= ' ');
        let not_a_number =
            || self.invalid(given, format!("Not a number of type {}", self.kind.to_string().to_uppercase()));
        Ok(match self.kind {
            Kind::Boolean if text.eq_ignore_ascii_case("true") => Value::Boolean(true),
            Kind::Boolean if text.eq_ignore_ascii_case("false") => Value::Boolean(false),
            Kind::Boolean => return Err(self.invalid(given, "Expected value to be either true or false")),
            Kind::Short => Value::Short(text.parse().map_err(|_| not_a_number())?),
            Kind::Int => Value::Int(text.parse().map_err(|_| not_a_number())?),
            Kind::Long => Value::Long(text.parse().map_err(|_| not_a_number())?),
            Kind::Double => Value::Double(parse_double(text).ok_or_else(not_a_number)?),
            Kind::String | Kind::Class => Value::Text(text.to_owned()),
            Kind::List if text.is_empty() => Value::List(Vec::new()),
            Kind::List => Value::List(split_list(text)),
            Kind::Password => Value::Password(Password(text.to_owned())),
        })
    }

    fn check(&self, value: &Value) -> Result<(), InvalidValue> {
        let fail = |why: String| Err(self.invalid(&value.shown().unwrap_or_default(), why));
        match (self.allowed, value) {
            (_, Value::Null) => Ok(()),
            (Allowed::Range { min, max }, value) => match whole(value) {
                Some(number) if number < min => fail(format!("Value must be at least {min}")),
                Some(number) if max.is_some_and(|max| number > max) => {
                    fail(format!("Value must be no more than {}", max.unwrap_or(i64::MAX)))
                }
                _ => Ok(()),
            },
            (Allowed::RealRange { min, max }, Value::Double(number)) => {
                if *number < min {
                    return fail(format!("Value must be at least {}", shortest(min)));
                }
                match max {
                    Some(max) if *number > max => {
                        fail(format!("Value must be no more than {}", shortest(max)))
                    }
                    _ => Ok(()),
                }
            }
            (Allowed::OneOf(words), Value::Text(text)) => self.check_word(text, words),
            (Allowed::OneOf(words), Value::List(items)) => {
                items.iter().try_for_each(|item| self.check_word(item, words))
            }
            (Allowed::OneOfIgnoringCase(words), Value::Text(text))
                if !words.iter().any(|word| word.eq_ignore_ascii_case(text)) =>
            {
                fail(format!("String must be one of (case insensitive): {}", words.join(", ")))
            }
            (Allowed::NonEmpty, Value::Text(text)) if text.is_empty() => {
                fail("String must be non-empty".to_owned())
            }
            (Allowed::GzipLevel, Value::Int(level)) if *level != -1 && !(1..=9).contains(level) => {
                fail("Value must be between 1 and 9 or equal to -1".to_owned())
            }
            (Allowed::ThreadPool, Value::Int(threads)) if *threads != -1 && *threads < 1 => fail(
                "Value must be at least 1, or -1 for the value of remote.log.manager.thread.pool.size"
                    .to_owned(),
            ),
            (Allowed::ProtocolVersion, Value::Text(text)) => match ProtocolVersion::parse(text) {
                Ok(_) => Ok(()),
                Err(error) => fail(error.to_string()),
            },
            (Allowed::ThrottledReplicas, Value::List(items)) => check_throttled(items)
                // Kafka shows a whole list as Java does.
                .map_err(|why| {
                    self.invalid(&format!("[{}]", items.join(", ")), format!("{} {why}", self.name))
                }),
            _ => Ok(()),
        }
    }

    fn check_word(&self, text: &str, words: &[&str]) -> Result<(), InvalidValue> {
        if words.contains(&text) {
            return Ok(());
        }
        Err(self.invalid(text, format!("String must be one of: {}", words.join(", "))))
    }

    /// What may be given, in a few words: for reference pages and messages.
    #[must_use]
    pub fn allowed_values(&self) -> String {
        match self.allowed {
            Allowed::Any if self.kind == Kind::Boolean => "true or false".to_owned(),
            Allowed::Any => "any".to_owned(),
            Allowed::Range { min, max: None } => format!("at least {min}"),
            Allowed::Range { min, max: Some(max) } => format!("{min} to {max}"),
            Allowed::RealRange { min, max: None } => format!("at least {min}"),
            Allowed::RealRange { min, max: Some(max) } => format!("{min} to {max}"),
            Allowed::OneOf(words) | Allowed::OneOfIgnoringCase(words) => words.join(", "),
            Allowed::NonEmpty => "not empty".to_owned(),
            Allowed::GzipLevel => "1 to 9, or -1".to_owned(),
            Allowed::ThreadPool => "at least 1, or -1".to_owned(),
            Allowed::ProtocolVersion => "a version from 0.8.0 to 3.9".to_owned(),
            Allowed::ThrottledReplicas => "* or partition:broker,...".to_owned(),
        }
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Short(number) => Some(i64::from(*number)),
        Value::Int(number) => Some(i64::from(*number)),
        Value::Long(number) => Some(*number),
        _ => None,
    }
}

/// Splits at commas with the white space around them; items themselves may be empty, as in Java's `split(",", -1)`.
fn split_list(text: &str) -> Vec<String> {
    text.split(',')
        .map(|item| item.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}').to_owned())
        .collect()
}

/// Java's `Double.parseDouble` for decimal numbers: a trailing `d` or `f` is allowed; hexadecimal floats are not read.
fn parse_double(text: &str) -> Option<f64> {
    let unsigned = text.trim_start_matches(['+', '-']);
    match unsigned {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') => return None,
        _ => {}
    }
    text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().ok()
}

fn check_throttled(items: &[String]) -> Result<(), String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pair = |item: &String| item.split_once(':').is_some_and(|(p, b)| is_number(p) && is_number(b));
    if items.is_empty() || items.iter().all(pair) || (items.len() == 1 && items[0].trim() == "*") {
        return Ok(());
    }
    Err("must be the literal '*' or a list of replicas in the following format: \
         [partitionId]:[brokerId],[partitionId]:[brokerId],..."
        .to_owned())
}

/// A number as Java's `Double.toString` prints it: `0.5`, `1.0E10`.
fn java_double(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&size) {
        let text = format!("{value}");
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".to_owned()
        } else {
            format!("{}Infinity", if value < 0.0 { "-" } else { "" })
        };
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

fn shortest(value: f64) -> String {
    format!("{value}")
}
