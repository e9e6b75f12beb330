//! SyncGroup: the leader brings the assignment, every member gets its part of it.

use std::sync::Arc;

use tokio::sync::oneshot;
use vltava_cluster::groups::{SyncAnswer, SyncRequest};
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::dispatch::IntoResponse;
use crate::Broker;
use crate::groups::Reply;
use crate::net::{Answer, RequestContext};

/// From this version on the type and name of the protocol must be given.
const FIRST_WITH_PROTOCOL: i16 = 5;

/// Answers a SyncGroup. While it waits for the leader's it holds nothing of the request but what the group took over.
pub(super) fn begin(broker: &Arc<Broker>, request: RequestContext, body: SyncGroupRequest<'_>) -> Answer {
    let answer = match ask(broker, &request, body) {
        Ok(answer) => answer,
        Err(error) => return Answer::Now(response(SyncAnswer::refused(error)).into_response(&request)),
    };
    Answer::Later(Box::pin(async move {
        let response = match answer.await {
            Ok(Reply::Sync(answer)) => response(answer),
            _ => response(SyncAnswer::refused(ErrorCode::NotCoordinator)),
        };
        response.into_response(&request)
    }))
}

fn ask(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: SyncGroupRequest<'_>,
) -> Result<oneshot::Receiver<Reply>, ErrorCode> {
    if body.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    if request.version >= FIRST_WITH_PROTOCOL
        && (body.protocol_type.is_none() || body.protocol_name.is_none())
    {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    let slot = match broker.groups.existing(broker, &body.group_id, ErrorCode::UnknownMemberId) {
        // The coordinator has just moved here; the member's rebalance did not move with it.
        Err(ErrorCode::CoordinatorLoadInProgress) => return Err(ErrorCode::RebalanceInProgress),
        found => found?,
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
    Ok(slot.ask(|group, waiter, now, out| group.sync(sync, waiter, now, out)))
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
