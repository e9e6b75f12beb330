//! JoinGroup: a member joins a classic group; the answer comes when the rebalance is through.

use std::sync::Arc;

use tokio::sync::oneshot;
use uuid::Uuid;
use vltava_cluster::groups::{JoinAnswer, JoinRequest};
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::join_group::JoinGroupResponseMember;
use vltava_protocol::messages::{JoinGroupRequest, JoinGroupResponse};

use super::dispatch::IntoResponse;
use crate::Broker;
use crate::groups::Reply;
use crate::net::{Answer, RequestContext};

/// From this version on a client without a member id is given one first (KIP-394).
const FIRST_WITH_MEMBER_ID_REQUIRED: i16 = 4;

/// From this version on a returning static leader can be told to keep the assignment (KIP-814).
const FIRST_WITH_SKIP_ASSIGNMENT: i16 = 9;

/// Answers a JoinGroup. While it waits for the other members it holds nothing of the request but what the group took over.
pub(super) fn begin(broker: &Arc<Broker>, request: RequestContext, body: JoinGroupRequest<'_>) -> Answer {
    let member_id = body.member_id.to_string();
    let answer = match ask(broker, &request, body) {
        Ok(answer) => answer,
        Err(error) => return Answer::Now(refused(&request, error, &member_id).into_response(&request)),
    };
    Answer::Later(Box::pin(async move {
        let response = match answer.await {
            Ok(Reply::Join(answer)) => response(&request, answer),
            _ => refused(&request, ErrorCode::NotCoordinator, &member_id),
        };
        response.into_response(&request)
    }))
}

fn ask(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: JoinGroupRequest<'_>,
) -> Result<oneshot::Receiver<Reply>, ErrorCode> {
    if body.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    // Only a client that brings no id can found a group: any other was a member of one that is gone.
    let slot = if body.member_id.is_empty() {
        broker.groups.or_new(broker, &body.group_id)?
    } else {
        broker.groups.existing(broker, &body.group_id, ErrorCode::UnknownMemberId)?
    };
    let join = joining(request, body);
    Ok(slot.ask(|group, waiter, now, out| group.join(join, waiter, now, out)))
}

fn joining(request: &RequestContext, body: JoinGroupRequest<'_>) -> JoinRequest {
    let client_id = request.client_id.as_deref().unwrap_or_default().to_owned();
    let name = body.group_instance_id.as_deref().unwrap_or(&client_id);
    JoinRequest {
        member_id: body.member_id.to_string(),
        fresh_id: format!("{name}-{}", Uuid::new_v4()),
        instance_id: body.group_instance_id.map(Into::into),
        knows_member_id_required: request.version >= FIRST_WITH_MEMBER_ID_REQUIRED,
        knows_skip_assignment: request.version >= FIRST_WITH_SKIP_ASSIGNMENT,
        client_host: format!("/{}", request.peer.ip()),
        session_timeout: body.session_timeout_ms,
        rebalance_timeout: if body.rebalance_timeout_ms < 0 {
            body.session_timeout_ms
        } else {
            body.rebalance_timeout_ms
        },
        protocol_type: body.protocol_type.into_owned(),
        protocols: body
            .protocols
            .into_iter()
            .map(|p| (p.name.into_owned(), p.metadata.into_owned()))
            .collect(),
        client_id,
    }
}

fn refused(request: &RequestContext, error: ErrorCode, member_id: &str) -> JoinGroupResponse<'static> {
    response(request, JoinAnswer::refused(error, member_id))
}

fn response(request: &RequestContext, answer: JoinAnswer) -> JoinGroupResponse<'static> {
    // Before version 7 the name of the protocol can't be null.
    let no_name = (request.version < 7).then(|| "".into());
    let member = |member: vltava_cluster::groups::JoinMember| JoinGroupResponseMember {
        member_id: member.member_id.into(),
        group_instance_id: member.instance_id.map(Into::into),
        metadata: member.metadata.into(),
        ..JoinGroupResponseMember::default()
    };
    JoinGroupResponse {
        error_code: answer.error.into(),
        generation_id: answer.generation,
        protocol_type: answer.protocol_type.map(Into::into),
        protocol_name: answer.protocol.map(Into::into).or(no_name),
        leader: answer.leader.into(),
        skip_assignment: answer.skip_assignment && request.version >= FIRST_WITH_SKIP_ASSIGNMENT,
        member_id: answer.member_id.into(),
        members: answer.members.into_iter().map(member).collect(),
        ..JoinGroupResponse::default()
    }
}
