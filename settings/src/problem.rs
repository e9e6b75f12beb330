//! What can be wrong with a configuration. All problems are found and told at once.

use std::fmt;

use crate::definition::Definition;
use crate::value::InvalidValue;

/// One thing that stops the start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A value does not fit its key.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// A value asks for something that Vltava does not have and must not ignore.
    #[error("{key}={value} is refused: {why}. Remove the key to run without it")]
    Refused {
        /// The key, with its listener's prefix if it has one.
        key: String,
        /// The value, or `[hidden]`.
        value: String,
        /// What is missing.
        why: String,
    },
    /// A key without default was not given.
    #[error("Missing required configuration `{key}` which has no default value.")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// Values that do not go together, or a value with a syntax of its own.
    #[error("{what}")]
    Rule {
        /// The key that the message is about.
        key: &'static str,
        /// What is wrong and what is allowed.
        what: String,
    },
}

impl Problem {
    /// The key that must be changed.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Problem::Value(InvalidValue::Invalid { name, .. } | InvalidValue::Unknown { name, .. }) => name,
            Problem::Refused { key, .. } => key,
            Problem::Missing { key } | Problem::Rule { key, .. } => key,
        }
    }

    pub(crate) fn refused(key: &str, definition: &Definition, value: &str, why: &str) -> Problem {
        let value = if definition.is_sensitive() { "[hidden]" } else { value };
        Problem::Refused { key: key.to_owned(), value: value.to_owned(), why: why.to_owned() }
    }
}

/// Everything that stops the start, at once; one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Something that the owner should know, and that does not stop the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The table does not have this key.
    Unknown {
        /// The key.
        key: String,
        /// The known key that is nearest, if one is near.
        nearest: Option<&'static str>,
    },
    /// The key is known and has no effect.
    NoEffect {
        /// The key.
        key: &'static str,
        /// Why.
        why: &'static str,
    },
    /// The key still works; another should be used.
    Deprecated {
        /// The key.
        key: &'static str,
        /// What to use.
        instead: &'static str,
    },
    /// The key is outweighed by another one that is given too.
    Outweighed {
        /// The key.
        key: &'static str,
        /// The key that wins.
        by: &'static str,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Unknown { key, nearest: None } => {
                write!(f, "unknown configuration key {key} is ignored")
            }
            Warning::Unknown { key, nearest: Some(nearest) } => {
                write!(f, "unknown configuration key {key} is ignored; did you mean {nearest}?")
            }
            Warning::NoEffect { key, why } => write!(f, "{key} has no effect: {why}"),
            Warning::Deprecated { key, instead } => write!(f, "{key} is deprecated: use {instead}"),
            Warning::Outweighed { key, by } => write!(f, "{key} has no effect, since {by} is given"),
        }
    }
}
