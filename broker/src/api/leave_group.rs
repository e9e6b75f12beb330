//! LeaveGroup: members leave, and the others share what they read.

use std::sync::Arc;

use vltava_cluster::groups::LeavingMember;
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::leave_group::MemberResponse;
use vltava_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use crate::Broker;
use crate::net::RequestContext;

/// From this version on several members can leave at once.
const FIRST_WITH_MEMBERS: i16 = 3;

/// Answers a LeaveGroup.
pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: LeaveGroupRequest<'_>,
) -> LeaveGroupResponse<'static> {
    match leave(broker, request, body) {
        Ok(members) if request.version < FIRST_WITH_MEMBERS => {
            let error_code = members.first().map_or(0, |member| member.error_code);
            LeaveGroupResponse { error_code, ..LeaveGroupResponse::default() }
        }
        Ok(members) => LeaveGroupResponse { members, ..LeaveGroupResponse::default() },
        Err(error) => LeaveGroupResponse { error_code: error.into(), ..LeaveGroupResponse::default() },
    }
}

fn leave(
    broker: &Broker,
    request: &RequestContext,
    body: LeaveGroupRequest<'_>,
) -> Result<Vec<MemberResponse<'static>>, ErrorCode> {
    if body.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let leaving: Vec<LeavingMember> = if request.version < FIRST_WITH_MEMBERS {
        vec![LeavingMember { member_id: body.member_id.into_owned(), instance_id: None }]
    } else {
        let member = |member: vltava_protocol::messages::leave_group::MemberIdentity<'_>| LeavingMember {
            member_id: member.member_id.into_owned(),
            instance_id: member.group_instance_id.map(Into::into),
        };
        body.members.into_iter().map(member).collect()
    };
    let answer = |member: LeavingMember, error: ErrorCode| MemberResponse {
        member_id: member.member_id.into(),
        group_instance_id: member.instance_id.map(Into::into),
        error_code: error.into(),
        ..MemberResponse::default()
    };
    let slot = match broker.groups.existing(broker, &body.group_id, ErrorCode::UnknownMemberId) {
        Ok(slot) => slot,
        Err(ErrorCode::UnknownMemberId) => {
            return Ok(leaving
                .into_iter()
                .map(|member| answer(member, ErrorCode::UnknownMemberId))
                .collect());
        }
        Err(error) => return Err(error),
    };
    let left = slot.act(|group, now, out| group.leave(leaving, now, out))?;
    Ok(left.into_iter().map(|left| answer(left.member, left.error)).collect())
}
