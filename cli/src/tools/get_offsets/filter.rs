//! Which partitions are meant: a topic and a list of numbers, or patterns such as `topic1:1,topic2:0-3`.

use regex::Regex;

use crate::tools::{failure::Failure, topic_filter::TopicFilter};

/// A filter of partitions: those that fit any of its rules.
#[derive(Debug)]
pub(super) struct PartitionFilter(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    topic: TopicFilter,
    partitions: Partitions,
}

#[derive(Debug)]
enum Partitions {
    /// Those listed; none listed means all.
    List(Vec<i32>),
    /// From the first on, up to before the second.
    Range(i32, i32),
}

impl PartitionFilter {
    /// The filter of `--topic` and `--partitions`.
    pub(super) fn of(topic: Option<&str>, partitions: Option<&str>) -> Result<PartitionFilter, Failure> {
        let number = |entry: &str| {
            entry.trim().parse::<i32>().map_err(|_| {
                Failure::illegal(format!(
                    "--partitions expects a comma separated list of numeric partition ids, but received: {}",
                    partitions.unwrap_or_default()
                ))
            })
        };
        let list: Vec<i32> = match partitions {
            Some(list) => {
                list.split(',').filter(|entry| !entry.is_empty()).map(number).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        Ok(PartitionFilter(vec![Rule {
            topic: TopicFilter::new(topic)?,
            partitions: Partitions::List(list),
        }]))
    }

    /// The filter of `--topic-partitions`.
    pub(super) fn patterns(patterns: &str) -> Result<PartitionFilter, Failure> {
        patterns.split(',').map(rule).collect::<Result<_, _>>().map(PartitionFilter)
    }

    /// Whether a partition is meant.
    pub(super) fn allows(&self, topic: &str, partition: i32) -> bool {
        self.0.iter().any(|rule| {
            rule.topic.allows(topic)
                && match &rule.partitions {
                    Partitions::List(list) => list.is_empty() || list.contains(&partition),
                    Partitions::Range(from, to) => (*from..*to).contains(&partition),
                }
        })
    }
}

fn rule(text: &str) -> Result<Rule, Failure> {
    let invalid = || {
        Failure::illegal(format!("org.apache.kafka.tools.TerseException: Invalid rule specification: {text}"))
    };
    let shape = Regex::new(r"^([^:,]*)(?::(?:([0-9]+)|([0-9]*)-([0-9]*))?)?$").map_err(|_| invalid())?;
    let found = shape.captures(text).ok_or_else(invalid)?;
    let part = |index| found.get(index).map(|part| part.as_str()).filter(|part| !part.is_empty());
    let number = |index, otherwise| match part(index) {
        Some(digits) => digits.parse::<i32>().map_err(|_| invalid()),
        None => Ok(otherwise),
    };
    let partitions = match part(2) {
        Some(_) => Partitions::List(vec![number(2, 0)?]),
        None => Partitions::Range(number(3, 0)?, number(4, i32::MAX)?),
    };
    Ok(Rule { topic: TopicFilter::new(part(1))?, partitions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_kafka_documents() {
        let filter = PartitionFilter::patterns("topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3,:7").unwrap();
        let meant = [
            ("topic1", 1),
            ("topic2", 0),
            ("topic2", 2),
            ("topic3", 99),
            ("topic4", 5),
            ("topic4", 6),
            ("topic5", 2),
            ("any", 7),
        ];
        for (topic, partition) in meant {
            assert!(filter.allows(topic, partition), "{topic}-{partition}");
        }
        for (topic, partition) in [("topic1", 0), ("topic2", 3), ("topic4", 4), ("topic5", 3), ("any", 1)] {
            assert!(!filter.allows(topic, partition), "{topic}-{partition}");
        }
        assert_eq!(
            PartitionFilter::patterns("a:b").unwrap_err().message,
            "org.apache.kafka.tools.TerseException: Invalid rule specification: a:b"
        );
    }

    #[test]
    fn a_topic_and_a_list_mean_their_product() {
        let filter = PartitionFilter::of(Some("t.*"), Some("0,2")).unwrap();
        assert!(filter.allows("t1", 0) && filter.allows("t", 2));
        assert!(!filter.allows("t1", 1) && !filter.allows("x", 0));
        assert!(PartitionFilter::of(None, None).unwrap().allows("x", 5));
        assert_eq!(
            PartitionFilter::of(None, Some("a")).unwrap_err().message,
            "--partitions expects a comma separated list of numeric partition ids, but received: a"
        );
    }
}
