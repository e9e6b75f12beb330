//! Listeners: what `listeners`, `advertised.listeners`, `listener.security.protocol.map`, `inter.broker.listener.name` and the
//! older `host.name`, `port`, `advertised.host.name` and `advertised.port` come to.

use std::fmt;

use crate::broker;
use crate::config::BrokerConfig;
use crate::problem::Problem;
use crate::value::InvalidValue;

/// How a listener protects its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL without encryption.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

impl SecurityProtocol {
    /// Reads a name in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<SecurityProtocol> {
        [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl]
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }

    /// Kafka's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// The code in UpdateMetadata requests.
    #[must_use]
    pub const fn wire_code(self) -> i16 {
        match self {
            Self::Plaintext => 0,
            Self::Ssl => 1,
            Self::SaslPlaintext => 2,
            Self::SaslSsl => 3,
        }
    }
}

/// `NAME://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndPoint {
    /// The listener's name, in capitals.
    pub name: String,
    /// Host name or address, an IPv6 one without brackets; empty is every address.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
}

impl EndPoint {
    /// Reads `NAME://host:port`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, in Kafka's words where it has some.
    pub fn parse(text: &str) -> Result<EndPoint, String> {
        let unable = || format!("Unable to parse {text} to a broker endpoint");
        let (name, address) = text.split_once("://").ok_or_else(unable)?;
        let (host, port) = address.rsplit_once(':').ok_or_else(unable)?;
        let host = host.strip_prefix('[').map_or(host, |inner| inner.strip_suffix(']').unwrap_or(inner));
        let fits = |c: char| c.is_ascii_alphanumeric() || "-%._:".contains(c);
        if name.trim().is_empty() || !host.chars().all(fits) {
            return Err(unable());
        }
        let port =
            port.parse().map_err(|_| format!("{}: the port must be a number from 0 to 65535", unable()))?;
        Ok(EndPoint { name: name.trim().to_uppercase(), host: host.to_owned(), port })
    }
}

impl fmt::Display for EndPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "{}://[{}]:{}", self.name, self.host, self.port)
        } else {
            write!(f, "{}://{}:{}", self.name, self.host, self.port)
        }
    }
}

/// A listener whole: where it listens, what it advertises, what it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens.
    pub bind: EndPoint,
    /// What clients are told. `None`: not advertised. An empty host means the machine's own name, port 0 the bound one.
    pub advertised: Option<EndPoint>,
    /// What it speaks.
    pub protocol: SecurityProtocol,
}

impl Listener {
    /// The listener's name, in capitals.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.bind.name
    }
}

/// All listeners, and which of them brokers use among themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listeners {
    pub(crate) all: Vec<Listener>,
    pub(crate) inter_broker: String,
}

/// The most listeners of one broker: far above any real need, a bound on quadratic checks.
const MAX_LISTENERS: usize = 64;

/// Reads and checks everything about listeners. What depends on a text that cannot be read is not checked: only the cause is told.
pub(crate) fn resolve(config: &BrokerConfig, problems: &mut Vec<Problem>) -> Listeners {
    let before = problems.len();
    let protocols = protocol_map(config, problems);
    let binds = endpoints(config, broker::LISTENERS.name(), &bind_text(config), problems);
    let advertised = advertised_text(config).map(|(key, text)| endpoints(config, key, &text, problems));
    if problems.len() > before {
        return Listeners::default();
    }
    if binds.is_empty() {
        let why = "at least one listener is needed, such as PLAINTEXT://:9092";
        problems.push(invalid(broker::LISTENERS.name(), config.get(broker::LISTENERS), why));
        return Listeners::default();
    }
    check_distinct(&binds, problems);
    check_advertised(&binds, advertised.as_deref(), problems);

    let mut all = Vec::with_capacity(binds.len());
    for bind in binds {
        let protocol = protocol_of(config, &bind, &protocols, problems);
        let advertised = match &advertised {
            Some(list) => list.iter().find(|end| end.name == bind.name).cloned(),
            None => Some(bind.clone()),
        };
        all.push(Listener { bind, advertised, protocol });
    }
    let inter_broker = if problems.len() > before {
        String::new()
    } else {
        inter_broker_name(config, &protocols, &all, problems)
    };
    Listeners { all, inter_broker }
}

