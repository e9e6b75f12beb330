//! Which machine, which versions, which run: without that a figure means nothing.

use std::fs;
use std::process::Command;

use vltava_testkit::apache::Version;
use vltava_testkit::vltava;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) command_line: String,
    pub(crate) rounds: u32,
    pub(crate) gigabytes: f64,
    pub(crate) seconds: u64,
}

/// Lines of a list that say where and of what the results are.
pub(crate) fn describe(run: &Run) -> String {
    let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
    format!(
        "- {}, `{}`\n- {}, {} cores, {} of memory, Linux {}\n- Vltava {} at {}; Apache Kafka {} (ZooKeeper mode) and {} (KRaft), heap 1 GB, the \
         JVM flags of its start script, {}; librdkafka {librdkafka}\n",
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        run.command_line,
        processor(),
        std::thread::available_parallelism().map_or(0, usize::from),
        memory(),
        read("/proc/sys/kernel/osrelease"),
        env!("CARGO_PKG_VERSION"),
        commit(),
        Version::V3_9.number(),
        Version::V4.number(),
        java(),
    )
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn field(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn memory() -> String {
    let kilobytes = field("/proc/meminfo", "MemTotal").and_then(|text| {
        let number = text.split_whitespace().next()?.parse::<f64>().ok()?;
        Some(number * 1024.0 / 1e9)
    });
    kilobytes.map_or_else(|| "an unknown amount".to_owned(), |gigabytes| format!("{gigabytes:.0} GB"))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).lines().next()?.trim().to_owned())
}

fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--abbrev=10"]).current_dir(vltava::checkout());
    output(&mut git).unwrap_or_else(|| "no known commit".to_owned())
}

fn java() -> String {
    output(Command::new("java").arg("-version")).unwrap_or_else(|| "an unknown JVM".to_owned())
}
