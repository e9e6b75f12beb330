//! The performance tests, beside those of Apache Kafka: each line has the same shape.

mod tool;

use regex::Regex;
use tool::{Place, Said, run};
use vltava_testkit::apache::Version;

/// A line with its numbers as their form: `12.50` is `N.dd`, times are `T`.
fn shape(line: &str) -> String {
    let time = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}").unwrap();
    let fraction = Regex::new(r"-?\d+\.(\d+)").unwrap();
    let number = Regex::new(r"(^|[^.\w])-?\d+").unwrap();
    let line = time.replace_all(line, "T");
    let line = fraction
        .replace_all(&line, |found: &regex::Captures<'_>| format!("N.{}", "d".repeat(found[1].len())));
    number.replace_all(&line, "${1}N").into_owned()
}

/// The shapes of a good run's lines. How many windows of five seconds a run takes is the machine's affair: they are left out.
fn shapes(said: &Said) -> Vec<String> {
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
    said.lines().into_iter().filter(|line| !is_window(line)).map(shape).collect()
}

fn is_window(line: &str) -> bool {
    line.ends_with(" max latency.")
}

/// The same line typed at Vltava's tool and at one of Apache's gives lines of the same shapes.
fn alike(place: &Place, version: Version, line: &str) -> String {
    let ours = run(place.ours(line));
    let theirs = run(place.theirs(version, line));
    assert_eq!(shapes(&ours), shapes(&theirs), "{line}\n{}\n{}", ours.out, theirs.out);
    ours.out
}

/// The same mistake is answered with the same words, however the lines are broken, and exit code.
fn refused_alike(place: &Place, version: Version, line: &str) {
    let ours = run(place.ours(line));
    let theirs = run(place.theirs(version, line));
    let words = |said: &Said| {
        let error = said.err.split_once("error: ").unwrap_or_else(|| panic!("{line}: {}", said.err)).1;
        // Lines are broken at hyphens too.
        error.split_whitespace().collect::<String>()
    };
    assert_eq!((words(&ours), ours.code), (words(&theirs), theirs.code), "{line}");
}

#[test]
fn produced_records_are_counted_as_kafka_counts_them() {
    let place = Place::new();
    place.topic("made", 2);
    let line = "kafka-producer-perf-test.sh --topic made --num-records 3000 --record-size 100 --throughput -1 \
                --producer-props bootstrap.servers={brokers} acks=all";
    let said = alike(&place, Version::V3_9, line);
    assert!(said.lines().last().unwrap().starts_with("3000 records sent, "), "{said}");
    assert_eq!(place.records("made"), 6000);
    alike(&place, Version::V0_11, line);
    assert_eq!(place.records("made"), 12000);
}

#[test]
fn a_slow_run_tells_every_five_seconds_how_it_goes() {
    let place = Place::new();
    place.topic("slow", 1);
    let line = "kafka-producer-perf-test.sh --topic slow --num-records 700 --record-size 10 --throughput 100 \
                --producer-props bootstrap.servers={brokers}";
    let (ours, theirs) = (run(place.ours(line)), run(place.theirs(Version::V3_9, line)));
    assert_eq!(shapes(&ours), shapes(&theirs));
    let window = |said: &Said| said.lines().into_iter().find(|line| is_window(line)).map(shape);
    assert!(window(&ours).is_some(), "{}", ours.out);
    assert_eq!(window(&ours), window(&theirs));
    let rate: f64 = ours.lines().last().unwrap().split(' ').nth(3).unwrap().parse().unwrap();
    assert!(rate <= 105.0, "{}", ours.out);
}

