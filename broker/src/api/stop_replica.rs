//! StopReplica: replicas that this broker stops, and deletes where it says so. From the controller alone.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode,
    messages::{StopReplicaRequest, StopReplicaResponse},
};

use crate::{Broker, net::RequestContext};

/// Answers when it is obeyed, after what the controller asked for before.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: StopReplicaRequest<'_>,
) -> StopReplicaResponse<'static> {
    let answer = broker.control.stop_replica(body.into_owned()).await;
    // The broker stops, or has not begun.
    answer.unwrap_or_else(|| StopReplicaResponse {
        error_code: ErrorCode::StaleBrokerEpoch.into(),
        ..Default::default()
    })
}
