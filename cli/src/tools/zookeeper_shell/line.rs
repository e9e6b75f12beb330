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
    flags: Vec<(char, Option<String>)>,
    /// What is no flag.
    pub(super) operands: Vec<String>,
}

impl Line {
    /// Reads the words after a command's name. `flags` are letters; a colon follows those that take a value. A flag that the command
    /// does not have, or one without its value, is refused as commons-cli, the parser of ZooKeeper's shell, refuses it.
    pub(super) fn parse(words: &[String], flags: &str) -> Result<Line, String> {
        let mut line = Line::default();
        let mut words = words.iter();
        let takes = |letter: char| {
            let at = flags.find(letter).filter(|_| letter != ':')?;
            Some(flags[at + letter.len_utf8()..].starts_with(':'))
        };
        while let Some(word) = words.next() {
            let letters: Vec<char> = word.strip_prefix('-').unwrap_or_default().chars().collect();
            match letters.as_slice() {
                [letter] => {
                    let class = "org.apache.commons.cli";
                    let takes = takes(*letter).ok_or_else(|| {
                        format!("{class}.UnrecognizedOptionException: Unrecognized option: {word}")
                    })?;
                    let missing =
                        || format!("{class}.MissingArgumentException: Missing argument for option: {letter}");
                    let value = if takes { Some(words.next().ok_or_else(missing)?.clone()) } else { None };
                    line.flags.push((*letter, value));
                }
                letters
                    if !letters.is_empty() && letters.iter().all(|letter| takes(*letter) == Some(false)) =>
                {
                    line.flags.extend(letters.iter().map(|letter| (*letter, None)));
                }
                // Other letters, or a lone dash: data may begin with one.
                _ => line.operands.push(word.clone()),
            }
        }
        Ok(line)
    }

    /// Whether a flag is there.
    pub(super) fn has(&self, letter: char) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == letter)
    }

    /// Adds a flag.
    pub(super) fn set(&mut self, letter: char, value: Option<String>) {
        self.flags.push((letter, value));
    }

    /// A flag's value.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.flags.iter().find(|(flag, _)| *flag == letter).and_then(|(_, value)| value.as_deref())
    }

    /// An operand.
    pub(super) fn operand(&self, index: usize) -> Option<&str> {
        self.operands.get(index).map(String::as_str)
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
        assert!(line.has('s') && !line.has('w'));
        assert_eq!(line.value('v'), Some("3"));
        assert_eq!(line.operands, ["/a", "data", "-5x"]);
        let together = Line::parse(&split("-sw /a"), "swR").unwrap();
        assert!(together.has('s') && together.has('w') && !together.has('R'));
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