#[test]
fn payloads_come_from_a_file_or_count() {
    let place = Place::new();
    place.topic("chosen", 1);
    place.topic("counted", 1);
    std::fs::write(place.folder.path().join("payloads"), "red;green;blue;").unwrap();
    let line = "kafka-producer-perf-test.sh --topic chosen --num-records 60 --payload-file {folder}/payloads --payload-delimiter ; \
                --throughput -1 --producer-props bootstrap.servers={brokers}";
    let said = alike(&place, Version::V3_9, line);
    assert!(said.contains("\nNumber of messages read: 3\n"), "{said}");
    let read = "kafka-console-consumer.sh --bootstrap-server {brokers} --from-beginning --timeout-ms 20000";
    let said = run(place.ours(&format!("{read} --topic chosen --max-messages 120"))).good();
    for colour in ["red", "green", "blue"] {
        assert!(said.lines().filter(|line| *line == colour).count() > 5, "{said}");
    }
    let line = "kafka-producer-perf-test.sh --topic counted --num-records 12 --payload-monotonic --throughput 1000 \
                --producer-props bootstrap.servers={brokers}";
    alike(&place, Version::V3_9, line);
    let said = run(place.ours(&format!("{read} --topic counted --max-messages 24"))).good();
    let once: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), [once.clone(), once].concat());
}

#[test]
fn a_producer_of_old_sends_from_threads() {
    let place = Place::new();
    for topic in ["a", "b", "labelled", "keyed"] {
        place.topic(topic, 1);
    }
    let class = "kafka-run-class.sh kafka.tools.ProducerPerformance --broker-list {brokers}";
    let line = format!(
        "{class} --topics a,b --messages 500 --threads 2 --message-size 50 --compression-codec 2 --batch-size 100 --request-num-acks 1"
    );
    let said = alike(&place, Version::V0_11, &line);
    assert_eq!(said.lines().nth(1).unwrap().split(", ").nth(7), Some("1000"), "{said}");
    assert_eq!((place.records("a"), place.records("b")), (1000, 1000));

    let line = format!(
        "{class} --topics labelled --messages 4 --threads 2 --initial-message-id 7 --message-size 60 --sync --hide-header"
    );
    let said = alike(&place, Version::V0_11, &line);
    assert_eq!(said.lines().count(), 1);
    let read = "kafka-console-consumer.sh --bootstrap-server {brokers} --from-beginning --timeout-ms 20000 --max-messages 8 --topic labelled";
    let mut lines: Vec<String> = run(place.ours(read)).good().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines[0], "Topic:labelled:ThreadID:0:MessageID:0000000007:xxxxxxxxxxxxx");
    assert!(lines.chunks(2).all(|pair| pair[0] == pair[1]), "both tools write the same: {lines:?}");

    let line =
        format!("{class} --topics keyed --messages 3 --new-producer --vary-message-size --message-size 9");
    alike(&place, Version::V0_11, &line);
    assert_eq!(place.records("keyed"), 6);
}

#[test]
fn the_first_java_tool_took_its_arguments_by_place() {
    let place = Place::new();
    place.topic("placed", 1);
    let class = "kafka-run-class.sh org.apache.kafka.clients.tools.ProducerPerformance";
    let said =
        run(place.ours(&format!("{class} placed 40 10 -1 bootstrap.servers={{brokers}} acks=1"))).good();
    assert!(said.lines().last().unwrap().starts_with("40 records sent, "), "{said}");
    assert_eq!(place.records("placed"), 40);
    assert_eq!(run(place.ours(&format!("{class} placed 40"))).code, Some(1));
}

#[test]
fn wrong_options_are_answered_as_kafka_answers_them() {
    let place = Place::new();
    let producer = "kafka-producer-perf-test.sh --producer-props bootstrap.servers={brokers}";
    for options in [
        "",
        "--topic t",
        "--topic t --num-records 1",
        "--topic t --num-records 1 --throughput -1",
        "--topic t --num-records 1 --throughput -1 --record-size 1 --payload-monotonic",
    ] {
        refused_alike(&place, Version::V3_9, &format!("{producer} {options}"));
    }
    refused_alike(
        &place,
        Version::V3_9,
        "kafka-producer-perf-test.sh --topic t --num-records 1 --throughput -1 --record-size 1",
    );
    let consumer = "kafka-consumer-perf-test.sh";
    let said = run(place.ours(&format!("{consumer} --bootstrap-server {{brokers}} --messages 1")));
    assert!(
        said.code == Some(1) && said.err.starts_with("Missing required argument \"[topic]\""),
        "{}",
        said.err
    );
    let said = run(place.ours(&format!(
        "{consumer} --broker-list {{brokers}} --topic t --messages 1 --reporting-interval 0"
    )));
    assert!(
        said.code == Some(1) && said.err.contains("Reporting interval must be greater than 0."),
        "{}",
        said.err
    );
    let said =
        run(place
            .ours(&format!("{consumer} --broker-list {{brokers}} --topic t --messages 1 --date-format b")));
    assert!(said.err.contains("Illegal pattern character 'b'"), "{}", said.err);
    let said = run(place.ours(&format!(
        "{consumer} --broker-list {{brokers}} --zookeeper {{zookeeper}} --topic t --messages 1"
    )));
    assert!(said.err.contains("Option [broker-list] is not valid with [zookeeper]."), "{}", said.err);
}

