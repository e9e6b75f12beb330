//! Whose configuration it is: topics, brokers, clients, users, clients of users, and so on.

use std::fmt;

use vltava_broker::control::znodes::Entity;
use vltava_client::admin::QuotaKind;

use crate::tools::failure::Failure;

/// What stands for "all that have none of their own" in paths.
pub(super) const DEFAULT: &str = "<default>";

/// A type of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Topics,
    Brokers,
    BrokerLoggers,
    Clients,
    Users,
    Ips,
    ClientMetrics,
}

impl Kind {
    /// The type of a name, which `zookeeper`'s tool knew fewer of.
    pub(super) fn parse(name: &str, zookeeper: bool) -> Result<Kind, Failure> {
        match name {
            "topics" => Ok(Kind::Topics),
            "brokers" => Ok(Kind::Brokers),
            "clients" => Ok(Kind::Clients),
            "users" => Ok(Kind::Users),
            "broker-loggers" if !zookeeper => Ok(Kind::BrokerLoggers),
            "ips" if !zookeeper => Ok(Kind::Ips),
            "client-metrics" if !zookeeper => Ok(Kind::ClientMetrics),
            _ if zookeeper => Err(Failure::illegal(format!(
                "Invalid entity-type {name}, --entity-type must be one of List(topics, clients, users, brokers)"
            ))),
            _ => Err(Failure::illegal(format!(
                "Invalid entity type {name}, the entity type must be one of topics, clients, users, brokers, ips, broker-loggers, client-metrics with a --bootstrap-server or --bootstrap-controller argument"
            ))),
        }
    }

    /// What 0.11, and 3.9 of quotas, calls one of them.
    fn one(self) -> &'static str {
        match self {
            Kind::Topics => "topic",
            Kind::Brokers => "brokers",
            Kind::BrokerLoggers => "broker-loggers",
            Kind::Clients => "client-id",
            Kind::Users => "user-principal",
            Kind::Ips => "ip",
            Kind::ClientMetrics => "client-metrics",
        }
    }

    /// What it is to quotas, if they have it.
    pub(super) fn of_quotas(self) -> Option<QuotaKind> {
        match self {
            Kind::Users => Some(QuotaKind::User),
            Kind::Clients => Some(QuotaKind::ClientId),
            Kind::Ips => Some(QuotaKind::Ip),
            _ => None,
        }
    }
}

/// The name of the type in options and paths.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Topics => "topics",
            Kind::Brokers => "brokers",
            Kind::BrokerLoggers => "broker-loggers",
            Kind::Clients => "clients",
            Kind::Users => "users",
            Kind::Ips => "ips",
            Kind::ClientMetrics => "client-metrics",
        })
    }
}

/// Which of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// Every one that has a configuration.
    All,
    /// The default of the type.
    Default,
    /// This one.
    Of(String),
}

impl Name {
    /// What is given as a name: nothing is the default.
    pub(super) fn given(name: &str) -> Name {
        if name.is_empty() { Name::Default } else { Name::Of(name.to_owned()) }
    }
}

/// A type and a name, or those of a user and of a client below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// A user comes before its clients.
    pub(super) levels: Vec<(Kind, Name)>,
    /// Whether the clients were named before the users.
    turned: bool,
}

impl Target {
    /// A target of types and names as they were given.
    pub(super) fn new(mut levels: Vec<(Kind, Name)>) -> Target {
        let turned = matches!(levels.as_slice(), [(Kind::Clients, _), (Kind::Users, _)]);
        if turned {
            levels.swap(0, 1);
        }
        Target { levels, turned }
    }

    /// What was named first, which Kafka's tool speaks of.
    pub(super) fn first(&self) -> Option<&(Kind, Name)> {
        self.levels.get(usize::from(self.turned))
    }

    /// The outermost type.
    pub(super) fn kind(&self) -> Kind {
        self.levels.first().map_or(Kind::Topics, |(kind, _)| *kind)
    }

    /// The path below `/config`; `None` while it means several.
    pub(super) fn path(&self) -> Option<String> {
        let part = |(kind, name): &(Kind, Name)| match name {
            Name::All => None,
            Name::Default => Some(format!("{kind}/{DEFAULT}")),
            Name::Of(name) if name == DEFAULT => Some(format!("{kind}/{DEFAULT}")),
            Name::Of(name) => Some(format!("{kind}/{}", sanitize(*kind, name))),
        };
        let parts: Option<Vec<String>> = self.levels.iter().map(part).collect();
        parts.map(|parts| parts.join("/"))
    }

    /// The entity in ZooKeeper, for one.
    pub(super) fn entity(&self) -> Option<Entity> {
        self.path().map(|path| Entity::from_path(&path))
    }
}

/// As 0.11 writes it: `user-principal 'u', default client-id`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kind, name)) in self.levels.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            match name {
                Name::Default | Name::All => write!(f, "default {}", kind.one())?,
                Name::Of(name) => write!(f, "{} '{name}'", kind.one())?,
            }
        }
        Ok(())
    }
}

/// A user or client id as part of a path: as Kafka's `Sanitizer` does it, with percent signs. Topics and brokers need none.
fn sanitize(kind: Kind, name: &str) -> String {
    if !matches!(kind, Kind::Clients | Kind::Users) {
        return name.to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let part = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(part).collect()
}

/// The name that [`sanitize`] has made a part of a path of; what is no such part stays as it is.
pub(super) fn desanitize(part: &str) -> Name {
    if part == DEFAULT {
        return Name::Default;
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [a, b, ..] if *first == b'%' => {
                std::str::from_utf8(&[*a, *b]).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    Name::Of(String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_named_and_placed_as_in_0_11() {
        let target = |levels: &[(Kind, Name)]| Target::new(levels.to_vec());
        let both =
            target(&[(Kind::Users, Name::Of("user1".into())), (Kind::Clients, Name::Of("clientA".into()))]);
        assert_eq!(both.to_string(), "user-principal 'user1', client-id 'clientA'");
        assert_eq!(both.path().as_deref(), Some("users/user1/clients/clientA"));
        let default = target(&[(Kind::Users, Name::Default)]);
        assert_eq!(default.to_string(), "default user-principal");
        assert_eq!(default.path().as_deref(), Some("users/<default>"));
        assert_eq!(target(&[(Kind::Topics, Name::All)]).path(), None);
        let broker = target(&[(Kind::Brokers, Name::Of("0".into()))]);
        assert_eq!((broker.to_string(), broker.entity()), ("brokers '0'".into(), Some(Entity::Broker(0))));
    }

    #[test]
    fn names_survive_their_paths() {
        for name in ["alice", "CN=a b,O=c*d/e", "ž%41"] {
            assert_eq!(desanitize(&sanitize(Kind::Users, name)), Name::Of(name.to_owned()));
        }
        assert_eq!(sanitize(Kind::Users, "a b*"), "a%20b%2A");
        assert_eq!(desanitize("50%"), Name::Of("50%".into()));
    }
}
