//! What the broker's parts tell: replicas, logs, the controller, the state.

use super::{Exposition, Source};
use crate::{Broker, http::Pages, partitions::Partition};

impl Source for Pages {
    fn expose(&self, exposition: &mut Exposition) {
        exposition
            .gauge(
                "kafka_server_kafkaserver_brokerstate",
                "Kafka's BrokerState: 1 starting, 2 recovering, 3 running, 6 shutting down.",
            )
            .sample(&[], f64::from(self.lifecycle.state().kafka()));
    }
}

/// What adding up over all partitions gives.
#[derive(Debug, Default)]
struct Sums {
    partitions: usize,
    leaders: usize,
    under_replicated: usize,
    under_min_isr: usize,
    at_min_isr: usize,
}

impl Source for Broker {
    fn expose(&self, exposition: &mut Exposition) {
        let mut partitions = self.replicas.partitions();
        partitions.sort_by(|a, b| (&a.topic.name, a.index).cmp(&(&b.topic.name, b.index)));
        let mut sums = Sums::default();
        for partition in &partitions {
            expose_partition(exposition, self.id, partition, &mut sums);
        }
        for (name, help, value) in [
            ("kafka_server_replicamanager_partitioncount", "Replicas on this broker.", sums.partitions),
            ("kafka_server_replicamanager_leadercount", "Partitions that this broker leads.", sums.leaders),
            (
                "kafka_server_replicamanager_underreplicatedpartitions",
                "Partitions led here with fewer in-sync replicas than replicas.",
                sums.under_replicated,
            ),
            (
                "kafka_server_replicamanager_underminisrpartitioncount",
                "Partitions led here with fewer in-sync replicas than min.insync.replicas.",
                sums.under_min_isr,
            ),
            (
                "kafka_server_replicamanager_atminisrpartitioncount",
                "Partitions led here with as many in-sync replicas as min.insync.replicas.",
                sums.at_min_isr,
            ),
            (
                "kafka_log_logmanager_offlinelogdirectorycount",
                "Log directories that have failed.",
                self.replicas.storage().disks().iter().filter(|disk| disk.is_offline()).count(),
            ),
        ] {
            exposition.gauge(name, help).sample(&[], value as f64);
        }
        expose_controller(exposition, self);
    }
}

fn expose_partition(exposition: &mut Exposition, id: i32, partition: &Partition, sums: &mut Sums) {
    let index = partition.index.to_string();
    let labels = [("topic", &*partition.topic.name), ("partition", index.as_str())];
    exposition
        .gauge("kafka_log_log_size", "Bytes of a partition's segments.")
        .sample(&labels, partition.reader().size() as f64);
    sums.partitions += 1;
    if partition.leadership().leader != id {
        return;
    }
    sums.leaders += 1;
    let (isr, replicas, preferred) = partition.with_replication(|replication| {
        let replicas = replication.replicas();
        (replication.isr().committed().len(), replicas.len(), replicas.first() == Some(&id))
    });
    let wanted = partition.topic.config().min_insync_replicas.min(replicas.max(1));
    sums.under_replicated += usize::from(isr < replicas);
    sums.under_min_isr += usize::from(isr < wanted);
    sums.at_min_isr += usize::from(isr == wanted);
    for (name, help, value) in [
        ("kafka_cluster_partition_replicascount", "Replicas of a partition led here.", replicas),
        ("kafka_cluster_partition_insyncreplicascount", "In-sync replicas of a partition led here.", isr),
        (
            "kafka_cluster_partition_underminisr",
            "1 if a partition led here is under its min.insync.replicas.",
            usize::from(isr < wanted),
        ),
        (
            "kafka_cluster_partition_atminisr",
            "1 if a partition led here is at its min.insync.replicas.",
            usize::from(isr == wanted),
        ),
    ] {
        exposition.gauge(name, help).sample(&labels, value as f64);
    }
    // The exporter's names: each series comes from one pod, a partition's from its leader.
    exposition
        .gauge("kafka_topic_partition_current_offset", "The high watermark of a partition led here.")
        .sample(&labels, partition.high_watermark() as f64);
    exposition
        .gauge("kafka_topic_partition_oldest_offset", "The log start offset of a partition led here.")
        .sample(&labels, partition.log_start() as f64);
    for (name, help, value) in [
        ("kafka_topic_partition_replicas", "Replicas.", replicas),
        ("kafka_topic_partition_in_sync_replica", "In-sync replicas.", isr),
        (
            "kafka_topic_partition_leader_is_preferred",
            "1 if the leader is the preferred one.",
            usize::from(preferred),
        ),
        (
            "kafka_topic_partition_under_replicated_partition",
            "1 if not all replicas are in sync.",
            usize::from(isr < replicas),
        ),
    ] {
        exposition.gauge(name, help).sample(&labels, value as f64);
    }
    exposition
        .gauge("kafka_topic_partition_leader", "The id of the partition's leader.")
        .sample(&labels, f64::from(id));
}

fn expose_controller(exposition: &mut Exposition, broker: &Broker) {
    let status = *broker.control.controller_status().borrow();
    for (name, help, value) in [
        (
            "kafka_controller_kafkacontroller_activecontrollercount",
            "1 on the broker that is the controller.",
            usize::from(status.active),
        ),
        (
            "kafka_controller_kafkacontroller_offlinepartitionscount",
            "Partitions without leader, told by the controller.",
            status.offline_partitions,
        ),
        (
            "kafka_controller_kafkacontroller_preferredreplicaimbalancecount",
            "Partitions that another than the preferred replica leads, told by the controller.",
            status.preferred_imbalance,
        ),
        (
            "kafka_controller_kafkacontroller_globaltopiccount",
            "Topics, told by the controller.",
            status.topics,
        ),
        (
            "kafka_controller_kafkacontroller_globalpartitioncount",
            "Partitions, told by the controller.",
            status.partitions,
        ),
    ] {
        exposition.gauge(name, help).sample(&[], value as f64);
    }
    if !status.active {
        return;
    }
    let metadata = broker.metadata.snapshot();
    exposition
        .gauge("kafka_brokers", "Brokers in the cluster, told by the controller.")
        .sample(&[], metadata.broker_count() as f64);
    for live in metadata.brokers() {
        let Some((_, host, port)) = live.endpoints.first() else { continue };
        exposition
            .gauge("kafka_broker_info", "Where a broker is, told by the controller.")
            .sample(&[("id", &live.id.to_string()), ("address", &format!("{host}:{port}"))], 1.0);
    }
    for topic in metadata.topics() {
        exposition
            .gauge("kafka_topic_partitions", "Partitions of a topic, told by the controller.")
            .sample(&[("topic", &topic.name)], topic.partitions.len() as f64);
    }
}
