//! `/brokers/ids/N`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use vltava_cluster::controller::Endpoint;

use super::{ZnodeError, from_json, to_json};

/// What a broker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// Its addresses, one per listener.
    pub endpoints: Vec<Endpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// When it registered, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The port of its JMX server, -1 without one.
    pub jmx_port: i32,
}

#[derive(Serialize)]
struct Written<'a> {
    features: BTreeMap<String, String>,
    listener_security_protocol_map: BTreeMap<&'a str, &'static str>,
    endpoints: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rack: Option<&'a str>,
    jmx_port: i32,
    port: i32,
    host: Option<&'a str>,
    version: i32,
    timestamp: String,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    listener_security_protocol_map: Option<BTreeMap<String, String>>,
    #[serde(default)]
    endpoints: Option<Vec<String>>,
    #[serde(default)]
    rack: Option<String>,
    #[serde(default = "none")]
    jmx_port: i32,
    #[serde(default = "none")]
    port: i32,
    #[serde(default)]
    host: Option<String>,
    #[serde(default, deserialize_with = "number_or_text")]
    timestamp: i64,
}

const fn none() -> i32 {
    -1
}

/// 0.8 wrote the timestamp as a number or a string, later versions as a string.
pub(super) fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

/// Reads a registration of any version: 1 and 2 have only a host and a port, 3 adds endpoints whose listener is named for its
/// protocol, 4 the listeners' protocols, 5 features.
///
/// # Errors
/// When it isn't JSON of that shape, or an endpoint or protocol isn't one.
pub fn decode_broker(path: &str, data: &[u8]) -> Result<BrokerRegistration, ZnodeError> {
    let read: Read = from_json(path, data)?;
    let protocols = read.listener_security_protocol_map.unwrap_or_default();
    let endpoints = match (read.endpoints, read.host) {
        (Some(endpoints), _) => endpoints
            .iter()
            .map(|text| {
                decode_endpoint(text, &protocols)
                    .ok_or_else(|| ZnodeError::new(path, format_args!("no endpoint: {text:?}")))
            })
            .collect::<Result<_, _>>()?,
        (None, Some(host)) => {
            let port = u16::try_from(read.port)
                .map_err(|_| ZnodeError::new(path, format_args!("no port: {}", read.port)))?;
            vec![Endpoint { listener: "PLAINTEXT".into(), host, port, security_protocol: PLAINTEXT }]
        }
        (None, None) => return Err(ZnodeError::new(path, "it has neither endpoints nor a host")),
    };
    Ok(BrokerRegistration {
        endpoints,
        rack: read.rack,
        timestamp_ms: read.timestamp,
        jmx_port: read.jmx_port,
    })
}

/// `LISTENER://host:port`, the host in brackets if it is an IPv6 address.
fn decode_endpoint(text: &str, protocols: &BTreeMap<String, String>) -> Option<Endpoint> {
    let (listener, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let protocol = protocols.get(listener).map_or(listener, String::as_str);
    Some(Endpoint {
        listener: listener.into(),
        host: host.into(),
        port: port.parse().ok()?,
        security_protocol: protocol_code(protocol)?,
    })
}

/// Writes a registration in version 5. The top-level host and port are those of the first PLAINTEXT endpoint, for clients that know no
/// others; without one they are `null` and -1.
#[must_use]
pub fn encode_broker(registration: &BrokerRegistration) -> Vec<u8> {
    let plaintext = registration.endpoints.iter().find(|e| e.security_protocol == PLAINTEXT);
    let address = |endpoint: &Endpoint| {
        let Endpoint { listener, host, port, .. } = endpoint;
        if host.contains(':') {
            format!("{listener}://[{host}]:{port}")
        } else {
            format!("{listener}://{host}:{port}")
        }
    };
    to_json(&Written {
        features: BTreeMap::new(),
        listener_security_protocol_map: registration
            .endpoints
            .iter()
            .map(|endpoint| (endpoint.listener.as_str(), protocol_name(endpoint.security_protocol)))
            .collect(),
        endpoints: registration.endpoints.iter().map(address).collect(),
        rack: registration.rack.as_deref(),
        jmx_port: registration.jmx_port,
        port: plaintext.map_or(-1, |endpoint| i32::from(endpoint.port)),
        host: plaintext.map(|endpoint| endpoint.host.as_str()),
        version: 5,
        timestamp: registration.timestamp_ms.to_string(),
    })
}

/// The security protocols by their numbers.
const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
const PLAINTEXT: i16 = 0;

fn protocol_name(code: i16) -> &'static str {
    usize::try_from(code).ok().and_then(|code| PROTOCOLS.get(code)).unwrap_or(&PROTOCOLS[0])
}

