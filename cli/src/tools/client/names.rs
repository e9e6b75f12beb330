//! The table of Java's property names: what each is to librdkafka.

use super::values::{self, Converted};

/// Which client a property is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It writes.
    Producer = 0,
    /// It reads.
    Consumer = 1,
}

/// What a Java property is to librdkafka.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mapping {
    /// The same name, the same meaning.
    Same,
    /// Another name, the same meaning.
    Name(&'static str),
    /// Other names or values.
    Value(fn(&str, &str) -> Converted),
    /// The level of a codec, which counts while that codec is in use.
    Level(&'static str),
    /// The tool itself does what it says.
    Tool,
    /// Nothing, and why.
    Nothing(&'static str),
}

use Mapping::{Level, Name, Nothing, Same, Tool, Value};

const JVM: &str = "there is no JVM whose classes it could name";
const REPORTERS: &str = "there are no metrics reporters in this client";
const STORES: &str = "librdkafka reads keys and certificates from PEM files; use ssl.ca.location, ssl.certificate.location and ssl.key.location";
const CLIENT: &str = "librdkafka does this in its own way";
const OLD: &str = "it belonged to the Scala clients, which spoke another protocol";

/// Properties of every client.
const COMMON: &[(&str, Mapping)] = &[
    ("bootstrap.servers", Same),
    ("client.dns.lookup", Value(values::dns_lookup)),
    ("client.id", Same),
    ("client.rack", Same),
    ("metadata.max.age.ms", Same),
    ("metadata.recovery.strategy", Same),
    ("metadata.recovery.rebootstrap.trigger.ms", Same),
    ("connections.max.idle.ms", Same),
    ("reconnect.backoff.ms", Same),
    ("reconnect.backoff.max.ms", Same),
    ("retry.backoff.ms", Same),
    ("retry.backoff.max.ms", Same),
    ("socket.connection.setup.timeout.ms", Same),
    ("socket.connection.setup.timeout.max.ms", Nothing(CLIENT)),
    ("send.buffer.bytes", Value(values::send_buffer)),
    ("receive.buffer.bytes", Value(values::receive_buffer)),
    ("socket.receive.buffer.bytes", Same),
    ("socket.send.buffer.bytes", Same),
    ("socket.timeout.ms", Same),
    ("enable.metrics.push", Same),
    ("security.protocol", Value(values::security_protocol)),
    ("sasl.mechanism", Name("sasl.mechanisms")),
    ("sasl.jaas.config", Value(values::jaas)),
    ("sasl.kerberos.service.name", Same),
    ("sasl.client.callback.handler.class", Nothing(JVM)),
    ("sasl.login.callback.handler.class", Nothing(JVM)),
    ("sasl.login.class", Nothing(JVM)),
    ("security.providers", Nothing(JVM)),
    ("ssl.endpoint.identification.algorithm", Same),
    ("ssl.truststore.location", Nothing(STORES)),
    ("ssl.truststore.password", Nothing(STORES)),
    ("ssl.truststore.type", Nothing(STORES)),
    ("ssl.truststore.certificates", Nothing(STORES)),
    ("ssl.keystore.type", Nothing(STORES)),
    ("ssl.keystore.key", Nothing(STORES)),
    ("ssl.keystore.certificate.chain", Nothing(STORES)),
    ("ssl.keystore.location", Same),
    ("ssl.keystore.password", Same),
    ("ssl.key.password", Same),
    ("ssl.protocol", Nothing(CLIENT)),
    ("ssl.provider", Nothing(JVM)),
    ("ssl.enabled.protocols", Nothing(CLIENT)),
    ("metric.reporters", Nothing(REPORTERS)),
    ("metrics.num.samples", Nothing(REPORTERS)),
    ("metrics.recording.level", Nothing(REPORTERS)),
    ("metrics.sample.window.ms", Nothing(REPORTERS)),
    ("auto.include.jmx.reporter", Nothing(REPORTERS)),
    ("interceptor.classes", Nothing(JVM)),
    ("config.providers", Nothing(JVM)),
];

const PRODUCER: &[(&str, Mapping)] = &[
    ("acks", Same),
    ("request.required.acks", Name("acks")),
    ("retries", Same),
    ("message.send.max.retries", Name("retries")),
    ("linger.ms", Same),
    ("queue.buffering.max.ms", Name("linger.ms")),
    ("batch.size", Value(values::batch_size)),
    ("batch.num.messages", Same),
    ("queue.buffering.max.messages", Same),
    ("queue.enqueue.timeout.ms", Tool),
    ("buffer.memory", Value(values::kibibytes)),
    ("compression.type", Value(values::compression)),
    ("compression.codec", Value(values::compression)),
    ("compression.gzip.level", Level("gzip")),
    ("compression.lz4.level", Level("lz4")),
    ("compression.zstd.level", Level("zstd")),
    ("compressed.topics", Nothing(OLD)),
    ("producer.type", Tool),
    ("serializer.class", Tool),
    ("key.serializer.class", Tool),
    ("topic.metadata.refresh.interval.ms", Same),
    ("metadata.broker.list", Name("bootstrap.servers")),
    ("request.timeout.ms", Same),
    ("delivery.timeout.ms", Same),
    ("max.block.ms", Tool),
    ("metadata.fetch.timeout.ms", Tool),
    ("max.request.size", Name("message.max.bytes")),
    ("max.in.flight.requests.per.connection", Same),
    ("enable.idempotence", Same),
    ("transactional.id", Same),
    ("transaction.timeout.ms", Same),
    ("partitioner.class", Value(values::partitioner)),
    ("partitioner.ignore.keys", Value(values::ignore_keys)),
    ("partitioner.adaptive.partitioning.enable", Nothing(CLIENT)),
    ("partitioner.availability.timeout.ms", Nothing(CLIENT)),
    ("metadata.max.idle.ms", Nothing(CLIENT)),
    ("key.serializer", Tool),
    ("value.serializer", Tool),
    ("block.on.buffer.full", Nothing("a full queue always blocks")),
];

const CONSUMER: &[(&str, Mapping)] = &[
    ("group.id", Same),
    ("group.instance.id", Same),
    ("group.protocol", Same),
    ("group.remote.assignor", Same),
    ("session.timeout.ms", Same),
    ("heartbeat.interval.ms", Same),
    ("max.poll.interval.ms", Same),
    ("max.poll.records", Nothing("records are handed over one at a time")),
    ("partition.assignment.strategy", Value(values::assignors)),
    ("auto.offset.reset", Value(values::offset_reset)),
    ("enable.auto.commit", Same),
    ("auto.commit.enable", Name("enable.auto.commit")),
    ("auto.commit.interval.ms", Same),
    ("fetch.min.bytes", Same),
    ("fetch.max.wait.ms", Name("fetch.wait.max.ms")),
    ("fetch.wait.max.ms", Same),
    ("fetch.max.bytes", Same),
    ("max.partition.fetch.bytes", Same),
    ("fetch.message.max.bytes", Same),
    ("isolation.level", Same),
    ("check.crcs", Same),
    ("allow.auto.create.topics", Same),
    ("exclude.internal.topics", Tool),
    ("request.timeout.ms", Name("socket.timeout.ms")),
    ("default.api.timeout.ms", Nothing(CLIENT)),
    ("key.deserializer", Tool),
    ("value.deserializer", Tool),
    ("internal.leave.group.on.close", Nothing("a consumer always leaves its group")),
    // The ZooKeeper consumer's.
    ("zookeeper.connect", Tool),
    ("zookeeper.session.timeout.ms", Tool),
    ("zookeeper.connection.timeout.ms", Tool),
    ("zookeeper.sync.time.ms", Tool),
    ("consumer.id", Tool),
    ("consumer.timeout.ms", Tool),
    ("rebalance.max.retries", Tool),
    ("rebalance.backoff.ms", Tool),
    ("refresh.leader.backoff.ms", Name("topic.metadata.refresh.fast.interval.ms")),
    ("num.consumer.fetchers", Nothing(CLIENT)),
    ("queued.max.message.chunks", Nothing(CLIENT)),
    ("offsets.storage", Tool),
    ("dual.commit.enabled", Tool),
    ("offsets.channel.backoff.ms", Nothing(CLIENT)),
    ("offsets.channel.socket.timeout.ms", Nothing(CLIENT)),
    ("offsets.commit.max.retries", Nothing(CLIENT)),
];

/// What a property is, `None` for one that Java's clients never had.
pub(crate) fn find(name: &str, role: Role) -> Option<Mapping> {
    let own = match role {
        Role::Producer => PRODUCER,
        Role::Consumer => CONSUMER,
    };
    let theirs = match role {
        Role::Producer => CONSUMER,
        Role::Consumer => PRODUCER,
    };
    let row =
        |table: &[(&str, Mapping)]| table.iter().find(|(row, _)| *row == name).map(|(_, mapping)| *mapping);
    row(COMMON)
        .or_else(|| row(own))
        .or_else(|| row(theirs).map(|_| Nothing("it is for the other kind of client")))
}

/// Where librdkafka's defaults differ from Java's in what a user sees.
pub(crate) fn defaults(role: Role) -> &'static [(&'static str, &'static str)] {
    match role {
        // Keys go to the partitions that Java's producer chooses, and no retry overtakes another request.
        Role::Producer => {
            &[("partitioner", "murmur2_random"), ("max.in.flight.requests.per.connection", "5")]
        }
        Role::Consumer => &[("allow.auto.create.topics", "true"), ("enable.partition.eof", "false")],
    }
}
