//! What this broker is told by the controller, one order after the other, whoever the controller is and whatever session or connection brought it:
//! replicas lead, follow and stop, the cache learns.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vltava_protocol::{
    ErrorCode,
    messages::{
        LeaderAndIsrRequest, LeaderAndIsrResponse, StopReplicaRequest, StopReplicaResponse,
        UpdateMetadataRequest, UpdateMetadataResponse,
        leader_and_isr::{LeaderAndIsrPartitionError, LeaderAndIsrTopicError},
    },
};

use super::{Control, Member, Shared, requests::Told};

/// How many orders may wait: the controller waits when this broker is slower.
pub(super) const WAITING: usize = 256;

/// One order, and where its answer goes. Who gave it may have gone meanwhile: the next controller asks again.
#[derive(Debug)]
pub(crate) enum Order {
    /// Lead or follow.
    LeaderAndIsr(LeaderAndIsrRequest<'static>, oneshot::Sender<LeaderAndIsrResponse<'static>>),
    /// Know who lives and leads.
    UpdateMetadata(UpdateMetadataRequest<'static>, oneshot::Sender<UpdateMetadataResponse>),
    /// Stop replicas.
    StopReplica(StopReplicaRequest<'static>, oneshot::Sender<StopReplicaResponse<'static>>),
}

/// A broker's answer.
#[derive(Debug)]
pub(crate) enum Reply {
    /// To LeaderAndIsr.
    LeaderAndIsr(LeaderAndIsrResponse<'static>),
    /// To UpdateMetadata.
    UpdateMetadata(UpdateMetadataResponse),
    /// To StopReplica.
    StopReplica(StopReplicaResponse<'static>),
}

/// Gives an order and waits for its answer; `None` when orders are not obeyed any more.
pub(crate) async fn give(
    orders: &mpsc::Sender<Order>,
    told: Told,
) -> Option<impl Future<Output = Option<Reply>> + use<>> {
    // Which of the three is decided where it is sent; the future only waits.
    macro_rules! send {
        ($kind:ident, $request:expr) => {{
            let (answer, answered) = oneshot::channel();
            orders.send(Order::$kind($request, answer)).await.ok()?;
            Waiting::$kind(answered)
        }};
    }
    let waiting = match told {
        Told::LeaderAndIsr(request) => send!(LeaderAndIsr, request),
        Told::UpdateMetadata(request) => send!(UpdateMetadata, request),
        Told::StopReplica(request) => send!(StopReplica, request),
    };
    Some(async move {
        match waiting {
            Waiting::LeaderAndIsr(answered) => answered.await.ok().map(Reply::LeaderAndIsr),
            Waiting::UpdateMetadata(answered) => answered.await.ok().map(Reply::UpdateMetadata),
            Waiting::StopReplica(answered) => answered.await.ok().map(Reply::StopReplica),
        }
    })
}

enum Waiting {
    LeaderAndIsr(oneshot::Receiver<LeaderAndIsrResponse<'static>>),
    UpdateMetadata(oneshot::Receiver<UpdateMetadataResponse>),
    StopReplica(oneshot::Receiver<StopReplicaResponse<'static>>),
}

/// Obeys until the broker leaves its cluster.
pub(crate) async fn obey(
    member: Arc<dyn Member>,
    shared: Arc<Shared>,
    mut orders: mpsc::Receiver<Order>,
    stop: CancellationToken,
) {
    loop {
        let order = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            order = orders.recv() => order,
        };
        let Some(order) = order else { return };
        match order {
            Order::LeaderAndIsr(request, answer) => {
                let _ = answer.send(lead_or_follow(&*member, &shared, request).await);
            }
            Order::UpdateMetadata(request, answer) => {
                let _ = answer.send(learn(&*member, &shared, &request));
            }
            Order::StopReplica(request, answer) => {
                let _ = answer.send(stop_replicas(&*member, &shared, request).await);
            }
        }
    }
}

/// Whether an order is for an earlier incarnation of this broker (KIP-380); -1 is for any.
fn is_outlived(shared: &Shared, broker_epoch: i64) -> bool {
    let own = shared.epoch();
    let outlived = broker_epoch >= 0 && broker_epoch < own;
    if outlived {
        info!(broker_epoch, own, "an order for an earlier registration of this broker is not obeyed");
    }
    outlived
}

fn learn(
    member: &dyn Member,
    shared: &Shared,
    request: &UpdateMetadataRequest<'_>,
) -> UpdateMetadataResponse {
    let code = if is_outlived(shared, request.broker_epoch) {
        ErrorCode::StaleBrokerEpoch
    } else if let Err(error) = member.metadata().update(request) {
        warn!(%error, "UpdateMetadata is refused");
        ErrorCode::StaleControllerEpoch
    } else {
        ErrorCode::None
    };
    UpdateMetadataResponse { error_code: code.into(), ..Default::default() }
}

async fn stop_replicas(
    member: &dyn Member,
    shared: &Shared,
    request: StopReplicaRequest<'static>,
) -> StopReplicaResponse<'static> {
    if is_outlived(shared, request.broker_epoch) {
        return StopReplicaResponse { error_code: ErrorCode::StaleBrokerEpoch.into(), ..Default::default() };
    }
    let stated =
        request.topic_states.iter().filter(|topic| topic.partition_states.iter().any(|p| p.delete_partition));
    let mut deleted: Vec<String> = stated.map(|topic| topic.topic_name.to_string()).collect();
    if request.delete_partitions {
        deleted.extend(request.topics.iter().map(|topic| topic.name.to_string()));
        deleted.extend(request.ungrouped_partitions.iter().map(|named| named.topic_name.to_string()));
    }
    let response = member.stop_replicas(request).await;
    for topic in deleted.iter().filter(|topic| !member.hosts(topic)) {
        shared.configs.forget_topic(topic);
    }
    response
}

async fn lead_or_follow(
    member: &dyn Member,
    shared: &Shared,
    mut request: LeaderAndIsrRequest<'static>,
) -> LeaderAndIsrResponse<'static> {
    if is_outlived(shared, request.broker_epoch) {
        return LeaderAndIsrResponse { error_code: ErrorCode::StaleBrokerEpoch.into(), ..Default::default() };
    }
    let configs = &shared.configs;
    let mut topics: HashMap<&str, bool> = HashMap::new();
    for topic in &request.topic_states {
        *topics.entry(&topic.topic_name).or_default() |=
            topic.partition_states.iter().any(|state| state.is_new);
    }
    for state in &request.ungrouped_partition_states {
        *topics.entry(&state.topic_name).or_default() |= state.is_new;
    }
    let unread = configs.learn_topics(topics.into_iter(), member).await;
    // Settings that nobody chose could delete what is to be kept: such a partition is not begun, and says so. One that is here has its settings from before.
    let is_refused =
        |topic: &str, is_new: bool| unread.contains(topic) && (is_new || !configs.knows_topic(topic));
    let mut refused = LeaderAndIsrResponse::default();
    let mut refuse = |topic: &str, partition: i32| {
        error!(topic, partition, "not led or followed: its topic's configuration is not known");
        let error = LeaderAndIsrPartitionError {
            topic_name: topic.to_owned().into(),
            partition_index: partition,
            error_code: ErrorCode::KafkaStorageError.into(),
            ..Default::default()
        };
        refused.partition_errors.push(error.clone());
        error
    };
    let mut by_id = Vec::new();
    for topic in &mut request.topic_states {
        let name = topic.topic_name.clone();
        let mut errors = Vec::new();
        topic.partition_states.retain(|state| {
            let keep = !is_refused(&name, state.is_new);
            if !keep {
                errors.push(refuse(&name, state.partition_index));
            }
            keep
        });
        if !errors.is_empty() {
            let topic_id = topic.topic_id;
            by_id.push(LeaderAndIsrTopicError { topic_id, partition_errors: errors, ..Default::default() });
        }
    }
    request.ungrouped_partition_states.retain(|state| {
        let keep = !is_refused(&state.topic_name, state.is_new);
        if !keep {
            refuse(&state.topic_name, state.partition_index);
        }
        keep
    });
    let states = request.topic_states.iter().flat_map(|topic| &topic.partition_states);
    let new = states.chain(&request.ungrouped_partition_states).filter(|state| state.is_new).count();
    let mut response = member.lead_or_follow(request, configs).await;
    if new > 0 {
        let failed = response.partition_errors.iter().filter(|partition| partition.error_code != 0).count();
        info!(partitions = new, failed = failed + refused.partition_errors.len(), "new partitions");
    }
    if response.error_code == 0 {
        response.partition_errors.append(&mut refused.partition_errors);
        response.topics.append(&mut by_id);
    }
    response
}

impl Control {
    /// Obeys a LeaderAndIsr that another broker sent; `None` when the broker stops.
    pub async fn leader_and_isr(
        &self,
        request: LeaderAndIsrRequest<'static>,
    ) -> Option<LeaderAndIsrResponse<'static>> {
        match self.obey(Told::LeaderAndIsr(request)).await? {
            Reply::LeaderAndIsr(response) => Some(response),
            Reply::UpdateMetadata(_) | Reply::StopReplica(_) => None,
        }
    }

    /// Obeys an UpdateMetadata that another broker sent; `None` when the broker stops.
    pub async fn update_metadata(
        &self,
        request: UpdateMetadataRequest<'static>,
    ) -> Option<UpdateMetadataResponse> {
        match self.obey(Told::UpdateMetadata(request)).await? {
            Reply::UpdateMetadata(response) => Some(response),
            Reply::LeaderAndIsr(_) | Reply::StopReplica(_) => None,
        }
    }

    /// Obeys a StopReplica that another broker sent; `None` when the broker stops.
    pub async fn stop_replica(
        &self,
        request: StopReplicaRequest<'static>,
    ) -> Option<StopReplicaResponse<'static>> {
        match self.obey(Told::StopReplica(request)).await? {
            Reply::StopReplica(response) => Some(response),
            Reply::LeaderAndIsr(_) | Reply::UpdateMetadata(_) => None,
        }
    }

    async fn obey(&self, told: Told) -> Option<Reply> {
        give(&self.shared.orders, told).await?.await
    }
}