#[test]
fn transactions_that_the_broker_refuses_are_told_by_name() {
    let place = Place::new();
    place.topic("never", 1);
    let line = "kafka-producer-perf-test.sh --topic never --num-records 10 --record-size 1 --throughput -1 --transaction-duration-ms 100 \
                --transactional-id mine --producer-props bootstrap.servers={brokers} max.block.ms=10000";
    let said = run(place.ours(line));
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.err.contains("transactions cannot be used: "), "{}", said.err);
    assert_eq!(place.records("never"), 0);
}

#[test]
fn consumed_records_are_counted_as_kafka_counts_them() {
    let place = Place::new();
    place.topic("read", 3);
    let fill = "kafka-producer-perf-test.sh --topic read --num-records 9000 --record-size 200 --throughput -1 \
                --producer-props bootstrap.servers={brokers}";
    run(place.ours(fill)).good();
    let consumer = "kafka-consumer-perf-test.sh --bootstrap-server {brokers} --topic read";
    let said = alike(
        &place,
        Version::V3_9,
        &format!("{consumer} --messages 9000 --timeout 60000 --fetch-size 20000 --socket-buffer-size 65536"),
    );
    let fields: Vec<&str> = said.lines().nth(1).unwrap().split(", ").collect();
    assert_eq!((fields[2], fields[4]), ("1.7166", "9000"), "{said}");

    // Who waits in vain says so.
    let said = alike(
        &place,
        Version::V3_9,
        &format!("{consumer} --messages 9001 --timeout 1500 --hide-header --threads 3"),
    );
    assert!(said.contains("timeout (1500 ms) exceeded"), "{said}");
    let said =
        run(place.ours(&format!("{consumer} --messages 1 --from-latest --timeout 1500 --hide-header")))
            .good();
    assert_eq!(said.lines().nth(1).unwrap().split(", ").nth(4), Some("0"), "{said}");
}

#[test]
fn detailed_lines_are_kafkas() {
    let place = Place::new();
    place.topic("watched", 1);
    let fill = "kafka-producer-perf-test.sh --topic watched --num-records 20000 --record-size 1000 --throughput -1 \
                --producer-props bootstrap.servers={brokers}";
    run(place.ours(fill)).good();
    let line = "kafka-consumer-perf-test.sh --broker-list {brokers} --topic watched --messages 20000 --timeout 60000 --show-detailed-stats --reporting-interval 1";
    let (ours, theirs) = (run(place.ours(line)), run(place.theirs(Version::V3_9, line)));
    let (ours, theirs) = (shapes(&ours), shapes(&theirs));
    assert!(ours.len() > 1 && theirs.len() > 1, "{ours:?}\n{theirs:?}");
    let either = |mut lines: Vec<String>| {
        lines.sort();
        lines.dedup();
        lines
    };
    assert_eq!(either(ours), either(theirs));
}

