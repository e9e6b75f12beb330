//! `zookeeper-shell`: ZooKeeper's own command line, for one command or many.

mod acl;
mod commands;
mod ensemble;
mod line;
mod quotas;
mod refusal;
mod stat;
mod usage;
mod watches;

use std::{process::ExitCode, sync::Arc, sync::atomic::AtomicBool};

use clap::Parser;
use rustyline::{DefaultEditor, error::ReadlineError};

use self::commands::{Outcome, Shell};
use super::{failure::Failure, output};

/// Read and write znodes, as zookeeper-shell.sh and zkCli.sh do
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The ZooKeeper to connect to: host:port with commas between, and a chroot
    #[arg(value_name = "host:port[/chroot]")]
    address: Option<String>,
    /// Instead of the first word: the ZooKeeper to connect to, as zkCli.sh names it
    #[arg(long, value_name = "host:port[/chroot]")]
    server: Option<String>,
    /// One command to run, such as `ls -s /brokers`; without it commands are read from standard input
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "command")]
    command: Vec<String>,
}

/// Runs one command, or those of standard input until its end or `quit`.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut words = args.command.clone();
    let address = match (&args.server, &args.address) {
        (Some(server), first) => {
            words.splice(0..0, first.clone());
            server.clone()
        }
        (None, Some(address)) => address.clone(),
        (None, None) => {
            println!(
                "USAGE: zookeeper-shell zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]"
            );
            return ExitCode::FAILURE;
        }
    };
    output::line(format_args!("Connecting to {address}"));
    let done = super::block_on(async {
        let mut shell = Shell::new(address, Arc::new(AtomicBool::new(true)));
        if words.is_empty() { interactive(&mut shell).await } else { once(&mut shell, &words).await }
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("{}", failure.message);
            ExitCode::FAILURE
        }
    }
}

async fn once(shell: &mut Shell, words: &[String]) -> Result<u8, Failure> {
    shell.connect().await?;
    Ok(match shell.run(words).await {
        Outcome::Done | Outcome::Quit => 0,
        Outcome::Failed { code, words } => {
            eprintln!("{words}");
            code
        }
    })
}

async fn interactive(shell: &mut Shell) -> Result<u8, Failure> {
    output::line("Welcome to ZooKeeper!");
    shell.connect().await?;
    let mut editor =
        Some(DefaultEditor::new().map_err(|error| Failure::new("java.io.IOException", error.to_string()))?);
    // The last command's: what the shell itself ends with, as zkCli's does.
    let mut code = 0;
    while let Some(mut reader) = editor.take() {
        let prompt = shell.prompt();
        // The reader blocks; what is watched goes on being told meanwhile.
        let read = tokio::task::spawn_blocking(move || {
            let line = reader.readline(&prompt);
            (reader, line)
        });
        let (mut reader, line) =
            read.await.map_err(|error| Failure::new("java.io.IOException", error.to_string()))?;
        let line = match line {
            Ok(line) => line,
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => break,
            Err(error) => return Err(Failure::new("java.io.IOException", error.to_string())),
        };
        if !line.trim().is_empty() {
            // A history that is full forgets; nothing else can go wrong.
            let _ = reader.add_history_entry(&line);
        }
        editor = Some(reader);
        let Some(words) = shell.remember(&line) else { continue };
        match shell.run(&words).await {
            Outcome::Done => code = 0,
            Outcome::Quit => return Ok(code),
            Outcome::Failed { code: failed, words } => {
                code = failed;
                eprintln!("{words}");
            }
        }
    }
    Ok(code)
}
