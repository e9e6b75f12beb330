//! FindCoordinator: the broker that leads the partition of `__consumer_offsets` that a group's name falls on. Several groups at once from
//! version 4 on (KIP-699).

use std::sync::Arc;

use vltava_cluster::groups::partition_for;
use vltava_protocol::{
    ErrorCode, Str,
    messages::{FindCoordinatorRequest, FindCoordinatorResponse, find_coordinator::Coordinator},
};
use vltava_settings::broker as keys;

use super::topic_rules::auto_create;
use crate::{
    Broker,
    control::{AdminError, Snapshot},
    net::RequestContext,
    partitions::OFFSETS_TOPIC,
};

/// `key_type` of a group, and of a transaction.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: FindCoordinatorRequest<'_>,
) -> FindCoordinatorResponse<'static> {
    let snapshot = broker.metadata.owned();
    let keys: Vec<Str<'_>> = if request.version < 4 { vec![body.key] } else { body.coordinator_keys };
    let mut found: Vec<Coordinator<'static>> = keys
        .into_iter()
        .map(|key| match find(broker, &snapshot, &request.listener, body.key_type, &key) {
            Ok((node_id, host, port)) => Coordinator {
                key: key.into_owned().into(),
                node_id,
                host: host.into(),
                port,
                error_message: None,
                ..Default::default()
            },
            Err(error) => Coordinator {
                key: key.into_owned().into(),
                node_id: -1,
                port: -1,
                error_code: error.code.into(),
                error_message: (!error.message.is_empty()).then(|| error.message.into()),
                ..Default::default()
            },
        })
        .collect();
    if request.version >= 4 {
        return FindCoordinatorResponse { coordinators: found, ..Default::default() };
    }
    let one = found.pop().unwrap_or_default();
    FindCoordinatorResponse {
        error_code: one.error_code,
        error_message: one.error_message,
        node_id: one.node_id,
        host: one.host,
        port: one.port,
        ..Default::default()
    }
}

fn find(
    broker: &Broker,
    snapshot: &Snapshot,
    listener: &str,
    key_type: i8,
    key: &str,
) -> Result<(i32, String, i32), AdminError> {
    match key_type {
        GROUP => {}
        // Never a retriable error: a client would ask for ever.
        TRANSACTION => {
            return Err(AdminError::new(
                ErrorCode::UnsupportedVersion,
                "Transactions are not supported yet.",
            ));
        }
        _ => {
            return Err(AdminError::new(
                ErrorCode::InvalidRequest,
                format!("Unknown coordinator key type: {key_type}"),
            ));
        }
    }
    let not_available = || AdminError::new(ErrorCode::CoordinatorNotAvailable, "");
    if !snapshot.is_initialized() {
        return Err(not_available());
    }
    let Some(topic) = snapshot.topic(OFFSETS_TOPIC) else {
        return Err(auto_create(broker, snapshot, OFFSETS_TOPIC));
    };
    let configured = broker.control.configs().broker().get(keys::OFFSETS_TOPIC_NUM_PARTITIONS);
    // The topic as it is counts, not what it would be made with today.
    let count = i32::try_from(topic.partitions.len()).unwrap_or(configured);
    let leader = topic.partitions.get(&partition_for(key, count)).map(|partition| partition.leader);
    let live = leader.and_then(|leader| snapshot.broker(leader)).ok_or_else(not_available)?;
    let (host, port) = live.endpoint(listener).ok_or_else(not_available)?;
    Ok((live.id, host.to_owned(), port))
}
