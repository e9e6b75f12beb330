//! What offsets are reset to: times and durations, topics with partitions, and the CSV files of `--export`.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};
use vltava_client::admin::TopicPartition;

use crate::tools::failure::Failure;

/// `topic`, or `topic:0,1,2`.
pub(super) fn topic_partitions(text: &str) -> Result<(&str, Option<Vec<i32>>), Failure> {
    let Some((topic, list)) = text.split_once(':') else { return Ok((text, None)) };
    let number = |entry: &str| {
        let class = "java.lang.NumberFormatException";
        entry.trim().parse().map_err(|_| Failure::new(class, format!("For input string: \"{entry}\"")))
    };
    let partitions = list.split(',').map(number).collect::<Result<_, _>>()?;
    Ok((topic, Some(partitions)))
}

/// `2024-01-31T12:00:00.000`, in UTC unless a zone such as `Z`, `+01` or `+0100` follows; as milliseconds since 1970.
pub(super) fn datetime(text: &str) -> Result<i64, Failure> {
    let unparsable = || Failure::new("java.text.ParseException", format!("Unparseable date: \"{text}\""));
    let (date, time) = text.split_once('T').ok_or_else(unparsable)?;
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

/// Reads what [`csv`] writes: `topic,partition,offset` where there is one group, else `group,topic,partition,offset`.
pub(super) fn read_csv(text: &str, groups: &[String]) -> Result<Plan, Failure> {
    let mut plan = Plan::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let malformed = || {
            let class = "com.fasterxml.jackson.dataformat.csv.CsvReadException";
            Failure::new(class, format!("line {number} of the CSV file makes no sense: {line}"))
        };
        let fields: Vec<&str> = line.split(',').map(|field| field.trim().trim_matches('"')).collect();
        let (group, topic, partition, offset) = match (fields.as_slice(), groups) {
            ([topic, partition, offset], [group]) => (group.as_str(), topic, partition, offset),
            ([group, topic, partition, offset], _) => (*group, topic, partition, offset),
            _ => return Err(malformed()),
        };
        let partition = partition.parse().map_err(|_| malformed())?;
        let offset = offset.parse().map_err(|_| malformed())?;
        let partition = TopicPartition { topic: (*topic).to_owned(), partition };
        plan.entry(group.to_owned()).or_default().insert(partition, offset);
    }
    Ok(plan)
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
        assert_eq!(datetime("1970-01-02T00:00:00.500"), Ok(86_400_500));
        assert_eq!(datetime("1970-01-01T01:00:00.000+01:00"), Ok(0));
        assert_eq!(datetime("1970-01-01T00:00:00.000Z"), Ok(0));
        assert!(datetime("yesterday").is_err());
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
        assert!(read_csv("t,0\n", &groups).is_err());
        assert!(read_csv("t,0,7\n", &["a".into(), "b".into()]).is_err());
    }

    #[test]
    fn topics_may_have_partitions() {
        assert_eq!(topic_partitions("t"), Ok(("t", None)));
        assert_eq!(topic_partitions("t:0,2"), Ok(("t", Some(vec![0, 2]))));
        assert!(topic_partitions("t:x").is_err());
    }
}
