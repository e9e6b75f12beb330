//! Whose output a tool writes, where the same command has had two in Kafka's life.

use clap::ValueEnum;

/// An era of Kafka's tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Era {
    /// Kafka 0.11's
    #[value(name = "0.11")]
    Old,
    /// Kafka 3.9's
    #[value(name = "3.9")]
    New,
}

/// The option that chooses it, `$VLTAVA_ERA` where it is not given.
#[derive(Debug, Default, Clone, Copy, clap::Args)]
pub(crate) struct EraOption {
    /// Whose output to write where Kafka has changed it
    #[arg(long, value_enum, env = "VLTAVA_ERA", value_name = "version")]
    pub(crate) era: Option<Era>,
}
