//! `--replica-assignment`: `0:1,1:2,2:0` is three partitions, each with its brokers.

use std::collections::BTreeSet;

use super::failure::Failure;

/// Reads the list.
pub(crate) fn parse(list: &str) -> Result<Vec<Vec<i32>>, Failure> {
    let partitions: Vec<Vec<i32>> = list
        .split(',')
        .map(|partition| partition.split(':').map(|id| number(id.trim())).collect())
        .collect::<Result<_, _>>()?;
    for (index, replicas) in partitions.iter().enumerate() {
        let mut seen = BTreeSet::new();
        let twice: Vec<String> =
            replicas.iter().filter(|id| !seen.insert(**id)).map(ToString::to_string).collect();
        if !twice.is_empty() {
            return Err(Failure::new(
                "kafka.common.AdminCommandFailedException",
                format!("Partition replica lists may not contain duplicate entries: {}", twice.join(",")),
            ));
        }
        if partitions.first().is_some_and(|first| first.len() != replicas.len()) {
            return Err(Failure::new(
                "kafka.admin.AdminOperationException",
                format!("Partition {index} has different replication factor: {replicas:?}"),
            ));
        }
    }
    Ok(partitions)
}

fn number(id: &str) -> Result<i32, Failure> {
    id.parse()
        .map_err(|_| Failure::new("java.lang.NumberFormatException", format!("For input string: \"{id}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_or_refused_by_name() {
        assert_eq!(parse("0:1,1:2, 2:0").unwrap(), [[0, 1], [1, 2], [2, 0]]);
        let cases = [
            ("0:0", "Partition replica lists may not contain duplicate entries: 0"),
            ("0:1,2", "Partition 1 has different replication factor: [2]"),
            ("a", "For input string: \"a\""),
            ("", "For input string: \"\""),
        ];
        for (list, why) in cases {
            assert_eq!(parse(list).unwrap_err().message, why, "{list}");
        }
    }
}
