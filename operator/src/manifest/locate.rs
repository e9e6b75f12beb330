//! Lines of fields, found in the text of a document in block style, since the YAML reader keeps no positions.

/// A step of a path such as `spec.pools[0].replicas`.
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The line, counted from 1, on which a field stands, or the nearest field around it that can be found.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = None;
    // The block that the next step is looked for in: its first line, and the least indentation of its lines.
    let (mut from, mut deeper_than): (usize, Option<usize>) = (0, None);
    for step in steps(path) {
        let at = match step {
            Step::Key(key) => find_key(&lines, from, deeper_than, key),
            Step::Index(index) => find_item(&lines, from, deeper_than, index),
        };
        let Some((line, indentation, same_line)) = at else { break };
        found = Some(line + 1);
        (from, deeper_than) =
            if same_line { (line, Some(indentation)) } else { (line + 1, Some(indentation)) };
    }
    found
}

/// Splits at dots and brackets; a key of a map in quotes or brackets, such as `config["log.dir"]`, is one step.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let Some((index, after)) = inner.split_once(']') else { break };
            let quoted = index.trim_matches('"');
            steps.push(index.parse().map_or(Step::Key(quoted), Step::Index));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                break;
            }
            steps.push(Step::Key(&rest[..end]));
            rest = &rest[end..];
        }
    }
    steps
}

/// Columns before the text of a line, where dashes of list items count as blanks.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

fn is_content(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty() && !text.starts_with('#')
}

/// Where a key stands: line, indentation, and whether its block goes on in the same line.
fn find_key(
    lines: &[&str],
    from: usize,
    deeper_than: Option<usize>,
    key: &str,
) -> Option<(usize, usize, bool)> {
    let mut expected = None;
    for (index, line) in lines.iter().enumerate().skip(from).filter(|(_, line)| is_content(line)) {
        let columns = indentation(line);
        if deeper_than.is_some_and(|limit| columns <= limit) {
            return None;
        }
        // Keys of one block stand at one column: that of the first.
        let column = *expected.get_or_insert(columns);
        let text = line.trim_start_matches([' ', '-']);
        let name = text.split(':').next().unwrap_or_default().trim_matches(['"', '\'']);
        if columns == column && name == key && text.contains(':') {
            return Some((index, columns, false));
        }
    }
    None
}

/// Where a list's item stands. Its own keys are on the same line, deeper than the dash.
fn find_item(
    lines: &[&str],
    from: usize,
    deeper_than: Option<usize>,
    item: usize,
) -> Option<(usize, usize, bool)> {
    let mut dash = None;
    let mut seen = 0;
    for (index, line) in lines.iter().enumerate().skip(from).filter(|(_, line)| is_content(line)) {
        let column = line.len() - line.trim_start().len();
        // A list may stand at its key's own column.
        if deeper_than
            .is_some_and(|limit| column < limit || (column == limit && !line.trim_start().starts_with('-')))
        {
            return None;
        }
        if !line.trim_start().starts_with('-') || *dash.get_or_insert(column) != column {
            continue;
        }
        if seen == item {
            return Some((index, column, true));
        }
        seen += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn fields_are_found_in_block_style() {
        let text = "# a comment\nspec:\n  pools:\n  - name: a\n    replicas: 1\n  - replicas: 2\n    name: b\n  config:\n    log.dir: x\n    num.partitions: 3\nkind: Topic\n";
        for (path, line) in [
            ("spec", Some(2)),
            ("spec.pools", Some(3)),
            ("spec.pools[0]", Some(4)),
            ("spec.pools[0].replicas", Some(5)),
            ("spec.pools[1].replicas", Some(6)),
            ("spec.pools[1].name", Some(7)),
            ("spec.config[\"num.partitions\"]", Some(10)),
            ("kind", Some(11)),
            ("spec.pools[1].missing", Some(6)),
            ("nothing", None),
            ("", None),
        ] {
            assert_eq!(line_of(text, path), line, "{path}");
        }
    }
}
