//! What the tables in `tests/options` say of options that have no effect here: each is warned of, or refused, by its name.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Stdio};

/// What else is on the command line of an option that is looked at late.
const BESIDE: [(&str, &str, &str); 4] = [
    ("configs", "bootstrap-controller", "--describe --entity-type brokers"),
    ("configs", "zk-tls-config-file", "--describe --entity-type brokers --zookeeper localhost:1"),
    ("dump-log", "cluster-metadata-decoder", "--files x.log"),
    ("dump-log", "remote-log-metadata-decoder", "--files x.log"),
];

/// The options with a verdict: tool, option, whether it takes a value, and the verdict.
fn told() -> Vec<(String, String, bool, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/options");
    let mut told = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let tool = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let (name, takes) = (words.next().unwrap(), words.next().unwrap());
            let Some(verdict) = words.nth(2) else { continue };
            let why = words.next();
            match verdict {
                "ours" => continue,
                "nothing:" | "warns:" | "refused:" => assert!(why.is_some(), "{tool} --{name}: why?"),
                _ => panic!("{tool} --{name}: {verdict}"),
            }
            told.push((tool.clone(), name.to_owned(), takes != "none", verdict.to_owned()));
        }
    }
    told
}

#[test]
fn what_has_no_effect_is_told_by_name() {
    for (tool, option, takes, verdict) in told() {
        if verdict == "nothing:" {
            continue;
        }
        let beside = BESIDE.iter().find(|(of, name, _)| (*of, *name) == (tool.as_str(), option.as_str()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.arg(&tool).arg(format!("--{option}")).env_remove("VLTAVA_ERA");
        command.args(takes.then_some("1"));
        command.args(beside.map_or("", |(_, _, words)| words).split_whitespace());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        // Before the list of all options, which begins with how the tool is called.
        let said = String::from_utf8(said).unwrap();
        let words = said.split("Usage:").next().unwrap();
        assert!(words.contains(&option), "{tool} --{option}: {words}");
        assert_eq!(output.status.code(), Some(1), "{tool} --{option}: {said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_told_as_java_tells_it() {
    let dump = |era: &str, name: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_vltava"))
            .args(["dump-log", "--era", era, "--files", name])
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code())
    };
    let name = "nowhere/00000000000000000007.log";
    assert_eq!(
        dump("3.9", name),
        (
            format!("Dumping {name}\nLog starting offset: 7\n"),
            format!("Exception in thread \"main\" java.nio.file.NoSuchFileException: {name}\n"),
            Some(1)
        )
    );
    assert_eq!(
        dump("0.11", name),
        (
            format!("Dumping {name}\nStarting offset: 7\n"),
            format!(
                "Exception in thread \"main\" java.io.FileNotFoundException: {name} (No such file or directory)\n"
            ),
            Some(1)
        )
    );
    // A segment without aborted transactions has no such file.
    let name = "nowhere/00000000000000000007.txnindex";
    assert_eq!(dump("3.9", name), (format!("Dumping {name}\n"), String::new(), Some(0)));
}
