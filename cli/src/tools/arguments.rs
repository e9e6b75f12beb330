//! The command line as Kafka's tools read it (they use jopt-simple): `--option value` and `--option=value`, one dash as good as two
//! before a long name, unambiguous beginnings of names, and a value may begin with a dash. Words that are no option are passed over.
//!
//! The words are brought into one form, `--option=value`, by what the clap definition says of each option; clap does the rest.

use std::{ffi::OsString, process::ExitCode};

use clap::{Command, Parser, error::ErrorKind};

/// The subcommands that are no tools of Kafka's: clap's own rules and words are theirs.
const OWN: [&str; 5] = ["server", "zookeeper", "up", "completion", "help"];

/// Tools that have something to say of their own when they are given nothing.
const STANDALONE: [&str; 1] = ["zookeeper-shell"];

/// The command line of this process, or the exit code after its mistake, or its help, has been printed.
pub(crate) fn parse<C: Parser>() -> Result<C, ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut command = C::command();
    command.build();
    let tool = words.get(1).and_then(|word| word.to_str()).filter(|name| !OWN.contains(name));
    let Some(tool) = tool.and_then(|name| command.find_subcommand(name)) else {
        return C::try_parse_from(words).map_err(|error| explain(&error, None));
    };
    if words.len() == 2 && !STANDALONE.contains(&tool.get_name()) {
        // As Kafka's tools: without options they say what they are for.
        eprintln!("{}", tool.clone().render_help());
        return Err(ExitCode::FAILURE);
    }
    let read = words.iter().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
    match one_form(tool, read) {
        Ok(read) => {
            let words = words.into_iter().take(2).chain(read.into_iter().map(OsString::from));
            C::try_parse_from(words).map_err(|error| explain(&error, Some(tool)))
        }
        Err(mistake) => {
            let before = if tool.get_name() == "get-offsets" { "Error occurred: " } else { "" };
            eprintln!("{before}{mistake}");
            eprintln!("{}", tool.clone().render_help());
            Err(ExitCode::FAILURE)
        }
    }
}

/// Rewrites a tool's words to `--option=value`.
fn one_form(tool: &Command, words: Vec<String>) -> Result<Vec<String>, String> {
    let positionals = tool.get_positionals().next().is_some();
    let mut read = Vec::with_capacity(words.len());
    let mut words = words.into_iter().peekable();
    // Whether the words that follow are further values of an option that takes many.
    let mut many = false;
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).unwrap_or("");
        let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
        let known = if name.is_empty() { None } else { find(tool, name) };
        let Some(option) = known else {
            if word == "--" {
                read.extend(words.by_ref());
            } else if many || positionals {
                // Once a command begins, as zookeeper-shell's, its options are its own.
                read.push(word);
                if !many {
                    read.insert(read.len() - 1, "--".to_owned());
                    read.extend(words.by_ref());
                }
            } else if word.len() > 1 && word.starts_with('-') {
                return Err(format!("{name} is not a recognized option"));
            } else {
                eprintln!("WARN: the argument {word} has no meaning here and is ignored");
            }
            continue;
        };
        let long = option.get_long().unwrap_or(name);
        let bounds = option.get_num_args().unwrap_or_default();
        many = bounds.max_values() > 1;
        if !option.get_action().takes_values() || bounds.max_values() == 0 || many {
            read.push(format!("--{long}"));
            continue;
        }
        let optional = bounds.min_values() == 0;
        let value = match value {
            Some(value) => Some(value.to_owned()),
            None if optional => words.next_if(|next| !next.starts_with('-')),
            None => words.next(),
        };
        match value {
            Some(value) => read.push(format!("--{long}={value}")),
            None if optional => read.push(format!("--{long}")),
            None => return Err(format!("Option {long} requires an argument")),
        }
    }
    Ok(read)
}

/// The option with this name, or the only one with a name that begins so.
fn find<'a>(tool: &'a Command, name: &str) -> Option<&'a clap::Arg> {
    let named = |option: &clap::Arg, is: &dyn Fn(&str) -> bool| {
        option.get_long_and_visible_aliases().into_iter().flatten().any(is)
            || option.get_all_aliases().into_iter().flatten().any(is)
    };
    let options = || tool.get_arguments().filter(|option| !option.is_positional());
    if let Some(option) = options().find(|option| named(option, &|long| long == name)) {
        return Some(option);
    }
    let mut begin = options().filter(|option| named(option, &|long| long.starts_with(name)));
    match (begin.next(), begin.next()) {
        (Some(option), None) => Some(option),
        _ => None,
    }
}

/// Prints what clap has to say, a tool's mistake in Kafka's words, and gives the exit code: 0 for help, 1 for every mistake.
fn explain(error: &clap::Error, tool: Option<&Command>) -> ExitCode {
    use clap::error::{ContextKind, ContextValue};
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that has gone needs no help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.trim_start_matches('-').to_owned()),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg);
    let argument = argument.map(|arg| arg.split([' ', '=']).next().unwrap_or_default().to_owned());
    let kafkas = match (error.kind(), argument, text(ContextKind::InvalidValue)) {
        (ErrorKind::ArgumentConflict, Some(option), _) => {
            Some(format!("Found multiple arguments for option {option}, but you asked for only one"))
        }
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, Some(option), Some(value)) => {
            Some(format!("Cannot parse argument '{value}' of option {option}"))
        }
        _ => None,
    };
    match (tool, kafkas) {
        (Some(tool), Some(words)) => {
            eprintln!("{words}");
            eprintln!("{}", tool.clone().render_help());
        }
        _ => {
            let _ = error.print();
        }
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tables;

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    fn tool() -> Command {
        Command::new("topics")
            .arg(Arg::new("topic").long("topic").action(ArgAction::Append))
            .arg(Arg::new("topics-with-overrides").long("topics-with-overrides").action(ArgAction::SetTrue))
            .arg(Arg::new("time").long("time"))
            .arg(Arg::new("state").long("state").num_args(0..=1))
            .arg(Arg::new("producer-props").long("producer-props").num_args(1..))
    }

    fn read(words: &[&str]) -> Result<Vec<String>, String> {
        one_form(&tool(), words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn every_spelling_becomes_one() {
        let cases: [(&[&str], &[&str]); 8] = [
            (&["--topic", "a"], &["--topic=a"]),
            (&["--topic=a"], &["--topic=a"]),
            (&["-topic", "a"], &["--topic=a"]),
            (&["--topics", "--ti", "-1"], &["--topics-with-overrides", "--time=-1"]),
            (&["--topic", "--list"], &["--topic=--list"]),
            (&["--state", "--topic", "a"], &["--state", "--topic=a"]),
            (&["--state", "Stable"], &["--state=Stable"]),
            (
                &["--producer-props", "a=b", "c=d", "--time", "1"],
                &["--producer-props", "a=b", "c=d", "--time=1"],
            ),
        ];
        for (words, expected) in cases {
            assert_eq!(read(words).unwrap(), expected, "{words:?}");
        }
    }

    #[test]
    fn mistakes_are_named_in_kafkas_words() {
        assert_eq!(read(&["--nosuch"]).unwrap_err(), "nosuch is not a recognized option");
        assert_eq!(read(&["--t", "a"]).unwrap_err(), "t is not a recognized option");
        assert_eq!(read(&["--topic"]).unwrap_err(), "Option topic requires an argument");
    }
}
