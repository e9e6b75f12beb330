//! What the system knows of a process, and what a log directory knows of batches.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// CPU seconds, user and system, that process `id` has used.
pub(crate) fn cpu_seconds(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("a living process");
    // The name in parentheses may hold anything; what follows it does not.
    let after_name = stat.rsplit_once(')').expect("a stat line").1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// CPU seconds that the calling thread has used.
pub(crate) fn thread_cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("a kernel with schedstat");
    stat.split_whitespace().next().expect("a number").parse::<u64>().expect("nanoseconds") as f64 / 1e9
}

/// Resident memory of process `id` in bytes.
pub(crate) fn resident_bytes(id: u32) -> f64 {
    status(id, "VmRSS:")
}

/// The most that it ever was.
pub(crate) fn peak_resident_bytes(id: u32) -> f64 {
    status(id, "VmHWM:")
}

fn status(id: u32, key: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a living process");
    kilobytes(&status, key) as f64 * 1024.0
}

fn kilobytes(lines: &str, key: &str) -> u64 {
    let line = lines.lines().find(|line| line.starts_with(key)).expect("the key");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Bytes of memory that nobody uses, not even as a cache.
pub(crate) fn free_memory() -> u64 {
    kilobytes(&fs::read_to_string("/proc/meminfo").expect("/proc"), "MemFree:") * 1024
}

/// The value below which `share` of the sorted samples lie.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}

/// The mean size of the batches in a partition's files: what the client made of its records, which is what a broker sees.
pub(crate) fn mean_batch_bytes(partition: &Path) -> f64 {
    let (mut batches, mut bytes) = (0_u64, 0_u64);
    for entry in fs::read_dir(partition).expect("the partition's directory") {
        let path = entry.expect("the partition's directory").path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let file = File::open(&path).expect("a segment");
        let end = file.metadata().expect("a segment").len();
        let (mut position, mut head) = (0, [0; 12]);
        while position + 12 <= end {
            file.read_exact_at(&mut head, position).expect("a batch's head");
            let length = u32::from_be_bytes([head[8], head[9], head[10], head[11]]);
            // Kafka preallocates nothing by default; zeros would mean that it does.
            if length == 0 {
                break;
            }
            batches += 1;
            bytes += 12 + u64::from(length);
            position += 12 + u64::from(length);
        }
    }
    assert!(batches > 0, "{} holds no batch", partition.display());
    bytes as f64 / batches as f64
}

/// Ten thousand connections have two ends, and one of them is here.
pub(crate) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).expect("the limit on open files can be raised");
}
