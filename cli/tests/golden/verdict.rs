//! Compares two recordings of a session.

use std::fmt::Write;

use regex::Regex;

use super::play::{Outcome, Recording};
use super::session::{Counts, Run, Session, Step};

/// What differs from run to run: log times, record timestamps, ids that are random. Everything else has to be the same.
const MASKS: [(&str, &str); 17] = [
    (r"(salt|stored_key|server_key)=[A-Za-z0-9+/=]+", "$1=BASE64"),
    // How a JVM ends; the words after it are the tool's.
    (r#"Exception in thread "main" joptsimple\.\w+: "#, ""),
    (r"\[20\d\d-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]", "[YYYY-MM-DD HH:MM:SS,mmm]"),
    // The checksum of a batch with a time of the run; those that a session has written have times of 2023.
    (r"(CreateTime: (?:17[1-9]|1[89])\d+ .*crc: )\d+", "${1}N"),
    (r"((?:Create|LogAppend)Time: ?)1[789]\d{11}", "${1}TTTTTTTTTTTTT"),
    (r"(commitTimestamp\W*:\W?|currentStateTimestamp\W*:\W?)1[789]\d{11}", "${1}TTTTTTTTTTTTT"),
    (r"(timestamp: )1[789]\d{11}", "${1}TTTTTTTTTTTTT"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
    (r"TopicId: [A-Za-z0-9_-]{22}", "TopicId: xxxxxxxxxxxxxxxxxxxxxx"),
    // A member's partitions without their topic, and a quote too many after the groups deleted: slips of 3.8 and 3.9 alone.
    (r"(?m)( \d+ +)\w+(\([\d,]+\))$", "$1$2"),
    (r"(?m)^(These consumer groups were deleted successfully: .*'), '$", "$1"),
    // A space that 0.11 forgets, and later versions have.
    (r#"can't be used with option"\["#, r#"can't be used with option "["#),
    // A thread of its own tells of the session, before or after or never if the command is quicker.
    // In two steps: another thread tells of events, and what a command writes may come between its lines.
    (r"(?m)^\nWATCHER::\n", ""),
    (r"(?m)^\nWatchedEvent state:\w+ type:None path:null\n", ""),
    // A znode's status.
    (r"(?m)^(cZxid|mZxid|pZxid) = 0x[0-9a-f]+", "$1 = 0xN"),
    (r"(?m)^(ctime|mtime) = .*$", "$1 = DATE"),
    (r"ephemeralOwner = 0x[1-9a-f][0-9a-f]*", "ephemeralOwner = 0xN"),
];

/// Lines that a JVM, or the logging beside it, adds by itself: nothing of them is the tool's.
const JVM: [&str; 5] = ["SLF4J: ", "\tat ", "Caused by: ", "\t... ", "JLine support is disabled"];

/// Panics with every difference there is.
pub(crate) fn same(session: &Session, apache: &Recording, vltava: &Recording) {
    let runs: Vec<&Run> = session
        .steps
        .iter()
        .filter_map(|step| if let Step::Run(run) = step { Some(run) } else { None })
        .collect();
    assert_eq!((apache.outcomes.len(), vltava.outcomes.len()), (runs.len(), runs.len()), "{}", session.name);
    let (mut report, mut differing) = (String::new(), 0);
    for ((run, theirs), ours) in runs.iter().zip(&apache.outcomes).zip(&vltava.outcomes) {
        let theirs = shown(run, theirs, apache);
        let ours = shown(run, ours, vltava);
        if theirs != ours {
            differing += 1;
            let _ = writeln!(report, "\n$ bin/{}\n{}", run.line, difference(&theirs, &ours));
        }
    }
    assert!(
        differing == 0,
        "{differing} of {} commands differ in {} (- Apache, + Vltava):\n{report}",
        runs.len(),
        session.name
    );
}

/// What counts of an outcome, one line each, without what differs from run to run.
fn shown(run: &Run, outcome: &Outcome, recording: &Recording) -> Vec<String> {
    let mut lines: Vec<String> = lines_of(&outcome.stdout, recording);
    if run.counts == Counts::Unbroken {
        lines = vec![lines.concat()];
    }
    let unbroken = run.counts == Counts::Unbroken || outcome.stdout.contains(" NEW-OFFSET ");
    if !outcome.stdout.is_empty() && !outcome.stdout.ends_with('\n') && !unbroken {
        lines.push("[no newline]".to_owned());
    }
    match run.counts {
        Counts::Everything | Counts::Squeezed | Counts::Unbroken | Counts::Output => {}
        Counts::AnyOrder => lines.sort(),
        Counts::FirstLine => lines.truncate(1),
        Counts::ExitCode => lines.clear(),
    }
    if !matches!(run.counts, Counts::Output | Counts::Squeezed | Counts::ExitCode)
        && let Some(line) = lines_of(&outcome.stderr, recording).into_iter().find(|line| !line.is_empty())
    {
        lines.push(format!("stderr: {line}"));
    }
    if run.counts == Counts::ExitCode {
        lines.clear();
    }
    lines.push(format!("exit: {:?}", outcome.exit));
    lines
}

fn lines_of(text: &str, recording: &Recording) -> Vec<String> {
    let mut text = text.to_owned();
    let known = ["bootstrap", "zookeeper", "data"].map(|name| (recording.values[name].as_str(), name));
    let shown =
        [("bootstrap", "127.0.0.1:9092"), ("zookeeper", "127.0.0.1:2181"), ("data", "/tmp/kafka-logs")];
    for (value, name) in known {
        let standing = shown.iter().find(|(known, _)| *known == name).map_or("", |(_, standing)| standing);
        text = text.replace(value, standing);
    }
    // Names with a port alone, and files in the folder of the session.
    for (name, value) in &recording.values {
        if !["bootstrap", "zookeeper", "data"].contains(&name.as_str()) {
            text = text.replace(value.as_str(), &format!("{{{name}}}"));
        }
    }
    text = text.replace(&recording.folder, "/tmp/session");
    for (pattern, standing) in MASKS {
        text = Regex::new(pattern).unwrap().replace_all(&text, standing).into_owned();
    }
    let of_the_jvm = |line: &str| {
        JVM.iter().any(|begin| line.starts_with(begin)) || line.contains("(org.apache.kafka.clients.")
    };
    text.lines().filter(|line| !of_the_jvm(line)).flat_map(rows).map(|line| overrides(&line)).collect()
}

/// A topic's overrides come from a hash map.
fn overrides(line: &str) -> String {
    let Some((before, list)) = line.split_once("\tConfigs: ") else { return line.to_owned() };
    let mut list: Vec<&str> = list.split(',').collect();
    list.sort_unstable();
    format!("{before}\tConfigs: {}", list.join(","))
}

/// 3.8 and 3.9 write the rows of a reset without line breaks; every other version has them, and so have we.
fn rows(line: &str) -> Vec<String> {
    const WIDTH: usize = "GROUP".len() + 25 + 1 + 30 + 1 + 10 + 1 + 15;
    if !line.starts_with("GROUP ") || !line.contains(" NEW-OFFSET ") || !line.len().is_multiple_of(WIDTH) {
        return vec![line.to_owned()];
    }
    line.as_bytes().chunks(WIDTH).map(|row| String::from_utf8_lossy(row).into_owned()).collect()
}

/// The lines of both, those that only one has marked.
fn difference(theirs: &[String], ours: &[String]) -> String {
    // Lengths of the longest common subsequence of what follows; outputs are short.
    let mut common = vec![vec![0_usize; ours.len() + 1]; theirs.len() + 1];
    for (i, a) in theirs.iter().enumerate().rev() {
        for (j, b) in ours.iter().enumerate().rev() {
            common[i][j] =
                if a == b { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < theirs.len() || j < ours.len() {
        let same = i < theirs.len() && j < ours.len() && theirs[i] == ours[j];
        let line = if same {
            (i, j) = (i + 1, j + 1);
            format!("  {}", theirs[i - 1])
        } else if j == ours.len() || (i < theirs.len() && common[i + 1][j] >= common[i][j + 1]) {
            i += 1;
            format!("- {}", theirs[i - 1])
        } else {
            j += 1;
            format!("+ {}", ours[j - 1])
        };
        let _ = writeln!(text, "{line}");
    }
    text
}

#[test]
fn a_difference_is_shown_line_by_line() {
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(difference(&lines("a b c"), &lines("a x c")), "  a\n- b\n+ x\n  c\n");
}
