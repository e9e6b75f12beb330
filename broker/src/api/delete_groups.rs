//! DeleteGroups: groups without members are forgotten, with their offsets.

use std::sync::Arc;

use vltava_protocol::ErrorCode;
use vltava_protocol::messages::delete_groups::DeletableGroupResult;
use vltava_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

use crate::Broker;
use crate::groups::Reply;
use crate::net::RequestContext;

/// Answers a DeleteGroups.
pub(super) async fn handle<'a>(
    broker: &Arc<Broker>,
    _: &RequestContext,
    body: DeleteGroupsRequest<'a>,
) -> DeleteGroupsResponse<'static> {
    let mut results = Vec::with_capacity(body.groups_names.len());
    for group in &body.groups_names {
        let error = delete(broker, group).await.err().unwrap_or(ErrorCode::None);
        results.push(DeletableGroupResult {
            group_id: group.to_string().into(),
            error_code: error.into(),
            ..DeletableGroupResult::default()
        });
    }
    DeleteGroupsResponse { results, ..DeleteGroupsResponse::default() }
}

async fn delete(broker: &Arc<Broker>, group: &str) -> Result<(), ErrorCode> {
    if group.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let slot = broker.groups.existing(broker, group, ErrorCode::GroupIdNotFound)?;
    let mut refused = None;
    let answer = slot.ask(|group, waiter, _, out| {
        if let Err(error) = group.delete(Some(waiter), out) {
            refused = Some((waiter, error));
        }
    });
    if let Some((waiter, error)) = refused {
        slot.forget_waiter(waiter);
        return Err(error);
    }
    drop(slot);
    match answer.await {
        Ok(Reply::Results(results)) => results.first().map_or(Ok(()), |(_, error)| Err(*error)),
        _ => Err(ErrorCode::NotCoordinator),
    }
}
