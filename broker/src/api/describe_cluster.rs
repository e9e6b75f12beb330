//! DescribeCluster (KIP-700): brokers, controller and cluster id.

use std::sync::Arc;

use vltava_protocol::{
    ErrorCode,
    messages::{DescribeClusterRequest, DescribeClusterResponse, describe_cluster::DescribeClusterBroker},
};

use super::metadata::{CLUSTER_OPERATIONS, NOT_ASKED};
use crate::{Broker, net::RequestContext};

/// `endpoint_type` of brokers; controllers have endpoints of their own only in KRaft.
const BROKERS: i8 = 1;

pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: DescribeClusterRequest,
) -> DescribeClusterResponse<'static> {
    if body.endpoint_type != BROKERS {
        let code = if body.endpoint_type == 2 {
            ErrorCode::MismatchedEndpointType
        } else {
            ErrorCode::UnsupportedEndpointType
        };
        return DescribeClusterResponse {
            error_code: code.into(),
            error_message: Some("The request was sent to an endpoint of type BROKER".into()),
            endpoint_type: BROKERS,
            ..Default::default()
        };
    }
    let snapshot = broker.metadata.owned();
    let brokers = snapshot.brokers().filter_map(|live| {
        let (host, port) = live.endpoint(&request.listener)?;
        Some(DescribeClusterBroker {
            broker_id: live.id,
            host: host.to_owned().into(),
            port,
            rack: live.rack.clone().map(Into::into),
            ..Default::default()
        })
    });
    DescribeClusterResponse {
        endpoint_type: BROKERS,
        cluster_id: broker.control.cluster_id().to_owned().into(),
        controller_id: snapshot.controller().unwrap_or(-1),
        brokers: brokers.collect(),
        cluster_authorized_operations: if body.include_cluster_authorized_operations {
            CLUSTER_OPERATIONS
        } else {
            NOT_ASKED
        },
        ..Default::default()
    }
}
