//! ApiVersions (KIP-35, KIP-511): what is served, as the table says.

use std::sync::{Arc, LazyLock};

use vltava_protocol::{
    ErrorCode,
    messages::{ApiVersionsRequest, ApiVersionsResponse, api_versions::ApiVersion},
};

use super::{Api, TABLE};
use crate::{
    Broker,
    net::{RequestContext, Response},
};

/// The client says from here on to whom it means to talk.
const FIRST_WITH_CLUSTER: i16 = 5;

/// The table as it is advertised, made once.
static ADVERTISED: LazyLock<Vec<ApiVersion>> = LazyLock::new(|| TABLE.iter().map(advertise).collect());

fn advertise(api: &Api) -> ApiVersion {
    ApiVersion {
        api_key: api.key.into(),
        min_version: api.versions.first,
        max_version: api.versions.last,
        ..Default::default()
    }
}

/// Answers with the table. A client that names its software otherwise than KIP-511 allows gets INVALID_REQUEST, as from Kafka.
pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: ApiVersionsRequest<'_>,
) -> ApiVersionsResponse<'static> {
    if request.version >= 3
        && !(is_software_name(&body.client_software_name) && is_software_name(&body.client_software_version))
    {
        return ApiVersionsResponse { error_code: ErrorCode::InvalidRequest as i16, ..Default::default() };
    }
    if request.version >= FIRST_WITH_CLUSTER && is_another(broker, &body) {
        return ApiVersionsResponse {
            error_code: ErrorCode::RebootstrapRequired as i16,
            ..Default::default()
        };
    }
    ApiVersionsResponse { api_keys: ADVERTISED.clone(), finalized_features_epoch: 0, ..Default::default() }
}

/// Whether the client means to talk to another cluster or broker: its idea of who is at this address is old (KIP-1242).
fn is_another(broker: &Broker, body: &ApiVersionsRequest<'_>) -> bool {
    let cluster = body.cluster_id.as_deref().is_some_and(|id| id != broker.control.cluster_id());
    cluster || (body.node_id >= 0 && body.node_id != broker.id)
}

/// The answer to a version that we don't know: version 0, which every client can read, with the versions of ApiVersions itself (KIP-511).
pub(super) fn unsupported(request: &RequestContext) -> Response {
    let api_keys = TABLE.iter().filter(|api| api.key == request.api_key).map(advertise).collect();
    let message = ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion as i16,
        api_keys,
        ..Default::default()
    };
    Response::encode_at(request, 0, &message, [])
}

/// Letters and digits, with dots and hyphens inside.
fn is_software_name(name: &str) -> bool {
    let inside = |c: u8| c.is_ascii_alphanumeric() || c == b'.' || c == b'-';
    let edge = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().copied().all(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_what_kip_511_allows() {
        for (name, allowed) in [
            ("apache-kafka-java", true),
            ("librdkafka", true),
            ("2.8.0", true),
            ("a", true),
            ("", false),
            ("-a", false),
            ("a.", false),
            ("a b", false),
            ("a/b", false),
        ] {
            assert_eq!(is_software_name(name), allowed, "{name:?}");
        }
    }
}
