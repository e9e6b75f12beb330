//! The text of a properties file: keys, and values that say what they may be.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::{ConfigError, FourLetterWords};

/// Keys and values of a properties file: `#` and `!` begin comments, `=`, `:` or space end a key, `\` continues a line and escapes.
/// A key that stands twice has its last value.
pub(super) fn properties(text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut whole = line.to_owned();
        while (whole.len() - whole.trim_end_matches('\\').len()) & 1 == 1 {
            whole.pop();
            match lines.next() {
                Some(next) => whole.push_str(next.trim_start()),
                None => break,
            }
        }
        let (key, value) = whole.split_once(['=', ':']).unwrap_or((&whole, ""));
        pairs.insert(
            key.trim().to_owned(),
            value.trim().replace("\\\\", "\u{0}").replace('\\', "").replace('\u{0}', "\\"),
        );
    }
    pairs
}

/// A value, and the key that it is to be told with.
pub(super) struct Value<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl Value<'_> {
    pub(super) fn wrong<T>(&self, allowed: &'static str) -> Result<T, ConfigError> {
        Err(ConfigError::Value { key: self.key.to_owned(), value: self.value.to_owned(), allowed })
    }

    pub(super) fn number<T: TryFrom<i64>>(
        &self,
        min: i64,
        max: i64,
        allowed: &'static str,
    ) -> Result<T, ConfigError> {
        let number = self.value.parse().ok().filter(|number| (min..=max).contains(number));
        number.and_then(|number| T::try_from(number).ok()).map_or_else(|| self.wrong(allowed), Ok)
    }

    /// -1 stands for the default.
    pub(super) fn timeout(&self) -> Result<Option<i32>, ConfigError> {
        let millis: i32 = self.number(-1, i64::from(i32::MAX), "milliseconds, or -1 for the default")?;
        Ok((millis > 0).then_some(millis))
    }

    pub(super) fn switch(&self) -> Result<bool, ConfigError> {
        match self.value.to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            _ => self.wrong("yes or no"),
        }
    }

    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        if self.value.is_empty() { self.wrong("a directory") } else { Ok(self.value.into()) }
    }

    pub(super) fn address(&self) -> Result<IpAddr, ConfigError> {
        match self.value {
            "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            text => {
                text.trim_matches(['[', ']']).parse().or_else(|_| self.wrong("an IP address of this machine"))
            }
        }
    }

    pub(super) fn words(&self) -> Result<FourLetterWords, ConfigError> {
        let words: Vec<String> = self
            .value
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        if words.iter().any(|word| word == "*") {
            return Ok(FourLetterWords::All);
        }
        if words.iter().any(|word| word.len() != 4) {
            self.wrong("words of four letters with commas between them, or *")
        } else {
            Ok(FourLetterWords::Only(words))
        }
    }
}
