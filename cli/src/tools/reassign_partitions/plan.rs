//! The files that say what to move, and the JSON that the tool writes of the same shape.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use vltava_client::admin::TopicPartition;

use crate::tools::{era::Era, failure::Failure};

/// The largest file that is read; a partition takes about 100 bytes of it.
const MAX_FILE: u64 = 64 << 20;
/// A log directory that the broker may choose.
pub(super) const ANY_DIR: &str = "any";

/// A replica, ordered as Kafka's tool lists them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Replica {
    pub(super) broker: i32,
    pub(super) partition: TopicPartition,
}

/// `TopicPartitionReplica.toString`.
impl std::fmt::Display for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", shown(&self.partition, Era::New), self.broker)
    }
}

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Partitions and where they shall be, as they stand in the file.
    pub(super) partitions: Vec<(TopicPartition, Vec<i32>)>,
    /// The log directories that replicas shall lie in, where the file names one.
    pub(super) dirs: BTreeMap<Replica, String>,
}

/// A partition as an era's tool writes it.
pub(super) fn shown(partition: &TopicPartition, era: Era) -> String {
    match era {
        Era::Old => format!("[{},{}]", partition.topic, partition.partition),
        Era::New => format!("{}-{}", partition.topic, partition.partition),
    }
}

/// Things with commas between.
pub(super) fn joined<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    things.into_iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join(",")
}

/// `AdminCommandFailedException`, which has moved.
pub(super) fn failed(era: Era, words: impl Into<String>) -> Failure {
    let class = match era {
        Era::Old => "kafka.common.AdminCommandFailedException",
        Era::New => "org.apache.kafka.server.common.AdminCommandFailedException",
    };
    Failure::new(class, words)
}

/// `AdminOperationException`, which has moved.
pub(super) fn refused(era: Era, words: impl Into<String>) -> Failure {
    let class = match era {
        Era::Old => "kafka.admin.AdminOperationException",
        Era::New => "org.apache.kafka.server.common.AdminOperationException",
    };
    Failure::new(class, words)
}

/// A file's text.
pub(super) fn read(file: &Path, era: Era) -> Result<String, Failure> {
    let name = file.display();
    let failed = |error: std::io::Error| match era {
        Era::New => Failure::new("java.io.IOException", format!("Unable to read file {name}")),
        Era::Old if error.kind() == std::io::ErrorKind::NotFound => {
            Failure::new("java.io.FileNotFoundException", format!("{name} (No such file or directory)"))
        }
        Era::Old => Failure::new("java.io.IOException", format!("{name}: {error}")),
    };
    let length = std::fs::metadata(file).map_err(failed)?.len();
    if length > MAX_FILE {
        return Err(Failure::illegal(format!("{name}: {length} bytes are more than {MAX_FILE}")));
    }
    std::fs::read_to_string(file).map_err(failed)
}

/// The JSON of a file, its version checked. `None` is what 0.11 makes of a text that is no JSON.
fn json(text: &str, era: Era) -> Result<Option<Value>, Failure> {
    let json: Value = match (serde_json::from_str(text), era) {
        (Ok(json), _) => json,
        (Err(_), Era::Old) => return Ok(None),
        (Err(error), Era::New) => {
            return Err(refused(era, format!("com.fasterxml.jackson.core.JsonParseException: {error}")));
        }
    };
    match json.get("version") {
        Some(version) if era == Era::New && *version != 1 => {
            Err(refused(era, format!("Not supported version field value {version}")))
        }
        _ => Ok(Some(json)),
    }
}

/// A field that must be there.
fn field<T: DeserializeOwned>(of: &Value, name: &str) -> Result<T, Failure> {
    const MAPPING: &str = "com.fasterxml.jackson.databind.JsonMappingException";
    let value =
        of.get(name).ok_or_else(|| Failure::new(MAPPING, format!("No such field exists: `{name}`")))?;
    T::deserialize(value).map_err(|error| Failure::new(MAPPING, format!("{name}: {error}")))
}

/// The elements of a list that need not be there.
fn elements<'a>(of: &'a Value, name: &str) -> Result<&'a [Value], Failure> {
    match of.get(name) {
        None => Ok(&[]),
        Some(Value::Array(elements)) => Ok(elements),
        Some(other) => {
            let class = "com.fasterxml.jackson.databind.JsonMappingException";
            Err(Failure::new(class, format!("Expected JSON array, received {other}")))
        }
    }
}

