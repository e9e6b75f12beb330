//! What can't change: the CEL rules of the definitions, and what such rules cannot say.

use crate::api::{KafkaCluster, Pool, Storage, Topic};
use crate::validation::{Violation, broken_rules};

/// Checks a change of a cluster against the rules about what can't change.
#[must_use]
pub fn cluster_update(new: &KafkaCluster, old: &KafkaCluster) -> Vec<Violation> {
    let old = in_order_of(new, old);
    let mut violations = broken_rules(new.validate_cel_update(&old));
    for (index, (pool, before)) in new.spec.pools.iter().zip(&old.spec.pools).enumerate() {
        let field = format!("spec.pools[{index}].storage");
        violations.extend(storage_update(&field, pool.storage.as_ref(), before.storage.as_ref()));
    }
    let (ensemble, before) = (&new.spec.zookeeper.storage, &old.spec.zookeeper.storage);
    violations.extend(storage_update("spec.zookeeper.storage", ensemble.as_ref(), before.as_ref()));
    violations
}

/// The old cluster with its pools in the places of the new one's. An API server compares items of a list-map by their key; the
/// library that runs the rules here compares them by their places. A pool that is new has nothing to be compared with: itself.
fn in_order_of(new: &KafkaCluster, old: &KafkaCluster) -> KafkaCluster {
    let before = |pool: &Pool| old.spec.pools.iter().find(|before| before.name == pool.name).cloned();
    let pools = new.spec.pools.iter().map(|pool| before(pool).unwrap_or_else(|| pool.clone()));
    let mut aligned = old.clone();
    aligned.spec.pools = pools.collect();
    aligned
}

/// Volumes never shrink and keep their class. A list has no rule that compares its items by their places.
fn storage_update(field: &str, new: Option<&Storage>, old: Option<&Storage>) -> Vec<Violation> {
    let (Some(new), Some(old)) = (new, old) else { return Vec::new() };
    let mut violations = Vec::new();
    let mut add = |field: String, what: &str| violations.push(Violation { field, what: what.to_owned() });
    if shrinks(new.size.as_deref(), old.size.as_deref()) {
        add(format!("{field}.size"), SHRINKS);
    }
    let volumes = new.volumes.iter().flatten().zip(old.volumes.iter().flatten());
    for (index, (volume, before)) in volumes.enumerate() {
        if shrinks(Some(&volume.size), Some(&before.size)) {
            add(format!("{field}.volumes[{index}].size"), SHRINKS);
        }
        if volume.class != before.class {
            add(format!("{field}.volumes[{index}].class"), "the storage class is immutable");
        }
    }
    violations
}

const SHRINKS: &str = "a volume can only grow";

fn shrinks(new: Option<&str>, old: Option<&str>) -> bool {
    matches!((new.and_then(bytes), old.and_then(bytes)), (Some(new), Some(old)) if new < old)
}

/// The bytes of a Kubernetes quantity; `None` for what the definition's pattern refuses.
fn bytes(quantity: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 11] = [
        ("Ki", 1_024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("", 1.0),
    ];
    let (number, unit) =
        UNITS.iter().find_map(|(suffix, unit)| Some((quantity.strip_suffix(suffix)?, unit)))?;
    number.parse::<f64>().ok().map(|number| number * unit)
}

/// Checks a change of a topic against the rules about what can't change.
#[must_use]
pub fn topic_update(new: &Topic, old: &Topic) -> Vec<Violation> {
    broken_rules(new.validate_cel_update(old))
}
