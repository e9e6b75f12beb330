//! Heartbeat: a member says that it lives, and learns whether the group rebalances.

use std::sync::Arc;

use vltava_protocol::ErrorCode;
use vltava_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use crate::Broker;
use crate::net::RequestContext;

/// Answers a Heartbeat. Cost: the group's lock; nothing is allocated but the response.
pub(super) fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    body: HeartbeatRequest<'_>,
) -> HeartbeatResponse {
    let error = beat(broker, &body).err().unwrap_or(ErrorCode::None);
    HeartbeatResponse { error_code: error.into(), ..HeartbeatResponse::default() }
}

fn beat(broker: &Broker, body: &HeartbeatRequest<'_>) -> Result<(), ErrorCode> {
    if body.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let slot = match broker.groups.existing(broker, &body.group_id, ErrorCode::UnknownMemberId) {
        Ok(slot) => slot,
        // Its session is read back whole: the member need not join again.
        Err(ErrorCode::CoordinatorLoadInProgress) => return Ok(()),
        Err(error) => return Err(error),
    };
    let instance = body.group_instance_id.as_deref();
    match slot.act(|group, now, _| group.heartbeat(body.generation_id, &body.member_id, instance, now)) {
        ErrorCode::None => Ok(()),
        error => Err(error),
    }
}
