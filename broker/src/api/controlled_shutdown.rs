//! ControlledShutdown: a broker is about to stop, and the controller moves to others what it leads.

use std::sync::Arc;

use vltava_protocol::messages::{ControlledShutdownRequest, ControlledShutdownResponse};

use crate::{Broker, net::RequestContext};

/// Answers when nothing is being moved any more.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: ControlledShutdownRequest,
) -> ControlledShutdownResponse<'static> {
    broker.control.controlled_shutdown(&body).await
}
