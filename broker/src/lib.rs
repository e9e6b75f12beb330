//! The broker: listeners, request handlers, partitions, the ZooKeeper session and metrics.
