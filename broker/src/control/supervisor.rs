//! The owner of the ZooKeeper session.
//!
//! A session that ends takes everything with it that was built on it: the registration, the office, watches. So: fence (no session is offered to anybody),
//! open another one, register, read all again. Partitions go on serving meanwhile, as in Kafka.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vltava_cluster::controller::ControllerOptions;
use zookeeper_client as zk;

use super::{
    ControllerStatus, Member, Shared,
    connection::{self, SessionEnd},
    controller,
    registration::register,
    session::{Session, sequential},
    shutdown::Calls,
    startup,
    znodes::{self, BrokerRegistration, paths},
};
use crate::partitions::now_ms;

/// Between two attempts to register after an expiry.
const RETRY: Duration = Duration::from_secs(1);

/// What the supervisor needs.
pub(super) struct Supervisor {
    pub(super) shared: Arc<Shared>,
    pub(super) member: Arc<dyn Member>,
    pub(super) registration: BrokerRegistration,
    pub(super) controller: ControllerOptions,
    pub(super) calls: Calls,
    pub(super) stop: CancellationToken,
}

impl Supervisor {
    /// Lives through sessions until told to stop. `session` is registered already.
    pub(super) async fn run(mut self, mut session: Session) {
        loop {
            let stop = self.stop.clone();
            let end = tokio::select! {
                () = stop.cancelled() => break,
                end = self.live(&session) => end,
            };
            self.fence();
            warn!(session = %session.client().session_id(), reason = %end, "the ZooKeeper session has ended");
            let former = matches!(end, SessionEnd::GivenUp(_)).then(|| session.client().session().clone());
            tokio::select! {
                () = self.stop.cancelled() => return,
                next = self.next_session(former) => session = next,
            }
        }
        self.fence();
        resign(&session, self.shared.broker_id).await;
    }

    /// Nobody is offered the session any more, and the office that was held in it is over: whoever held it may not have been asked again.
    fn fence(&self) {
        self.shared.session.store(None);
        self.shared.status.send_modify(ControllerStatus::resign);
    }

    /// Takes part in the cluster until the session ends.
    async fn live(&mut self, session: &Session) -> SessionEnd {
        let shared = Arc::clone(&self.shared);
        let watch = connection::watch(session, &shared.address, &shared.session_events);
        let stand =
            controller::stand_for_election(session.clone(), self.controller, &self.shared, &mut self.calls);
        let follow = self.shared.configs.follow(session, &*self.member);
        let hold = hold_registration(session, &self.shared, &self.registration);
        let tell = tell_of_failed_log_dirs(session, self.shared.broker_id, &*self.member);
        tokio::pin!(watch);
        tokio::select! {
            end = &mut watch => end,
            // All return only when the session is over.
            ((), (), (), ()) = async { tokio::join!(stand, follow, hold, tell) } => watch.await,
        }
    }

    /// Opens the next session, in the place of one that was given up, if any, and registers.
    async fn next_session(&self, mut former: Option<zk::SessionInfo>) -> Session {
        loop {
            let session = Session::reopen(&self.shared.address).await.measured_by(&self.shared.latency);
            if let Some(former) = former.take() {
                Session::bury(&self.shared.address, former).await;
            }
            let registration = BrokerRegistration { timestamp_ms: now_ms(), ..self.registration.clone() };
            if let Err(error) = startup::make_paths(&session).await {
                warn!(%error, "the paths in ZooKeeper cannot be made");
            }
            match register(&session, self.shared.broker_id, &registration).await {
                Ok(epoch) => {
                    self.shared.set_session(&session, epoch);
                    return session;
                }
                Err(error) => error!(%error, "not registered; trying again"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Sees to it that the broker stays registered: somebody may delete its znode while the session lives, and then it is dead to the cluster and
/// nothing else would say so. (Kafka's broker does not notice.)
async fn hold_registration(session: &Session, shared: &Shared, registration: &BrokerRegistration) {
    let path = paths::broker(shared.broker_id);
    let path = path.as_str();
    while !session.is_over() {
        let watched = session.persist(|client| async move { client.check_and_watch_stat(path).await }).await;
        match watched {
            Ok((Some(stat), watcher)) if stat.ephemeral_owner == session.client().session_id().0 => {
                watcher.changed().await;
                continue;
            }
            Ok(_) => {
                error!(path, "this broker's registration is gone though its session lives: registering again")
            }
            Err(error) => {
                error!(path, %error, "the registration cannot be watched");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        }
        let again = BrokerRegistration { timestamp_ms: now_ms(), ..registration.clone() };
        match register(session, shared.broker_id, &again).await {
            Ok(epoch) => shared.set_session(session, epoch),
            Err(error) => {
                error!(%error, "not registered; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Tells the controller of each log directory that fails. What fails between two sessions it learns when the next one registers.
async fn tell_of_failed_log_dirs(session: &Session, broker: i32, member: &dyn Member) {
    let event = znodes::encode_log_dir_event(broker);
    let event = event.as_slice();
    while !session.is_over() {
        member.log_dir_failed().await;
        let create = |client: zk::Client| async move {
            client.create(paths::LOG_DIR_EVENT_PREFIX, event, &sequential()).await.map(|_| ())
        };
        if let Err(error) = session.persist(create).await {
            error!(%error, path = paths::LOG_DIR_EVENTS, "the controller cannot be told that a log directory has failed");
        }
    }
}

/// Takes the registration and the office back, so that others need not wait for the session's end.
async fn resign(session: &Session, broker: i32) {
    let mine = session.client().session_id().0;
    for path in [paths::CONTROLLER.to_owned(), paths::broker(broker)] {
        let attempt = async {
            let (_, stat) = session.client().get_data(&path).await.ok()?;
            if stat.ephemeral_owner != mine {
                return None;
            }
            session.client().delete(&path, Some(stat.version)).await.ok()
        };
        if tokio::time::timeout(Duration::from_secs(2), attempt).await.is_err() {
            info!(path, "ZooKeeper does not answer; the znode goes with the session");
        }
    }
}
