//! Controlled shutdown: before a broker stops, the controller moves to others what it leads.
//!
//! The request and its answer are the protocol's structs, delivered in process while the controller is this very broker. What else is asked of the
//! controller's machine by requests comes by the same way.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};
use vltava_cluster::controller::TopicName;
use vltava_protocol::{
    ErrorCode,
    messages::{
        AlterPartitionRequest, AlterPartitionResponse, ControlledShutdownRequest, ControlledShutdownResponse,
        controlled_shutdown::RemainingPartition,
    },
};
use vltava_settings::broker as keys;

use super::{
    Control, MetadataCache,
    controller::IsrAnswer,
    link::{Link, LinkError},
    peers::Peers,
};

/// Calls that may wait for the controller.
pub(super) const WAITING: usize = 16;

/// How long the controller may take to move leaderships before the caller asks again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A ControlledShutdown on its way to the controller's machine.
#[derive(Debug)]
pub(crate) struct Leaving {
    /// The broker that wants to stop.
    pub(crate) broker: i32,
    /// Told what it leads still, as soon as nothing of that is being moved.
    pub(crate) remaining: oneshot::Sender<Vec<(TopicName, i32)>>,
}

/// What the controller's machine is asked for by requests.
#[derive(Debug)]
pub(crate) enum Call {
    /// A broker wants to stop.
    Leaving(Leaving),
    /// A leader asks for other in-sync sets.
    AlterPartition(AlterPartitionRequest<'static>, IsrAnswer),
    /// Any replica that lives is to lead these, where their leaders do not live.
    ElectUnclean(Vec<(TopicName, i32)>),
}

/// Calls for the controller's shell.
pub(crate) type Calls = mpsc::Receiver<Call>;

impl Control {
    /// Answers a ControlledShutdown as the controller.
    pub async fn controlled_shutdown(
        &self,
        request: &ControlledShutdownRequest,
    ) -> ControlledShutdownResponse<'static> {
        let refused = |code: ErrorCode| ControlledShutdownResponse {
            error_code: code.into(),
            ..ControlledShutdownResponse::default()
        };
        if !self.is_active_controller() {
            return refused(ErrorCode::NotController);
        }
        let own = request.broker_id == self.broker_id();
        if own && request.broker_epoch >= 0 && request.broker_epoch < self.broker_epoch() {
            return refused(ErrorCode::StaleBrokerEpoch);
        }
        let (remaining, answer) = oneshot::channel();
        let call = Call::Leaving(Leaving { broker: request.broker_id, remaining });
        if self.shared.calls.send(call).await.is_err() {
            return refused(ErrorCode::NotController);
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(remaining)) => ControlledShutdownResponse {
                remaining_partitions: remaining
                    .into_iter()
                    .map(|(topic, partition_index)| RemainingPartition {
                        topic_name: topic.to_string().into(),
                        partition_index,
                        ..RemainingPartition::default()
                    })
                    .collect(),
                ..ControlledShutdownResponse::default()
            },
            // It is the controller no longer.
            Ok(Err(_)) => refused(ErrorCode::NotController),
            Err(_) => refused(ErrorCode::RequestTimedOut),
        }
    }

    /// Answers an AlterPartition as the controller.
    pub async fn alter_partition(
        &self,
        request: AlterPartitionRequest<'static>,
    ) -> AlterPartitionResponse<'static> {
        let refused =
            |code: ErrorCode| AlterPartitionResponse { error_code: code.into(), ..Default::default() };
        if !self.is_active_controller() {
            return refused(ErrorCode::NotController);
        }
        let (answer, answered) = oneshot::channel();
        if self.shared.calls.send(Call::AlterPartition(request, answer)).await.is_err() {
            return refused(ErrorCode::NotController);
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(response)) => response,
            // It is the controller no longer.
            Ok(Err(_)) => refused(ErrorCode::NotController),
            Err(_) => refused(ErrorCode::RequestTimedOut),
        }
    }

    /// Asks the controller, which is this very broker, for leaders of partitions whose leaders do not live. `false` if it is the controller no longer.
    pub async fn elect_unclean(&self, partitions: Vec<(TopicName, i32)>) -> bool {
        self.shared.calls.send(Call::ElectUnclean(partitions)).await.is_ok()
    }

    /// Hands over what this broker leads, before it stops: `controlled.shutdown.*` say whether and how often it is tried.
    pub async fn hand_over(&self, metadata: &MetadataCache) {
        let config = self.configs().broker();
        if !config.get(keys::CONTROLLED_SHUTDOWN_ENABLE) || self.session().is_none() {
            return;
        }
        let tries = config.get(keys::CONTROLLED_SHUTDOWN_MAX_RETRIES).max(1);
        let pause = u64::try_from(config.get(keys::CONTROLLED_SHUTDOWN_RETRY_BACKOFF_MS)).unwrap_or(0);
        let (broker_id, broker_epoch) = (self.broker_id(), self.broker_epoch());
        let request = ControlledShutdownRequest { broker_id, broker_epoch, ..Default::default() };
        let mut link = Link::new(Peers::of(&config, broker_id));
        for attempt in 1..=tries {
            let answer = match self.ask_to_leave(metadata, &mut link, &request).await {
                Ok(answer) => answer,
                Err(error) => {
                    warn!(attempt, tries, %error, "controlled shutdown: the controller cannot be asked");
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    continue;
                }
            };
            let remaining = answer.remaining_partitions.len();
            match ErrorCode::of(answer.error_code) {
                ErrorCode::None if remaining == 0 => {
                    return info!("controlled shutdown: nothing is led here that another could lead");
                }
                code => warn!(attempt, tries, %code, remaining, "controlled shutdown is not complete"),
            }
            if attempt < tries {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
    }

    async fn ask_to_leave(
        &self,
        metadata: &MetadataCache,
        link: &mut Link,
        request: &ControlledShutdownRequest,
    ) -> Result<ControlledShutdownResponse<'static>, LinkError> {
        if self.is_active_controller() {
            return Ok(self.controlled_shutdown(request).await);
        }
        link.ask(metadata, |_| request.clone()).await
    }
}
