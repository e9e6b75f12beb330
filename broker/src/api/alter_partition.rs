//! AlterPartition: a leader asks the controller for another in-sync set (KIP-497).

use std::sync::Arc;

use vltava_protocol::messages::{AlterPartitionRequest, AlterPartitionResponse};

use crate::{Broker, net::RequestContext};

/// Answers when the sets are in ZooKeeper.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: AlterPartitionRequest<'_>,
) -> AlterPartitionResponse<'static> {
    broker.control.alter_partition(body.into_owned()).await
}