/// Reads the text of a `--reassignment-json-file`.
pub(super) fn parse(text: &str, era: Era) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    let Some(json) = json(text, era)? else { return Ok(plan) };
    for entry in elements(&json, "partitions")? {
        let partition =
            TopicPartition { topic: field(entry, "topic")?, partition: field(entry, "partition")? };
        let replicas: Vec<i32> = field(entry, "replicas")?;
        if entry.get("log_dirs").is_some() {
            let dirs: Vec<String> = field(entry, "log_dirs")?;
            if dirs.len() != replicas.len() {
                let words = format!(
                    "Size of replicas list {replicas:?} is different from size of log dirs list [{}] for partition {}",
                    dirs.join(", "),
                    shown(&partition, Era::New)
                );
                return Err(failed(era, words));
            }
            for (broker, dir) in replicas.iter().zip(dirs).filter(|(_, dir)| dir != ANY_DIR) {
                plan.dirs.insert(Replica { broker: *broker, partition: partition.clone() }, dir);
            }
        }
        plan.partitions.push((partition, replicas));
    }
    Ok(plan)
}

/// Reads the text of a `--topics-to-move-json-file`: topics, each named once.
pub(super) fn parse_topics(text: &str, era: Era) -> Result<Vec<String>, Failure> {
    let json = json(text, Era::Old)?;
    let Some(json) = json else {
        return match era {
            Era::Old => Ok(Vec::new()),
            Era::New => Err(refused(era, "The input string is not a valid JSON")),
        };
    };
    let named = elements(&json, "topics")?.iter().map(|entry| field(entry, "topic"));
    let topics: Vec<String> = named.collect::<Result<_, _>>()?;
    let twice = duplicates(&topics);
    if twice.is_empty() {
        return Ok(topics);
    }
    let list = match era {
        Era::Old => joined(twice),
        Era::New => format!("[{}]", twice.join(", ")),
    };
    Err(failed(era, format!("List of topics to reassign contains duplicate entries: {list}")))
}

/// Reads a `--broker-list`.
pub(super) fn parse_brokers(list: &str, era: Era) -> Result<Vec<i32>, Failure> {
    let number = |text: &str| {
        let words = format!("For input string: \"{text}\"");
        text.parse().map_err(|_| Failure::new("java.lang.NumberFormatException", words))
    };
    let brokers: Vec<i32> = list.split(',').map(number).collect::<Result<_, _>>()?;
    let twice = duplicates(&brokers);
    if twice.is_empty() {
        return Ok(brokers);
    }
    let list = match era {
        Era::Old => joined(twice),
        Era::New => format!("{twice:?}"),
    };
    Err(failed(era, format!("Broker list contains duplicate entries: {list}")))
}

/// What is there more than once.
fn duplicates<T: Ord + Clone>(things: &[T]) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<T> = things.iter().filter(|thing| !seen.insert(*thing)).cloned().collect();
    twice.into_iter().collect()
}

impl Plan {
    /// Checks that each partition stands there once, with brokers that are each there once.
    pub(super) fn check(&self, era: Era) -> Result<(), Failure> {
        if self.partitions.is_empty() {
            return Err(failed(
                era,
                match era {
                    Era::Old => "Partition reassignment data file is empty",
                    Era::New => "Partition reassignment list cannot be empty",
                },
            ));
        }
        if self.partitions.iter().any(|(_, replicas)| replicas.is_empty()) {
            return Err(failed(era, "Partition replica list cannot be empty"));
        }
        let names: Vec<_> = self.partitions.iter().map(|(partition, _)| partition.clone()).collect();
        let twice = duplicates(&names);
        if !twice.is_empty() {
            let list = joined(twice.iter().map(|partition| shown(partition, era)));
            let words = format!("Partition reassignment contains duplicate topic partitions: {list}");
            return Err(failed(era, words));
        }
        let twice = self.partitions.iter().filter_map(|(partition, replicas)| {
            let twice = duplicates(replicas);
            let (name, list) = (shown(partition, era), joined(&twice));
            (!twice.is_empty()).then(|| format!("{name} contains multiple entries for {list}"))
        });
        let twice: Vec<String> = twice.collect();
        if twice.is_empty() {
            return Ok(());
        }
        let list = twice.join(". ");
        Err(failed(era, format!("Partition replica lists may not contain duplicate entries: {list}")))
    }

