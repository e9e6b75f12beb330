//! What the kernel knows about this process.

use std::fs;

use super::Exposition;

/// Adds the `process_*` numbers of Prometheus' client libraries, and Kafka's disk bytes. What `/proc` does not tell is left out.
pub(super) fn expose(exposition: &mut Exposition) {
    if let Some(stat) = Stat::read() {
        exposition
            .counter("process_cpu_seconds_total", "Processor time in user and kernel mode, in seconds.")
            .sample(&[], stat.cpu_seconds);
        exposition
            .gauge("process_start_time_seconds", "When the process started, in seconds since 1970.")
            .sample(&[], stat.start_seconds);
        exposition
            .gauge("process_virtual_memory_bytes", "Address space in bytes.")
            .sample(&[], stat.virtual_bytes);
        exposition
            .gauge("process_resident_memory_bytes", "Memory in RAM in bytes.")
            .sample(&[], stat.resident_bytes);
        exposition.gauge("process_threads", "Threads.").sample(&[], stat.threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        exposition.gauge("process_open_fds", "Open file descriptors.").sample(&[], open.count() as f64);
    }
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        exposition
            .gauge("process_max_fds", "The most file descriptors that may be open.")
            .sample(&[], limit as f64);
    }
    if let Ok(io) = fs::read_to_string("/proc/self/io") {
        let field = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        if let Some(bytes) = field("read_bytes:") {
            exposition
                .gauge("kafka_server_kafkaserver_linux_disk_read_bytes", "Bytes read from disks.")
                .sample(&[], bytes);
        }
        if let Some(bytes) = field("write_bytes:") {
            exposition
                .gauge("kafka_server_kafkaserver_linux_disk_write_bytes", "Bytes written to disks.")
                .sample(&[], bytes);
        }
    }
}

/// The fields of `/proc/self/stat` that matter here.
struct Stat {
    cpu_seconds: f64,
    start_seconds: f64,
    virtual_bytes: f64,
    resident_bytes: f64,
    threads: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        // The process' name, in parentheses, may contain anything; the state, field 3, follows it.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / ticks,
            threads: field(20)?,
            start_seconds: boot + field(22)? / ticks,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * rustix::param::page_size() as f64,
        })
    }
}
