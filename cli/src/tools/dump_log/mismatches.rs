//! What did not fit together, said on standard error at the end as Kafka's tool does.

use std::{collections::BTreeMap, path::Path};

type Pairs = BTreeMap<String, Vec<(i64, i64)>>;

/// Findings by file.
#[derive(Debug, Default)]
pub(super) struct Mismatches {
    index: Pairs,
    timestamps: Pairs,
    order: Pairs,
    missing: Pairs,
    gaps: Pairs,
}

fn add(pairs: &mut Pairs, path: &Path, pair: (i64, i64)) {
    pairs.entry(path.display().to_string()).or_default().push(pair);
}

impl Mismatches {
    /// An index entry whose batch has another offset.
    pub(super) fn index(&mut self, path: &Path, index: i64, log: i64) {
        add(&mut self.index, path, (index, log));
    }

    /// A time index entry whose batch has another timestamp.
    pub(super) fn timestamp(&mut self, path: &Path, index: i64, log: i64) {
        add(&mut self.timestamps, path, (index, log));
    }

    /// A time index entry that is not later than the one before.
    pub(super) fn out_of_order(&mut self, path: &Path, index: i64, previous: i64) {
        add(&mut self.order, path, (index, previous));
    }

    /// An indexed offset with which no batch ends.
    pub(super) fn missing(&mut self, path: &Path, index: i64, log: i64) {
        add(&mut self.missing, path, (index, log));
    }

    /// Offsets between which others are missing.
    pub(super) fn not_consecutive(&mut self, path: &Path, first: i64, second: i64) {
        add(&mut self.gaps, path, (first, second));
    }

    /// Writes all.
    pub(super) fn report(&self) {
        report(&self.index, "Mismatches in :", "  Index offset: ", ", log offset: ");
        report(&self.timestamps, "Found timestamp mismatch in :", "  Index timestamp: ", ", log timestamp: ");
        let previous = ", Previously indexed timestamp: ";
        report(&self.order, "Found out of order timestamp in :", "  Index timestamp: ", previous);
        for pairs in self.missing.values() {
            eprintln!("The following indexed offsets are not found in the log.");
            for (index, log) in pairs {
                eprintln!("Indexed offset: {index}, found log offset: {log}");
            }
        }
        report(&self.gaps, "Non-consecutive offsets in ", "  ", " is followed by ");
    }
}

fn report(pairs: &Pairs, title: &str, before: &str, between: &str) {
    for (file, pairs) in pairs {
        eprintln!("{title}{file}");
        for (first, second) in pairs {
            eprintln!("{before}{first}{between}{second}");
        }
    }
}
