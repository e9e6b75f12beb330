//! The console producer and consumer, beside those of Apache Kafka: what one writes the other reads, in the same words.

mod tool;

#[path = "console/old_group.rs"]
mod old_group;

use std::fs;

use regex::Regex;
use tool::{LIMIT, Place, Said, run, run_with};
use vltava_testkit::apache::Version;
use vltava_testkit::process::Running;
use vltava_testkit::vltava;

/// A consumer's line that ends by itself.
fn read(topic: &str, count: u32, more: &str) -> String {
    format!(
        "kafka-console-consumer.sh --bootstrap-server {{brokers}} --topic {topic} --from-beginning --max-messages {count} --timeout-ms 200000 \
         {more}"
    )
}

fn write(topic: &str, more: &str) -> String {
    format!("kafka-console-producer.sh --bootstrap-server {{brokers}} --topic {topic} {more}")
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// The same line typed at both says the same on standard output, and ends with the same code.
fn alike(place: &Place, version: Version, line: &str) -> String {
    let ours = run(place.ours(line));
    let theirs = run(place.theirs(version, line));
    let seen = |said: &Said| (said.out.clone(), said.code);
    assert_eq!(seen(&ours), seen(&theirs), "{line}\n{}\n{}", ours.err, theirs.err);
    ours.out
}

/// What was lost, without the time of the log line.
fn lost(said: &Said) -> Vec<String> {
    let time = Regex::new(r"^\[[^]]*\] ").unwrap();
    let about = |line: &&str| {
        line.contains("Error when sending") || line.starts_with("org.apache.kafka.common.errors")
    };
    said.err.lines().filter(about).map(|line| time.replace(line, "").into_owned()).collect()
}

#[test]
fn what_one_tool_writes_the_other_reads_in_the_same_words() {
    let place = Place::new();
    let lines =
        "a:1,b:NULL\tk1\tone\na:\tk2\ttwo\nNULL\tNULL\tthree\nx:y,\tk4\tNULL\nx:y\tk5\t\nä:ö\tk6\tßü\tmore\n";
    let properties = "--property parse.key=true --property parse.headers=true --property null.marker=NULL";
    let shown = "--property print.key=true --property print.headers=true --property print.partition=true \
                 --property null.literal=<null> --property headers.separator=| --property key.separator=;{space}";
    let mut seen = Vec::new();
    for (topic, ours) in [("by-us", true), ("by-them", false)] {
        place.topic(topic, 3);
        let line = write(topic, properties);
        let command = if ours { place.ours(&line) } else { place.theirs(Version::V3_9, &line) };
        run_with(lines, command).good();
        let line = read(topic, 6, shown);
        seen.push(run(place.ours(&line)).good());
        seen.push(run(place.theirs(Version::V3_9, &line)).good());
    }
    // A key decides the partition, and it is the same one; a record without a key goes anywhere.
    let keyed = |text: &str| {
        let lines: Vec<String> =
            sorted(text).into_iter().filter(|line| !line.contains("three")).map(str::to_owned).collect();
        assert_eq!(lines.len(), 5, "{text}");
        lines
    };
    for other in &seen[1..] {
        assert_eq!(keyed(&seen[0]), keyed(other));
    }
    assert!(
        seen[0].contains("a:1|b:<null>; k1; one\n") && seen[0].contains("NO_HEADERS; <null>; three\n"),
        "{}",
        seen[0]
    );
}

#[test]
fn every_codec_is_written_and_read() {
    let place = Place::new();
    let codecs = [("", "none"), ("--compression-codec", "gzip"), ("--compression-codec snappy", "snappy")];
    let more = [
        ("--compression-codec lz4", "lz4"),
        ("--compression-codec zstd", "zstd"),
        ("--compression-codec none", "none"),
    ];
    for (number, (option, codec)) in codecs.into_iter().chain(more).enumerate() {
        let topic = format!("codec-{number}");
        place.topic(&topic, 1);
        let lines = format!("{}\n", "squeeze ".repeat(40)).repeat(3);
        run_with(&lines, place.ours(&write(&topic, option))).good();
        assert_eq!(run(place.ours(&read(&topic, 3, ""))).good(), lines);
        assert_eq!(run(place.theirs(Version::V3_9, &read(&topic, 3, ""))).good(), lines);
        let dump = format!("kafka-dump-log.sh --files {{folder}}/data/{topic}-0/00000000000000000000.log");
        let said = run(place.ours(&dump)).good();
        assert!(said.contains(&format!("compresscodec: {codec} ")), "{codec}: {said}");
    }
}

#[test]
fn a_damaged_batch_ends_the_consumer_and_is_not_passed_over() {
    use std::os::unix::fs::FileExt as _;
    let place = Place::new();
    place.topic("damaged", 1);
    for line in ["first\n", "second\n", "third\n"] {
        run_with(line, place.ours(&write("damaged", ""))).good();
    }
    let log = place.folder.path().join("data/damaged-0/00000000000000000000.log");
    let bytes = fs::read(&log).unwrap();
    let at = bytes.windows(6).position(|window| window == b"second").unwrap();
    fs::File::options().write(true).open(&log).unwrap().write_all_at(b"S", at as u64).unwrap();
    // With a limit, so that who passes over it is not told from who waits for more.
    let line = read("damaged", 3, "");
    let (ours, theirs) = (run(place.ours(&line)), run(place.theirs(Version::V3_9, &line)));
    assert_eq!(
        (ours.out.as_str(), ours.code),
        (theirs.out.as_str(), theirs.code),
        "{}\n{}",
        ours.err,
        theirs.err
    );
    assert_eq!(ours.out, "first\n");
    assert!(ours.err.contains("offset 1 ") && ours.err.contains("failed CRC32C check"), "{}", ours.err);
}

#[test]
fn deserializers_show_what_bytes_mean() {
    let place = Place::new();
    place.topic("typed", 1);
    run_with(
        "1234:12345678\nabcd:\u{1}\u{2}\u{3}\u{4}abcd\n",
        place.ours(&write("typed", "--property parse.key=true --property key.separator=:")),
    )
    .good();
    let class = |name: &str| format!("org.apache.kafka.common.serialization.{name}Deserializer");
    for (key, value) in
        [("Integer", "Long"), ("Float", "Double"), ("String", "String"), ("ByteArray", "Bytes")]
    {
        // A byte array of Java's shows as its identity: that is no text to compare.
        if key == "ByteArray" {
            let options = format!("--key-deserializer {} --property print.key=true", class(key));
            assert_eq!(run(place.ours(&read("typed", 1, &options))).good(), "1234\t12345678\n");
            continue;
        }
        let options = format!(
            "--key-deserializer {} --value-deserializer {} --property print.key=true",
            class(key),
            class(value)
        );
        alike(&place, Version::V3_9, &read("typed", 2, &options));
        let options = format!(
            "--property print.key=true --property key.deserializer={} --property value.deserializer={}",
            class(key),
            class(value)
        );
        alike(&place, Version::V0_11, &read("typed", 2, &options));
    }
    // What does not fit ends the tool, or is passed over.
    let short = format!("--value-deserializer {}", class("Short"));
    alike(&place, Version::V3_9, &read("typed", 2, &short));
    let said = run(place.ours(&read("typed", 2, &format!("{short} --skip-message-on-error"))));
    assert_eq!((said.out.as_str(), said.code), ("", Some(0)));
    assert!(said.err.contains("Error processing message, skipping this message: "), "{}", said.err);
    assert!(said.err.contains("Size of data received by ShortDeserializer is not 2"), "{}", said.err);
}

#[test]
fn a_partition_is_read_from_where_one_says() {
    let place = Place::new();
    place.topic("placed", 1);
    run_with("zero\none\ntwo\nthree\n", place.ours(&write("placed", ""))).good();
    let from = |more: &str| {
        let line = "kafka-console-consumer.sh --bootstrap-server {brokers} --topic placed --partition 0 --property print.offset=true";
        alike(&place, Version::V3_9, &format!("{line} {more}"))
    };
    assert_eq!(from("--offset 2 --max-messages 2"), "Offset:2\ttwo\nOffset:3\tthree\n");
    assert_eq!(from("--offset earliest --max-messages 1"), "Offset:0\tzero\n");
    assert_eq!(from("--from-beginning --max-messages 1"), "Offset:0\tzero\n");
    assert_eq!(from("--timeout-ms 1500"), "");
    assert_eq!(from("--offset latest --timeout-ms 1500"), "");
}

#[test]
fn topics_are_chosen_by_a_pattern_of_javas() {
    let place = Place::new();
    for topic in ["log1", "log22", "log333", "other"] {
        place.topic(topic, 1);
        run_with(&format!("{topic}\n"), place.ours(&write(topic, ""))).good();
    }
    let line = |option: &str| {
        format!(
            "kafka-console-consumer.sh --bootstrap-server {{brokers}} {option} log\\d{{1,2}} --from-beginning --max-messages 2 --timeout-ms 200000"
        )
    };
    for (version, option) in [(Version::V3_9, "--include"), (Version::V0_11, "--whitelist")] {
        let (ours, theirs) =
            (run(place.ours(&line(option))).good(), run(place.theirs(version, &line(option))).good());
        assert_eq!((sorted(&ours), sorted(&theirs)), (vec!["log1", "log22"], vec!["log1", "log22"]));
    }
    let but = line("--include").replace("log\\d{1,2}", "(?!log1)log\\d+");
    let (ours, theirs) = (run(place.ours(&but)).good(), run(place.theirs(Version::V3_9, &but)).good());
    assert_eq!((sorted(&ours), sorted(&theirs)), (vec!["log22", "log333"], vec!["log22", "log333"]));
    let said = run(place.ours(&line("--include").replace("log\\d", "(")));
    assert!(said.code == Some(1) && said.err.contains("PatternSyntaxException"), "{}", said.err);
}

#[test]
fn a_group_goes_on_where_it_was() {
    let place = Place::new();
    place.topic("resumed", 1);
    run_with("a\nb\nc\nd\n", place.ours(&write("resumed", ""))).good();
    let line = |count: u32| read("resumed", count, "--group g");
    assert_eq!(run(place.ours(&line(1))).good(), "a\n");
    assert_eq!(run(place.theirs(Version::V3_9, &line(1))).good(), "b\n");
    assert_eq!(run(place.ours(&line(2))).good(), "c\nd\n");
    // The same group, named in other places.
    fs::write(place.folder.path().join("group.properties"), "group.id=g\nauto.offset.reset=earliest\n")
        .unwrap();
    let named = "kafka-console-consumer.sh --bootstrap-server {brokers} --topic resumed --timeout-ms 4000 --consumer.config {folder}/group.properties";
    assert_eq!(run(place.ours(named)).good(), "");
    let said = run(place.ours(&format!("{named} --group other")));
    assert!(
        said.code == Some(1) && said.err.starts_with("The group ids provided in different places"),
        "{}",
        said.err
    );
}

#[test]
fn records_of_the_coordinator_are_shown_as_kafka_shows_them() {
    let place = Place::with(&["offsets.topic.num.partitions=1"]);
    place.topic("committed", 1);
    run_with("a\nb\n", place.ours(&write("committed", ""))).good();
    run(place.ours(&read("committed", 2, "--group shown"))).good();
    let formatted = |class: &str| {
        format!(
            "kafka-console-consumer.sh --bootstrap-server {{brokers}} --topic __consumer_offsets --from-beginning --timeout-ms 20000 \
             --consumer-property exclude.internal.topics=false --formatter {class}"
        )
    };
    // Whoever reads is a group too, and writes records of its own.
    let about = |text: &str| -> Vec<String> {
        let text = text.replace("}{\"key\"", "}\n{\"key\"");
        text.lines().filter(|line| line.contains("shown")).map(str::to_owned).collect()
    };
    for (version, class) in [
        (Version::V3_9, "org.apache.kafka.tools.consumer.OffsetsMessageFormatter"),
        (Version::V3_9, "org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter"),
        (Version::V3_9, "kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter"),
        (Version::V3_9, "kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter"),
    ] {
        let line = formatted(class);
        let (ours, theirs) = (run(place.ours(&line)).good(), run(place.theirs(version, &line)).good());
        let (ours, theirs) = (about(&ours), about(&theirs));
        assert!(!ours.is_empty(), "{class}");
        assert_eq!(ours, theirs, "{class}");
    }
}

#[test]
fn the_other_formatters_are_kafkas() {
    let place = Place::new();
    place.topic("formed", 1);
    run_with(
        "k\tv\nNULL\tw\n",
        place.ours(&write("formed", "--property parse.key=true --property null.marker=NULL")),
    )
    .good();
    alike(
        &place,
        Version::V0_11,
        &read("formed", 2, "--formatter kafka.tools.ChecksumMessageFormatter --property topic=formed"),
    );
    alike(&place, Version::V0_11, &read("formed", 2, "--formatter kafka.tools.NoOpMessageFormatter"));
    alike(
        &place,
        Version::V3_9,
        &read(
            "formed",
            2,
            "--formatter org.apache.kafka.tools.consumer.LoggingMessageFormatter --property print.key=true",
        ),
    );
    alike(
        &place,
        Version::V3_9,
        &read("formed", 2, "--property print.timestamp=true --property print.value=false"),
    );
    fs::write(place.folder.path().join("formatter.properties"), "print.key=true\nkey.separator=|\n").unwrap();
    let said = alike(
        &place,
        Version::V3_9,
        &read("formed", 2, "--formatter-config {folder}/formatter.properties --property key.separator=-"),
    );
    assert_eq!(said, "k-v\nnull-w\n");
    let said = run(place.ours(&read("formed", 2, "--formatter com.example.Mine")));
    assert!(said.code == Some(1) && said.err.contains("com.example.Mine"), "{}", said.err);
}

#[test]
fn what_contradicts_itself_is_refused_in_kafkas_words() {
    let place = Place::new();
    place.topic("t", 1);
    let consumer = "kafka-console-consumer.sh --bootstrap-server {brokers}";
    let first = |said: &Said| (said.err.lines().next().unwrap_or_default().to_owned(), said.code);
    for (version, options) in [
        (Version::V3_9, ""),
        (Version::V3_9, "--topic t --include t"),
        (Version::V3_9, "--include t --partition 0"),
        (Version::V3_9, "--topic t --offset 1"),
        (Version::V3_9, "--topic t --partition 0 --offset 1 --from-beginning"),
        (Version::V3_9, "--topic t --partition 0 --offset x"),
        (Version::V3_9, "--topic t --partition 0 --offset -7"),
        (Version::V3_9, "--topic t --partition 0 --group g"),
        (Version::V3_9, "--topic t --from-beginning --consumer-property auto.offset.reset=latest"),
        (Version::V3_9, "--nosuch"),
        (Version::V0_11, "--topic t --zookeeper {zookeeper}"),
    ] {
        let line = format!("{consumer} {options}");
        assert_eq!(first(&run(place.ours(&line))), first(&run(place.theirs(version, &line))), "{line}");
    }
    for (version, line) in [
        (Version::V3_9, "kafka-console-producer.sh --broker-list nowhere --topic t"),
        (Version::V0_11, "kafka-console-producer.sh --broker-list {brokers}"),
        (Version::V0_11, "kafka-console-consumer.sh --zookeeper {zookeeper} --topic t --whitelist t"),
    ] {
        assert_eq!(first(&run(place.ours(line))), first(&run(place.theirs(version, line))), "{line}");
    }
}

#[test]
fn a_record_that_is_lost_is_named() {
    let place = Place::with(&["message.max.bytes=1000"]);
    place.topic("small", 1);
    let long = format!("{}\n", "x".repeat(2000));
    let line = write("small", "--producer-property max.request.size=1000000");
    let (ours, theirs) =
        (run_with(&long, place.ours(&line)), run_with(&long, place.theirs(Version::V3_9, &line)));
    assert_eq!(ours.code, theirs.code, "{}\n{}", ours.err, theirs.err);
    let (ours, theirs) = (lost(&ours), lost(&theirs));
    assert_eq!(ours[0], theirs[0]);
    let class = |line: &String| line.split(':').next().unwrap().to_owned();
    assert_eq!(class(&ours[1]), class(&theirs[1]));
    // One at a time, the first that is lost ends the tool.
    let input = format!("{long}after\n");
    let line = format!("{line} --sync");
    let (ours, theirs) =
        (run_with(&input, place.ours(&line)), run_with(&input, place.theirs(Version::V3_9, &line)));
    assert_eq!((ours.code, theirs.code), (Some(1), Some(1)), "{}\n{}", ours.err, theirs.err);
    assert_eq!(place.records("small"), 0);
    let line = write("small", "--property parse.key=true");
    let said = run_with("k\tv\nwithout\n", place.ours(&line));
    assert!(
        said.code == Some(1) && said.err.contains("No key separator found on line number 2: 'without'"),
        "{}",
        said.err
    );
    assert_eq!(place.records("small"), 1, "what came before is sent");
}

#[test]
fn options_of_every_era_are_taken() {
    let place = Place::new();
    place.topic("eras", 1);
    let brokers = "kafka-console-producer.sh --broker-list {brokers} --topic eras";
    for options in [
        "--sync --request-required-acks 1 --request-timeout-ms 3000 --message-send-max-retries 5 --retry-backoff-ms 50",
        "--old-producer --batch-size 3 --queue-size 10 --queue-enqueuetimeout-ms -1 --timeout 10 \
         --key-serializer kafka.serializer.DefaultEncoder --value-serializer kafka.serializer.StringEncoder",
        "--max-block-ms 5000 --max-memory-bytes 1048576 --max-partition-memory-bytes 1000 --metadata-expiry-ms 10000 --socket-buffer-size 65536",
        "--line-reader kafka.tools.ConsoleProducer$LineMessageReader --producer-property acks=all --batch-size 1000",
        "--new-producer --metadata-fetch-timeout-ms 5000",
        "--reader-config {folder}/reader.properties --producer.config {folder}/producer.properties",
    ] {
        fs::write(place.folder.path().join("reader.properties"), "parse.key=true\nkey.separator=#\n")
            .unwrap();
        fs::write(
            place.folder.path().join("producer.properties"),
            "linger.ms=1\nacks=1\ncompression.type=lz4\n",
        )
        .unwrap();
        let before = place.records("eras");
        run_with("k#1\nk#2\n", place.ours(&format!("{brokers} {options}"))).good();
        assert_eq!(place.records("eras"), before + 2, "{options}");
    }
    let last = "kafka-console-consumer.sh --bootstrap-server {brokers} --topic eras --partition 0 --offset 10 --max-messages 2 \
                --property print.key=true --timeout-ms 200000";
    assert_eq!(run(place.ours(last)).good(), "k\t1\nk\t2\n");
}

#[test]
fn properties_of_java_are_mapped_or_told() {
    let place = Place::new();
    place.topic("mapped", 1);
    let said = run_with(
        "a\n",
        place.ours(&write("mapped", "--producer-property interceptor.classes=com.example.Mine --producer-property no.such.thing=1 --producer-property linger.ms=3")),
    );
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err.contains("The configuration 'interceptor.classes' has no effect here: there is no JVM"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("The configuration 'no.such.thing' was supplied but isn't a known config."),
        "{}",
        said.err
    );
    assert!(!said.err.contains("linger.ms"), "{}", said.err);
    let said = run_with("a\n", place.ours(&write("mapped", "--producer-property acks=some")));
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("Invalid value some for configuration acks"), "{}", said.err);
    let said = run(place.ours(&read("mapped", 1, "--isolation-level read_something")));
    assert!(
        said.code == Some(1)
            && said.err.contains("Invalid value read_something for configuration isolation.level"),
        "{}",
        said.err
    );
    assert_eq!(run(place.ours(&read("mapped", 1, "--isolation-level read_committed"))).good(), "a\n");
}