/// What a listener speaks; it is a problem if that is unknown, or protected.
fn protocol_of(
    config: &BrokerConfig,
    bind: &EndPoint,
    protocols: &[(String, SecurityProtocol)],
    problems: &mut Vec<Problem>,
) -> SecurityProtocol {
    let found = protocols.iter().find(|(name, _)| *name == bind.name).map(|&(_, protocol)| protocol);
    match found {
        None => {
            let why = format!("No security protocol defined for listener {}", bind.name);
            let text = config.get(broker::LISTENER_SECURITY_PROTOCOL_MAP);
            problems.push(invalid(broker::LISTENER_SECURITY_PROTOCOL_MAP.name(), text, why));
        }
        Some(SecurityProtocol::Plaintext) => {}
        Some(protocol) => problems.push(Problem::Refused {
            key: broker::LISTENERS.name().to_owned(),
            value: bind.to_string(),
            why: format!("{} is not built yet: only PLAINTEXT is served", protocol.name()),
        }),
    }
    found.unwrap_or(SecurityProtocol::Plaintext)
}

fn invalid(key: &str, value: &str, why: impl Into<String>) -> Problem {
    InvalidValue::Invalid { name: key.to_owned(), value: value.to_owned(), why: why.into() }.into()
}

fn bind_text(config: &BrokerConfig) -> String {
    let old = config.is_given(broker::HOST_NAME.name()) || config.is_given(broker::PORT.name());
    if old && !config.is_given(broker::LISTENERS.name()) {
        return format!(
            "PLAINTEXT://{}:{}",
            bracketed(config.get(broker::HOST_NAME)),
            config.get(broker::PORT)
        );
    }
    config.get(broker::LISTENERS).to_owned()
}

/// The text of the advertised listeners and the key it comes from; `None` when what is bound is advertised.
fn advertised_text(config: &BrokerConfig) -> Option<(&'static str, String)> {
    if let Some(text) = config.get(broker::ADVERTISED_LISTENERS) {
        return Some((broker::ADVERTISED_LISTENERS.name(), text.to_owned()));
    }
    let host = config.get(broker::ADVERTISED_HOST_NAME);
    let port = config.get(broker::ADVERTISED_PORT);
    if host.is_none() && port.is_none() || config.is_given(broker::LISTENERS.name()) {
        return None;
    }
    let host = bracketed(host.unwrap_or_else(|| config.get(broker::HOST_NAME)));
    let port = port.unwrap_or_else(|| config.get(broker::PORT));
    Some((broker::ADVERTISED_HOST_NAME.name(), format!("PLAINTEXT://{host}:{port}")))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

fn endpoints(
    config: &BrokerConfig,
    key: &'static str,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Vec<EndPoint> {
    // Old keys make the text; the message names those that were given.
    let key = match key {
        "listeners" if !config.is_given(key) && config.is_given(broker::PORT.name()) => broker::PORT.name(),
        "listeners" if !config.is_given(key) && config.is_given(broker::HOST_NAME.name()) => {
            broker::HOST_NAME.name()
        }
        key => key,
    };
    let mut list = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()).take(MAX_LISTENERS + 1) {
        match EndPoint::parse(item) {
            Ok(end) => list.push(end),
            Err(why) => problems.push(invalid(key, text, why)),
        }
    }
    if list.len() > MAX_LISTENERS {
        problems.push(invalid(key, text, format!("it may name {MAX_LISTENERS} listeners at most")));
        list.clear();
    }
    list
}

