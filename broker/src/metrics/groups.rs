//! What consumer groups have read, under the exporter's names: told by a group's coordinator, so that each series comes from one pod.

use std::fmt::Write as _;

use super::{Exposition, Samples};
use crate::Broker;

/// A group's place in one partition.
struct Row {
    group: usize,
    topic: String,
    partition: i32,
    offset: i64,
    /// Records between it and the high watermark, where the partition is led here.
    lag: Option<i64>,
}

pub(super) fn expose(exposition: &mut Exposition, broker: &Broker) {
    let mut slots: Vec<(String, _)> = broker
        .groups
        .slots()
        .into_iter()
        .map(|slot| (slot.look(|group| group.id().to_owned()), slot))
        .collect();
    slots.sort_by(|a, b| a.0.cmp(&b.0));
    let mut rows = Vec::new();
    let mut members = Vec::with_capacity(slots.len());
    for (at, (_, slot)) in slots.iter().enumerate() {
        let (size, mut offsets) = slot.look(|group| {
            let offset =
                |(topic, partition, committed): (&str, i32, &vltava_cluster::groups::CommittedOffset)| Row {
                    group: at,
                    topic: topic.to_owned(),
                    partition,
                    offset: committed.offset,
                    lag: None,
                };
            (group.size(), group.offsets().map(offset).collect::<Vec<_>>())
        });
        members.push(size);
        offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        // The group's lock is not held while partitions are asked.
        for row in &mut offsets {
            let end =
                broker.replicas.partition(&row.topic, row.partition).map(|found| found.high_watermark());
            row.lag = end.ok().map(|end| (end - row.offset).max(0));
        }
        rows.append(&mut offsets);
    }
    let name = |group: usize| slots[group].0.as_str();
    by_partition(
        exposition.gauge("kafka_consumergroup_current_offset", "What a group has committed."),
        rows.iter().map(|row| (name(row.group), row, row.offset)),
    );
    by_topic(
        exposition
            .gauge("kafka_consumergroup_current_offset_sum", "What a group has committed, over a topic."),
        &rows,
        &name,
        |row| Some(row.offset),
    );
    by_partition(
        exposition.gauge("kafka_consumergroup_lag", "Records that a group has yet to read."),
        rows.iter().filter_map(|row| Some((name(row.group), row, row.lag?))),
    );
    by_topic(
        exposition
            .gauge("kafka_consumergroup_lag_sum", "Records that a group has yet to read, over a topic."),
        &rows,
        &name,
        |row| row.lag,
    );
    let mut samples = exposition.gauge("kafka_consumergroup_members", "Members of a group.");
    for (at, size) in members.into_iter().enumerate() {
        samples.sample(&[("consumergroup", name(at))], size as f64);
    }
}

fn by_partition<'a>(mut samples: Samples<'_>, rows: impl Iterator<Item = (&'a str, &'a Row, i64)>) {
    let mut number = String::new();
    for (group, row, value) in rows {
        number.clear();
        let _ = write!(number, "{}", row.partition);
        let labels = [("consumergroup", group), ("topic", &row.topic), ("partition", &number)];
        samples.sample(&labels, value as f64);
    }
}

/// Rows come sorted by group and topic.
fn by_topic<'a>(
    mut samples: Samples<'_>,
    rows: &[Row],
    name: &dyn Fn(usize) -> &'a str,
    value: fn(&Row) -> Option<i64>,
) {
    for chunk in rows.chunk_by(|a, b| a.group == b.group && a.topic == b.topic) {
        let values: Vec<i64> = chunk.iter().filter_map(value).collect();
        if !values.is_empty() {
            let labels = [("consumergroup", name(chunk[0].group)), ("topic", &chunk[0].topic)];
            samples.sample(&labels, values.iter().sum::<i64>() as f64);
        }
    }
}
