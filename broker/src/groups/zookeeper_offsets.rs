//! Offsets of OffsetCommit and OffsetFetch version 0, which groups before 0.9 keep in ZooKeeper: `/consumers/GROUP/offsets/TOPIC/PARTITION`, a plain
//! decimal.

use vltava_protocol::ErrorCode;
use zookeeper_client as zk;

use crate::{control::Session, net::Complaints};

/// Where the offset lies. Group and topic must not reach out of their folder.
fn path(group: &str, topic: &str, partition: i32) -> Option<String> {
    let name = |name: &str| !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    (name(group) && name(topic)).then(|| format!("/consumers/{group}/offsets/{topic}/{partition}"))
}

/// Writes an offset, and the znodes above it.
pub(crate) async fn commit(
    session: &Session,
    complaints: &Complaints,
    group: &str,
    topic: &str,
    partition: i32,
    offset: i64,
) -> ErrorCode {
    let Some(path) = path(group, topic, partition) else { return ErrorCode::InvalidGroupId };
    let text = offset.to_string();
    let data = text.as_bytes();
    let set = |path: String| async move {
        session
            .persist(|client| {
                let path = path.clone();
                async move { client.set_data(&path, data, None).await.map(|_| ()) }
            })
            .await
    };
    let outcome = match set(path.clone()).await {
        Err(zk::Error::NoNode) => match session.make_path(&path).await {
            Ok(()) => set(path.clone()).await,
            Err(error) => Err(error),
        },
        outcome => outcome,
    };
    match outcome {
        Ok(()) => ErrorCode::None,
        Err(error) => {
            complaints.warn(format_args!("{path}: the offset {offset} cannot be written: {error}"));
            ErrorCode::CoordinatorNotAvailable
        }
    }
}

/// Reads an offset; `None` where there is none, or what is there is no number.
pub(crate) async fn fetch(
    session: &Session,
    complaints: &Complaints,
    group: &str,
    topic: &str,
    partition: i32,
) -> Result<Option<i64>, ErrorCode> {
    let path = path(group, topic, partition).ok_or(ErrorCode::InvalidGroupId)?;
    let data = session.read(&path).await.map_err(|error| {
        complaints.warn(format_args!("{path}: the offset cannot be read: {error}"));
        ErrorCode::CoordinatorNotAvailable
    })?;
    let Some((data, _)) = data else { return Ok(None) };
    let offset = std::str::from_utf8(&data).ok().and_then(|text| text.trim().parse().ok());
    if offset.is_none() {
        complaints.warn(format_args!("{path}: what is there is no offset, and is taken for none"));
    }
    Ok(offset)
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        assert_eq!(path("g", "t", 3).as_deref(), Some("/consumers/g/offsets/t/3"));
        for (group, topic) in [("", "t"), ("g/../x", "t"), ("..", "t"), ("g", "a/b"), ("g", "")] {
            assert_eq!(path(group, topic, 0), None, "{group} {topic}");
        }
    }
}
