//! Every error code is what the class `Errors` of the official jars says: number, name, whether it may be retried, message.

mod official;

use std::{collections::BTreeMap, path::Path};

use vltava_protocol::ErrorCode;
use vltava_testkit::{java, maven};

#[derive(Debug, PartialEq)]
struct Official {
    name: String,
    retriable: bool,
    message: String,
}

fn errors(release: &str) -> BTreeMap<i16, Official> {
    let libraries = maven::class_path(&official::jars(release));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java-errors");
    let classes = java::compile(&format!("print-errors-{release}"), &sources, &libraries);
    let class_path = format!("{}:{libraries}", classes.display());
    let output = java::program(&class_path, "PrintErrors").output().expect("java starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let parse = |line: &str| {
        let [code, name, retriable, message] = line.splitn(4, '\t').collect::<Vec<_>>()[..] else {
            panic!("{line:?} has not four parts")
        };
        let official =
            Official { name: name.to_owned(), retriable: retriable == "true", message: message.to_owned() };
        (code.parse().unwrap(), official)
    };
    text.lines().map(parse).collect()
}

#[test]
fn every_code_has_the_official_number_name_retriability_and_message() {
    let [older, newer] = official::RELEASES.map(errors);
    assert!(older.len() > 120, "{} codes", older.len());
    // The newer release has all codes; how the older one words them is what tools of both eras are compared by.
    let mut expected = newer;
    for (code, error) in older {
        let newer = expected.insert(code, error);
        assert!(newer.is_some(), "{code} is gone from {}", official::RELEASES[1]);
    }
    let ours: BTreeMap<i16, Official> = ErrorCode::ALL
        .iter()
        .map(|error| {
            let (name, message) = (error.name().to_owned(), error.message().to_owned());
            (error.code(), Official { name, retriable: error.is_retriable(), message })
        })
        .collect();
    let mut problems = Vec::new();
    for code in ours.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>() {
        if ours.get(code) != expected.get(code) {
            problems.push(format!("{code}: {:?}\n    officially {:?}", ours.get(code), expected.get(code)));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
