//! LeaderAndIsr: which partitions this broker leads and follows. From the controller alone.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode,
    messages::{LeaderAndIsrRequest, LeaderAndIsrResponse},
};

use crate::{Broker, net::RequestContext};

/// Partitions are named by their topics' ids from here on.
const FIRST_WITH_IDS: i16 = 5;

/// Answers when it is obeyed, after what the controller asked for before.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: LeaderAndIsrRequest<'_>,
) -> LeaderAndIsrResponse<'static> {
    let Some(mut response) = broker.control.leader_and_isr(body.into_owned()).await else {
        // The broker stops, or has not begun.
        let error_code = ErrorCode::StaleBrokerEpoch.into();
        return LeaderAndIsrResponse { error_code, ..Default::default() };
    };
    // It answers in both ways of naming.
    if request.version >= FIRST_WITH_IDS {
        response.partition_errors.clear();
    } else {
        response.topics.clear();
    }
    response
}
