//! `kafka-dump-log`: what is in the files of a partition's directory.
//!
//! Two eras of output: Kafka 3.9's, one line for a batch and one, indented, for each record; and 0.11's, which
//! `kafka-run-class.sh kafka.tools.DumpLogSegments` asks for with `--era 0.11`, one line for a record or for a batch.

mod decoders;
mod file;
mod indexes;
mod mismatches;
mod new_lines;
mod old_lines;
mod producers;
mod segment;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;

use self::{decoders::Decoder, mismatches::Mismatches};
use super::{
    deserializer::Deserializer,
    era::{Era, EraOption},
    failure::Failure,
    output,
};

/// Write what is in a partition's files: .log, .index, .timeindex, .txnindex, .snapshot
#[derive(Debug, Parser)]
#[command(
    name = "dump-log",
    after_help = "`kafka-run-class.sh kafka.tools.DumpLogSegments` writes what Kafka 0.11's tool of that name writes (--era 0.11); \
        kafka-dump-log.sh and `vltava dump-log` write what Kafka 3.9's does."
)]
pub(crate) struct Args {
    /// REQUIRED: the files, separated by commas
    #[arg(long, value_name = "file1,file2,...")]
    files: Option<String>,
    /// Write keys and values of records; implied by every decoder
    #[arg(long)]
    print_data_log: bool,
    /// Write records, not only batches; implied by --print-data-log (in 0.11's output only by this option)
    #[arg(long)]
    deep_iteration: bool,
    /// Compare an index with its log, without writing it
    #[arg(long)]
    verify_index_only: bool,
    /// Check that an index makes sense, as a broker does at its start, without writing it
    #[arg(long)]
    index_sanity_check: bool,
    /// The largest record, in bytes: as much is read at each entry of an index, and no more decompressed of one batch than 64 times as much
    #[arg(long, value_name = "size", default_value_t = 5 << 20)]
    max_message_size: u32,
    /// How many bytes of batches to write from each .log
    #[arg(long, value_name = "size", default_value_t = i32::MAX as u64)]
    max_bytes: u64,
    /// Read records as offsets and groups of __consumer_offsets
    #[arg(long)]
    offsets_decoder: bool,
    /// Read records as those of __transaction_state
    #[arg(long)]
    transaction_log_decoder: bool,
    /// KRaft's metadata log: there is none here
    #[arg(long, hide = true)]
    cluster_metadata_decoder: bool,
    /// Tiered storage's metadata: there is none here
    #[arg(long, hide = true)]
    remote_log_metadata_decoder: bool,
    /// How to read keys: StringDecoder, DefaultDecoder, IntegerDecoder or LongDecoder
    #[arg(long, value_name = "class", num_args = 0..=1, default_missing_value = "StringDecoder")]
    key_decoder_class: Option<String>,
    /// How to read values, as --key-decoder-class
    #[arg(long, value_name = "class", num_args = 0..=1, default_missing_value = "StringDecoder")]
    value_decoder_class: Option<String>,
    /// Write keys and values only
    #[arg(long)]
    skip_record_metadata: bool,
    #[command(flatten)]
    era: EraOption,
}

/// What the options say.
#[derive(Debug)]
struct Settings {
    era: Era,
    contents: bool,
    deep: bool,
    verify_only: bool,
    sanity_only: bool,
    max_message_size: u32,
    max_bytes: u64,
    decoder: Decoder,
    skip_metadata: bool,
}

/// Decompression of one batch stops at so many times the largest record.
const EXPANSION: usize = 64;

impl Settings {
    fn of(args: &Args) -> Result<Self, Failure> {
        if args.cluster_metadata_decoder {
            return Err(Failure::usage(
                "--cluster-metadata-decoder: there is no KRaft here, and none of its metadata",
            ));
        }
        if args.remote_log_metadata_decoder {
            return Err(Failure::usage(
                "--remote-log-metadata-decoder: there is no tiered storage here, and none of its metadata",
            ));
        }
        let decoded = args.key_decoder_class.is_some() || args.value_decoder_class.is_some();
        let contents = args.print_data_log || decoded || args.offsets_decoder || args.transaction_log_decoder;
        let era = args.era.era().unwrap_or(Era::New);
        Ok(Self {
            era,
            contents,
            deep: args.deep_iteration || contents,
            verify_only: args.verify_index_only,
            sanity_only: args.index_sanity_check,
            max_message_size: args.max_message_size,
            max_bytes: args.max_bytes,
            // 3.9's tool looks for decoders when it opens a log.
            decoder: match era {
                Era::Old => Decoder::of(args, era)?,
                Era::New => Decoder::Plain { key: Deserializer::Bytes, value: Deserializer::Bytes },
            },
            skip_metadata: args.skip_record_metadata,
        })
    }

    fn output_limit(&self) -> usize {
        (self.max_message_size as usize).saturating_mul(EXPANSION)
    }
}

/// Writes each file in turn, then what did not fit together on standard error.
pub(crate) fn run(args: &Args) -> ExitCode {
    match dump(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => super::usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("Exception in thread \"main\" {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dump(args: &Args) -> Result<(), Failure> {
    let files = args.files.as_deref().ok_or_else(|| Failure::missing("files"))?;
    let mut settings = Settings::of(args)?;
    let mut mismatches = Mismatches::default();
    for name in files.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let path = PathBuf::from(name);
        output::line(format_args!("Dumping {name}"));
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("log") => {
                if settings.era == Era::New {
                    settings.decoder = Decoder::of(args, settings.era)?;
                }
                segment::dump(&settings, &path, &mut mismatches)?;
            }
            Some("index") => indexes::dump_offsets(&settings, &path, &mut mismatches)?,
            Some("timeindex") => indexes::dump_times(&settings, &path, &mut mismatches)?,
            Some("txnindex") => producers::dump_aborted(&path)?,
            Some("snapshot") => producers::dump_snapshot(&path)?,
            _ => eprintln!("Ignoring unknown file {name}"),
        }
    }
    mismatches.report();
    Ok(())
}

/// The offset in a file's name.
fn base_offset(path: &Path) -> Result<i64, Failure> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.split('.').next().unwrap_or_default();
    digits.parse().map_err(|_| {
        Failure::new("java.lang.NumberFormatException", format!("For input string: \"{digits}\""))
    })
}
