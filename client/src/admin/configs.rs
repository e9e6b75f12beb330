//! Configuration of topics and brokers.

use vltava_protocol::messages::describe_configs::DescribeConfigsResource;
use vltava_protocol::messages::incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
use vltava_protocol::messages::{
    DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};

use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// What has a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A topic, by name.
    Topic,
    /// A broker, by id; the empty name is the default of all brokers.
    Broker,
    /// A broker's loggers, by its id.
    BrokerLogger,
    /// What clients are asked to report, by the name of the subscription (KIP-714).
    ClientMetrics,
}

impl ResourceKind {
    fn code(self) -> i8 {
        match self {
            ResourceKind::Topic => 2,
            ResourceKind::Broker => 4,
            ResourceKind::BrokerLogger => 8,
            ResourceKind::ClientMetrics => 16,
        }
    }
}

/// One thing that has a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
}

impl Resource {
    /// A broker's own configuration can only be asked of, and changed at, that broker.
    fn node(&self) -> Node<'static> {
        match (self.kind, self.name.parse()) {
            (ResourceKind::Broker | ResourceKind::BrokerLogger, Ok(id)) => Node::Broker(id),
            _ => Node::Any,
        }
    }

    /// Where a value comes from, as far as a broker before 1.1 tells.
    fn source(&self, is_default: bool) -> i8 {
        match self.kind {
            _ if is_default => 5,
            ResourceKind::Topic => 1,
            ResourceKind::Broker | ResourceKind::BrokerLogger => 4,
            ResourceKind::ClientMetrics => 7,
        }
    }
}

/// A key of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The key.
    pub name: String,
    /// The value; `None` if it is secret, or unset.
    pub value: Option<String>,
    /// Where it comes from: 1 topic, 2 broker (dynamic), 3 default of brokers (dynamic), 4 broker (properties file), 5 default,
    /// 6 broker's loggers, 7 client metrics.
    pub source: i8,
    /// Whether it is a secret.
    pub sensitive: bool,
    /// Whether it can only be set in the properties file.
    pub read_only: bool,
    /// The places that were looked at, in order: key, value, source.
    pub synonyms: Vec<(String, Option<String>, i8)>,
}

/// What to do to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlterOp {
    /// Give it a value.
    Set(String),
    /// Back to its default.
    Delete,
    /// Add to a list.
    Append(String),
    /// Take from a list.
    Subtract(String),
}

/// A thing's whole configuration.
///
/// # Errors
/// When there is no answer, or the thing does not exist.
pub async fn describe_configs(
    client: &mut Client,
    resource: &Resource,
) -> Result<Vec<ConfigEntry>, ClientError> {
    // Version 0 tells no synonyms, and of a value only whether it is the default.
    let version = client.version::<DescribeConfigsRequest<'_>>(resource.node(), i16::MAX).await?;
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: resource.kind.code(),
            resource_name: resource.name.as_str().into(),
            configuration_keys: None,
            ..Default::default()
        }],
        include_synonyms: version >= 1,
        ..DescribeConfigsRequest::default()
    };
    client
        .ask_until(resource.node(), &request, |response| {
            let mut entries = Vec::new();
            for result in response.results {
                ApiError::check(result.error_code, result.error_message.as_deref())?;
                entries.extend(result.configs.into_iter().map(|entry| {
                    ConfigEntry {
                        name: entry.name.into_owned(),
                        value: entry.value.map(Into::into),
                        source: if version >= 1 {
                            entry.config_source
                        } else {
                            resource.source(entry.is_default)
                        },
                        sensitive: entry.is_sensitive,
                        read_only: entry.read_only,
                        synonyms: entry
                            .synonyms
                            .into_iter()
                            .map(|s| (s.name.into_owned(), s.value.map(Into::into), s.source))
                            .collect(),
                    }
                }));
            }
            Ok(entries)
        })
        .await
}

/// Changes some keys and leaves the others alone.
///
/// # Errors
/// When there is no answer, or the change was refused.
pub async fn alter_configs(
    client: &mut Client,
    resource: &Resource,
    changes: &[(String, AlterOp)],
    validate_only: bool,
) -> Result<(), ClientError> {
    let configs = changes.iter().map(|(name, op)| {
        let (config_operation, value) = match op {
            AlterOp::Set(value) => (0, Some(value)),
            AlterOp::Delete => (1, None),
            AlterOp::Append(value) => (2, Some(value)),
            AlterOp::Subtract(value) => (3, Some(value)),
        };
        AlterableConfig {
            name: name.as_str().into(),
            config_operation,
            value: value.map(|value| value.as_str().into()),
            ..Default::default()
        }
    });
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: resource.kind.code(),
            resource_name: resource.name.as_str().into(),
            configs: configs.collect(),
            ..Default::default()
        }],
        validate_only,
        ..IncrementalAlterConfigsRequest::default()
    };
    client
        .ask_until(resource.node(), &request, |response| {
            response
                .responses
                .iter()
                .try_for_each(|r| ApiError::check(r.error_code, r.error_message.as_deref()))
        })
        .await
}

/// The names of all subscriptions to clients' metrics.
///
/// # Errors
/// When there is no answer, or the broker refuses; [`ClientError::Unsupported`] from one that has none.
pub async fn client_metrics(client: &mut Client) -> Result<Vec<String>, ClientError> {
    let kind = ResourceKind::ClientMetrics.code();
    let version = client.version::<ListConfigResourcesRequest>(Node::Any, i16::MAX).await?;
    let request = ListConfigResourcesRequest {
        // Version 0 lists nothing else, and cannot be told.
        resource_types: if version >= 1 { vec![kind] } else { Vec::new() },
        ..Default::default()
    };
    let response = client.ask_at(Node::Any, &request, version).await?;
    ApiError::check(response.error_code, None)?;
    Ok(response.config_resources.into_iter().map(|resource| resource.resource_name.into_owned()).collect())
}
