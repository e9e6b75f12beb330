//! The options of `kafka-mirror-maker`, and what they set.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

use crate::tools::{
    client::{ClientProperties, names::Role},
    failure::Failure,
};

/// Continuously copy data between two Kafka clusters
#[derive(Debug, Default, Parser)]
#[command(max_term_width = 110)]
pub(crate) struct Args {
    /// REQUIRED: a file with properties of the consumers; one with zookeeper.connect and no bootstrap.servers consumes as Kafka 0.8
    /// did. May be repeated: several clusters into one
    #[arg(long = "consumer.config", value_name = "config file")]
    consumer_config: Vec<PathBuf>,
    /// REQUIRED: a file with properties of the producer
    #[arg(long = "producer.config", value_name = "config file")]
    producer_config: Option<PathBuf>,
    /// How many consumers share the work
    #[arg(long = "num.streams", value_name = "Number of threads", default_value_t = 1)]
    num_streams: u32,
    /// The topics to copy: a regular expression of Java's, or several with commas between
    #[arg(long, value_name = "Java regex (String)")]
    include: Option<String>,
    /// The same, by the name that it had before Kafka 2.8
    #[arg(long, value_name = "Java regex (String)")]
    whitelist: Option<String>,
    /// Of 0.8: the topics not to copy; all others are
    #[arg(long, value_name = "Java regex (String)")]
    blacklist: Option<String>,
    /// How often offsets are committed, milliseconds
    #[arg(
        long = "offset.commit.interval.ms",
        value_name = "offset commit interval in millisecond",
        default_value_t = 60_000
    )]
    offset_commit_interval_ms: u32,
    /// Whether a record that cannot be delivered ends the tool; false: it is told of and left out
    #[arg(long = "abort.on.send.failure", value_name = "true or false", default_value = "true")]
    abort_on_send_failure: String,
    /// Consume through brokers, which is the default wherever the properties name some
    #[arg(long = "new.consumer")]
    new_consumer: bool,
    /// A class that changes records; there is no JVM to run it
    #[arg(
        long = "message.handler",
        value_name = "A custom message handler of type MirrorMakerMessageHandler"
    )]
    message_handler: Option<String>,
    /// What that class is given
    #[arg(long = "message.handler.args", value_name = "Arguments passed to message handler constructor")]
    message_handler_args: Option<String>,
    /// A class that hears of rebalances; there is no JVM to run it
    #[arg(
        long = "consumer.rebalance.listener",
        value_name = "A custom rebalance listener of type ConsumerRebalanceListener"
    )]
    consumer_rebalance_listener: Option<String>,
    /// What that class is given
    #[arg(
        long = "rebalance.listener.args",
        value_name = "Arguments passed to custom rebalance listener constructor as a string"
    )]
    rebalance_listener_args: Option<String>,
    /// Of 0.8: how many producers there are; here one
    #[arg(long = "num.producers", value_name = "Number of producers")]
    num_producers: Option<u32>,
    /// Of 0.8: how many records wait between consumers and producers; the producer's buffer.memory bounds them here
    #[arg(long = "queue.size", value_name = "Queue size in terms of number of messages")]
    queue_size: Option<u32>,
}

/// A pattern of topics' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Topics {
    Matching(String),
    NotMatching(String),
}

/// A member of a source's group, or several in ZooKeeper.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Group(ClientProperties),
    ZooKeeper { client: ClientProperties, streams: u32 },
}

/// What the options say.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) sources: Vec<Source>,
    pub(super) producer: ClientProperties,
    /// Whether each record is waited for, as `producer.type=sync` asks.
    pub(super) sync: bool,
    pub(super) topics: Topics,
    pub(super) commit_every: Duration,
    pub(super) abort_on_failure: bool,
    pub(super) warns_of_assignment: bool,
}

