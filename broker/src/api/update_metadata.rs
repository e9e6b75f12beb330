//! UpdateMetadata: who lives and who leads, for clients to be told. From the controller alone.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode,
    messages::{UpdateMetadataRequest, UpdateMetadataResponse},
};

use crate::{Broker, net::RequestContext};

/// Answers when it is obeyed, after what the controller asked for before.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: UpdateMetadataRequest<'_>,
) -> UpdateMetadataResponse {
    let answer = broker.control.update_metadata(body.into_owned()).await;
    // The broker stops, or has not begun.
    answer.unwrap_or_else(|| UpdateMetadataResponse {
        error_code: ErrorCode::StaleBrokerEpoch.into(),
        ..Default::default()
    })
}
