//! SyncGroup: the leader brings the assignment, every member gets its part of it.

use std::sync::Arc;

use vltava_cluster::groups::{SyncAnswer, SyncRequest};
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use crate::Broker;
use crate::groups::Reply;
use crate::net::RequestContext;

/// From this version on the type and name of the protocol must be given.
const FIRST_WITH_PROTOCOL: i16 = 5;

/// Answers a SyncGroup.
pub(super) async fn handle<'a>(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: SyncGroupRequest<'a>,
) -> SyncGroupResponse<'static> {
    if body.group_id.is_empty() {
        return response(SyncAnswer::refused(ErrorCode::InvalidGroupId));
    }
    if request.version >= FIRST_WITH_PROTOCOL
        && (body.protocol_type.is_none() || body.protocol_name.is_none())
    {
        return response(SyncAnswer::refused(ErrorCode::InconsistentGroupProtocol));
    }
    let slot = match broker.groups.existing(broker, &body.group_id, ErrorCode::UnknownMemberId) {
        Ok(slot) => slot,
        // The coordinator has just moved here; the member's rebalance did not move with it.
        Err(ErrorCode::CoordinatorLoadInProgress) => {
            return response(SyncAnswer::refused(ErrorCode::RebalanceInProgress));
        }
        Err(error) => return response(SyncAnswer::refused(error)),
    };
    let sync = SyncRequest {
        generation: body.generation_id,
        member_id: body.member_id.into_owned(),
        instance_id: body.group_instance_id.map(Into::into),
        protocol_type: body.protocol_type.map(Into::into),
        protocol: body.protocol_name.map(Into::into),
        assignments: body
            .assignments
            .into_iter()
            .map(|part| (part.member_id.into_owned(), part.assignment.into_owned()))
            .collect(),
    };
    let answer = slot.ask(|group, waiter, now, out| group.sync(sync, waiter, now, out));
    drop(slot);
    match answer.await {
        Ok(Reply::Sync(answer)) => response(answer),
        _ => response(SyncAnswer::refused(ErrorCode::NotCoordinator)),
    }
}

fn response(answer: SyncAnswer) -> SyncGroupResponse<'static> {
    SyncGroupResponse {
        error_code: answer.error.into(),
        protocol_type: answer.protocol_type.map(Into::into),
        protocol_name: answer.protocol.map(Into::into),
        assignment: answer.assignment.into(),
        ..SyncGroupResponse::default()
    }
}
