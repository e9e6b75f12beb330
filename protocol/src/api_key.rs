//! The APIs by number, and which versions of the headers go with them.

use std::fmt;

use crate::{
    messages::for_each_api,
    wire::{Described, Schema, Versions},
};

macro_rules! define_api_key {
    ($($number:literal $api:ident $module:ident $request:ident $(<$a:lifetime>)? => $response:ident $(<$b:lifetime>)?;)*) => {
        /// The number that a request's header carries to say which API it calls.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        #[allow(missing_docs)] // The variants are Kafka's names, documented with their messages.
        pub enum ApiKey {
            $($api = $number,)*
        }

        impl ApiKey {
            /// All that this crate knows, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$api,)*];

            /// Kafka's name, such as `Produce`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$api => stringify!($api),)*
                }
            }

            /// The shape of the request.
            #[must_use]
            pub fn request_schema(self) -> &'static Schema {
                use crate::messages::*;
                match self {
                    $(Self::$api => <$request $(<$a>)? as Described>::SCHEMA,)*
                }
            }
        }

        impl TryFrom<i16> for ApiKey {
            type Error = UnknownApiKey;

            fn try_from(number: i16) -> Result<Self, UnknownApiKey> {
                match number {
                    $($number => Ok(Self::$api),)*
                    _ => Err(UnknownApiKey(number)),
                }
            }
        }
    };
}
for_each_api!(define_api_key);

/// A number that is no API of clients or ZooKeeper-mode brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown API key {0}")]
pub struct UnknownApiKey(pub i16);

impl ApiKey {
    /// The versions that this crate reads and writes.
    #[must_use]
    pub fn versions(self) -> Versions {
        self.request_schema().versions
    }

    /// The version of the request's header: 2 if the request's version is flexible, else 1; a version newer than any known counts
    /// as flexible if the newest is.
    ///
    /// The first ControlledShutdown is older than client ids: its header is version 0.
    #[must_use]
    pub fn request_header_version(self, version: i16) -> i16 {
        if self == Self::ControlledShutdown && version == 0 {
            return 0;
        }
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// The version of the response's header: 1 if the version is flexible, else 0.
    ///
    /// Always 0 for ApiVersions: its response is read before the client knows what the broker speaks (KIP-511).
    #[must_use]
    pub fn response_header_version(self, version: i16) -> i16 {
        i16::from(self != Self::ApiVersions && self.is_flexible(version))
    }

    fn is_flexible(self, version: i16) -> bool {
        let Schema { versions, flexible, .. } = *self.request_schema();
        flexible.contains(version.min(versions.last))
    }
}

impl From<ApiKey> for i16 {
    fn from(key: ApiKey) -> Self {
        key as Self
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_keys_translate_both_ways() {
        for &key in ApiKey::ALL {
            assert_eq!(ApiKey::try_from(i16::from(key)), Ok(key));
        }
        assert_eq!(ApiKey::try_from(-1), Err(UnknownApiKey(-1)));
        assert_eq!(ApiKey::try_from(55), Err(UnknownApiKey(55)), "DescribeQuorum is Raft's");
    }

    #[test]
    fn header_versions_follow_flexible_versions_but_for_the_two_exceptions() {
        for (key, version, request, response) in [
            (ApiKey::Produce, 8, 1, 0),
            (ApiKey::Produce, 9, 2, 1),
            (ApiKey::ApiVersions, 2, 1, 0),
            (ApiKey::ApiVersions, 3, 2, 0),
            (ApiKey::ApiVersions, 99, 2, 0),
            (ApiKey::ControlledShutdown, 0, 0, 0),
            (ApiKey::ControlledShutdown, 1, 1, 0),
            (ApiKey::ControlledShutdown, 3, 2, 1),
            (ApiKey::SaslHandshake, 1, 1, 0),
            (ApiKey::OffsetDelete, 0, 1, 0),
            (ApiKey::OffsetDelete, 9, 1, 0),
        ] {
            assert_eq!(key.request_header_version(version), request, "{key} {version}");
            assert_eq!(key.response_header_version(version), response, "{key} {version}");
        }
    }
}
