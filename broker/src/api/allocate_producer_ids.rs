//! AllocateProducerIds: a broker takes a block of producer ids from the controller (KIP-730). Vltava's brokers take theirs from ZooKeeper themselves,
//! from the same znode.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode,
    messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse},
};

use crate::{Broker, net::RequestContext};

/// Answers when the block is taken.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: AllocateProducerIdsRequest,
) -> AllocateProducerIdsResponse {
    match broker.control.producer_ids_for(body.broker_id, body.broker_epoch).await {
        Ok((producer_id_start, producer_id_len)) => {
            AllocateProducerIdsResponse { producer_id_start, producer_id_len, ..Default::default() }
        }
        Err(code) => AllocateProducerIdsResponse { error_code: ErrorCode::into(code), ..Default::default() },
    }
}
