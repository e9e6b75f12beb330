//! The one collector: all that a broker tells Prometheus.
//!
//! There is one because some names have two label sets (a sample for each topic, and one for all), which the `prometheus` crate refuses of separate
//! metrics.

use std::{fmt, sync::Arc};

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use vltava_protocol::ApiKey;

use super::{Exposition, Metrics, Source, TopicMetrics, process};

/// A registry with all that the sources tell.
pub fn registry(sources: Vec<Arc<dyn Source + Send + Sync>>) -> prometheus::Result<Registry> {
    let registry = Registry::new();
    registry.register(Box::new(All(sources)))?;
    Ok(registry)
}

struct All(Vec<Arc<dyn Source + Send + Sync>>);

impl fmt::Debug for All {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("All").field(&self.0.len()).finish()
    }
}

impl Collector for All {
    /// None: descriptions would forbid two label sets under one name.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut exposition = Exposition::default();
        for source in &self.0 {
            source.expose(&mut exposition);
        }
        process::expose(&mut exposition);
        exposition.into_families()
    }
}

impl Source for Metrics {
    fn expose(&self, exposition: &mut Exposition) {
        expose_traffic(exposition, &[], &self.all_topics);
        let mut topics: Vec<_> =
            self.topics.read().iter().map(|(name, traffic)| (name.clone(), traffic.clone())).collect();
        topics.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, traffic) in &topics {
            expose_traffic(exposition, &[("topic", name)], traffic);
        }
        let mut requests = exposition
            .counter("kafka_network_requestmetrics_requests_total", "Requests that have begun, by API.");
        for key in ApiKey::ALL {
            let count = self.requests.of(*key);
            if count > 0 {
                requests.sample(&[("request", key.name())], count as f64);
            }
        }
    }
}

fn expose_traffic(exposition: &mut Exposition, labels: &[(&str, &str)], traffic: &TopicMetrics) {
    for (name, help, counter) in [
        (
            "kafka_server_brokertopicmetrics_bytesin_total",
            "Bytes of record data from producers.",
            &traffic.bytes_in,
        ),
        (
            "kafka_server_brokertopicmetrics_bytesout_total",
            "Bytes of record data to consumers.",
            &traffic.bytes_out,
        ),
        ("kafka_server_brokertopicmetrics_messagesin_total", "Records from producers.", &traffic.messages_in),
        (
            "kafka_server_brokertopicmetrics_totalproducerequests_total",
            "Partitions of Produce requests.",
            &traffic.produce_requests,
        ),
        (
            "kafka_server_brokertopicmetrics_failedproducerequests_total",
            "Partitions of Produce requests that failed.",
            &traffic.failed_produce_requests,
        ),
        (
            "kafka_server_brokertopicmetrics_totalfetchrequests_total",
            "Partitions of consumers' Fetch requests.",
            &traffic.fetch_requests,
        ),
        (
            "kafka_server_brokertopicmetrics_failedfetchrequests_total",
            "Partitions of consumers' Fetch requests that failed.",
            &traffic.failed_fetch_requests,
        ),
    ] {
        exposition.counter(name, help).sample(labels, counter.get() as f64);
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn one_name_carries_a_sample_for_each_topic_and_one_for_all() {
        let metrics = Arc::new(Metrics::default());
        metrics.topic("orders").bytes_in.add(3);
        metrics.topic("payments \"x\"").bytes_in.add(4);
        metrics.all_topics.bytes_in.add(7);
        metrics.requests.count(ApiKey::Fetch);
        let registry = registry(vec![metrics]).unwrap();
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("bytesin_total")).collect();
        assert_eq!(
            lines,
            [
                "# HELP kafka_server_brokertopicmetrics_bytesin_total Bytes of record data from producers.",
                "# TYPE kafka_server_brokertopicmetrics_bytesin_total counter",
                "kafka_server_brokertopicmetrics_bytesin_total 7",
                "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 3",
                "kafka_server_brokertopicmetrics_bytesin_total{topic=\"payments \\\"x\\\"\"} 4",
            ]
        );
        assert!(text.contains("kafka_network_requestmetrics_requests_total{request=\"Fetch\"} 1"));
    }

    #[test]
    fn the_process_is_told_with_numbers_that_are_not_zero() {
        let registry = registry(Vec::new()).unwrap();
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for name in [
            "process_open_fds",
            "process_max_fds",
            "process_resident_memory_bytes",
            "process_virtual_memory_bytes",
            "process_start_time_seconds",
        ] {
            let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
            assert!(value.unwrap().parse::<f64>().unwrap() > 0.0, "{name}");
        }
        assert!(text.contains("\nprocess_cpu_seconds_total "));
        assert!(text.contains("\nkafka_server_kafkaserver_linux_disk_write_bytes "));
    }
}