impl Args {
    /// What has no effect here.
    pub(super) fn warnings(&self) -> Vec<String> {
        let gone = [
            ("num.producers", self.num_producers.is_some(), "there is one producer"),
            ("queue.size", self.queue_size.is_some(), "the producer's buffer.memory bounds what waits"),
        ];
        let given = gone.into_iter().filter(|(_, given, _)| *given);
        given.map(|(option, _, why)| format!("--{option} has no effect: {why}")).collect()
    }

    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        self.refuse_classes()?;
        if self.consumer_config.is_empty() {
            return Err(Failure::missing("consumer.config"));
        }
        let file = self.producer_config.as_deref().ok_or_else(|| Failure::missing("producer.config"))?;
        let topics = self.topics()?;
        let mut producer = ClientProperties::new(Role::Producer);
        producer.read(file)?;
        let sync = producer.get("producer.type") == Some("sync");
        // No record is lost or overtaken, unless the file wants it so.
        let safe = [
            ("acks", "all"),
            ("delivery.timeout.ms", "2147483647"),
            ("max.block.ms", "9223372036854775807"),
            ("max.in.flight.requests.per.connection", "1"),
        ];
        for (name, value) in safe {
            producer.set_default(name, value);
        }
        let mut settings = Settings {
            sources: Vec::new(),
            producer,
            sync,
            topics,
            commit_every: Duration::from_millis(self.offset_commit_interval_ms.into()),
            abort_on_failure: self.abort_on_send_failure.eq_ignore_ascii_case("true"),
            warns_of_assignment: false,
        };
        for file in &self.consumer_config {
            let mut client = ClientProperties::new(Role::Consumer);
            client.read(file)?;
            self.add_source(client, &mut settings)?;
        }
        Ok(settings)
    }

    fn refuse_classes(&self) -> Result<(), Failure> {
        let classes = [
            ("message.handler", &self.message_handler),
            ("message.handler.args", &self.message_handler_args),
            ("consumer.rebalance.listener", &self.consumer_rebalance_listener),
            ("rebalance.listener.args", &self.rebalance_listener_args),
        ];
        match classes.into_iter().find(|(_, given)| given.is_some()) {
            None => Ok(()),
            Some((option, _)) => {
                Err(Failure::usage(format!("--{option}: there is no JVM to run a class of one's own")))
            }
        }
    }

    fn topics(&self) -> Result<Topics, Failure> {
        match (self.include.as_ref().or(self.whitelist.as_ref()), &self.blacklist) {
            (Some(_), _) if self.include.is_some() && self.whitelist.is_some() => Err(Failure::usage(
                "--include and --whitelist are the same; exactly one of them is to be given",
            )),
            (Some(_), Some(_)) | (None, None) => {
                Err(Failure::usage("exactly one of --include, --whitelist or --blacklist must be specified"))
            }
            (Some(list), None) => Ok(Topics::Matching(pattern(list))),
            (None, Some(list)) => Ok(Topics::NotMatching(pattern(list))),
        }
    }

    fn add_source(&self, client: ClientProperties, settings: &mut Settings) -> Result<(), Failure> {
        let group = client.get("group.id").unwrap_or_default().to_owned();
        if group.is_empty() {
            return Err(Failure::illegal("group.id: the properties of a consumer must name its group"));
        }
        let in_zookeeper =
            client.get("zookeeper.connect").is_some() && client.get("bootstrap.servers").is_none();
        if in_zookeeper && !self.new_consumer {
            settings.sources.push(Source::ZooKeeper { client, streams: self.num_streams });
            return Ok(());
        }
        settings.warns_of_assignment |= client.get("partition.assignment.strategy").is_none();
        for stream in 0..self.num_streams {
            let mut client = client.clone();
            client.set("client.id", format!("{group}-{stream}"));
            settings.sources.push(Source::Group(client));
        }
        Ok(())
    }
}

/// A list of patterns as one, without the quotes that shells left around it.
fn pattern(list: &str) -> String {
    list.trim().replace(',', "|").replace(' ', "").trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(line: &str, consumer: &str, producer: &str) -> Result<Settings, Failure> {
        let folder = std::env::temp_dir().join(format!("mirror-maker-options-{}", rand::random::<u64>()));
        std::fs::create_dir(&folder).unwrap();
        let (from, to) = (folder.join("consumer"), folder.join("producer"));
        std::fs::write(&from, consumer).unwrap();
        std::fs::write(&to, producer).unwrap();
        let mut words = vec!["x".to_owned(), format!("--consumer.config={}", from.display())];
        words.push(format!("--producer.config={}", to.display()));
        words.extend(line.split_whitespace().map(str::to_owned));
        let settings = Args::parse_from(words).settings();
        std::fs::remove_dir_all(&folder).unwrap();
        settings
    }

    #[test]
    fn nothing_is_lost_or_overtaken_unless_the_file_wants_it() {
        let from = "bootstrap.servers=a:1\ngroup.id=g\n";
        let made = settings("--whitelist a,b --num.streams=2", from, "acks=1\nproducer.type=sync\n").unwrap();
        assert_eq!(made.producer.get("acks"), Some("1"));
        assert_eq!(made.producer.get("max.in.flight.requests.per.connection"), Some("1"));
        assert_eq!(made.topics, Topics::Matching("a|b".to_owned()));
        assert!(made.sync && made.abort_on_failure && made.warns_of_assignment);
        let ids: Vec<_> = made
            .sources
            .iter()
            .map(|source| match source {
                Source::Group(client) => client.get("client.id").unwrap().to_owned(),
                Source::ZooKeeper { .. } => "zookeeper".to_owned(),
            })
            .collect();
        assert_eq!(ids, ["g-0", "g-1"]);
    }

    #[test]
    fn a_source_of_0_8_is_consumed_through_zookeeper() {
        let from = "zookeeper.connect=z:1\ngroup.id=g\n";
        let made = settings("--blacklist 'a.*'", from, "").unwrap();
        assert_eq!(made.topics, Topics::NotMatching("a.*".to_owned()));
        assert!(matches!(&made.sources[..], [Source::ZooKeeper { streams: 1, .. }]));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let from = "bootstrap.servers=a:1\ngroup.id=g\n";
        let said = |line| settings(line, from, "").unwrap_err().message;
        assert!(said("--whitelist a --blacklist b").starts_with("exactly one of"));
        assert!(said("").starts_with("exactly one of"));
        assert!(said("--include a --message.handler=a.B").starts_with("--message.handler: "));
        assert!(
            settings("--include a", "bootstrap.servers=a:1", "").unwrap_err().message.starts_with("group.id")
        );
    }
}
