//! What is known about one key, and the words that an entry of the table is written in.
//!
//! An entry reads like a sentence: `int("num.partitions", 1).at_least(1).medium()`. Every word is a `const fn`, so the whole
//! table is built by the compiler and lies in read-only memory.

use std::fmt;

/// The type of a key's value, under Kafka's names (`ConfigDef.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// 16 bits.
    Short,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// A floating-point number of 64 bits.
    Double,
    /// Text.
    String,
    /// Comma-separated texts.
    List,
    /// The name of a Java class.
    Class,
    /// Text that is never shown.
    Password,
}

impl Kind {
    /// The code of `ConfigResourceType` in a DescribeConfigs response (version 3 and later).
    #[must_use]
    pub const fn wire_code(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::String => 2,
            Kind::Int => 3,
            Kind::Short => 4,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
            Kind::Class => 8,
            Kind::Password => 9,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Boolean => "boolean",
            Kind::Short => "short",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Double => "double",
            Kind::String => "string",
            Kind::List => "list",
            Kind::Class => "class",
            Kind::Password => "password",
        })
    }
}

/// A default, in a form that the compiler can lay down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    /// No value.
    Null,
    /// A boolean.
    Boolean(bool),
    /// 16 bits.
    Short(i16),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// A floating-point number.
    Double(f64),
    /// A string or the name of a class.
    Text(&'static str),
    /// A list.
    List(&'static [&'static str]),
}

/// What a value must satisfy beyond its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Allowed {
    /// Nothing.
    Any,
    /// A whole number in this range, both ends included.
    Range {
        /// The least.
        min: i64,
        /// The greatest, if there is one.
        max: Option<i64>,
    },
    /// A number in this range, both ends included.
    RealRange {
        /// The least.
        min: f64,
        /// The greatest, if there is one.
        max: Option<f64>,
    },
    /// One of these words; each item, if it is a list.
    OneOf(&'static [&'static str]),
    /// One of these words in any case.
    OneOfIgnoringCase(&'static [&'static str]),
    /// A text that is not empty.
    NonEmpty,
    /// A gzip level: -1, or 1 to 9.
    GzipLevel,
    /// A number of threads: at least 1, or -1 for what another key says.
    ThreadPool,
    /// A version of the inter-broker protocol, such as `3.9` or `0.10.0-IV1`.
    ProtocolVersion,
    /// `*`, or items `partition:broker`.
    ThrottledReplicas,
}

/// How much a key matters to most users, in Kafka's judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    /// Look at it first.
    High,
    /// Look at it when tuning.
    Medium,
    /// Rarely needed.
    Low,
}

/// Whether and how a key can be changed while the broker runs (KIP-226).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only in the properties file, by a restart.
    ReadOnly,
    /// Per broker.
    PerBroker,
    /// Per broker, or for all brokers at once.
    ClusterWide,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scope::ReadOnly => "read-only",
            Scope::PerBroker => "per-broker",
            Scope::ClusterWide => "cluster-wide",
        })
    }
}

/// What Vltava does with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It has the effect that Kafka documents.
    Effective,
    /// It is read and checked, and changes nothing, for this reason.
    Accepted(&'static str),
    /// A value other than the default stops the start, for this reason: ignoring it would open what its owner closed, or
    /// promise what is not there.
    Refused(&'static str),
}

/// Everything known about one key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Definition {
    /// The key's name, as written in a properties file.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Its value when nobody gives one.
    pub default: Literal,
    /// What a value must satisfy beyond its type.
    pub allowed: Allowed,
    /// How much it matters.
    pub importance: Importance,
    /// Whether it can be changed at run time, in Apache Kafka.
    pub scope: Scope,
    /// Vltava changes it by a restart only, whatever the scope says.
    pub by_restart: bool,
    /// It can be set at run time alone: in a properties file it is no key.
    pub only_dynamic: bool,
    /// What Vltava does with it.
    pub effect: Effect,
    /// Of a topic key, the broker keys that it takes its default from, the strongest first.
    pub broker_keys: &'static [&'static str],
    /// Hidden from DescribeConfigs, as in Kafka: not for production.
    pub internal: bool,
    /// The first Kafka version without this key, for the keys that Kafka has dropped.
    pub removed_in: Option<&'static str>,
    /// What to use instead, for deprecated keys.
    pub instead: Option<&'static str>,
    /// What it does, in one or two sentences of Markdown. Begins with a space, as doc comments do.
    pub(crate) text: &'static str,
}

impl Definition {
    const fn new(name: &'static str, kind: Kind, default: Literal) -> Self {
        Definition {
            name,
            kind,
            default,
            allowed: Allowed::Any,
            importance: Importance::Medium,
            scope: Scope::ReadOnly,
            by_restart: false,
            only_dynamic: false,
            effect: Effect::Effective,
            broker_keys: &[],
            internal: false,
            removed_in: None,
            instead: None,
            text: "",
        }
    }