fn protocol_map(config: &BrokerConfig, problems: &mut Vec<Problem>) -> Vec<(String, SecurityProtocol)> {
    let key = broker::LISTENER_SECURITY_PROTOCOL_MAP.name();
    let text = config.get(broker::LISTENER_SECURITY_PROTOCOL_MAP);
    let mut map: Vec<(String, SecurityProtocol)> = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let Some((name, protocol)) = item.rsplit_once(':') else {
            problems.push(invalid(key, text, format!("{item} is not NAME:PROTOCOL")));
            continue;
        };
        match SecurityProtocol::parse(protocol.trim()) {
            Some(protocol) => map.push((name.trim().to_uppercase(), protocol)),
            None => {
                let why = format!(
                    "Invalid security protocol `{protocol}`: it must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"
                );
                problems.push(invalid(key, text, why));
            }
        }
    }
    map
}

fn shown(ends: &[EndPoint]) -> String {
    ends.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn check_distinct(binds: &[EndPoint], problems: &mut Vec<Problem>) {
    let mut wrong = |why: &str| problems.push(invalid(broker::LISTENERS.name(), &shown(binds), why));
    for (index, end) in binds.iter().enumerate() {
        let earlier = &binds[..index];
        if earlier.iter().any(|other| other.name == end.name) {
            wrong("Each listener must have a different name");
        }
        // One port may serve an IPv4 and an IPv6 address (KAFKA-10520).
        let both_families = |other: &EndPoint| {
            matches!(
                (end.host.parse(), other.host.parse()),
                (Ok(left), Ok(right)) if std::net::IpAddr::is_ipv4(&left) != std::net::IpAddr::is_ipv4(&right)
            )
        };
        if end.port != 0 && earlier.iter().any(|other| other.port == end.port && !both_families(other)) {
            wrong("Each listener must have a different port");
        }
    }
}

fn check_advertised(binds: &[EndPoint], advertised: Option<&[EndPoint]>, problems: &mut Vec<Problem>) {
    let key = broker::ADVERTISED_LISTENERS.name();
    let names = || binds.iter().map(|end| end.name.as_str()).collect::<Vec<_>>().join(",");
    let list = advertised.unwrap_or(binds);
    for end in list {
        if end.host == "0.0.0.0" {
            let why = "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address";
            // Without the key what is bound is advertised.
            let given = if advertised.is_some() { key } else { broker::LISTENERS.name() };
            problems.push(invalid(given, &end.to_string(), why));
        }
    }
    for end in advertised.unwrap_or_default() {
        if !binds.iter().any(|bind| bind.name == end.name) {
            let why = format!(
                "advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found {}. \
                 The valid options based on the current configuration are {}",
                end.name,
                names()
            );
            problems.push(invalid(key, &shown(list), why));
        }
    }
}

fn inter_broker_name(
    config: &BrokerConfig,
    protocols: &[(String, SecurityProtocol)],
    listeners: &[Listener],
    problems: &mut Vec<Problem>,
) -> String {
    let key = broker::INTER_BROKER_LISTENER_NAME.name();
    let name = match config.get(broker::INTER_BROKER_LISTENER_NAME) {
        Some(given) => {
            let name = given.to_uppercase();
            if config.is_given(broker::SECURITY_INTER_BROKER_PROTOCOL.name()) {
                let why = format!("Only one of {key} and security.inter.broker.protocol should be set.");
                problems.push(invalid(key, given, why));
            }
            if !protocols.iter().any(|(known, _)| *known == name) {
                let why = format!(
                    "Listener with name {name} defined in {key} not found in listener.security.protocol.map."
                );
                problems.push(invalid(key, given, why));
                return name;
            }
            name
        }
        None => config.get(broker::SECURITY_INTER_BROKER_PROTOCOL).to_owned(),
    };
    let advertised: Vec<&str> =
        listeners.iter().filter_map(|l| Some(l.advertised.as_ref()?.name.as_str())).collect();
    if !advertised.contains(&name.as_str()) {
        let why = format!(
            "{key} must be a listener name defined in advertised.listeners. Found {name}. \
             The valid options based on currently configured listeners are {}",
            advertised.join(",")
        );
        problems.push(invalid(key, &name, why));
    }
    name
}
