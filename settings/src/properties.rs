//! Java's `.properties` syntax, exactly as `java.util.Properties.load` reads it from UTF-8 text.
//!
//! A natural line ends at `\n`, `\r` or `\r\n`. Blank lines and lines that begin with `#` or `!` are comments. An odd number of
//! backslashes at the end of a line joins the next one to it, without its leading white space. The key ends at the first
//! unescaped `=`, `:` or white space. `\t`, `\n`, `\r`, `\f` and `\uXXXX` are escapes; any other escaped character is itself.
//! The last of a duplicate wins.

use std::path::{Path, PathBuf};

/// The largest properties file that is read, in bytes: far above any real one.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// The most entries that one file may have.
pub const MAX_ENTRIES: usize = 10_000;

/// Keys and values in the order of their first appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    entries: Vec<Property>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Property {
    key: String,
    value: String,
    /// The line on which the entry that won begins; 0 for one that was set by program.
    line: usize,
}

/// Why properties could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PropertiesError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than any properties file.
    #[error("{}: a properties file may have {MAX_FILE_BYTES} bytes at most", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The text breaks the syntax.
    #[error("{file}:{line}: {what}")]
    Syntax {
        /// The file, or a name for the text.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl Properties {
    /// Reads a file. Bytes that are not UTF-8 are taken as ISO 8859-1, as Java's own reader takes all of them.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is too large, or breaks the syntax; the error names file and line.
    pub fn read(path: &Path) -> Result<Properties, PropertiesError> {
        use std::io::Read as _;
        let failed = |source| PropertiesError::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(PropertiesError::TooLarge { path: path.to_owned() });
        }
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
        Properties::parse(&text, &path.display().to_string())
    }

    /// Reads text; `file` names it in errors.
    ///
    /// # Errors
    ///
    /// A malformed `\u` escape, or too many entries.
    pub fn parse(text: &str, file: &str) -> Result<Properties, PropertiesError> {
        let mut properties = Properties::default();
        let mut lines = NaturalLines { rest: text, number: 0 };
        let syntax = |line, what| PropertiesError::Syntax { file: file.to_owned(), line, what };
        while let Some((number, line)) = lines.next_logical() {
            let (key, value) = split(&line);
            let key = unescape(key).map_err(|what| syntax(number, what))?;
            let value = unescape(value).map_err(|what| syntax(number, what))?;
            properties.put(key, value, number);
            if properties.entries.len() > MAX_ENTRIES {
                return Err(syntax(number, "too many properties"));
            }
        }
        Ok(properties)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
    }

    /// The line on which the key's value stands, if it came from text.
    #[must_use]
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.line).filter(|&line| line > 0)
    }

    /// Sets a key.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.put(key.into(), value.into(), 0);
    }

    fn put(&mut self, key: String, value: String, line: usize) {
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => (entry.value, entry.line) = (value, line),
            None => self.entries.push(Property { key, value, line }),
        }
    }

    /// Sets a key from `key=value`, as `--override` takes it.
    ///
    /// # Errors
    ///
    /// There is no `=`, or nothing before it; the error repeats the text.
    pub fn set_override(&mut self, text: &str) -> Result<(), InvalidOverride> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                self.set(key.trim(), value.trim());
                Ok(())
            }
            _ => Err(InvalidOverride(text.to_owned())),
        }
    }

    /// All keys and values, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str()))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The text of a properties file that reads back as the same keys and values.
impl std::fmt::Display for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (key, value) in self.iter() {
            writeln!(f, "{}={}", escape(key, true), escape(value, false))?;
        }
        Ok(())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut properties = Properties::default();
        for (key, value) in pairs {
            properties.set(key, value);
        }
        properties
    }
}

/// An override that is not `key=value`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid override '{0}': expected key=value")]
pub struct InvalidOverride(String);

/// The white space of the syntax; Java counts no other.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

struct NaturalLines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> NaturalLines<'a> {
    /// The next natural line and what ended it.
    fn next_natural(&mut self) -> Option<(&'a str, &'a str)> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = self.rest.find(['\n', '\r']).unwrap_or(self.rest.len());
        let (line, after) = self.rest.split_at(end);
        let length = if after.starts_with("\r\n") { 2 } else { after.len().min(1) };
        let (ending, rest) = after.split_at(length);
        self.rest = rest;
        Some((line, ending))
    }

    /// The next line that is no comment, with its continuation lines, and the number of the line it begins on.
    fn next_logical(&mut self) -> Option<(usize, String)> {
        let mut logical = String::new();
        let mut begins = 0;
        while let Some((line, ending)) = self.next_natural() {
            let line = line.trim_start_matches(is_blank);
            if logical.is_empty() {
                if line.is_empty() || line.starts_with(['#', '!']) {
                    continue;
                }
                begins = self.number;
            }
            logical.push_str(line);
            if !ends_open(&logical) {
                return Some((begins, logical));
            }
            logical.pop();
            // Java makes an empty key of a last line that is only a continuation, unless it ends in `\r\n`.
            if self.rest.is_empty() && (!logical.is_empty() || ending != "\r\n") {
                return Some((begins, logical));
            }
        }
        (!logical.is_empty()).then_some((begins, logical))
    }
}