    /// What the key does, in one or two sentences.
    #[must_use]
    pub fn documentation(&self) -> &'static str {
        self.text.trim()
    }

    /// Whether its value must never be shown.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, Kind::Password)
    }

    /// Whether it can be changed without a restart.
    #[must_use]
    pub const fn is_dynamic(&self) -> bool {
        !self.by_restart && !matches!(self.scope, Scope::ReadOnly)
    }

    pub(crate) const fn documented(mut self, text: &'static str) -> Self {
        self.text = text;
        self
    }

    pub(crate) const fn at_least(mut self, min: i64) -> Self {
        self.allowed = Allowed::Range { min, max: None };
        self
    }

    pub(crate) const fn between(mut self, min: i64, max: i64) -> Self {
        self.allowed = Allowed::Range { min, max: Some(max) };
        self
    }

    pub(crate) const fn between_real(mut self, min: f64, max: f64) -> Self {
        self.allowed = Allowed::RealRange { min, max: Some(max) };
        self
    }

    pub(crate) const fn one_of(mut self, words: &'static [&'static str]) -> Self {
        self.allowed = Allowed::OneOf(words);
        self
    }

    pub(crate) const fn one_of_ignoring_case(mut self, words: &'static [&'static str]) -> Self {
        self.allowed = Allowed::OneOfIgnoringCase(words);
        self
    }

    pub(crate) const fn non_empty(mut self) -> Self {
        self.allowed = Allowed::NonEmpty;
        self
    }

    pub(crate) const fn gzip_level(mut self) -> Self {
        self.allowed = Allowed::GzipLevel;
        self
    }

    pub(crate) const fn thread_pool(mut self) -> Self {
        self.allowed = Allowed::ThreadPool;
        self
    }

    pub(crate) const fn protocol_version(mut self) -> Self {
        self.allowed = Allowed::ProtocolVersion;
        self
    }

    pub(crate) const fn throttled_replicas(mut self) -> Self {
        self.allowed = Allowed::ThrottledReplicas;
        self
    }

    pub(crate) const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    pub(crate) const fn medium(mut self) -> Self {
        self.importance = Importance::Medium;
        self
    }

    pub(crate) const fn low(mut self) -> Self {
        self.importance = Importance::Low;
        self
    }

    pub(crate) const fn per_broker(mut self) -> Self {
        self.scope = Scope::PerBroker;
        self
    }

    pub(crate) const fn cluster_wide(mut self) -> Self {
        self.scope = Scope::ClusterWide;
        self
    }

    pub(crate) const fn by_restart(mut self) -> Self {
        self.by_restart = true;
        self
    }

    pub(crate) const fn only_dynamic(mut self) -> Self {
        self.only_dynamic = true;
        self
    }

    pub(crate) const fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    pub(crate) const fn of_broker(mut self, keys: &'static [&'static str]) -> Self {
        self.broker_keys = keys;
        self
    }

    pub(crate) const fn removed_in(mut self, version: &'static str) -> Self {
        self.removed_in = Some(version);
        self
    }

    pub(crate) const fn instead(mut self, key: &'static str) -> Self {
        self.instead = Some(key);
        self
    }

    pub(crate) const fn accepted(mut self, why: &'static str) -> Self {
        self.effect = Effect::Accepted(why);
        self
    }

    pub(crate) const fn refused(mut self, why: &'static str) -> Self {
        self.effect = Effect::Refused(why);
        self
    }
}

/// The words that begin an entry: a type, with a default or (`optional_`) without.
macro_rules! openings {
    ($($open:ident($value:ty) $optional:ident: $kind:ident $literal:ident;)*) => {$(
        pub(crate) const fn $open(name: &'static str, default: $value) -> Definition {
            Definition::new(name, Kind::$kind, Literal::$literal(default))
        }

        #[allow(dead_code)]
        pub(crate) const fn $optional(name: &'static str) -> Definition {
            Definition::new(name, Kind::$kind, Literal::Null)
        }
    )*};
}

openings! {
    boolean(bool) optional_boolean: Boolean Boolean;
    short(i16) optional_short: Short Short;
    int(i32) optional_int: Int Int;
    long(i64) optional_long: Long Long;
    double(f64) optional_double: Double Double;
    string(&'static str) optional_string: String Text;
    list(&'static [&'static str]) optional_list: List List;
    class(&'static str) optional_class: Class Text;
}

pub(crate) const fn optional_password(name: &'static str) -> Definition {
    Definition::new(name, Kind::Password, Literal::Null)
}

/// Declares the keys of one area: a typed constant for each, and `KEYS`, the area's part of the table. The doc comment is the
/// key's documentation everywhere, so it is written once.
macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $definition:expr;)*) => {
        $(
            $(#[doc = $doc])+
            pub const $name: $crate::key::Key<$type> = {
                const DEFINITION: $crate::definition::Definition = $definition.documented(concat!($($doc),+));
                $crate::key::Key::new(&DEFINITION)
            };
        )*

        pub(crate) const KEYS: &[&$crate::definition::Definition] = &[$($name.definition()),*];
    };
}
