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
    /// Reads the words after a command's name. `flags` are letters; a colon follows those that take a value. `None` for a flag that
    /// the command does not have.
    pub(super) fn parse(words: &[String], flags: &str) -> Option<Line> {
        let mut line = Line::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let letter = match word.strip_prefix('-').map(|rest| rest.chars().collect::<Vec<_>>()) {
                Some(letters) if letters.len() == 1 => letters[0],
                // Several letters, or a lone dash: data may begin with one.
                _ => {
                    line.operands.push(word.clone());
                    continue;
                }
            };
            let at = flags.find(letter)?;
            let takes = flags[at + letter.len_utf8()..].starts_with(':');
            line.flags.push((letter, if takes { Some(words.next()?.clone()) } else { None }));
        }
        Some(line)
    }

    /// Whether a flag is there.
    pub(super) fn has(&self, letter: char) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == letter)
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
        assert_eq!(Line::parse(&split("-x"), "s"), None);
        assert_eq!(Line::parse(&split("/a -v"), "v:"), None);
    }
}
