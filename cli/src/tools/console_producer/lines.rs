//! The line reader of Kafka's console producer: a line is `headers<TAB>key<TAB>value`, the first two if they are asked for.

use std::collections::BTreeMap;

use super::super::failure::Failure;

/// One line, taken apart. `None` is a null.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Headers<'a>,
}

/// Names and values, in order.
type Headers<'a> = Vec<(String, Option<&'a [u8]>)>;

/// How lines are read: the properties of `--property`.
#[derive(Debug)]
pub(super) struct LineReader {
    parse_key: bool,
    parse_headers: bool,
    ignore_error: bool,
    key_separator: String,
    headers_delimiter: String,
    headers_separator: String,
    headers_key_separator: String,
    null_marker: Option<String>,
}

impl LineReader {
    /// A reader with the properties of Kafka's.
    pub(super) fn new(properties: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let text =
            |name: &str, default: &str| properties.get(name).map_or(default, String::as_str).to_owned();
        let flag =
            |name: &str| properties.get(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        let reader = Self {
            parse_key: flag("parse.key"),
            parse_headers: flag("parse.headers"),
            ignore_error: flag("ignore.error"),
            key_separator: text("key.separator", "\t"),
            headers_delimiter: text("headers.delimiter", "\t"),
            headers_separator: text("headers.separator", ","),
            headers_key_separator: text("headers.key.separator", ":"),
            null_marker: properties.get("null.marker").cloned(),
        };
        reader.check()?;
        Ok(reader)
    }

    /// Separators that could not be told apart are refused.
    fn check(&self) -> Result<(), Failure> {
        let named = [
            ("key.separator", &self.key_separator),
            ("headers.delimiter", &self.headers_delimiter),
            ("headers.separator", &self.headers_separator),
            ("headers.key.separator", &self.headers_key_separator),
        ];
        let differ = |a: (&str, &String), b: (&str, &String)| {
            if a.1 == b.1 { Err(refused(format!("{} and {} may not be equal", a.0, b.0))) } else { Ok(()) }
        };
        differ(named[1], named[2])?;
        differ(named[1], named[3])?;
        differ(named[2], named[3])?;
        if let Some(marker) = &self.null_marker {
            named.into_iter().try_for_each(|separator| differ(("null.marker", marker), separator))?;
        }
        if let Some((name, _)) = named.iter().find(|(_, text)| text.is_empty()) {
            return Err(refused(format!("{name} may not be empty")));
        }
        Ok(())
    }

    /// Takes a line apart; `number` counts from 1.
    pub(super) fn read<'a>(&self, line: &'a [u8], number: u64) -> Result<Line<'a>, Failure> {
        let mut rest = line;
        let headers = self.part(
            self.parse_headers,
            line,
            &mut rest,
            &self.headers_delimiter,
            "headers delimiter",
            number,
        )?;
        let key = self.part(self.parse_key, line, &mut rest, &self.key_separator, "key separator", number)?;
        let headers = match headers {
            Some(text) if !self.is_null(text) => self.headers(text, number)?,
            _ => Vec::new(),
        };
        Ok(Line {
            key: key.filter(|key| !self.is_null(key)),
            value: Some(rest).filter(|v| !self.is_null(v)),
            headers,
        })
    }

    /// What is before the next separator; `rest` is then what follows it.
    fn part<'a>(
        &self,
        wanted: bool,
        line: &[u8],
        rest: &mut &'a [u8],
        separator: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<&'a [u8]>, Failure> {
        if !wanted {
            return Ok(None);
        }
        if let Some((before, after)) = split(rest, separator) {
            *rest = after;
            return Ok(Some(before));
        }
        if self.ignore_error {
            return Ok(None);
        }
        Err(refused(format!("No {name} found on line number {number}: '{}'", String::from_utf8_lossy(line))))
    }

    fn headers<'a>(&self, text: &'a [u8], number: u64) -> Result<Headers<'a>, Failure> {
        let mut headers = Vec::new();
        for pair in pairs(text, &self.headers_separator) {
            let (key, value) = match split(pair, &self.headers_key_separator) {
                Some((key, value)) => (key, Some(value).filter(|value| !self.is_null(value))),
                None if self.ignore_error => (pair, None),
                None => {
                    let pair = String::from_utf8_lossy(pair);
                    return Err(refused(format!(
                        "No header key separator found in pair '{pair}' on line number {number}"
                    )));
                }
            };
            if self.is_null(key) {
                let marker = self.null_marker.as_deref().unwrap_or_default();
                return Err(refused(format!(
                    "Header keys should not be equal to the null marker '{marker}' as they can't be null"
                )));
            }
            headers.push((String::from_utf8_lossy(key).into_owned(), value));
        }
        Ok(headers)
    }

    fn is_null(&self, text: &[u8]) -> bool {
        self.null_marker.as_deref().is_some_and(|marker| marker.as_bytes() == text)
    }
}