fn ends_open(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// Splits a logical line into key and value, both still escaped.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|&(_, c)| {
        let ends = !escaped && (is_blank(c) || c == '=' || c == ':');
        escaped = !escaped && c == '\\';
        ends
    });
    let Some((end, _)) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start_matches(is_blank))
}

/// Resolves escapes. Java's `\u` escapes are UTF-16 units: a surrogate pair makes one character, a lone surrogate U+FFFD.
fn unescape(text: &str) -> Result<String, &'static str> {
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut buffer = [0; 2];
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let c = if c == '\\' {
            rest.next()
        } else {
            units.extend_from_slice(c.encode_utf16(&mut buffer));
            continue;
        };
        match c {
            None => break,
            Some('t') => units.push(9),
            Some('n') => units.push(10),
            Some('r') => units.push(13),
            Some('f') => units.push(12),
            Some('u') => {
                let mut unit = 0;
                for _ in 0..4 {
                    let digit =
                        rest.next().and_then(|c| c.to_digit(16)).ok_or("Malformed \\uxxxx encoding.")?;
                    unit = unit << 4 | digit as u16;
                }
                units.push(unit);
            }
            Some(c) => units.extend_from_slice(c.encode_utf16(&mut buffer)),
        }
    }
    Ok(String::from_utf16_lossy(&units))
}

fn escape(text: &str, is_key: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\u{c}' => escaped.push_str("\\f"),
            '\\' => escaped.push_str("\\\\"),
            ' ' if is_key || at == 0 => escaped.push_str("\\ "),
            '=' | ':' | '#' | '!' if is_key => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let properties = Properties::parse(text, "test.properties").unwrap();
        properties.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn separators_comments_continuations_and_escapes_are_java_s() {
        for (text, key, value) in [
            ("a=b", "a", "b"),
            ("a:b", "a", "b"),
            ("a b", "a", "b"),
            ("  a \t= \t b  ", "a", "b  "),
            ("a==b", "a", "=b"),
            ("a : = b", "a", "= b"),
            ("a", "a", ""),
            ("a=", "a", ""),
            ("=b", "", "b"),
            ("a\\=b=c", "a=b", "c"),
            ("a\\ b=c", "a b", "c"),
            ("a=b\\\n   c", "a", "bc"),
            ("a=b\\\r\n   c", "a", "bc"),
            ("a=b\\\\\nc", "a", "b\\"),
            ("a=b\\", "a", "b"),
            ("a=\\u0041\\u00e9", "a", "Aé"),
            ("a=\\uD83D\\uDE00", "a", "😀"),
            ("a=\\t\\n\\q", "a", "\t\nq"),
            ("#x=y\n!x=y\n  # z\n\na=b # c", "a", "b # c"),
            ("a=1\na=2", "a", "2"),
        ] {
            assert_eq!(pairs(text)[0], (key.to_owned(), value.to_owned()), "{text:?}");
        }
        assert_eq!(pairs("# only\n\n \t\n"), []);
    }

    #[test]
    fn a_malformed_escape_is_reported_with_file_and_line() {
        let error = Properties::parse("a=b\n\nc=\\u12G4\n", "server.properties").unwrap_err();
        assert_eq!(error.to_string(), "server.properties:3: Malformed \\uxxxx encoding.");
    }

    #[test]
    fn the_last_of_a_duplicate_wins_and_names_its_line() {
        let properties = Properties::parse("log.dir=/a\nx=1\nlog.dir=/b\n", "p").unwrap();
        assert_eq!(properties.get("log.dir"), Some("/b"));
        assert_eq!(properties.line_of("log.dir"), Some(3));
        assert_eq!(properties.len(), 2);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(entries in prop::collection::btree_map("\\PC{0,9}|[ \\t\\r\\n\\\\=:#!]{0,4}", "(?s).{0,9}", 0..6)) {
            let properties: Properties = entries.clone().into_iter().collect();
            let read = Properties::parse(&properties.to_string(), "p").unwrap();
            prop_assert_eq!(read.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<Vec<_>>(), entries.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_text_panics(text in "(?s).{0,60}|[\\\\u0-9a=: \\n\\r]{0,60}") {
            let _ = Properties::parse(&text, "p");
        }
    }
}
