//! What a session is made of: commands as somebody types them, and what has to have happened before the next.
//!
//! Words in braces stand for what only a run knows: `{bootstrap}`, `{zookeeper}`, `{data}` (the broker's log directory), and whatever
//! [`keep`] has kept.

/// Some steps, recorded and compared together.
#[derive(Debug)]
pub(crate) struct Session {
    /// A name of one word.
    pub(crate) name: &'static str,
    /// What is done, in order.
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub(crate) enum Step {
    /// A command whose output is compared.
    Run(Run),
    /// A file that later commands name.
    File(&'static str, &'static str),
    /// Waits until what `vltava WORDS` prints matches a pattern.
    Until(&'static str, &'static str),
    /// Waits likewise, and keeps what the pattern's first group matched under a name.
    Keep(&'static str, &'static str, &'static str),
    /// Writes records, one batch a step, so that batches are the same in every run.
    Produce(Batch),
    /// A member of a group, which reads a topic from its start until [`Step::Leave`].
    Join { group: &'static str, topic: &'static str, client: &'static str },
    /// It goes.
    Leave,
    /// A command that runs until [`Step::Stop`].
    Start(&'static str),
    /// It ends.
    Stop,
}

/// A command and how its outcome is compared.
#[derive(Debug)]
pub(crate) struct Run {
    /// The script of `bin/` and its words, quoted as for a shell.
    pub(crate) line: &'static str,
    /// What it reads.
    pub(crate) stdin: &'static str,
    /// What of its outcome counts.
    pub(crate) counts: Counts,
}

/// What of a command's outcome counts beside its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Every line of standard output in order, and the first of standard error.
    Everything,
    /// The same, but the lines of standard output come from a hash map, or from partitions that are read side by side.
    AnyOrder,
    /// As [`Counts::Output`], repeated lines being one: what Kafka has preallocated, and then complains of.
    Squeezed,
    /// The same, but line breaks do not count: 3.8 and 3.9 forget those of some tables, which every other version has, and so have we.
    Unbroken,
    /// Only the first line of standard output, and the first of standard error.
    FirstLine,
    /// Only standard output.
    Output,
    /// Nothing else: what Kafka says is about itself, or says it elsewhere in each tool.
    ExitCode,
}

/// One batch of records.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Where it goes.
    pub(crate) topic: &'static str,
    /// Where it goes.
    pub(crate) partition: i32,
    /// A codec by librdkafka's name.
    pub(crate) codec: &'static str,
    /// Key, value and milliseconds since 1970.
    pub(crate) records: &'static [(Option<&'static str>, Option<&'static str>, i64)],
}

/// A command to compare.
pub(crate) fn run(line: &'static str) -> Step {
    Step::Run(Run { line, stdin: "", counts: Counts::Everything })
}

/// A command of whose outcome only a part counts.
pub(crate) fn run_for(counts: Counts, line: &'static str) -> Step {
    Step::Run(Run { line, stdin: "", counts })
}

/// A command that reads something.
pub(crate) fn run_with(stdin: &'static str, counts: Counts, line: &'static str) -> Step {
    Step::Run(Run { line, stdin, counts })
}

/// Splits a line into words as a shell does: blanks separate, single quotes hold together.
pub(crate) fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' | '\n' if !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[test]
fn a_line_is_split_as_a_shell_splits_it() {
    assert_eq!(words("a  'b c' d'e f' ''"), ["a", "b c", "de f", ""]);
}
