//! Kafka Connect standalone of 0.11 with the quickstart's file source and file sink: its own libraries against Vltava, while the console
//! consumer shows the JSON envelopes.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use vltava_testkit::{maven, wait};

use crate::ground::{Ground, LIMIT, alive, prints};

const TOPIC: &str = "connect-test";

#[test]
fn connect_carries_lines_from_file_to_file() {
    let ground = Ground::embedded();
    let (source, sink) = (ground.file("test.txt"), ground.file("test.sink.txt"));
    fs::write(&source, "foo\nbar\n").unwrap();
    let json = "org.apache.kafka.connect.json.JsonConverter";
    let worker = format!(
        "bootstrap.servers={}\nkey.converter={json}\nvalue.converter={json}\nkey.converter.schemas.enable=true\n\
         value.converter.schemas.enable=true\ninternal.key.converter={json}\ninternal.value.converter={json}\n\
         internal.key.converter.schemas.enable=false\ninternal.value.converter.schemas.enable=false\n\
         offset.storage.file.filename={}\noffset.flush.interval.ms=10000\nrest.host.name=127.0.0.1\nrest.port={}\n",
        ground.bootstrap,
        ground.file("connect.offsets").display(),
        wait::free_port()
    );
    let connector = |name: &str, class: &str, rest: String| {
        format!("name={name}\nconnector.class={class}\ntasks.max=1\n{rest}\n")
    };
    let from = connector(
        "local-file-source",
        "FileStreamSource",
        format!("file={}\ntopic={TOPIC}", source.display()),
    );
    let to =
        connector("local-file-sink", "FileStreamSink", format!("file={}\ntopics={TOPIC}", sink.display()));
    // Of 0.11, this is the first whose file connectors are in Maven's repository.
    let jars = maven::libraries(
        "connect-0.11.0.3",
        &[
            "org.apache.kafka:connect-runtime:0.11.0.3",
            "org.apache.kafka:connect-json:0.11.0.3",
            "org.apache.kafka:connect-file:0.11.0.3",
            "org.slf4j:slf4j-log4j12:1.7.25",
            "javax.xml.bind:jaxb-api:2.3.1",
        ],
    );
    let mut command = ground.java(&maven::class_path(&jars));
    command.arg("org.apache.kafka.connect.cli.ConnectStandalone");
    for (name, text) in [("standalone", worker), ("source", from), ("sink", to)] {
        let file = ground.file(&format!("{name}.properties"));
        fs::write(&file, text).unwrap();
        command.arg(file);
    }
    let mut connect = ground.start("connect-standalone", command, "");
    let mut arrives = |expected: &str| {
        wait::until_equal("the sink's file", LIMIT, &expected.to_owned(), || {
            alive(&mut connect);
            fs::read_to_string(&sink).unwrap_or_default()
        });
    };

    arrives("foo\nbar\n");
    let consume = ["--zookeeper", &ground.zookeeper, "--topic", TOPIC, "--from-beginning"];
    let mut consumer = ground.start_tool("kafka-console-consumer.sh", &consume, "");
    let envelopes = ["foo", "bar", "Another line"]
        .map(|line| format!(r#"{{"schema":{{"type":"string","optional":false}},"payload":"{line}"}}"#));
    let envelopes = envelopes.each_ref().map(String::as_str);
    prints(&mut consumer, &envelopes[..2]);
    writeln!(OpenOptions::new().append(true).open(&source).unwrap(), "Another line").unwrap();
    arrives("foo\nbar\nAnother line\n");
    prints(&mut consumer, &envelopes);
}
