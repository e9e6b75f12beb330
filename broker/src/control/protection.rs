//! What the cluster's owner protected in ZooKeeper, and this broker would leave open: ACLs, credentials, quotas, and what brokers were told to protect
//! while they ran. At the start it stops the broker; what comes later is told as an error.

use futures_util::{StreamExt, stream};
use tracing::{error, warn};
use vltava_settings::{BrokerConfig, Level, Problem, unkept};

use super::{
    session::{PIPELINE, Session},
    startup::{StartupError, refused},
    znodes::{self, Entity, paths},
};

/// Looks for ACLs, credentials and quotas.
///
/// # Errors
/// [`StartupError::Protected`] with the first that is found.
pub(super) async fn check(session: &Session) -> Result<(), StartupError> {
    for root in [paths::ACLS.to_owned(), format!("{}/prefixed", paths::EXTENDED_ACLS)] {
        for kind in list(session, &root).await? {
            let path = format!("{root}/{kind}");
            if let Some(resource) = list(session, &path).await?.into_iter().next() {
                let what = format!("there are ACLs, for example on {kind} {resource}");
                return Err(StartupError::Protected { path: format!("{path}/{resource}"), what });
            }
        }
    }
    for root in paths::HELD_TO_LIMITS {
        let names = list(session, root).await?;
        let look = |name: String| async move {
            let path = format!("{root}/{name}");
            check_entity(session, &path).await?;
            // A user's clients have quotas of their own.
            for client in list(session, &format!("{path}/clients")).await? {
                check_entity(session, &format!("{path}/clients/{client}")).await?;
            }
            Ok::<(), StartupError>(())
        };
        let mut looked = stream::iter(names).map(look).buffered(PIPELINE);
        while let Some(looked) = looked.next().await {
            looked?;
        }
    }
    Ok(())
}

/// Looks at one user, client or address: whatever is set for it limits it, or lets it prove who it is.
async fn check_entity(session: &Session, path: &str) -> Result<(), StartupError> {
    let Some((data, _)) = session.read(path).await.map_err(refused("reading", path))? else { return Ok(()) };
    let config = znodes::decode_config(path, &data)?;
    let Some((key, value)) = config.first_key_value() else { return Ok(()) };
    let what = if key.starts_with("SCRAM-") {
        format!("there are {key} credentials, so clients are expected to authenticate")
    } else {
        format!("there is a quota, {key}={value}")
    };
    Err(StartupError::Protected { path: path.to_owned(), what })
}

/// Looks at what this broker, and all brokers, were told while they ran.
///
/// # Errors
/// [`StartupError::Protected`] with the first value that Vltava would pass over and must not.
pub(super) async fn check_brokers(
    session: &Session,
    broker_id: i32,
    config: &BrokerConfig,
) -> Result<(), StartupError> {
    for entity in [Entity::Broker(broker_id), Entity::BrokerDefault] {
        let path = entity.znode();
        let Some((data, _)) = session.read(&path).await.map_err(refused("reading", &path))? else { continue };
        for (key, value) in znodes::decode_config(&path, &data)? {
            if let Some(Problem::Refused { key, value, why }) = unkept(config, &key, &value) {
                return Err(StartupError::Protected {
                    path,
                    what: format!("it sets {key}={value}, and {why}"),
                });
            }
        }
    }
    Ok(())
}

/// Tells that something was protected while this broker runs, as the notification's entity says.
pub(super) async fn tell_of_entity(session: &Session, entity: &Entity) {
    let path = entity.znode();
    if paths::HELD_TO_LIMITS.iter().any(|root| path.starts_with(&format!("{root}/"))) {
        tell(check_entity(session, &path).await);
    }
}

/// Tells what has been protected by now, notified or not.
pub(super) async fn tell_of_all(session: &Session) {
    tell(check(session).await);
}

fn tell(checked: Result<(), StartupError>) {
    if let Err(error) = checked {
        error!("this is NOT enforced, and the next start of the broker will refuse it: {error}");
    }
}

/// Tells of a dynamic value of brokers that is not taken.
pub(super) fn tell_of_value(level: Level, problem: &Problem) {
    match problem {
        Problem::Refused { .. } => {
            error!(
                ?level,
                "this is NOT enforced, and the next start of the broker will refuse it: {problem}"
            );
        }
        _ => warn!(?level, %problem, "a dynamic value has no effect"),
    }
}

async fn list(session: &Session, path: &str) -> Result<Vec<String>, StartupError> {
    Ok(session.children(path).await.map_err(refused("listing", path))?.unwrap_or_default())
}
