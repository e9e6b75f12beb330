//! Whose output a tool writes, where the same command has had several in Kafka's life.

use clap::ValueEnum;

/// A release of Kafka whose output can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Release {
    /// Kafka 0.8's: that of 0.11 but for what consumer-perf-test writes
    #[value(name = "0.8")]
    V0_8,
    /// Kafka 0.11's
    #[value(name = "0.11")]
    V0_11,
    /// Kafka 3.9's
    #[value(name = "3.9")]
    V3_9,
}

/// An era of Kafka's tools, which is enough to know of most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// Before Kafka 1.1.
    Old,
    /// Kafka 3.9's.
    New,
}

/// The option that chooses it, `$VLTAVA_ERA` where it is not given.
#[derive(Debug, Default, Clone, Copy, clap::Args)]
pub(crate) struct EraOption {
    /// Whose output to write where Kafka has changed it
    #[arg(long = "era", value_enum, env = "VLTAVA_ERA", value_name = "version")]
    pub(crate) release: Option<Release>,
}

impl EraOption {
    /// The era, if one is asked for.
    pub(crate) fn era(self) -> Option<Era> {
        self.release.map(|release| match release {
            Release::V0_8 | Release::V0_11 => Era::Old,
            Release::V3_9 => Era::New,
        })
    }
}
