//! `--print-metrics`: what librdkafka has counted, under the names of the Java clients' metrics.
//!
//! A metric is here if librdkafka counts the same thing; Java's others (of its buffers, selectors and threads) have no counterpart.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rdkafka::Statistics;

use super::{super::java_text::decimal, names::Role};

/// How often librdkafka reports when it is asked to, as the value of `statistics.interval.ms`.
pub(crate) const INTERVAL_MS: &str = "200";
/// How long a report is waited for: many intervals.
const PATIENCE: Duration = Duration::from_secs(5);

/// The latest report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Arc<(Mutex<Latest>, Condvar)>);

#[derive(Debug, Default)]
struct Latest {
    report: Option<Statistics>,
    count: u64,
}

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, Latest> {
        // The report is replaced as a whole: no thread leaves it half done.
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a report.
    pub(crate) fn report(&self, report: Statistics) {
        let mut latest = self.lock();
        latest.report = Some(report);
        latest.count += 1;
        self.0.1.notify_all();
    }

    /// How many reports there have been.
    pub(crate) fn count(&self) -> u64 {
        self.lock().count
    }

    /// Waits for a report that was made after this call, and gives the table.
    pub(crate) fn next_table(&self, role: Role) -> String {
        let latest = self.lock();
        // The next one may be under way already.
        let wanted = latest.count + 2;
        let (latest, _) = self
            .0
            .1
            .wait_timeout_while(latest, PATIENCE, |latest| latest.count < wanted)
            .unwrap_or_else(PoisonError::into_inner);
        latest.report.as_ref().map(|report| table(&rows(report, role))).unwrap_or_default()
    }

    /// The table of the latest report.
    pub(crate) fn table(&self, role: Role) -> String {
        self.lock().report.as_ref().map(|report| table(&rows(report, role))).unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(f64),
    Text(String),
}

/// Rows by `group:name:{tags}`, as Kafka's tools merge them.
struct Rows<'a> {
    client: &'a str,
    rows: BTreeMap<String, Value>,
}