    /// By partition.
    pub(super) fn by_partition(&self) -> BTreeMap<TopicPartition, Vec<i32>> {
        self.partitions.iter().cloned().collect()
    }

    /// The topics, each once, sorted.
    pub(super) fn topics(&self) -> BTreeSet<&str> {
        self.partitions.iter().map(|(partition, _)| partition.topic.as_str()).collect()
    }
}

/// The JSON of partitions and their replicas. Kafka 1.1 and later name a log directory for each.
pub(super) fn to_json<'a>(
    partitions: impl IntoIterator<Item = (&'a TopicPartition, &'a Vec<i32>)>,
    era: Era,
) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct File<'a> {
        version: i32,
        partitions: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        topic: &'a str,
        partition: i32,
        replicas: &'a [i32],
        #[serde(skip_serializing_if = "Option::is_none")]
        log_dirs: Option<Vec<&'static str>>,
    }
    let entry = |(partition, replicas): (&'a TopicPartition, &'a Vec<i32>)| Entry {
        topic: &partition.topic,
        partition: partition.partition,
        replicas,
        log_dirs: (era == Era::New).then(|| vec![ANY_DIR; replicas.len()]),
    };
    let file = File { version: 1, partitions: partitions.into_iter().map(entry).collect() };
    serde_json::to_string(&file).map_err(|error| Failure::illegal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(partition: i32) -> TopicPartition {
        TopicPartition { topic: "t".to_owned(), partition }
    }

    #[test]
    fn a_file_says_where_replicas_go_and_in_which_directory() {
        let text = r#"{"version":1,"partitions":[{"topic":"t","partition":1,"replicas":[2,0],"log_dirs":["any","/d"]},
            {"topic":"t","partition":0,"replicas":[1]}]}"#;
        let plan = parse(text, Era::New).unwrap();
        assert_eq!(plan.partitions, [(t(1), vec![2, 0]), (t(0), vec![1])]);
        assert_eq!(plan.dirs, BTreeMap::from([(Replica { broker: 0, partition: t(1) }, "/d".to_owned())]));
        assert_eq!(plan.check(Era::New), Ok(()));
        assert_eq!(plan.topics(), BTreeSet::from(["t"]));
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_the_era() {
        let said = |text: &str, era| parse(text, era).and_then(|plan| plan.check(era)).unwrap_err().message;
        let two = |a: &str, b: &str| format!(r#"{{"partitions":[{a},{b}]}}"#);
        let one = r#"{"topic":"t","partition":0,"replicas":[1]}"#;
        let double = r#"{"topic":"t","partition":0,"replicas":[1,2,1]}"#;
        assert_eq!(said("{", Era::Old), "Partition reassignment data file is empty");
        assert_eq!(said("{}", Era::New), "Partition reassignment list cannot be empty");
        assert_eq!(said(r#"{"version":2}"#, Era::New), "Not supported version field value 2");
        assert_eq!(
            said(&two(one, one), Era::New),
            "Partition reassignment contains duplicate topic partitions: t-0"
        );
        assert_eq!(
            said(&two(one, one), Era::Old),
            "Partition reassignment contains duplicate topic partitions: [t,0]"
        );
        assert_eq!(
            said(&format!(r#"{{"partitions":[{double}]}}"#), Era::New),
            "Partition replica lists may not contain duplicate entries: t-0 contains multiple entries for 1"
        );
        assert_eq!(
            parse(r#"{"partitions":[{"topic":"t"}]}"#, Era::New).unwrap_err().message,
            "No such field exists: `partition`"
        );
        assert_eq!(
            parse_brokers("0,1,0", Era::New).unwrap_err().message,
            "Broker list contains duplicate entries: [0]"
        );
        assert_eq!(
            parse_brokers("0,1,0", Era::Old).unwrap_err().message,
            "Broker list contains duplicate entries: 0"
        );
        assert_eq!(parse_topics("{", Era::New).unwrap_err().message, "The input string is not a valid JSON");
    }

    #[test]
    fn the_json_names_directories_since_1_1() {
        let (partition, replicas) = (t(0), vec![1, 2]);
        let json = |era| to_json([(&partition, &replicas)], era).unwrap();
        assert_eq!(
            json(Era::Old),
            r#"{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1,2]}]}"#
        );
        assert_eq!(
            json(Era::New),
            r#"{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1,2],"log_dirs":["any","any"]}]}"#
        );
    }
}
