//! Manifests as people write them, right and wrong.

use vltava_operator::api::{KafkaCluster, Topic};
use vltava_operator::{Resource, changes, plan, read_manifests};

const CLUSTER: &str =
    "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: blue\nspec:\n";
const TOPIC: &str = "apiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\nmetadata:\n  name: orders\nspec:\n  cluster:\n    name: blue\n";
const POOL: &str = "  pools:\n  - name: kafka\n    replicas: 1\n    firstBrokerId: 0\n";
const ZOOKEEPER: &str = "  zookeeper:\n    replicas: 1\n";

fn errors(text: &str) -> Vec<String> {
    read_manifests(text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_quickstart_is_read() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart.yaml")).unwrap();
    let resources = read_manifests(&text).unwrap();
    let [Resource::KafkaCluster(cluster), Resource::Topic(topic)] = &resources[..] else {
        panic!("{resources:?}")
    };
    assert_eq!(plan::broker_ids(cluster), [0]);
    let topic = plan::topic_plan(topic);
    assert_eq!((topic.name.as_str(), topic.partitions), ("greetings", Some(3)));
    assert_eq!(topic.config["retention.ms"], "604800000");
}

#[test]
fn errors_of_all_documents_come_at_once_with_document_line_and_field() {
    let text = format!(
        "{CLUSTER}  pools:\n  - name: kafka\n    replcas: 1\n    firstBrokerId: zero\n{ZOOKEEPER}---\n# nothing\n---\n\
         {TOPIC}  partitions: 0\n  config:\n    retention.ms: soon\n"
    );
    assert_eq!(
        errors(&text),
        [
            "document 1, line 7: spec.pools[0].replicas: required",
            "document 1, line 9: spec.pools[0].firstBrokerId: must be of type integer, not \"zero\"",
            "document 1, line 8: spec.pools[0].replcas: unknown field, did you mean replicas",
            "document 2, line 22: spec.partitions: must be at least 1, not 0",
        ]
    );
    let text = format!("{TOPIC}  config:\n    retenion.ms: 1\n    cleanup.policy: shred\n");
    assert_eq!(
        errors(&text),
        [
            "document 1, line 10: spec.config[\"cleanup.policy\"]: Invalid value shred for configuration cleanup.policy: String must be \
             one of: compact, delete",
            "document 1, line 9: spec.config[\"retenion.ms\"]: Unknown topic config name: retenion.ms, did you mean retention.ms",
        ]
    );
}

#[test]
fn fields_that_are_wrong_are_named() {
    for (spec, field, part) in [
        (format!("{POOL}{ZOOKEEPER}  colour: red\n"), "spec.colour", "unknown field"),
        (format!("{POOL}  zookeeper:\n    replicas: 2\n"), "spec.zookeeper", "replicas must be 1, 3, 5 or 7"),
        (format!("{POOL}  zookeeper: {{}}\n"), "spec.zookeeper", "give either replicas"),
        (ZOOKEEPER.to_owned(), "spec.pools", "required"),
        (format!("  pools: []\n{ZOOKEEPER}"), "spec.pools", "must have at least 1 items, not 0"),
        (
            format!("{POOL}  - name: kafka\n    replicas: 1\n    firstBrokerId: 9\n{ZOOKEEPER}"),
            "spec.pools[1].name",
            "duplicate value",
        ),
        (
            format!("{POOL}  - name: b\n    replicas: 1\n    firstBrokerId: 0\n{ZOOKEEPER}"),
            "spec.pools",
            "must not overlap",
        ),
        (
            format!("  pools:\n  - name: kafka\n    replicas: 0\n    firstBrokerId: 0\n{ZOOKEEPER}"),
            "spec.pools",
            "needs a broker",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  rollout:\n    strategy: Soon\n"),
            "spec.rollout.strategy",
            "must be one of Automatic, Manual",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  config:\n    log.dirs: /x\n"),
            "spec.config[\"log.dirs\"]",
            "reserved: keys that begin with log.dir",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  config:\n    ssl.protocol: x\n"),
            "spec.config[\"ssl.protocol\"]",
            "reserved",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  config:\n    num.partition: 3\n"),
            "spec.config[\"num.partition\"]",
            "did you mean num.partitions",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  config:\n    num.partitions: 0\n"),
            "spec.config[\"num.partitions\"]",
            "Invalid value 0 for configuration num.partitions: Value must be at least 1",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  config:\n    queued.max.request.bytes: 7\n"),
            "spec.config[\"queued.max.request.bytes\"]",
            "must be larger or equal",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  config:\n    num.partitions:\n      of: 3\n"),
            "spec.config[\"num.partitions\"]",
            "must be a string, a number or a boolean, not {\"of\":3}",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  config:\n    alter.config.policy.class.name: x.Y\n"),
            "spec.config[\"alter.config.policy.class.name\"]",
            "is refused",
        ),
        (
            format!(
                "{POOL}{ZOOKEEPER}  listeners:\n  - name: a\n    port: 9092\n    type: internal\n    tls: true\n"
            ),
            "spec.listeners[0].tls",
            "NotYetSupported",
        ),
        (
            format!("{POOL}{ZOOKEEPER}  listeners:\n  - name: a\n    port: 9092\n    type: nodeport\n"),
            "spec.listeners",
            "one listener must be of type internal",
        ),
        (
            format!(
                "{POOL}{ZOOKEEPER}  listeners:\n  - name: a\n    port: 9092\n    type: internal\n  - name: b\n    port: 9092\n    type: nodeport\n"
            ),
            "spec.listeners",
            "each listener needs a port of its own",
        ),
        (
            format!("{POOL}    storage:\n      size: 1Gi\n      volumes:\n      - size: 1Gi\n{ZOOKEEPER}"),
            "spec.pools[0].storage",
            "give either size, for one volume, or volumes",
        ),
        (
            format!("{POOL}  zookeeper:\n    image: x\n    external:\n      connect: zk:2181\n"),
            "spec.zookeeper",
            "not of an external one",
        ),
        (
            format!("{POOL}    storage:\n      size: 10 GB\n{ZOOKEEPER}"),
            "spec.pools[0].storage.size",
            "does not match",
        ),
        (format!("{POOL}{ZOOKEEPER}  image: 7\n"), "spec.image", "must be of type string, not 7"),
    ] {
        let found = errors(&format!("{CLUSTER}{spec}"));
        assert!(
            found.iter().any(|error| error.contains(&format!(": {field}")) && error.contains(part)),
            "{spec}: {found:?}"
        );
    }
}

#[test]
fn documents_that_are_no_resources_are_refused_and_others_left_alone() {
    for (text, part) in [
        ("a: [1", "not YAML"),
        ("- 1\n- 2\n", "needs apiVersion and kind"),
        ("apiVersion: kafka.vltava.dev/v1\nkind: Topic\nmetadata:\n  name: x\n", "v1 is not served"),
        (
            "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaTopic\nmetadata:\n  name: x\n",
            "is not a kind of",
        ),
        ("apiVersion: kafka.vltava.dev/v1alpha1\nkind: Topics\nmetadata:\n  name: x\n", "did you mean Topic"),
        ("apiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\n", "metadata.name: required"),
    ] {
        let found = errors(text);
        assert!(found.len() == 1 && found[0].contains(part), "{text}: {found:?}");
    }
    assert!(errors(&format!("{TOPIC}---\n{TOPIC}"))[0].contains("there is another Topic orders above"));
    assert!(errors(&format!("{TOPIC}  topicName: __consumer_offsets\n"))[0].contains("internal topic"));
    let other = read_manifests("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n").unwrap();
    assert_eq!(other, [Resource::Other { kind: "v1 Namespace".to_owned(), name: "shop".to_owned() }]);
    assert_eq!(read_manifests("# nothing\n---\n\n").unwrap(), []);
    assert_eq!(read_manifests("apiVersion: v1\nkind: List\nitems: []\n").unwrap(), []);
    assert_eq!(read_manifests(&format!("\u{feff}{TOPIC}")).unwrap(), read_manifests(TOPIC).unwrap());
}

#[test]
fn the_items_of_a_list_are_read_like_documents() {
    let item = |text: &str| {
        let lines = text.lines().enumerate();
        lines.map(|(i, line)| format!("{}{line}\n", if i == 0 { "- " } else { "  " })).collect::<String>()
    };
    let list = |items: &[&str]| {
        let items: String = items.iter().map(|text| item(text)).collect();
        format!("apiVersion: v1\nkind: List\nitems:\n{items}")
    };
    let other = TOPIC.replace("orders", "clicks");
    assert_eq!(
        read_manifests(&list(&[TOPIC, &other])).unwrap(),
        read_manifests(&format!("{TOPIC}---\n{other}")).unwrap()
    );
    assert!(errors(&list(&[TOPIC, TOPIC]))[0].contains("there is another Topic orders above"));
    let wrong = format!("{other}  partitions: 0\n");
    let found = errors(&list(&[TOPIC, &wrong]));
    assert!(found.len() == 1 && found[0].contains("items[1].spec.partitions"), "{found:?}");
}

#[test]
fn a_set_has_each_item_once() {
    let found = errors(&format!("{CLUSTER}{POOL}{ZOOKEEPER}  rollout:\n    hold: [1, 2, 1]\n"));
    assert!(found.len() == 1 && found[0].contains("spec.rollout.hold[2]: duplicate value 1"), "{found:?}");
}

#[test]
fn numbers_booleans_and_strings_are_values() {
    let text = format!(
        "{CLUSTER}{POOL}{ZOOKEEPER}  config:\n    num.partitions: 3\n    auto.create.topics.enable: false\n    log.retention.ms: \"5\"\n    \
         log.cleaner.min.cleanable.ratio: 0.5\n    log.segment.bytes:\n"
    );
    let resources = read_manifests(&text).unwrap();
    let [Resource::KafkaCluster(cluster)] = &resources[..] else { panic!("{resources:?}") };
    let brokers = plan::brokers(cluster, &plan::Nowhere);
    let properties = &brokers[0].properties;
    assert_eq!(properties.get("num.partitions"), Some("3"));
    assert_eq!(properties.get("auto.create.topics.enable"), Some("false"));
    assert_eq!(properties.get("log.retention.ms"), Some("5"));
    assert_eq!(properties.get("log.cleaner.min.cleanable.ratio"), Some("0.5"));
    // As with kubectl apply.
    assert_eq!(properties.get("log.segment.bytes"), None);
}

#[test]
fn names_are_those_that_an_api_server_takes() {
    let named =
        |name: &str| format!("{CLUSTER}{POOL}{ZOOKEEPER}").replace("name: blue", &format!("name: {name}"));
    for name in ["Blue", "../../x", "a_b", "-a", "a-", "a..b", "''", "b/c", &"a".repeat(254)] {
        let found = errors(&named(name));
        assert!(found.len() == 1 && found[0].contains(": metadata.name: "), "{name}: {found:?}");
    }
    assert!(errors(&named("7"))[0].contains("metadata.name: must be of type string, not 7"));
    assert!(
        errors(&named("blue\n  namespace: a.b"))[0]
            .contains("metadata.namespace: a.b is not a namespace's name")
    );
    for name in ["b", "b-c-7", &"a".repeat(42)] {
        assert_eq!(read_manifests(&named(name)).unwrap().len(), 1, "{name}");
    }
    // These would be names of a resource, and none of the Services and StatefulSets that come of it.
    for name in ["a.b", "7b", &"a".repeat(43)] {
        let found = errors(&named(name));
        assert!(found.len() == 1 && found[0].contains(": metadata.name: "), "{name}: {found:?}");
    }
    let found = errors(&TOPIC.replace("orders", "My_Orders"));
    assert!(found[0].ends_with("; a topic of another name is named by spec.topicName"), "{found:?}");
}

#[test]
fn no_text_panics() {
    for text in [
        "---",
        "--- a",
        "\u{0}",
        "&a *a",
        "? :",
        "apiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\nmetadata: 3\nspec: []\n",
        "%YAML",
        "{{{{",
    ] {
        let _ = read_manifests(text);
    }
}

#[test]
fn the_definitions_are_fresh_and_small_enough_to_apply() {
    for (name, content) in vltava_operator::definitions().unwrap() {
        let path = format!("{}/../crds/{name}", env!("CARGO_MANIFEST_DIR"));
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        assert!(stored == content, "crds/{name} is stale: run `make crds`");
        // kubectl apply keeps the whole object in an annotation of at most 256 KiB.
        assert!(content.len() < 200_000, "{name}: {} bytes", content.len());
    }
}

/// A cluster with these lines below `spec`.
fn cluster(spec: &str) -> KafkaCluster {
    match read_manifests(&format!("{CLUSTER}{spec}")).unwrap().remove(0) {
        Resource::KafkaCluster(cluster) => *cluster,
        other => panic!("{other:?}"),
    }
}

fn topic(spec: &str) -> Topic {
    match read_manifests(&format!("{TOPIC}{spec}")).unwrap().remove(0) {
        Resource::Topic(topic) => *topic,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_change_is_refused_with_the_rule_that_says_so() {
    let volumes = |sizes: &str| format!("{POOL}    storage:\n      volumes: [{sizes}]\n{ZOOKEEPER}");
    let class = |class: &str| format!("{POOL}    storage:\n      size: 1Gi\n{class}{ZOOKEEPER}");
    let zookeeper = |storage: &str| format!("{POOL}{ZOOKEEPER}    storage:\n      size: 1Gi\n{storage}");
    let plain = format!("{POOL}{ZOOKEEPER}");
    for (old, new, field, part) in [
        (
            plain.clone(),
            plain.replace("firstBrokerId: 0", "firstBrokerId: 7"),
            "spec.pools[0].firstBrokerId",
            "firstBrokerId is immutable",
        ),
        (
            class(""),
            class("      class: fast\n"),
            "spec.pools[0].storage.class",
            "storage class is immutable",
        ),
        (
            class("      class: slow\n"),
            class("      class: fast\n"),
            "spec.pools[0].storage.class",
            "storage class is immutable",
        ),
        (class(""), plain.clone(), "spec.pools[0].storage", "storage cannot be taken away"),
        (
            volumes("{size: 1Gi}, {size: 1Gi}"),
            volumes("{size: 9Gi}"),
            "spec.pools[0].storage.volumes",
            "cannot be removed",
        ),
        (
            volumes("{size: 1Gi}, {size: 1Gi}"),
            volumes("{size: 1Gi}, {size: 1Gi, class: fast}"),
            "spec.pools[0].storage.volumes[1].class",
            "storage class is immutable",
        ),
        (
            volumes("{size: 1Gi}, {size: 2Gi}"),
            volumes("{size: 1Gi}, {size: 2000Mi}"),
            "spec.pools[0].storage.volumes[1].size",
            "can only grow",
        ),
        (class(""), class("").replace("1Gi", "1G"), "spec.pools[0].storage.size", "can only grow"),
        (volumes("{size: 1Gi}"), class(""), "spec.pools[0].storage.volumes", "cannot be removed"),
        (
            zookeeper("      class: slow\n"),
            zookeeper("      class: fast\n"),
            "spec.zookeeper.storage.class",
            "storage class is immutable",
        ),
        (
            plain.clone(),
            format!("{POOL}  zookeeper:\n    external:\n      connect: zk:2181\n"),
            "spec.zookeeper",
            "cannot take each other's place",
        ),
    ] {
        let found = changes::cluster_update(&cluster(&new), &cluster(&old));
        assert_eq!(found.len(), 1, "{old}\n{new}\n{found:?}");
        assert!(found[0].field == field && found[0].what.contains(part), "{found:?}");
        assert_eq!(changes::cluster_update(&cluster(&old), &cluster(&old)), [], "{old}");
    }
    let growing = changes::cluster_update(
        &cluster(&volumes("{size: 1.5Gi}, {size: 2Gi}")),
        &cluster(&volumes("{size: 1Gi}")),
    );
    assert_eq!(growing, []);
    for (old, new, field) in [
        ("", "  topicName: x\n", "spec.topicName"),
        ("  topicName: x\n", "  topicName: y\n", "spec.topicName"),
        ("  topicName: x\n", "", "spec.topicName"),
        ("  partitions: 3\n", "  partitions: 2\n", "spec.partitions"),
    ] {
        let found = changes::topic_update(&topic(new), &topic(old));
        assert!(found.len() == 1 && found[0].field == field, "{old}{new}: {found:?}");
    }
    let mut moved = topic("");
    moved.spec.cluster.name = "red".to_owned();
    assert_eq!(changes::topic_update(&moved, &topic(""))[0].what, "the cluster is immutable");
    assert_eq!(changes::topic_update(&topic("  partitions: 3\n"), &topic("  partitions: 2\n")), []);
}

/// As an API server does with a list-map: by their names, not by their places.
#[test]
fn pools_are_compared_by_name() {
    let pool =
        |name: &str, first: i32| format!("  - name: {name}\n    replicas: 1\n    firstBrokerId: {first}\n");
    let pools = |pools: &[(&str, i32)]| {
        let pools: String = pools.iter().map(|(name, first)| pool(name, *first)).collect();
        cluster(&format!("  pools:\n{pools}{ZOOKEEPER}"))
    };
    let old = pools(&[("a", 0), ("b", 100)]);
    for right in
        [&[("b", 100), ("a", 0)][..], &[("new", 200), ("a", 0), ("b", 100)], &[("b", 100)], &[("c", 300)]]
    {
        assert_eq!(changes::cluster_update(&pools(right), &old), [], "{right:?}");
    }
    let found = changes::cluster_update(&pools(&[("b", 0), ("a", 100)]), &old);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|found| found.what.starts_with("firstBrokerId is immutable")), "{found:?}");
}