#[test]
fn metrics_are_printed_in_kafkas_table() {
    let place = Place::new();
    place.topic("metered", 1);
    let props = "--producer-props bootstrap.servers={brokers} client.id=meter";
    let line = format!(
        "kafka-producer-perf-test.sh --topic metered --num-records 500 --record-size 10 --throughput -1 --print-metrics {props}"
    );
    let (ours, theirs) = (run(place.ours(&line)).good(), run(place.theirs(Version::V3_9, &line)).good());
    let named = |said: &str, name: &str| {
        let line =
            said.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}:\n{said}"));
        line.split_once(" : ").unwrap().1.to_owned()
    };
    for said in [&ours, &theirs] {
        let lines: Vec<&str> = said.lines().collect();
        let header = lines.iter().position(|line| line.starts_with("Metric Name ")).unwrap();
        assert!(lines[header - 1].is_empty() && lines[header].ends_with("   Value"), "{said}");
        assert_eq!(named(said, "producer-metrics:record-send-total:{client-id=meter} "), "500.000");
        assert_eq!(
            named(said, "producer-topic-metrics:record-send-total:{client-id=meter, topic=metered}"),
            "500.000"
        );
    }
    let line = "kafka-consumer-perf-test.sh --bootstrap-server {brokers} --topic metered --messages 1000 --timeout 60000 --print-metrics";
    let (ours, theirs) = (run(place.ours(line)).good(), run(place.theirs(Version::V3_9, line)).good());
    for said in [ours, theirs] {
        assert!(
            said.contains("\nMetric Name ")
                && said.contains("consumer-fetch-manager-metrics:records-consumed-total:"),
            "{said}"
        );
    }
}

#[test]
fn a_consumer_of_old_has_threads_that_share_partitions() {
    let place = Place::new();
    place.topic("shared", 4);
    let fill = "kafka-producer-perf-test.sh --topic shared --num-records 4000 --record-size 100 --throughput -1 \
                --producer-props bootstrap.servers={brokers} batch.size=1000";
    run(place.ours(fill)).good();
    let line =
        "kafka-consumer-perf-test.sh --zookeeper {zookeeper} --topic shared --messages 4000 --threads 2";
    let said = alike(&place, Version::V0_11, line);
    assert_eq!(said.lines().nth(1).unwrap().split(", ").nth(4), Some("4000"), "{said}");
    // Each thread reads so many at most, and says what it has read.
    let line = "kafka-consumer-perf-test.sh --zookeeper {zookeeper} --topic shared --messages 100 --threads 2 --show-detailed-stats";
    let said = alike(&place, Version::V0_11, line);
    let threads: Vec<Vec<&str>> = said.lines().skip(1).map(|line| line.split(", ").collect()).collect();
    let read: Vec<(&str, &str)> = threads.iter().map(|fields| (fields[1], fields[4])).collect();
    assert_eq!(read, [("0", "100"), ("1", "100")], "{said}");
}

#[test]
fn a_consumer_of_0_11_reads_from_the_beginning_and_has_fewer_columns() {
    let place = Place::new();
    place.topic("again", 2);
    let fill = "kafka-producer-perf-test.sh --topic again --num-records 3000 --record-size 100 --throughput -1 \
                --producer-props bootstrap.servers={brokers}";
    run(place.ours(fill)).good();
    let line = "kafka-consumer-perf-test.sh --broker-list {brokers} --topic again --messages 3000 --group same --threads 2 --from-latest";
    let theirs = shapes(&run(place.theirs(Version::V0_11, line)));
    // The group has read everything by now, which does not matter.
    let mut command = place.ours(line);
    command.env("VLTAVA_ERA", "0.11");
    let ours = run(command);
    assert_eq!(shapes(&ours), theirs);
    assert_eq!(ours.lines()[1].split(", ").nth(4), Some("3000"), "{}", ours.out);
    let mut command = place.ours("kafka-consumer-perf-test.sh --topic again --messages 1");
    command.env("VLTAVA_ERA", "0.11");
    let said = run(command);
    assert!(said.err.starts_with("Missing required argument \"[broker-list]\""), "{}", said.err);
    // 0.8 has one column more.
    let line = "kafka-consumer-perf-test.sh --zookeeper {zookeeper} --topic again --messages 3000 --threads 1 --fetch-size 70000 --era 0.8";
    let said = run(place.ours(line)).good();
    let rows: Vec<Vec<&str>> = said.lines().map(|line| line.split(", ").collect()).collect();
    assert_eq!((rows[0][2], rows[1][2], rows[1][5]), ("fetch.size", "70000", "3000"), "{said}");
}
