//! One partition on disk: segments, indexes, recovery, retention and producer state; no network, no async.