fn refused(message: String) -> Failure {
    Failure::new("org.apache.kafka.common.KafkaException", message)
}

/// As Java splits: empty parts at the end are none, unless there is nothing else.
fn pairs<'a>(text: &'a [u8], separator: &str) -> Vec<&'a [u8]> {
    let (mut pairs, mut rest) = (Vec::new(), text);
    while let Some((pair, after)) = split(rest, separator) {
        pairs.push(pair);
        rest = after;
    }
    let alone = pairs.is_empty();
    pairs.push(rest);
    while !alone && pairs.last().is_some_and(|pair| pair.is_empty()) {
        pairs.pop();
    }
    pairs
}

/// Before and after the first `separator`, which is not empty.
fn split<'a>(text: &'a [u8], separator: &str) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(separator.len()).position(|window| window == separator.as_bytes())?;
    Some((&text[..at], &text[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(properties: &[(&str, &str)]) -> Result<LineReader, Failure> {
        LineReader::new(&properties.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_line_is_a_value_unless_more_is_asked_for() {
        let plain = reader(&[]).unwrap();
        assert_eq!(plain.read(b"a\tb", 1).unwrap(), Line { value: Some(b"a\tb"), ..Line::default() });
        assert_eq!(plain.read(b"", 1).unwrap(), Line { value: Some(b""), ..Line::default() });
    }

    #[test]
    fn keys_and_headers_stand_before_the_value() {
        let keyed = reader(&[("parse.key", "true"), ("key.separator", "::")]).unwrap();
        let line = keyed.read(b"k::v::w", 1).unwrap();
        assert_eq!((line.key, line.value), (Some(&b"k"[..]), Some(&b"v::w"[..])));

        let all =
            reader(&[("parse.key", "TRUE"), ("parse.headers", "true"), ("null.marker", "NULL")]).unwrap();
        let line = all.read(b"h1:v1,h2:NULL,h3:\tNULL\tv", 1).unwrap();
        assert_eq!(
            line,
            Line {
                key: None,
                value: Some(b"v"),
                headers: vec![("h1".into(), Some(b"v1")), ("h2".into(), None), ("h3".into(), Some(b""))],
            }
        );
        assert_eq!(all.read(b"NULL\tk\tNULL", 1).unwrap(), Line { key: Some(b"k"), ..Line::default() });
    }

    #[test]
    fn a_missing_part_is_an_error_unless_errors_are_ignored() {
        let strict = reader(&[("parse.key", "true")]).unwrap();
        let error = strict.read(b"alone", 7).unwrap_err();
        assert_eq!(error.message, "No key separator found on line number 7: 'alone'");
        let lenient = reader(&[("parse.key", "true"), ("ignore.error", "true")]).unwrap();
        assert_eq!(lenient.read(b"alone", 7).unwrap(), Line { value: Some(b"alone"), ..Line::default() });
        let headers = reader(&[("parse.headers", "true")]).unwrap();
        assert_eq!(
            headers.read(b"h\tv", 2).unwrap_err().message,
            "No header key separator found in pair 'h' on line number 2"
        );
    }

    #[test]
    fn separators_that_cannot_be_told_apart_are_refused() {
        let error = reader(&[("headers.separator", ":")]).unwrap_err();
        assert_eq!(error.message, "headers.separator and headers.key.separator may not be equal");
        let error = reader(&[("null.marker", ",")]).unwrap_err();
        assert_eq!(error.message, "null.marker and headers.separator may not be equal");
    }
}
