//! What records hold.

use std::io::Write as _;

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use regex::Regex;

use super::super::{failure::Failure, output};
use super::options::Source;

/// Payloads, one after another. Each run makes the same.
#[derive(Debug)]
pub(super) struct Payloads {
    kind: Kind,
    chance: SmallRng,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Kind {
    Random,
    Chosen(Vec<Vec<u8>>),
    Numbers,
}

impl Payloads {
    /// Reads the file, if it is one.
    pub(super) fn new(source: &Source) -> Result<Payloads, Failure> {
        let (kind, size) = match source {
            Source::Random(size) => (Kind::Random, *size),
            Source::Numbers => (Kind::Numbers, 0),
            Source::File { path, delimiter } => {
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                output::line(format_args!("Reading payloads from: {}", absolute.display()));
                let text = std::fs::read(path).unwrap_or_default();
                if text.is_empty() {
                    return Err(Failure::illegal("File does not exist or empty file provided."));
                }
                let payloads = split(&String::from_utf8_lossy(&text), delimiter)?;
                output::line(format_args!("Number of messages read: {}", payloads.len()));
                if payloads.is_empty() {
                    return Err(Failure::illegal("bound must be positive"));
                }
                (Kind::Chosen(payloads), 0)
            }
        };
        Ok(Payloads { kind, chance: SmallRng::seed_from_u64(0), buffer: vec![0; size] })
    }

    /// The payload of record `number`.
    pub(super) fn next(&mut self, number: u64) -> &[u8] {
        match &self.kind {
            Kind::Random => {
                let chance = &mut self.chance;
                self.buffer.fill_with(|| chance.random_range(b'A'..=b'Z'));
                &self.buffer
            }
            Kind::Chosen(payloads) => {
                let index = self.chance.random_range(0..payloads.len().max(1));
                payloads.get(index).map_or(&[], Vec::as_slice)
            }
            Kind::Numbers => {
                self.buffer.clear();
                // Writing into a vector does not fail.
                let _ = write!(self.buffer, "{number}");
                &self.buffer
            }
        }
    }
}

/// `String.split`: by a regular expression, without the empty parts at the end.
fn split(text: &str, delimiter: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let pattern = if delimiter == "\\n" { "\n" } else { delimiter };
    let pattern = Regex::new(pattern)
        .map_err(|error| Failure::new("java.util.regex.PatternSyntaxException", error.to_string()))?;
    let mut parts: Vec<Vec<u8>> = pattern.split(text).map(|part| part.as_bytes().to_vec()).collect();
    while parts.last().is_some_and(Vec::is_empty) {
        parts.pop();
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, delimiter: &str) -> Vec<String> {
        let parts = split(text, delimiter).unwrap();
        parts.into_iter().map(|part| String::from_utf8(part).unwrap()).collect()
    }

    #[test]
    fn a_file_is_split_as_java_splits() {
        assert_eq!(parts("a\nb\n\nc\n\n", "\\n"), ["a", "b", "", "c"]);
        assert_eq!(parts("a, b;c", "[,;] *"), ["a", "b", "c"]);
        assert!(split("a", "(").is_err());
    }

    #[test]
    fn random_payloads_are_capitals_of_the_size_and_differ() {
        let mut payloads = Payloads::new(&Source::Random(100)).unwrap();
        let first = payloads.next(0).to_vec();
        assert!(first.len() == 100 && first.iter().all(u8::is_ascii_uppercase));
        assert_ne!(payloads.next(1), first);
        assert_eq!(Payloads::new(&Source::Random(100)).unwrap().next(0), first);
    }

    #[test]
    fn numbers_count() {
        let mut payloads = Payloads::new(&Source::Numbers).unwrap();
        assert_eq!(payloads.next(0), b"0");
        assert_eq!(payloads.next(12), b"12");
    }
}
