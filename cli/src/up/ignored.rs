//! Fields that have no meaning on a laptop. They are listed at the start, so that nobody believes in them.

use vltava_operator::api::{ListenerType, RolloutStrategy};

use super::desired::Desired;

/// Each ignored field with the reason, one line each.
pub(super) fn ignored(desired: &Desired) -> Vec<String> {
    let mut lines = Vec::new();
    let mut note = |is_set: bool, field: String, why: &str| {
        if is_set {
            lines.push(format!("{field}: {why}"));
        }
    };
    let spec = &desired.cluster.spec;
    note(spec.image.is_some(), "spec.image".to_owned(), "brokers are this very program");
    for (index, pool) in spec.pools.iter().enumerate() {
        let field = |name: &str| format!("spec.pools[{index}].{name}");
        if let Some(storage) = &pool.storage {
            let sized = storage.size.is_some() || storage.volumes.is_some();
            note(sized, field("storage"), "volumes are plain directories, as large as the disk");
            note(storage.class.is_some(), field("storage.class"), "volumes are plain directories");
            note(storage.retain.is_some(), field("storage.retain"), "data is always kept");
        }
        note(pool.resources.is_some(), field("resources"), "processes are not limited");
        note(pool.template.is_some(), field("template"), "there are no pods");
    }
    for (index, listener) in spec.listeners.iter().flatten().enumerate() {
        let field = |name: &str| format!("spec.listeners[{index}].{name}");
        let outside = listener.kind != ListenerType::Internal;
        note(outside, field("type"), "every listener is a port of 127.0.0.1");
        note(listener.advertised.is_some(), field("advertised"), "clients are told 127.0.0.1");
    }
    note(spec.rack.is_some(), "spec.rack".to_owned(), "there is one machine");
    let zookeeper = &spec.zookeeper;
    let several = zookeeper.replicas.is_some_and(|replicas| replicas > 1);
    note(several, "spec.zookeeper.replicas".to_owned(), "the embedded ZooKeeper is one server");
    note(zookeeper.storage.is_some(), "spec.zookeeper.storage".to_owned(), "its data is a plain directory");
    note(zookeeper.resources.is_some(), "spec.zookeeper.resources".to_owned(), "processes are not limited");
    note(
        zookeeper.image.is_some(),
        "spec.zookeeper.image".to_owned(),
        "the embedded ZooKeeper is this very program",
    );
    if let Some(rollout) = &spec.rollout {
        let manual = rollout.strategy == Some(RolloutStrategy::Manual);
        note(
            manual,
            "spec.rollout.strategy".to_owned(),
            "brokers whose properties change are restarted at once",
        );
        note(
            rollout.hold.is_some(),
            "spec.rollout.hold".to_owned(),
            "brokers whose properties change are restarted at once",
        );
    }
    note(spec.topics.is_some(), "spec.topics".to_owned(), "the topics are those of the file");
    note(
        spec.metrics.is_some(),
        "spec.metrics".to_owned(),
        "there is no Prometheus operator; all metrics are served",
    );
    note(spec.paused.is_some(), "spec.paused".to_owned(), "the file is always made true");
    for topic in &desired.topics {
        let field = |name: &str| format!("Topic {}: spec.{name}", topic.name());
        note(topic.spec.cluster.namespace.is_some(), field("cluster.namespace"), "there are no namespaces");
        let policy = topic.spec.deletion_policy.is_some();
        note(policy, field("deletionPolicy"), "a topic that leaves the file is left as it is");
        note(topic.spec.adopt.is_some(), field("adopt"), "a topic that exists is taken over");
    }
    lines.extend(desired.others.iter().map(|other| format!("{other}: not Vltava's")));
    lines
}
