//! `/controller`: whoever creates it is the controller, and raises `/controller_epoch` in the same transaction, so that an
//! earlier one's writes fail from then on.

use zookeeper_client as zk;

use crate::control::{
    session::{Session, ephemeral, is_passing, persistent},
    znodes::{self, ZnodeError, paths},
};
use crate::partitions::now_ms;

/// How an election went.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// We won.
    Elected {
        /// Our epoch.
        epoch: i32,
        /// The data version of `/controller_epoch`.
        epoch_version: i32,
    },
    /// Another is the controller.
    Other {
        /// Its id.
        broker: i32,
        /// Fires when `/controller` changes.
        watcher: zk::OneshotWatcher,
    },
}

/// Why there was no election.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ElectionError {
    #[error(transparent)]
    Znode(#[from] ZnodeError),
    #[error("{path}: {source}")]
    ZooKeeper { path: &'static str, source: zk::Error },
}

fn refused(path: &'static str) -> impl Fn(zk::Error) -> ElectionError {
    move |source| ElectionError::ZooKeeper { path, source }
}

/// Stands for election once, as a broker that is registered under `me`.
pub(crate) async fn stand(session: &Session, me: i32) -> Result<Outcome, ElectionError> {
    loop {
        let seen =
            session.persist(|client| async move { client.get_and_watch_data(paths::CONTROLLER).await }).await;
        match seen {
            Ok((data, stat, watcher)) => {
                let broker = znodes::decode_controller(&data)?;
                if stat.ephemeral_owner != session.client().session_id().0 {
                    if broker != me {
                        return Ok(Outcome::Other { broker, watcher });
                    }
                    // It names us, and we are registered: a former self was killed, and its session lives on for a while.
                    remove_former_self(session, &data).await?;
                    continue;
                }
                // Ours, from a transaction whose answer was lost, or from the last term: begin a new one.
                let gone = session.persist(|client| async move {
                    client.delete(paths::CONTROLLER, Some(stat.version)).await
                });
                match gone.await {
                    Ok(()) | Err(zk::Error::NoNode | zk::Error::BadVersion) => {}
                    Err(error) => return Err(refused(paths::CONTROLLER)(error)),
                }
            }
            Err(zk::Error::NoNode) => {}
            Err(error) => return Err(refused(paths::CONTROLLER)(error)),
        }
        let (epoch, version) = last_epoch(session).await?;
        let epoch = epoch.saturating_add(1);
        let mut writer = session.client().new_multi_writer();
        let controller = znodes::encode_controller(me, now_ms());
        writer
            .add_create(paths::CONTROLLER, &controller, &ephemeral())
            .map_err(refused(paths::CONTROLLER))?;
        writer
            .add_set_data(paths::CONTROLLER_EPOCH, &znodes::encode_controller_epoch(epoch), Some(version))
            .map_err(refused(paths::CONTROLLER_EPOCH))?;
        match session.measure(writer.commit()).await {
            Ok(_) => return Ok(Outcome::Elected { epoch, epoch_version: version + 1 }),
            Err(zk::MultiWriteError::OperationFailed {
                source: zk::Error::NodeExists | zk::Error::BadVersion,
                ..
            }) => {}
            Err(error) => {
                let error = zk::Error::from(error);
                if !is_passing(&error) {
                    return Err(refused(paths::CONTROLLER)(error));
                }
            }
        }
    }
}

/// Removes the `/controller` that an earlier session of this broker left, `left` being its data. Fenced by the epoch: if somebody was elected since, nothing
/// is removed, and the next look sees it.
async fn remove_former_self(session: &Session, left: &[u8]) -> Result<(), ElectionError> {
    let (_, epoch_version) = last_epoch(session).await?;
    let Some((data, stat)) = session.read(paths::CONTROLLER).await.map_err(refused(paths::CONTROLLER))?
    else {
        return Ok(());
    };
    if data != left {
        return Ok(());
    }
    let mut writer = session.client().new_multi_writer();
    writer
        .add_check_version(paths::CONTROLLER_EPOCH, epoch_version)
        .map_err(refused(paths::CONTROLLER_EPOCH))?;
    writer.add_delete(paths::CONTROLLER, Some(stat.version)).map_err(refused(paths::CONTROLLER))?;
    match session.measure(writer.commit()).await {
        Ok(_) => {
            tracing::warn!("removed the /controller that an earlier session of this broker left");
            Ok(())
        }
        Err(zk::MultiWriteError::OperationFailed {
            source: zk::Error::NoNode | zk::Error::BadVersion,
            ..
        }) => Ok(()),
        Err(error) => {
            let error = zk::Error::from(error);
            if is_passing(&error) { Ok(()) } else { Err(refused(paths::CONTROLLER)(error)) }
        }
    }
}

/// The last controller's epoch, and the data version of its znode, which is made if it is missing.
async fn last_epoch(session: &Session) -> Result<(i32, i32), ElectionError> {
    loop {
        let found = session.read(paths::CONTROLLER_EPOCH).await.map_err(refused(paths::CONTROLLER_EPOCH))?;
        if let Some((data, stat)) = found {
            return Ok((znodes::decode_controller_epoch(&data)?, stat.version));
        }
        let zero = znodes::encode_controller_epoch(0);
        let zero = zero.as_slice();
        let made = session.persist(|client| async move {
            client.create(paths::CONTROLLER_EPOCH, zero, &persistent()).await.map(|_| ())
        });
        match made.await {
            Ok(()) | Err(zk::Error::NodeExists) => {}
            Err(error) => return Err(refused(paths::CONTROLLER_EPOCH)(error)),
        }
    }
}

/// The broker that is the controller, if there is one.
pub(crate) async fn current_controller(session: &Session) -> Option<i32> {
    let (data, _) = session.read(paths::CONTROLLER).await.ok().flatten()?;
    znodes::decode_controller(&data).ok()
}