impl Rows<'_> {
    fn add(&mut self, group: &str, name: &str, tags: &str, value: f64) {
        let tags = if tags.is_empty() { String::new() } else { format!(", {tags}") };
        let name = format!("{group}:{name}:{{client-id={}{tags}}}", self.client);
        self.rows.insert(name, Value::Number(value));
    }

    /// What every client counts.
    fn connections(&mut self, report: &Statistics, kind: &str) {
        let own = &format!("{kind}-metrics");
        let up = report.brokers.values().filter(|broker| broker.state == "UP").count();
        self.add(own, "connection-count", "", up as f64);
        self.add(own, "request-total", "", report.tx as f64);
        self.add(own, "response-total", "", report.rx as f64);
        self.add(own, "outgoing-byte-total", "", report.tx_bytes as f64);
        self.add(own, "incoming-byte-total", "", report.rx_bytes as f64);
        let connects = report.brokers.values().filter_map(|broker| broker.connects).sum::<i64>();
        self.add(own, "connection-creation-total", "", connects as f64);
        let disconnects = report.brokers.values().filter_map(|broker| broker.disconnects).sum::<i64>();
        self.add(own, "connection-close-total", "", disconnects as f64);
        let nodes = &format!("{kind}-node-metrics");
        for broker in report.brokers.values().filter(|broker| broker.nodeid >= 0) {
            let node = &format!("node-id=node-{}", broker.nodeid);
            self.add(nodes, "request-total", node, broker.tx as f64);
            self.add(nodes, "response-total", node, broker.rx as f64);
            self.add(nodes, "outgoing-byte-total", node, broker.txbytes as f64);
            self.add(nodes, "incoming-byte-total", node, broker.rxbytes as f64);
            if let Some(rtt) = &broker.rtt {
                self.add(nodes, "request-latency-avg", node, rtt.avg as f64 / 1000.0);
                self.add(nodes, "request-latency-max", node, rtt.max as f64 / 1000.0);
            }
        }
    }

    fn sent(&mut self, report: &Statistics) {
        let own = "producer-metrics";
        self.add(own, "record-send-total", "", report.txmsgs as f64);
        self.add(own, "byte-total", "", report.txmsg_bytes as f64);
        let retries = report.brokers.values().map(|broker| broker.txretries).sum::<u64>();
        self.add(own, "record-retry-total", "", retries as f64);
        for topic in report.topics.values() {
            let tag = &format!("topic={}", topic.topic);
            let sum = |of: fn(&rdkafka::statistics::Partition) -> u64| {
                topic.partitions.values().map(of).sum::<u64>() as f64
            };
            let group = "producer-topic-metrics";
            self.add(group, "record-send-total", tag, sum(|partition| partition.txmsgs));
            self.add(group, "byte-total", tag, sum(|partition| partition.txbytes));
            self.add(own, "batch-size-avg", "", topic.batchsize.avg as f64);
            self.add(own, "batch-size-max", "", topic.batchsize.max as f64);
        }
    }

    fn consumed(&mut self, report: &Statistics) {
        let fetch = "consumer-fetch-manager-metrics";
        self.add(fetch, "records-consumed-total", "", report.rxmsgs as f64);
        self.add(fetch, "bytes-consumed-total", "", report.rxmsg_bytes as f64);
        for topic in report.topics.values() {
            for partition in topic.partitions.values().filter(|partition| partition.partition >= 0) {
                let tags = &format!("topic={}, partition={}", topic.topic, partition.partition);
                if partition.hi_offset >= 0 && partition.app_offset >= 0 {
                    let lag = partition.hi_offset - partition.app_offset;
                    self.add(fetch, "records-lag", tags, lag as f64);
                }
            }
        }
        if let Some(group) = &report.cgrp {
            let metrics = "consumer-coordinator-metrics";
            self.add(metrics, "rebalance-total", "", group.rebalance_cnt as f64);
            self.add(metrics, "assigned-partitions", "", f64::from(group.assignment_size));
        }
    }
}

fn rows(report: &Statistics, role: Role) -> BTreeMap<String, Value> {
    let mut rows = Rows { client: &report.client_id, rows: BTreeMap::new() };
    match role {
        Role::Producer => {
            rows.connections(report, "producer");
            rows.sent(report);
        }
        Role::Consumer => {
            rows.connections(report, "consumer");
            rows.consumed(report);
        }
    }
    let (_, version) = rdkafka::util::get_rdkafka_version();
    let name = format!("app-info:version:{{client-id={}}}", report.client_id);
    rows.rows.insert(name, Value::Text(format!("librdkafka {version}")));
    rows.rows
}

/// The table of Kafka's `ToolsUtils`, after an empty line.
fn table(rows: &BTreeMap<String, Value>) -> String {
    let width = rows.keys().map(String::len).max().unwrap_or_default();
    let mut text = format!("\n{:width$}   Value\n", "Metric Name");
    for (name, value) in rows {
        let value = match value {
            Value::Number(number) => decimal(*number, 3),
            Value::Text(text) => text.clone(),
        };
        text.push_str(&format!("{name:width$} : {value}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_kafkas() {
        let report = Statistics { client_id: "c".to_owned(), txmsgs: 12, ..Statistics::default() };
        let rows = rows(&report, Role::Producer);
        let name = "producer-metrics:record-send-total:{client-id=c}".to_owned();
        assert_eq!(rows.get(&name), Some(&Value::Number(12.0)));
        let only =
            BTreeMap::from([(name, Value::Number(12.0)), ("x".to_owned(), Value::Text("1".to_owned()))]);
        assert_eq!(
            table(&only),
            format!(
                "\nMetric Name{}   Value\nproducer-metrics:record-send-total:{{client-id=c}} : 12.000\nx{} : 1\n",
                " ".repeat(37),
                " ".repeat(47)
            )
        );
    }
}
