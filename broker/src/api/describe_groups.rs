//! DescribeGroups: the state of groups and their members.

use std::collections::HashSet;
use std::sync::Arc;

use vltava_cluster::groups::MemberDescription;
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use vltava_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};

use crate::Broker;
use crate::net::RequestContext;

/// From this version on a missing group is an error; before, it is described as Dead (KIP-1043).
const FIRST_WITH_NOT_FOUND: i16 = 6;

/// READ, DELETE and DESCRIBE: what anybody may do to a group while nothing is forbidden.
const OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8;

/// Answers a DescribeGroups.
pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: DescribeGroupsRequest<'_>,
) -> DescribeGroupsResponse<'static> {
    // A group that is named again and again is told once: a small request must not make a response without bounds.
    let mut told = HashSet::new();
    let groups = body.groups.iter().filter(|group| told.insert(&***group)).map(|group| {
        let mut described = describe(broker, request, group);
        if body.include_authorized_operations && described.error_code == 0 {
            described.authorized_operations = OPERATIONS;
        }
        described
    });
    DescribeGroupsResponse { groups: groups.collect(), ..DescribeGroupsResponse::default() }
}

fn describe(broker: &Broker, request: &RequestContext, group: &str) -> DescribedGroup<'static> {
    let named = DescribedGroup { group_id: group.to_owned().into(), ..DescribedGroup::default() };
    let slot = match broker.groups.existing(broker, group, ErrorCode::GroupIdNotFound) {
        Ok(slot) => slot,
        Err(ErrorCode::GroupIdNotFound) if request.version >= FIRST_WITH_NOT_FOUND => {
            return DescribedGroup {
                error_code: ErrorCode::GroupIdNotFound.into(),
                error_message: Some(format!("Group {group} not found.").into()),
                group_state: "Dead".into(),
                ..named
            };
        }
        Err(ErrorCode::GroupIdNotFound) => return DescribedGroup { group_state: "Dead".into(), ..named },
        Err(error) => return DescribedGroup { error_code: error.into(), ..named },
    };
    let description = slot.look(vltava_cluster::groups::Group::describe);
    let member = |member: MemberDescription| DescribedGroupMember {
        member_id: member.member_id.into(),
        group_instance_id: member.instance_id.map(Into::into),
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        member_metadata: member.metadata.into(),
        member_assignment: member.assignment.into(),
        ..DescribedGroupMember::default()
    };
    DescribedGroup {
        group_state: description.state.name().into(),
        protocol_type: description.protocol_type.into(),
        protocol_data: description.protocol.into(),
        members: description.members.into_iter().map(member).collect(),
        ..named
    }
}
