//! What the system knows of a process.

use std::fs;

/// CPU seconds, user and system, that process `id` has used.
pub(crate) fn cpu_seconds(id: u32) -> f64 {
    used(&format!("/proc/{id}/stat"))
}

/// CPU seconds that the calling thread has used.
pub(crate) fn thread_cpu_seconds() -> f64 {
    used("/proc/thread-self/stat")
}

fn used(path: &str) -> f64 {
    let stat = fs::read_to_string(path).expect("a living process");
    // The name in parentheses may hold anything; what follows it does not.
    let after_name = stat.rsplit_once(')').expect("a stat line").1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
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
    let line = status.lines().find(|line| line.starts_with(key)).expect("the key");
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024.0
}

/// The value below which `share` of the sorted samples lie.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}
