//! Ids for idempotent producers, given out in blocks of a thousand from `/latest_producer_id_block`.

use std::{ops::RangeInclusive, time::Duration};

use tokio::sync::Mutex;
use vltava_protocol::ErrorCode;
use vltava_settings::broker as keys;
use zookeeper_client as zk;

use super::{
    Control,
    session::{Session, is_passing, persistent},
    znodes::{self, ProducerIdBlock, ZnodeError, paths},
};

/// Why there is no producer id.
#[derive(Debug, thiserror::Error)]
pub enum ProducerIdError {
    /// There is no ZooKeeper session now.
    #[error("no ZooKeeper session")]
    NoSession,
    /// ZooKeeper refused.
    #[error("{path}: {0}", path = paths::PRODUCER_IDS)]
    ZooKeeper(#[from] zk::Error),
    /// ZooKeeper does not answer. The block that was asked for may be lost; ids are plenty.
    #[error("{path}: no answer from ZooKeeper within {waited_ms} ms", path = paths::PRODUCER_IDS)]
    NoAnswer {
        /// `request.timeout.ms`.
        waited_ms: u128,
    },
    /// The znode makes no sense.
    #[error(transparent)]
    Znode(#[from] ZnodeError),
    /// All are used up.
    #[error("all producer ids are used up")]
    Exhausted,
}

/// The rest of this broker's block.
#[derive(Debug, Default)]
pub(super) struct ProducerIds {
    rest: Mutex<Option<RangeInclusive<i64>>>,
}

impl ProducerIds {
    /// The next id. Asks ZooKeeper once in a thousand calls, and waits at most `patience` for it.
    pub(super) async fn next(
        &self,
        session: Option<&Session>,
        broker: i32,
        patience: Duration,
    ) -> Result<i64, ProducerIdError> {
        let answered = tokio::time::timeout(patience, self.take(session, broker)).await;
        answered.unwrap_or(Err(ProducerIdError::NoAnswer { waited_ms: patience.as_millis() }))
    }

    async fn take(&self, session: Option<&Session>, broker: i32) -> Result<i64, ProducerIdError> {
        let mut rest = self.rest.lock().await;
        if let Some(id) = rest.as_mut().and_then(Iterator::next) {
            return Ok(id);
        }
        let block = take_block(session.ok_or(ProducerIdError::NoSession)?, broker).await?;
        let mut ids = block.first..=block.last;
        let id = ids.next().ok_or(ProducerIdError::Exhausted)?;
        *rest = Some(ids);
        Ok(id)
    }
}

impl Control {
    /// A block for another broker, as the controller: its first id, and how many there are.
    ///
    /// # Errors
    /// NOT_CONTROLLER; BROKER_ID_NOT_REGISTERED; STALE_BROKER_EPOCH where another incarnation of that broker is registered; COORDINATOR_LOAD_IN_PROGRESS, which is
    /// tried again, where ZooKeeper gives none.
    pub async fn producer_ids_for(&self, broker: i32, broker_epoch: i64) -> Result<(i64, i32), ErrorCode> {
        if !self.is_active_controller() {
            return Err(ErrorCode::NotController);
        }
        let session = self.session().ok_or(ErrorCode::NotController)?;
        let patience = self.configs().broker().get(keys::REQUEST_TIMEOUT_MS);
        let patience = Duration::from_millis(u64::try_from(patience).unwrap_or(0));
        let block = async {
            let found = session.read(&paths::broker(broker)).await?;
            let Some((_, stat)) = found else { return Ok(Err(ErrorCode::BrokerIdNotRegistered)) };
            if broker_epoch >= 0 && stat.czxid != broker_epoch {
                return Ok(Err(ErrorCode::StaleBrokerEpoch));
            }
            let block = take_block(&session, broker).await?;
            let length = i32::try_from(block.last - block.first + 1).unwrap_or(0);
            Ok::<_, ProducerIdError>(Ok((block.first, length)))
        };
        match tokio::time::timeout(patience, block).await {
            Ok(Ok(block)) => block,
            Ok(Err(error)) => {
                tracing::error!(broker, %error, "no producer ids for a broker");
                Err(ErrorCode::CoordinatorLoadInProgress)
            }
            Err(_) => Err(ErrorCode::CoordinatorLoadInProgress),
        }
    }
}

/// Takes the next block: the write is version-checked, so no two brokers get the same.
async fn take_block(session: &Session, broker: i32) -> Result<ProducerIdBlock, ProducerIdError> {
    loop {
        let Some((data, stat)) = session.read(paths::PRODUCER_IDS).await? else {
            // Never without content: a broker of Apache Kafka does not start on an empty one, and null, which Kafka writes first, the client cannot.
            let Some(block) = ProducerIdBlock::after(None, broker) else {
                return Err(ProducerIdError::Exhausted);
            };
            let data = znodes::encode_producer_ids(block);
            match session.client().create(paths::PRODUCER_IDS, &data, &persistent()).await {
                Ok(_) => return Ok(block),
                Err(zk::Error::NodeExists) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
            continue;
        };
        let block = ProducerIdBlock::after(znodes::decode_producer_ids(&data)?, broker)
            .ok_or(ProducerIdError::Exhausted)?;
        let data = znodes::encode_producer_ids(block);
        match session.client().set_data(paths::PRODUCER_IDS, &data, Some(stat.version)).await {
            Ok(_) => return Ok(block),
            // A lost answer may have taken a block: it is skipped, ids are plenty.
            Err(zk::Error::BadVersion | zk::Error::NoNode) => {}
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
