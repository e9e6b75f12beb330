//! ListPartitionReassignments (KIP-455): the partitions whose replicas are being moved. A controller with one member moves none: it carries out at once
//! what only changes the order of replicas, and drops what names other brokers.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode,
    messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse},
};

use crate::{Broker, net::RequestContext};

pub(super) fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    _: ListPartitionReassignmentsRequest<'_>,
) -> ListPartitionReassignmentsResponse<'static> {
    if broker.control.is_active_controller() {
        return ListPartitionReassignmentsResponse::default();
    }
    ListPartitionReassignmentsResponse {
        error_code: ErrorCode::NotController.into(),
        error_message: Some("This is not the correct controller for this cluster.".into()),
        ..Default::default()
    }
}
