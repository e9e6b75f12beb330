//! Subscribing by a pattern: Java's regular expressions are matched here, since librdkafka would read them as POSIX'.

use std::time::{Duration, Instant};

use rdkafka::{
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
};

use super::{
    super::{failure::Failure, java_regex::WholeName, topic_filter::is_internal},
    ClientProperties,
};

/// How often is looked while no topic matches.
const SOON: Duration = Duration::from_secs(1);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// The topics that a pattern means, followed as they come and go.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: WholeName,
    with_internal: bool,
    subscribed: Vec<String>,
    every: Duration,
    next: Instant,
}

impl Pattern {
    /// A pattern for the whole name of a topic.
    pub(crate) fn new(pattern: &str, client: &ClientProperties) -> Result<Pattern, Failure> {
        let regex = WholeName::new(pattern)
            .map_err(|error| Failure::new("java.util.regex.PatternSyntaxException", error))?;
        let every = u64::try_from(client.number("metadata.max.age.ms", 300_000)?).unwrap_or_default();
        Ok(Pattern {
            regex,
            with_internal: client.get("exclude.internal.topics") == Some("false"),
            subscribed: Vec::new(),
            every: Duration::from_millis(every).max(SOON),
            next: Instant::now(),
        })
    }

    /// Looks, if it is time to, and subscribes to what there is.
    pub(crate) fn follow<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
    ) -> Result<(), KafkaError> {
        if Instant::now() < self.next {
            return Ok(());
        }
        let found = consumer.fetch_metadata(None, ANSWER)?;
        let mut topics: Vec<String> = found
            .topics()
            .iter()
            .map(|topic| topic.name().to_owned())
            .filter(|name| self.means(name))
            .collect();
        topics.sort_unstable();
        self.next = Instant::now() + if topics.is_empty() { SOON } else { self.every };
        if topics != self.subscribed {
            consumer.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
            self.subscribed = topics;
        }
        Ok(())
    }

    fn means(&self, topic: &str) -> bool {
        self.regex.is_match(topic) && (self.with_internal || !is_internal(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::client::names::Role;

    #[test]
    fn a_pattern_is_for_whole_names_and_not_for_internal_topics() {
        let mut client = ClientProperties::new(Role::Consumer);
        let pattern = Pattern::new(r"a\d{1,2}|__c.*", &client).unwrap();
        assert!(pattern.means("a1") && pattern.means("a12"));
        let but = Pattern::new("(?!a1).*", &client).unwrap();
        assert!(but.means("a2") && !but.means("a1"));
        assert!(!pattern.means("ba1") && !pattern.means("a123") && !pattern.means("__consumer_offsets"));
        client.set("exclude.internal.topics", "false");
        assert!(Pattern::new("__c.*", &client).unwrap().means("__consumer_offsets"));
        assert_eq!(Pattern::new("(", &client).unwrap_err().class, "java.util.regex.PatternSyntaxException");
    }
}
