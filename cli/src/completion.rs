//! `vltava completion SHELL`: what a shell needs to complete subcommands and options.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use crate::tools::output;

/// The arguments of `vltava completion`.
#[derive(Debug, Parser)]
#[command(after_help = "For example: source <(vltava completion bash)")]
pub(crate) struct Args {
    /// The shell that the script is for
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script for a program to standard output.
pub(crate) fn run<C: CommandFactory>(args: &Args) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "vltava", &mut script);
    output::write(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