#[test]
fn a_consumer_ends_at_a_signal_and_says_how_much_it_read() {
    let place = Place::new();
    place.topic("ended", 1);
    run_with("a\nb\n", place.ours(&write("ended", ""))).good();
    let line = "kafka-console-consumer.sh --bootstrap-server {brokers} --topic ended --from-beginning --enable-systest-events";
    let log = place.folder.path().join("consumer.out");
    let mut consumer = Running::start("console-consumer", place.ours(line), &log);
    consumer.wait_for_line("b", LIMIT);
    let status = consumer.stop(LIMIT);
    assert_eq!(status.code(), Some(143));
    let said = consumer.output();
    assert!(
        said.contains("Processed a total of 2 messages\n") && said.ends_with("shutdown_complete\n"),
        "{said}"
    );
}

#[test]
fn a_producer_without_a_broker_ends_at_a_signal_and_without_a_word() {
    vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
    let folder = tempfile::TempDir::new().unwrap();
    let nobody = format!("127.0.0.1:{}", vltava_testkit::wait::free_port());
    let mut command = vltava::script("kafka-console-producer.sh");
    // A deadline that this test would not wait for.
    command.args(["--bootstrap-server", &nobody, "--topic", "t", "--max-block-ms", "100000000"]);
    let log = folder.path().join("producer.out");
    let mut producer = Running::start_apart("console-producer", command, "lost\n", &log);
    // It has read the line, and waits for somebody to take it.
    producer.wait_for_line(">>", LIMIT);
    assert_eq!(producer.stop(LIMIT).code(), Some(143));
    assert!(!producer.errors().contains("Error when sending message"), "{}", producer.errors());
}
