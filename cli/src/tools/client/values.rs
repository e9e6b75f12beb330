//! Conversions of values from Java's meaning to librdkafka's.

use super::super::failure::Failure;

/// librdkafka's properties with their values.
pub(crate) type Converted = Result<Vec<(&'static str, String)>, Failure>;

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
    Ok(vec![("queue.buffering.max.kbytes", (bytes / 1024).max(1).to_string())])
}

/// A batch of no bytes holds one record.
pub(super) fn batch_size(name: &str, value: &str) -> Converted {
    Ok(match number(name, value, 0)? {
        0 => vec![("batch.num.messages", "1".to_owned())],
        bytes => vec![("batch.size", bytes.to_string())],
    })
}

/// -1 is the system's default, which librdkafka calls 0.
pub(super) fn send_buffer(name: &str, value: &str) -> Converted {
    Ok(vec![("socket.send.buffer.bytes", number(name, value, -1)?.max(0).to_string())])
}

/// As [`send_buffer`].
pub(super) fn receive_buffer(name: &str, value: &str) -> Converted {
    Ok(vec![("socket.receive.buffer.bytes", number(name, value, -1)?.max(0).to_string())])
}

/// Names, and the numbers of the Scala producer.
pub(super) fn compression(name: &str, value: &str) -> Converted {
    let codec = match value.to_ascii_lowercase().as_str() {
        "none" | "0" | "uncompressed" => "none",
        "gzip" | "1" => "gzip",
        "snappy" | "2" => "snappy",
        "lz4" | "3" => "lz4",
        "zstd" | "4" => "zstd",
        _ => return Err(invalid(name, value, "String must be one of: none, gzip, snappy, lz4, zstd")),
    };
    Ok(vec![("compression.codec", codec.to_owned())])
}

/// The words of every era.
pub(super) fn offset_reset(name: &str, value: &str) -> Converted {
    let reset = match value.to_ascii_lowercase().as_str() {
        "earliest" | "smallest" | "beginning" => "earliest",
        "latest" | "largest" | "end" => "latest",
        "none" | "error" => "error",
        _ => return Err(invalid(name, value, "Value must be 'latest', 'earliest', or 'none'")),
    };
    Ok(vec![("auto.offset.reset", reset.to_owned())])
}

/// `PLAINTEXT` and so on, in lower case. librdkafka refuses what it is built without, by name.
pub(super) fn security_protocol(_: &str, value: &str) -> Converted {
    Ok(vec![("security.protocol", value.to_ascii_lowercase())])
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
    Ok(vec![("partition.assignment.strategy", strategies.join(","))])
}

/// Partitioners by class name.
pub(super) fn partitioner(name: &str, value: &str) -> Converted {
    let partitioner = match value.rsplit('.').next().unwrap_or(value) {
        "DefaultPartitioner" | "UniformStickyPartitioner" | "" => "murmur2_random",
        "RoundRobinPartitioner" => "random",
        _ => {
            let reason = format!("Class {value} could not be found");
            return Err(invalid(name, value, &reason));
        }
    };
    Ok(vec![("partitioner", partitioner.to_owned())])
}

/// The user and password in a login module's line.
pub(super) fn jaas(name: &str, value: &str) -> Converted {
    let quoted = |key: &str| {
        let after = value.split_once(&format!("{key}="))?.1;
        let after = after.strip_prefix('"')?;
        Some(after.split_once('"')?.0.to_owned())
    };
    match (quoted("username"), quoted("password")) {
        (Some(user), Some(password)) => Ok(vec![("sasl.username", user), ("sasl.password", password)]),
        // The line itself holds a secret: it is not repeated.
        _ => Err(invalid(name, "[hidden]", "username=\"...\" and password=\"...\" are needed")),
    }
}

/// `default` is an old word for what is the default now.
pub(super) fn dns_lookup(_: &str, value: &str) -> Converted {
    let lookup = if value == "default" { "use_all_dns_ips" } else { value };
    Ok(vec![("client.dns.lookup", lookup.to_owned())])
}
