//! The tools' options, held against `tests/options`: a file for each tool, with a line for each option of Apache Kafka 0.8 to 3.9.

use std::{collections::BTreeMap, fs, path::Path};

use clap::{Arg, CommandFactory as _};

use super::*;

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    One,
    Optional,
    Many,
}

impl Takes {
    fn of(option: &Arg) -> Takes {
        let bounds = option.get_num_args().unwrap_or_default();
        if !option.get_action().takes_values() {
            return Takes::Nothing;
        }
        match (bounds.min_values(), bounds.max_values()) {
            (_, 0) => Takes::Nothing,
            (0, _) => Takes::Optional,
            (_, 1) => Takes::One,
            _ => Takes::Many,
        }
    }

    fn named(word: &str) -> Takes {
        match word {
            "none" => Takes::Nothing,
            "one" => Takes::One,
            "optional" => Takes::Optional,
            "many" => Takes::Many,
            _ => panic!("{word}: none, one, optional or many"),
        }
    }
}

/// The options of a table, by name.
fn table(tool: &str) -> BTreeMap<String, Takes> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/options").join(format!("{tool}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let option = |line: &str| {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or_else(|| panic!("{tool}: {line}: a word is missing"));
        let (name, takes, _, _) = (word(), Takes::named(word()), word(), word());
        (name.to_owned(), takes)
    };
    lines.map(option).collect()
}

/// The tools that have a table, each with its definition.
fn tools() -> Vec<Command> {
    let mut program = crate::Cli::command();
    program.build();
    let own = |tool: &&Command| !OWN.contains(&tool.get_name()) && !STANDALONE.contains(&tool.get_name());
    program.get_subcommands().filter(own).cloned().collect()
}

fn names(option: &Arg) -> Vec<String> {
    let aliases = option.get_all_aliases().unwrap_or_default();
    option.get_long().into_iter().chain(aliases).map(str::to_owned).collect()
}

#[test]
fn every_option_of_kafkas_is_known() {
    for tool in tools() {
        for (name, takes) in table(tool.get_name()) {
            let of = tool.get_name();
            let option = tool.get_arguments().find(|option| names(option).contains(&name));
            let option = option.unwrap_or_else(|| panic!("{of}: --{name} is not known"));
            assert_eq!(Takes::of(option), takes, "{of}: --{name}");
            // Also where what follows looks like another option, and where it is written together.
            let long = option.get_long().unwrap_or(&name);
            let read = |words: &[String]| one_form(&tool, words.to_vec()).unwrap();
            let (alone, with) = ([format!("--{name}")], [format!("--{name}"), "-1".to_owned()]);
            match takes {
                Takes::Nothing => assert_eq!(read(&alone), [format!("--{long}")], "{of}"),
                Takes::One => {
                    assert_eq!(read(&with), [format!("--{long}=-1")], "{of}");
                    assert_eq!(read(&[format!("--{name}=a=b")]), [format!("--{long}=a=b")], "{of}");
                    assert!(one_form(&tool, alone.to_vec()).is_err(), "{of}: --{name} without a value");
                }
                Takes::Optional => {
                    assert_eq!(read(&alone), [format!("--{long}")], "{of}");
                    assert_eq!(read(&[alone[0].clone(), "a".to_owned()]), [format!("--{long}=a")], "{of}");
                }
                Takes::Many => {
                    let words = [alone[0].clone(), "a".to_owned(), "b".to_owned()];
                    assert_eq!(read(&words), [format!("--{long}"), "a".to_owned(), "b".to_owned()], "{of}");
                }
            }
        }
    }
}

#[test]
fn every_option_of_ours_is_in_the_table() {
    for tool in tools() {
        let known = table(tool.get_name());
        for option in tool.get_arguments().filter(|option| !option.is_positional()) {
            for name in names(option) {
                let builtin = matches!(name.as_str(), "help" | "version");
                assert!(builtin || known.contains_key(&name), "{}: --{name} is not listed", tool.get_name());
            }
        }
    }
}
