//! InitProducerId: an id for an idempotent producer. Transactions need a coordinator, which this broker does not have yet: they are refused for good, so that
//! a client does not try for ever.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode,
    messages::{InitProducerIdRequest, InitProducerIdResponse},
};

use crate::{Broker, net::RequestContext};

/// Answers an InitProducerId. Waits for ZooKeeper once in a thousand ids.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: InitProducerIdRequest<'_>,
) -> InitProducerIdResponse {
    if let Some(transactional_id) = &body.transactional_id {
        let code = if transactional_id.is_empty() {
            ErrorCode::InvalidRequest
        } else {
            ErrorCode::UnsupportedVersion
        };
        return failed(code);
    }
    match broker.control.next_producer_id().await {
        Ok(producer_id) => InitProducerIdResponse { producer_id, producer_epoch: 0, ..Default::default() },
        Err(error) => {
            tracing::warn!(%error, "no producer id can be given out");
            // Retriable: the session comes back.
            failed(ErrorCode::CoordinatorLoadInProgress)
        }
    }
}

fn failed(code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: code.into(),
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    }
}
