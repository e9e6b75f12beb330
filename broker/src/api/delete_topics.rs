//! DeleteTopics: asks the controller through `/admin/delete_topics`, and waits until the metadata knows the topic no more. By id from version 6 on.

use std::{collections::HashMap, sync::Arc, time::Duration};

use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{DeleteTopicsRequest, DeleteTopicsResponse, delete_topics::DeletableTopicResult},
};
use vltava_settings::broker as keys;

use crate::{Broker, control::AdminError, net::RequestContext};

/// What is asked for: by name or by id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Name(String),
    Id(Uuid),
    /// Both a name and an id, or neither.
    Unclear(String, Uuid),
}

pub(super) async fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: DeleteTopicsRequest<'_>,
) -> DeleteTopicsResponse<'static> {
    let deadline =
        tokio::time::Instant::now() + Duration::from_millis(u64::try_from(body.timeout_ms).unwrap_or(0));
    let asked: Vec<Asked> = if request.version < 6 {
        body.topic_names.iter().map(|name| Asked::Name(name.to_string())).collect()
    } else {
        let asked = body.topics.iter().map(|topic| match (&topic.name, topic.topic_id.is_zero()) {
            (Some(name), true) => Asked::Name(name.to_string()),
            (None, false) => Asked::Id(topic.topic_id),
            (name, _) => Asked::Unclear(name.as_deref().unwrap_or_default().to_owned(), topic.topic_id),
        });
        asked.collect()
    };
    let mut counts: HashMap<&Asked, usize> = HashMap::new();
    for one in &asked {
        *counts.entry(one).or_default() += 1;
    }
    let mut outcomes = Vec::with_capacity(asked.len());
    for one in &asked {
        match counts.remove(one) {
            Some(1) => outcomes.push((one.clone(), begin(broker, request.version, one).await)),
            Some(_) => {
                let error = AdminError::new(ErrorCode::InvalidRequest, "Duplicate topic name or id.");
                outcomes.push((one.clone(), Err(error)));
            }
            // Answered where it was named first.
            None => {}
        }
    }
    let mut responses = Vec::with_capacity(outcomes.len());
    for (one, outcome) in outcomes {
        let outcome = match outcome {
            Ok((name, id)) => gone(broker, &name, id, deadline).await.map(|()| (name, id)),
            Err(error) => Err(error),
        };
        responses.push(result(one, outcome));
    }
    DeleteTopicsResponse { responses, ..Default::default() }
}

/// Asks for the deletion; the topic's name and id.
async fn begin(broker: &Broker, version: i16, asked: &Asked) -> Result<(String, Uuid), AdminError> {
    let error = |code: ErrorCode, message: &str| Err(AdminError::new(code, message));
    if !broker.control.is_active_controller() {
        return error(ErrorCode::NotController, ErrorCode::NotController.message());
    }
    if !broker.control.configs().broker().get(keys::DELETE_TOPIC_ENABLE) {
        let code = if version < 3 { ErrorCode::InvalidRequest } else { ErrorCode::TopicDeletionDisabled };
        return error(code, "Topic deletion is disabled.");
    }
    let snapshot = broker.metadata.owned();
    let name = match asked {
        Asked::Name(name) => name.clone(),
        Asked::Id(id) => match snapshot.name(id) {
            Some(name) => name.to_string(),
            None => return error(ErrorCode::UnknownTopicId, ErrorCode::UnknownTopicId.message()),
        },
        Asked::Unclear(name, _) if name.is_empty() => {
            return error(ErrorCode::InvalidRequest, "Neither topic name nor id were specified.");
        }
        Asked::Unclear(..) => {
            return error(ErrorCode::InvalidRequest, "You may not specify both topic name and topic id.");
        }
    };
    let Some(topic) = snapshot.topic(&name) else {
        return error(ErrorCode::UnknownTopicOrPartition, ErrorCode::UnknownTopicOrPartition.message());
    };
    broker.control.request_deletion(&name).await?;
    Ok((name, topic.id))
}

async fn gone(
    broker: &Broker,
    name: &str,
    id: Uuid,
    deadline: tokio::time::Instant,
) -> Result<(), AdminError> {
    let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
    let gone = broker
        .metadata
        .wait_for(patience, |now| now.topic(name).is_none_or(|topic| topic.id != id).then_some(()));
    gone.await.ok_or_else(|| AdminError::new(ErrorCode::RequestTimedOut, "The topic is being deleted."))
}

fn result(asked: Asked, outcome: Result<(String, Uuid), AdminError>) -> DeletableTopicResult<'static> {
    match outcome {
        Ok((name, topic_id)) => {
            DeletableTopicResult { name: Some(name.into()), topic_id, ..Default::default() }
        }
        Err(error) => {
            let (name, topic_id) = match asked {
                Asked::Name(name) => (Some(name), Uuid::ZERO),
                Asked::Id(id) => (None, id),
                Asked::Unclear(name, id) => (Some(name).filter(|name| !name.is_empty()), id),
            };
            DeletableTopicResult {
                name: name.map(Into::into),
                topic_id,
                error_code: error.code.into(),
                error_message: Some(error.message.into()),
                ..Default::default()
            }
        }
    }
}
