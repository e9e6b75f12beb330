//! All that a broker tells Prometheus, in order.

use std::{fmt, sync::Arc};

use vltava_protocol::ApiKey;

use super::{Counter, Exposition, Metrics, Source, TopicMetrics, process};

/// A source that threads share.
pub type SharedSource = Arc<dyn Source + Send + Sync>;

/// Every source of a broker.
pub struct Collector(Vec<SharedSource>);

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collector").field(&self.0.len()).finish()
    }
}

impl Collector {
    /// Of these sources, and of what the kernel knows about the process.
    pub fn new(sources: Vec<SharedSource>) -> Self {
        Self(sources)
    }

    /// Tells everything, and finishes.
    pub fn tell(&self, mut exposition: Exposition) {
        for source in &self.0 {
            source.expose(&mut exposition);
        }
        process::expose(&mut exposition);
        exposition.finish();
    }
}

impl Source for Metrics {
    fn expose(&self, exposition: &mut Exposition) {
        let mut topics: Vec<_> =
            self.topics.read().iter().map(|(name, traffic)| (name.clone(), traffic.clone())).collect();
        topics.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, help, of) in TRAFFIC {
            let mut samples = exposition.counter(name, help);
            samples.sample(&[], of(&self.all_topics).get() as f64);
            for (topic, traffic) in &topics {
                samples.sample(&[("topic", topic)], of(traffic).get() as f64);
            }
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

/// A number of `BrokerTopicMetrics`: its name, what it says, and where it is counted.
type Traffic = (&'static str, &'static str, fn(&TopicMetrics) -> &Counter);

const TRAFFIC: [Traffic; 7] = [
    ("kafka_server_brokertopicmetrics_bytesin_total", "Bytes of record data from producers.", |traffic| {
        &traffic.bytes_in
    }),
    ("kafka_server_brokertopicmetrics_bytesout_total", "Bytes of record data to consumers.", |traffic| {
        &traffic.bytes_out
    }),
    ("kafka_server_brokertopicmetrics_messagesin_total", "Records from producers.", |traffic| {
        &traffic.messages_in
    }),
    (
        "kafka_server_brokertopicmetrics_totalproducerequests_total",
        "Partitions of Produce requests.",
        |traffic| &traffic.produce_requests,
    ),
    (
        "kafka_server_brokertopicmetrics_failedproducerequests_total",
        "Partitions of Produce requests that failed.",
        |traffic| &traffic.failed_produce_requests,
    ),
    (
        "kafka_server_brokertopicmetrics_totalfetchrequests_total",
        "Partitions of consumers' Fetch requests.",
        |traffic| &traffic.fetch_requests,
    ),
    (
        "kafka_server_brokertopicmetrics_failedfetchrequests_total",
        "Partitions of consumers' Fetch requests that failed.",
        |traffic| &traffic.failed_fetch_requests,
    ),
];

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn told(sources: Vec<SharedSource>) -> String {
        let text = Arc::new(Mutex::new(String::new()));
        let kept = text.clone();
        Collector::new(sources).tell(Exposition::new(move |piece| {
            kept.lock().unwrap().push_str(&piece);
            true
        }));
        Arc::into_inner(text).unwrap().into_inner().unwrap()
    }

    #[test]
    fn a_name_has_a_sample_for_each_topic_and_one_for_all() {
        let metrics = Arc::new(Metrics::default());
        metrics.all_topics.bytes_in.add(7);
        metrics.topic("b").bytes_in.add(4);
        metrics.topic("a").bytes_in.add(3);
        metrics.requests.count(ApiKey::Fetch);
        let text = told(vec![metrics]);
        let name = "kafka_server_brokertopicmetrics_bytesin_total";
        let expected =
            format!("# TYPE {name} counter\n{name} 7\n{name}{{topic=\"a\"}} 3\n{name}{{topic=\"b\"}} 4\n");
        assert!(text.contains(&expected), "{text}");
        assert!(
            text.contains("\nkafka_network_requestmetrics_requests_total{request=\"Fetch\"} 1\n"),
            "{text}"
        );
    }

    #[test]
    fn the_process_is_told_with_numbers_that_are_not_zero() {
        let text = told(Vec::new());
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