fn protocol_code(name: &str) -> Option<i16> {
    (0..).zip(PROTOCOLS).find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(code, _)| code)
}

/// The only event there is: a log directory has failed.
const LOG_DIR_FAILURE: i32 = 1;

#[derive(Serialize, Deserialize)]
struct LogDirEvent {
    version: i32,
    broker: i32,
    event: i32,
}

/// Reads a child of `/log_dir_event_notification`: the broker one of whose log directories has failed.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_log_dir_event(path: &str, data: &[u8]) -> Result<i32, ZnodeError> {
    from_json::<LogDirEvent>(path, data).map(|read| read.broker)
}

/// Writes a child of `/log_dir_event_notification`.
#[must_use]
pub fn encode_log_dir_event(broker: i32) -> Vec<u8> {
    to_json(&LogDirEvent { version: 1, broker, event: LOG_DIR_FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_log_directory_is_told_as_kafka_tells_it() {
        let event = encode_log_dir_event(3);
        assert_eq!(event, br#"{"version":1,"broker":3,"event":1}"#);
        assert_eq!(decode_log_dir_event("/e", &event), Ok(3));
        assert!(decode_log_dir_event("/e", b"{}").is_err());
    }

    fn endpoint(listener: &str, host: &str, port: u16, protocol: &str) -> Endpoint {
        Endpoint {
            listener: listener.into(),
            host: host.into(),
            port,
            security_protocol: protocol_code(protocol).expect("known"),
        }
    }

    #[test]
    fn a_registration_is_written_as_3_9_writes_it() {
        let golden = r#"{"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://127.0.0.1:9092"],"jmx_port":-1,"port":9092,"host":"127.0.0.1","version":5,"timestamp":"1795460956360"}"#;
        let read = decode_broker("/b", golden.as_bytes()).expect("golden");
        assert_eq!(read.endpoints, [endpoint("PLAINTEXT", "127.0.0.1", 9092, "PLAINTEXT")]);
        assert_eq!(String::from_utf8_lossy(&encode_broker(&read)), golden);
    }

    #[test]
    fn registrations_of_every_version_are_read() {
        let plain = endpoint("PLAINTEXT", "h", 9092, "PLAINTEXT");
        let tls = endpoint("SSL", "::1", 9093, "SSL");
        let cases = [
            (r#"{"jmx_port":-1,"timestamp":"12","host":"h","version":1,"port":9092}"#, vec![plain.clone()]),
            (r#"{"jmx_port":9999,"timestamp":12,"host":"h","version":2,"port":9092}"#, vec![plain.clone()]),
            (
                r#"{"version":3,"host":"h","port":9092,"jmx_port":9999,"timestamp":"12","endpoints":["PLAINTEXT://h:9092","SSL://[::1]:9093"],"rack":"dc1"}"#,
                vec![plain, tls],
            ),
            (
                r#"{"listener_security_protocol_map":{"CLIENT":"SASL_SSL"},"endpoints":["CLIENT://h:1"],"jmx_port":-1,"host":null,"timestamp":"12","port":-1,"version":4}"#,
                vec![endpoint("CLIENT", "h", 1, "SASL_SSL")],
            ),
        ];
        for (text, endpoints) in cases {
            let read = decode_broker("/b", text.as_bytes()).expect(text);
            assert_eq!((read.endpoints, read.timestamp_ms), (endpoints, 12), "{text}");
        }
    }

    #[test]
    fn old_clients_find_the_first_plaintext_listener_on_top() {
        let endpoints = vec![endpoint("SECURE", "a", 1, "SSL"), endpoint("INNER", "::2", 2, "PLAINTEXT")];
        let registration =
            BrokerRegistration { endpoints, rack: Some("r".into()), timestamp_ms: 5, jmx_port: -1 };
        let text = String::from_utf8(encode_broker(&registration)).expect("text");
        assert!(text.contains(r#""port":2,"host":"::2""#) && text.contains("INNER://[::2]:2"), "{text}");
        assert_eq!(decode_broker("/b", text.as_bytes()), Ok(registration));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"endpoints":["x"]}"#,
            r#"{"endpoints":["FOO://h:1"]}"#,
            r#"{"host":"h","port":70000}"#,
        ] {
            assert!(decode_broker("/b", text.as_bytes()).is_err(), "{text}");
        }
    }
}
