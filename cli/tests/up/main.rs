//! `vltava up`, as somebody at a terminal uses it.

mod edits;
mod life;
mod place;
mod ports;
mod several;

use std::fs;

use vltava_testkit::vltava;

use self::place::{LIMIT, Place, TOPIC, manifest, said};

#[test]
fn a_wrong_manifest_is_told_with_file_line_and_field() {
    let place = Place::new();
    place.write(&manifest(place.port, "  colour: red\n").replacen("replicas: 1", "replcas: 1", 1));
    let output = place.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    let expected =
        "cluster.yaml: document 1, line 8: spec.pools[0].replcas: unknown field, did you mean replicas";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains(": spec.colour: unknown field"), "{said}");
    assert!(!place.data().exists(), "nothing may be made for a manifest that is wrong");
}

#[test]
fn a_manifest_that_is_not_there_or_has_no_cluster_is_told() {
    let place = Place::new();
    let says = |text: &str| {
        place.write(text);
        said(&place.command().output().unwrap())
    };
    assert!(says(TOPIC).contains("there is no KafkaCluster in it"));
    let strange = format!("{}{}", manifest(place.port, ""), TOPIC.replace("name: blue", "name: red"));
    assert!(
        says(&strange).contains("Topic orders: spec.cluster.name: is of the cluster red, and this is blue")
    );
    fs::remove_file(place.file()).unwrap();
    assert!(said(&place.command().output().unwrap()).contains("cluster.yaml: No such file"));
}

#[test]
fn a_data_directory_that_cannot_be_written_is_told() {
    let place = Place::new();
    fs::write(place.data(), "a file").unwrap();
    let said = said(&place.command().output().unwrap());
    assert!(said.contains("data cannot be written") && said.contains("Choose another with --data"), "{said}");
}

#[test]
fn two_cannot_use_one_data_directory() {
    let place = Place::new();
    let mut up = place.up();
    let second = place.command().output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains("another `vltava up` uses the data directory"), "{}", said(&second));
    assert!(up.stop(LIMIT).success());
}

#[test]
fn fields_without_meaning_on_a_laptop_are_listed() {
    let place = Place::new();
    let namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n";
    let more = format!("  image: vltava:1\n  rollout:\n    strategy: Manual\n{namespace}");
    place.write(&manifest(place.port, &more));
    let mut up = place.up();
    up.wait_for_line("ignored: spec.image: brokers are this very program", LIMIT);
    up.wait_for_line("ignored: spec.rollout.strategy", LIMIT);
    up.wait_for_line("ignored: v1 Namespace shop: not Vltava's", LIMIT);
    assert!(up.stop(LIMIT).success());
}

/// Each as it is: what it leaves open, its ports, is kept from an earlier run.
#[test]
fn every_example_starts_with_its_topics() {
    let examples = vltava::checkout().join("examples");
    let mut started = 0;
    for entry in fs::read_dir(examples).unwrap() {
        let place = Place::new();
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let name = |kind: &str| {
            let after = text.split(&format!("kind: {kind}\nmetadata:\n  name: ")).nth(1).unwrap();
            after.lines().next().unwrap().to_owned()
        };
        place.write(&text);
        place.keep_ports_of(&name("KafkaCluster"), "plaintext");
        let mut up = place.start();
        up.wait_for_line(&format!("topic {}: created", name("Topic")), LIMIT);
        up.wait_for_line(&format!("Kafka      127.0.0.1:{}", place.port), LIMIT);
        assert!(up.stop(LIMIT).success());
        assert!(!up.output().contains("ignored: "), "{}", up.output());
        started += 1;
    }
    assert!(started > 0);
}
