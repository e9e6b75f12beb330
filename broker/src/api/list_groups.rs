//! ListGroups: the groups that this broker coordinates.

use std::sync::Arc;

use vltava_protocol::ErrorCode;
use vltava_protocol::messages::list_groups::ListedGroup;
use vltava_protocol::messages::{ListGroupsRequest, ListGroupsResponse};

use crate::Broker;
use crate::net::RequestContext;

/// What groups of the classic protocol are called (KIP-848).
const CLASSIC: &str = "classic";

/// Answers a ListGroups.
pub(super) fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    body: ListGroupsRequest<'_>,
) -> ListGroupsResponse<'static> {
    let wanted = |filter: &[vltava_protocol::Str<'_>], value: &str| {
        filter.is_empty() || filter.iter().any(|name| name.eq_ignore_ascii_case(value))
    };
    let mut groups: Vec<ListedGroup<'static>> = Vec::new();
    if wanted(&body.types_filter, CLASSIC) {
        for slot in broker.groups.slots() {
            let listed = slot.look(|group| {
                wanted(&body.states_filter, group.state().name()).then(|| ListedGroup {
                    group_id: group.id().to_owned().into(),
                    protocol_type: group.protocol_type().unwrap_or_default().to_owned().into(),
                    group_state: group.state().name().into(),
                    group_type: CLASSIC.into(),
                    ..ListedGroup::default()
                })
            });
            groups.extend(listed);
        }
    }
    groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
    let error =
        if broker.groups.is_loading() { ErrorCode::CoordinatorLoadInProgress } else { ErrorCode::None };
    ListGroupsResponse { error_code: error.into(), groups, ..ListGroupsResponse::default() }
}
