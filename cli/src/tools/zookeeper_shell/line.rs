//! A command line: words, quotes, and the flags before a command's operands.

/// Splits a line at blanks; what stands between quotes, single or double, is one word.
pub(super) fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    for character in line.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => word.get_or_insert_default().push(character),
            None if character == '"' || character == '\'' => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// A command's flags and operands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    flags: Vec<(String, Option<String>)>,
    /// What is no flag.
    pub(super) operands: Vec<String>,
}

const CLASS: &str = "org.apache.commons.cli";

impl Line {
    /// Reads the words after a command's name. `flags` are letters; a colon follows those that take a value. A flag that the command
    /// does not have, or one without its value, is refused as commons-cli, the parser of ZooKeeper's shell, refuses it.
    pub(super) fn parse(words: &[String], flags: &str) -> Result<Line, String> {
        let letters: Vec<char> = flags.chars().filter(|letter| *letter != ':').collect();
        let takes = |letter: char| flags.contains(&format!("{letter}:"));
        let names: Vec<String> = letters.iter().map(char::to_string).collect();
        let known: Vec<(&str, bool)> =
            names.iter().zip(&letters).map(|(name, letter)| (name.as_str(), takes(*letter))).collect();
        // Other letters may be data that begins with a dash.
        Self::read(words, &known, |letters| letters.chars().count() == 1)
    }

    /// As [`parse`](Self::parse), with flags of whole words, and whether each takes a value.
    pub(super) fn parse_long(words: &[String], known: &[(&str, bool)]) -> Result<Line, String> {
        Self::read(words, known, |_| true)
    }

    fn read(
        words: &[String],
        known: &[(&str, bool)],
        must_be_known: impl Fn(&str) -> bool,
    ) -> Result<Line, String> {
        let mut line = Line::default();
        let mut words = words.iter();
        let takes = |flag: &str| known.iter().find(|(name, _)| *name == flag).map(|(_, takes)| *takes);
        while let Some(word) = words.next() {
            let flag = word.strip_prefix('-').unwrap_or_default();
            let letters = || flag.chars().map(String::from);
            if flag.is_empty() {
                line.operands.push(word.clone());
            } else if let Some(takes) = takes(flag) {
                let missing =
                    || format!("{CLASS}.MissingArgumentException: Missing argument for option: {flag}");
                let value = if takes { Some(words.next().ok_or_else(missing)?.clone()) } else { None };
                line.flags.push((flag.to_owned(), value));
            } else if letters().all(|letter| takes(&letter) == Some(false)) {
                line.flags.extend(letters().map(|letter| (letter, None)));
            } else if must_be_known(flag) {
                return Err(format!("{CLASS}.UnrecognizedOptionException: Unrecognized option: {word}"));
            } else {
                line.operands.push(word.clone());
            }
        }
        Ok(line)
    }

    /// Whether a flag is there.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(given, _)| given == flag)
    }

    /// Adds a flag.
    pub(super) fn set(&mut self, flag: char, value: Option<String>) {
        self.flags.push((flag.to_string(), value));
    }

    /// A flag's value.
    pub(super) fn value(&self, flag: &str) -> Option<&str> {
        self.flags.iter().find(|(given, _)| given == flag).and_then(|(_, value)| value.as_deref())
    }

    /// An operand.
    pub(super) fn operand(&self, index: usize) -> Option<&str> {
        self.operands.get(index).map(String::as_str)
    }

    /// The flag of a group of which one must be given and only one may: each with what it is. It is refused as commons-cli refuses it.
    pub(super) fn one_of(&self, group: &[(&'static str, &str)]) -> Result<&'static str, String> {
        let mut given = group.iter().filter(|(flag, _)| self.has(flag));
        match (given.next(), given.next()) {
            (Some((flag, _)), None) => Ok(flag),
            (None, _) => {
                let all: Vec<String> = group.iter().map(|(flag, what)| format!("-{flag} {what}")).collect();
                Err(format!("{CLASS}.MissingOptionException: Missing required option: [{}]", all.join(", ")))
            }
            (Some(_), Some(_)) => {
                let mut order = self
                    .flags
                    .iter()
                    .map(|(flag, _)| flag)
                    .filter(|flag| group.iter().any(|(name, _)| name == flag));
                let (first, second) = (order.next().cloned().unwrap_or_default(), order.next().cloned());
                Err(format!(
                    "{CLASS}.AlreadySelectedException: The option '{}' was specified but an option from this group has already been selected: '{first}'",
                    second.unwrap_or_default()
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(split(r#"create  /a "b 'c' d" '' e"f g""#), ["create", "/a", "b 'c' d", "", "ef g"]);
        assert!(split("   ").is_empty());
    }

    #[test]
    fn flags_come_anywhere() {
        let words = split("-s /a -v 3 data -5x");
        let line = Line::parse(&words, "sv:").unwrap();
        assert!(line.has("s") && !line.has("w"));
        assert_eq!(line.value("v"), Some("3"));
        assert_eq!(line.operands, ["/a", "data", "-5x"]);
        let together = Line::parse(&split("-sw /a"), "swR").unwrap();
        assert!(together.has("s") && together.has("w") && !together.has("R"));
        let refused = |words: &str| Line::parse(&split(words), "sv:").unwrap_err();
        assert_eq!(
            refused("-x"),
            "org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -x"
        );
        assert_eq!(
            refused("/a -v"),
            "org.apache.commons.cli.MissingArgumentException: Missing argument for option: v"
        );
    }
}
