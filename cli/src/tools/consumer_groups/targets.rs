//! What offsets are reset to: times and durations, topics with partitions, and the CSV files of `--export`.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};
use vltava_client::admin::TopicPartition;

use crate::tools::failure::Failure;

/// `topic`, or `topic:0,1,2`.
pub(super) fn topic_partitions(text: &str) -> Result<(&str, Option<Vec<i32>>), Failure> {
    let Some((topic, list)) = text.split_once(':') else { return Ok((text, None)) };
    let number = |entry: &str| {
        let words = || format!("Invalid partition '{entry}' specified in topic arg '{text}''");
        entry.trim().parse().map_err(|_| Failure::usage(words()))
    };
    let partitions = list.split(',').map(number).collect::<Result<_, _>>()?;
    Ok((topic, Some(partitions)))
}

/// `2024-01-31T12:00:00.000`, in UTC unless a zone such as `Z`, `+01` or `+0100` follows; as milliseconds since 1970. What is wrong is
/// said in the words of 3.9, or in those of 0.11.
pub(super) fn datetime(text: &str, modern: bool) -> Result<i64, Failure> {
    const PARSE_EXCEPTION: &str = "java.text.ParseException";
    let wrong = |words: String| match modern {
        true => Failure::new("java.lang.RuntimeException", format!("{PARSE_EXCEPTION}: {words}")),
        false => Failure::new(PARSE_EXCEPTION, words),
    };
    let unparsable = || wrong(format!("Unparseable date: \"{text}\""));
    let (date, time) = text.split_once('T').ok_or_else(|| match modern {
        true => {
            wrong("Error parsing timestamp. It does not contain a 'T' according to ISO8601 format".to_owned())
        }
        false => unparsable(),
    })?;
    if time.contains(['Z', 'z', '+', '-']) {
        let zoned: Timestamp = format!("{date}T{time}").parse().map_err(|_| unparsable())?;
        return Ok(zoned.as_millisecond());
    }
    let civil: DateTime = text.parse().map_err(|_| unparsable())?;
    let zoned = civil.to_zoned_datetime(TimeZone::UTC).map_err(|_| unparsable())?;
    Ok(zoned.timestamp().as_millisecond())
}

/// `P1DT2H3M4S` before `now`, as milliseconds since 1970.
pub(super) fn before(now: Timestamp, duration: &str) -> Result<i64, Failure> {
    let class = "java.time.format.DateTimeParseException";
    let unparsable = || Failure::new(class, "Text cannot be parsed to a Duration");
    let span: Span = duration.parse().map_err(|_| unparsable())?;
    // Java's durations know days of 24 hours and nothing longer.
    let unfit = span.get_years() != 0 || span.get_months() != 0 || span.get_weeks() != 0;
    if unfit {
        return Err(unparsable());
    }
    let then = now.to_zoned_datetime(TimeZone::UTC).checked_sub(span).map_err(|_| unparsable())?;
    Ok(then.timestamp().as_millisecond())
}

/// Offsets by group and partition.
pub(super) type Plan = BTreeMap<String, BTreeMap<TopicPartition, i64>>;

/// Reads what [`csv`] writes: `topic,partition,offset` where there is one group, else `group,topic,partition,offset`. As in Kafka, the
/// first line decides which of the two it is, and lines about other groups are not looked at.
pub(super) fn read_csv(text: &str, groups: &[String]) -> Result<Plan, Failure> {
    let mut plan = Plan::new();
    let mut without_group = None;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split(',').map(|field| field.trim().trim_matches('"')).collect();
        let alone = *without_group.get_or_insert_with(|| match (fields.as_slice(), groups) {
            ([_, partition, offset], [_]) => {
                let number = parse::<i32>(partition, "int").and_then(|_| parse::<i64>(offset, "long"));
                // Kafka goes on likewise; then the group has no plan.
                number.inspect_err(|failure| eprintln!("{failure}")).is_ok()
            }
            _ => false,
        });
        let (group, topic, partition, offset) = match (fields.as_slice(), groups) {
            ([topic, partition, offset], [group]) if alone => (group.as_str(), topic, partition, offset),
            ([group, ..], _) if !alone && !groups.iter().any(|known| known == group) => continue,
            ([group, topic, partition, offset], _) if !alone => (*group, topic, partition, offset),
            _ => {
                let words = format!("line {number} of the CSV file makes no sense: {line}");
                return Err(Failure::new("com.fasterxml.jackson.dataformat.csv.CsvReadException", words));
            }
        };
        let (partition, offset) = (parse(partition, "int")?, parse(offset, "long")?);
        let partition = TopicPartition { topic: (*topic).to_owned(), partition };
        plan.entry(group.to_owned()).or_default().insert(partition, offset);
    }
    Ok(plan)
}

/// A number, or what Kafka's reader of CSV says of what is none.
fn parse<N: std::str::FromStr>(field: &str, kind: &str) -> Result<N, Failure> {
    field.parse().map_err(|_| {
        let class = "com.fasterxml.jackson.databind.exc.InvalidFormatException";
        let words = format!(
            "Cannot deserialize value of type `{kind}` from String \"{field}\": not a valid `{kind}` value"
        );
        Failure::new(class, words)
    })
}

/// Writes offsets as CSV, one line a partition, with the group if there are several.
pub(super) fn csv(rows: &[(&str, &str, i32, i64)], with_group: bool) -> String {
    let line = |(group, topic, partition, offset): &(&str, &str, i32, i64)| {
        let group = if with_group { format!("{group},") } else { String::new() };
        format!("{group}{topic},{partition},{offset}\n")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        assert_eq!(datetime("1970-01-02T00:00:00.500", true), Ok(86_400_500));
        assert_eq!(datetime("1970-01-01T01:00:00.000+01:00", true), Ok(0));
        assert_eq!(datetime("1970-01-01T00:00:00.000Z", true), Ok(0));
        assert!(datetime("yesterday", true).is_err());
    }

    #[test]
    fn durations_are_javas() {
        let now = Timestamp::from_millisecond(200_000_000).unwrap();
        assert_eq!(before(now, "P1DT1H"), Ok(200_000_000 - 90_000_000));
        assert_eq!(before(now, "PT0.5S"), Ok(200_000_000 - 500));
        assert!(before(now, "P1Y").is_err());
        assert!(before(now, "an hour").is_err());
    }

    #[test]
    fn a_plan_survives_its_file() {
        let rows = [("g", "t", 0, 7), ("g", "t", 1, -1)];
        let groups = ["g".to_owned()];
        let alone = csv(&rows, false);
        assert_eq!(alone, "t,0,7\nt,1,-1\n");
        let plan = read_csv(&alone, &groups).unwrap();
        assert_eq!(plan, read_csv(&csv(&rows, true), &groups).unwrap());
        assert_eq!(plan["g"].len(), 2);
        assert!(read_csv("t,0\n", &groups).unwrap().is_empty());
        assert!(read_csv("t,0,7\nt,x,7\n", &groups).is_err());
        assert!(read_csv("a,0,7\n", &["a".into(), "b".into()]).is_err());
        // Neither form, or other groups: no plan.
        assert!(read_csv("t,zero,7\n", &groups).unwrap().is_empty());
        assert!(read_csv("other,t,0,7\n", &groups).unwrap().is_empty());
    }

    #[test]
    fn topics_may_have_partitions() {
        assert_eq!(topic_partitions("t"), Ok(("t", None)));
        assert_eq!(topic_partitions("t:0,2"), Ok(("t", Some(vec![0, 2]))));
        assert!(topic_partitions("t:x").is_err());
    }
}
