//! Java's regular expressions for whole names, with what the `regex` crate leaves out: look-around, back-references, possessive repetition.
//!
//! What needs those is matched by trying, which a pattern can make arbitrarily long: it is given up after [`STEPS`].

use fancy_regex::{Regex, RegexBuilder};

use super::output;

/// How often a name may be gone back in before the pattern is given up for it. A name has at most 249 characters.
const STEPS: usize = 1_000_000;

/// A pattern for a whole name.
#[derive(Debug)]
pub(crate) struct WholeName(Regex);

impl WholeName {
    /// Reads a pattern; the error says what is wrong with it.
    pub(crate) fn new(pattern: &str) -> Result<WholeName, String> {
        WholeName::with(pattern, STEPS)
    }

    fn with(pattern: &str, steps: usize) -> Result<WholeName, String> {
        // By itself first: what closes a group that it has not opened must not close ours.
        Regex::new(pattern).map_err(|error| error.to_string())?;
        let whole = RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).backtrack_limit(steps).build();
        whole.map(WholeName).map_err(|error| error.to_string())
    }

    /// Whether a name is one of the pattern's. One for which the pattern is given up is none, which is said on standard error.
    pub(crate) fn is_match(&self, name: &str) -> bool {
        self.0.is_match(name).unwrap_or_else(|error| {
            output::log_warning(
                &format!("{name} is left out, since the pattern {} takes too long for it: {error}", self.0),
                "java.util.regex.Pattern",
            );
            false
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_java_knows_is_known() {
        let cases: [(&str, &[&str], &[&str]); 8] = [
            ("orders", &["orders"], &["orders2", "my-orders"]),
            ("a|b", &["a", "b"], &["ab", "ac"]),
            ("(?!__).*", &["orders"], &["__consumer_offsets"]),
            (r"^(?!.*-dlq$)orders-.*", &["orders-eu"], &["orders-eu-dlq", "orders"]),
            (r".*(?<=-v2)", &["orders-v2"], &["orders-v1"]),
            (r"(\w+)-\1", &["eu-eu"], &["eu-us"]),
            ("(?i)orders", &["Orders"], &["order"]),
            ("a++b", &["aab"], &["aac"]),
        ];
        for (pattern, names, others) in cases {
            let pattern = WholeName::new(pattern).unwrap();
            for name in names {
                assert!(pattern.is_match(name), "{pattern:?} {name}");
            }
            for name in others {
                assert!(!pattern.is_match(name), "{pattern:?} {name}");
            }
        }
        for wrong in ["(", "a)(b", "[", "*"] {
            assert!(WholeName::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_that_takes_too_long_is_given_up() {
        let pattern = WholeName::with(r"(a|b|ab)*c(?!x)[xy]", 1_000).unwrap();
        let long = format!("{}cx", "ab".repeat(100));
        assert!(pattern.0.is_match(&*long).is_err());
        assert!(!pattern.is_match(&long));
        assert!(pattern.is_match("ababcy"));
    }
}
