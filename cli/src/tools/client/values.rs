//! Conversions of values from Java's meaning to librdkafka's.

use super::super::failure::Failure;

/// What a property of Java's is to librdkafka.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    /// librdkafka's properties with their values.
    pub(super) sets: Vec<(&'static str, String)>,
    /// What librdkafka does otherwise than Java.
    pub(super) differs: Option<String>,
}

/// A conversion, unless Java's clients would refuse the value.
pub(crate) type Converted = Result<Conversion, Failure>;

/// One property that says the same.
fn same(name: &'static str, value: impl Into<String>) -> Converted {
    Ok(Conversion { sets: vec![(name, value.into())], differs: None })
}

/// `ConfigException`, in Kafka's words.
pub(super) fn invalid(name: &str, value: &str, reason: &str) -> Failure {
    let text = format!("Invalid value {value} for configuration {name}: {reason}");
    Failure::new("org.apache.kafka.common.config.ConfigException", text)
}

fn number(name: &str, value: &str, least: i64) -> Result<i64, Failure> {
    let number: i64 = value.parse().map_err(|_| invalid(name, value, "Not a number"))?;
    if number < least {
        return Err(invalid(name, value, &format!("Value must be at least {least}")));
    }
    Ok(number)
}

/// Bytes of Java's are KiB of librdkafka's.
pub(super) fn kibibytes(name: &str, value: &str) -> Converted {
    let bytes = number(name, value, 0)?;
    same("queue.buffering.max.kbytes", (bytes / 1024).max(1).to_string())
}

/// A batch of no bytes holds one record.
pub(super) fn batch_size(name: &str, value: &str) -> Converted {
    match number(name, value, 0)? {
        0 => same("batch.num.messages", "1"),
        bytes => same("batch.size", bytes.to_string()),
    }
}

/// -1 is the system's default, which librdkafka calls 0.
pub(super) fn send_buffer(name: &str, value: &str) -> Converted {
    same("socket.send.buffer.bytes", number(name, value, -1)?.max(0).to_string())
}

/// As [`send_buffer`].
pub(super) fn receive_buffer(name: &str, value: &str) -> Converted {
    same("socket.receive.buffer.bytes", number(name, value, -1)?.max(0).to_string())
}

/// Names, and the numbers of the Scala producer.
pub(super) fn compression(name: &str, value: &str) -> Converted {
    match codec(value) {
        Some(codec) => same("compression.codec", codec),
        None => Err(invalid(name, value, "String must be one of: none, gzip, snappy, lz4, zstd")),
    }
}

/// A codec by its name or number.
pub(super) fn codec(value: &str) -> Option<&'static str> {
    Some(match value.trim().to_ascii_lowercase().as_str() {
        "none" | "0" | "uncompressed" => "none",
        "gzip" | "1" => "gzip",
        "snappy" | "2" => "snappy",
        "lz4" | "3" => "lz4",
        "zstd" | "4" => "zstd",
        _ => return None,
    })
}

/// How hard a codec tries. Java's codecs have more levels than librdkafka's: those beyond its own become the nearest.
pub(super) fn level(codec: &str, name: &str, value: &str) -> Converted {
    const NEAREST: std::ops::RangeInclusive<i64> = 1..=12;
    const DEFAULT_OF_GZIP: i64 = -1;
    let level: i64 = value.parse().map_err(|_| invalid(name, value, "Not a number of type INT"))?;
    let (least, most) = match codec {
        "gzip" => (1, 9),
        "lz4" => (1, 17),
        _ => (-131_072, 22),
    };
    if codec == "gzip" && level == DEFAULT_OF_GZIP {
        return same("compression.level", value);
    }
    if !(least..=most).contains(&level) {
        return Err(invalid(name, value, &format!("Value must be at least {least} and no more than {most}")));
    }
    let nearest = level.clamp(*NEAREST.start(), *NEAREST.end());
    let differs = (nearest != level).then(|| format!("librdkafka has the levels 1 to 12; {nearest} is used"));
    Ok(Conversion { sets: vec![("compression.level", nearest.to_string())], differs })
}

/// The words of every era.
pub(super) fn offset_reset(name: &str, value: &str) -> Converted {
    let reset = match value.to_ascii_lowercase().as_str() {
        "earliest" | "smallest" | "beginning" => "earliest",
        "latest" | "largest" | "end" => "latest",
        "none" | "error" => "error",
        _ => return Err(invalid(name, value, "Value must be 'latest', 'earliest', or 'none'")),
    };
    same("auto.offset.reset", reset)
}

/// `PLAINTEXT` and so on, in lower case. librdkafka refuses what it is built without, by name.
pub(super) fn security_protocol(_: &str, value: &str) -> Converted {
    same("security.protocol", value.to_ascii_lowercase())
}

/// Assignors by class name.
pub(super) fn assignors(name: &str, value: &str) -> Converted {
    let mut strategies = Vec::new();
    for class in value.split(',').map(str::trim).filter(|class| !class.is_empty()) {
        strategies.push(match class.rsplit('.').next().unwrap_or(class) {
            "RangeAssignor" | "range" => "range",
            "RoundRobinAssignor" | "roundrobin" => "roundrobin",
            "CooperativeStickyAssignor" | "cooperative-sticky" => "cooperative-sticky",
            _ => {
                let reason = format!("Class {class} could not be found; there are RangeAssignor, RoundRobinAssignor and CooperativeStickyAssignor");
                return Err(invalid(name, value, &reason));
            }
        });
    }
    same("partition.assignment.strategy", strategies.join(","))
}

/// Partitioners by class name.
pub(super) fn partitioner(name: &str, value: &str) -> Converted {
    let differs = match value.rsplit('.').next().unwrap_or(value) {
        "DefaultPartitioner" | "" => return same("partitioner", "murmur2_random"),
        "UniformStickyPartitioner" => "a partition is chosen by chance for each record, not for each batch",
        "RoundRobinPartitioner" => "a partition is chosen by chance for each record, not in turn",
        _ => {
            let reason = format!("Class {value} could not be found");
            return Err(invalid(name, value, &reason));
        }
    };
    Ok(Conversion { sets: vec![("partitioner", "random".to_owned())], differs: Some(differs.to_owned()) })
}

/// Whether keys do not choose partitions.
pub(super) fn ignore_keys(name: &str, value: &str) -> Converted {
    match value.to_ascii_lowercase().as_str() {
        "true" => partitioner(name, "UniformStickyPartitioner"),
        "false" => Ok(Conversion { sets: Vec::new(), differs: None }),
        _ => Err(invalid(name, value, "Expected value to be either true or false")),
    }
}

/// The user and password in a login module's line.
pub(super) fn jaas(name: &str, value: &str) -> Converted {
    let quoted = |key: &str| {
        let after = value.split_once(&format!("{key}="))?.1;
        let after = after.strip_prefix('"')?;
        Some(after.split_once('"')?.0.to_owned())
    };
    match (quoted("username"), quoted("password")) {
        (Some(user), Some(password)) => {
            Ok(Conversion { sets: vec![("sasl.username", user), ("sasl.password", password)], differs: None })
        }
        // The line itself holds a secret: it is not repeated.
        _ => Err(invalid(name, "[hidden]", "username=\"...\" and password=\"...\" are needed")),
    }
}

/// `default` is an old word for what is the default now.
pub(super) fn dns_lookup(_: &str, value: &str) -> Converted {
    let lookup = if value == "default" { "use_all_dns_ips" } else { value };
    same("client.dns.lookup", lookup)
}
