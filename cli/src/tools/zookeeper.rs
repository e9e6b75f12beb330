//! A tool's session with ZooKeeper, and what Kafka's tools before 3.0 read and wrote there themselves.

use std::{collections::BTreeMap, time::Duration};

use vltava_broker::control::{
    Session, ZooKeeperAddress,
    znodes::{self, BrokerRegistration, Entity, paths},
};
use zookeeper_client as zk;

use super::failure::Failure;

/// As in Kafka's tools of 0.8 to 2.x.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A persistent znode for everybody.
const PERSISTENT: zk::CreateOptions<'static> = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());

/// A persistent znode with a number at the end of its name.
const SEQUENTIAL: zk::CreateOptions<'static> =
    zk::CreateMode::PersistentSequential.with_acls(zk::Acls::anyone_all());

/// Opens a session with `host:port[,...][/chroot]`.
pub(crate) async fn connect(address: &str) -> Result<Session, Failure> {
    let address = ZooKeeperAddress {
        connect: address.to_owned(),
        session_timeout: TIMEOUT,
        connection_timeout: TIMEOUT,
    };
    Ok(Session::open(&address).await?)
}

/// Whether there is such a znode.
pub(crate) async fn exists(session: &Session, path: &str) -> Result<bool, Failure> {
    Ok(session.persist(|client| async move { client.check_stat(path).await }).await?.is_some())
}

/// A znode's children, sorted; none without the znode.
pub(crate) async fn children(session: &Session, path: &str) -> Result<Vec<String>, Failure> {
    let mut children = session.children(path).await?.unwrap_or_default();
    children.sort_unstable();
    Ok(children)
}

/// Makes a persistent znode. `false` if it is there already.
pub(crate) async fn create(session: &Session, path: &str, data: &[u8]) -> Result<bool, Failure> {
    if let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
        session.make_path(parent).await?;
    }
    match session.client().create(path, data, &PERSISTENT).await {
        Ok(_) => Ok(true),
        Err(zk::Error::NodeExists) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a znode and what is below it.
pub(crate) async fn delete_tree(session: &Session, path: &str) -> Result<(), Failure> {
    let mut found = vec![path.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        for child in children(session, &path).await? {
            found.push(format!("{path}/{child}"));
        }
        next += 1;
    }
    for path in found.iter().rev() {
        match session.client().delete(path, None).await {
            Ok(()) | Err(zk::Error::NoNode) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// An entity's overrides.
pub(crate) async fn overrides(
    session: &Session,
    entity: &Entity,
) -> Result<BTreeMap<String, String>, Failure> {
    let path = entity.znode();
    match session.read(&path).await? {
        Some((data, _)) => Ok(znodes::decode_config(&path, &data)?),
        None => Ok(BTreeMap::new()),
    }
}

/// Replaces an entity's overrides and notifies every broker of it.
pub(crate) async fn set_overrides(
    session: &Session,
    entity: &Entity,
    overrides: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    write_overrides(session, entity, overrides).await?;
    session.make_path(paths::CONFIG_CHANGES).await?;
    let change = znodes::encode_config_change(entity);
    session.client().create(paths::CONFIG_CHANGE_PREFIX, &change, &SEQUENTIAL).await?;
    Ok(())
}

/// Writes an entity's overrides, telling nobody: for a topic that is about to be created.
pub(crate) async fn write_overrides(
    session: &Session,
    entity: &Entity,
    overrides: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let (path, data) = (entity.znode(), znodes::encode_config(overrides));
    if create(session, &path, &data).await? {
        return Ok(());
    }
    session.client().set_data(&path, &data, None).await?;
    Ok(())
}

/// The registrations of the live brokers by id.
pub(crate) async fn brokers(session: &Session) -> Result<BTreeMap<i32, BrokerRegistration>, Failure> {
    let mut brokers = BTreeMap::new();
    for id in children(session, paths::BROKER_IDS).await? {
        let Ok(id) = id.parse::<i32>() else { continue };
        let path = paths::broker(id);
        // It may have gone since it was listed.
        if let Some((data, _)) = session.read(&path).await? {
            brokers.insert(id, znodes::decode_broker(&path, &data)?);
        }
    }
    Ok(brokers)
}
