//! Quotas of users, client ids and addresses (KIP-546).

use vltava_protocol::messages::alter_client_quotas::{EntityData, OpData, RequestEntryData};
use vltava_protocol::messages::describe_client_quotas::{ComponentData, EntryData};
use vltava_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};

use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// A kind of client that quotas are given to; a user and a client id may come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaKind {
    /// Who has logged in.
    User,
    /// What the client calls itself.
    ClientId,
    /// Where it connects from.
    Ip,
}

impl QuotaKind {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            QuotaKind::User => "user",
            QuotaKind::ClientId => "client-id",
            QuotaKind::Ip => "ip",
        }
    }
}

/// Which of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotaMatch {
    /// Whichever has quotas.
    Any,
    /// The default of those that have none of their own.
    Default,
    /// This one.
    Named(String),
}

/// Whose quotas they are, and the quotas, as the broker gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Quotas {
    /// Kinds by their names on the wire, and of each the name; `None` is the default.
    pub entity: Vec<(String, Option<String>)>,
    /// Such as `producer_byte_rate` and its limit.
    pub values: Vec<(String, f64)>,
}

/// The quotas of what has just these kinds, each as it must be.
///
/// # Errors
/// When there is no answer, or the broker refuses; [`ClientError::Unsupported`] from one that has no quotas to tell.
pub async fn describe_quotas(
    client: &mut Client,
    entity: &[(QuotaKind, QuotaMatch)],
) -> Result<Vec<Quotas>, ClientError> {
    const EXACT: i8 = 0;
    const DEFAULT: i8 = 1;
    const ANY: i8 = 2;
    let component = |(kind, which): &(QuotaKind, QuotaMatch)| {
        let (match_type, name) = match which {
            QuotaMatch::Any => (ANY, None),
            QuotaMatch::Default => (DEFAULT, None),
            QuotaMatch::Named(name) => (EXACT, Some(name.clone().into())),
        };
        ComponentData { entity_type: kind.name().into(), match_type, r#match: name, ..Default::default() }
    };
    let request = DescribeClientQuotasRequest {
        components: entity.iter().map(component).collect(),
        strict: true,
        ..Default::default()
    };
    let told = |entry: EntryData<'static>| Quotas {
        entity: entry
            .entity
            .into_iter()
            .map(|part| (part.entity_type.into_owned(), part.entity_name.map(Into::into)))
            .collect(),
        values: entry.values.into_iter().map(|value| (value.key.into_owned(), value.value)).collect(),
    };
    client
        .ask_until(Node::Any, &request, |response| {
            ApiError::check(response.error_code, response.error_message.as_deref())?;
            Ok(response.entries.unwrap_or_default().into_iter().map(told).collect())
        })
        .await
}

/// Changes quotas of one thing, whose kinds have a name or, by `None`, are the default: each key to a limit, or away.
///
/// # Errors
/// When there is no answer, or the change was refused; [`ClientError::Unsupported`] from a broker that keeps no quotas.
pub async fn alter_quotas(
    client: &mut Client,
    entity: &[(QuotaKind, Option<String>)],
    changes: &[(String, Option<f64>)],
) -> Result<(), ClientError> {
    let part = |(kind, name): &(QuotaKind, Option<String>)| EntityData {
        entity_type: kind.name().into(),
        entity_name: name.clone().map(Into::into),
        ..Default::default()
    };
    let op = |(key, limit): &(String, Option<f64>)| OpData {
        key: key.clone().into(),
        value: limit.unwrap_or_default(),
        remove: limit.is_none(),
        ..Default::default()
    };
    let request = AlterClientQuotasRequest {
        entries: vec![RequestEntryData {
            entity: entity.iter().map(part).collect(),
            ops: changes.iter().map(op).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    client
        .ask_until(Node::Any, &request, |response| {
            response
                .entries
                .iter()
                .try_for_each(|entry| ApiError::check(entry.error_code, entry.error_message.as_deref()))
        })
        .await
}
