//! `kafka-consumer-groups`: groups through their coordinators, and groups of the 0.8 consumer in ZooKeeper.

mod args;
mod delete;
mod describe;
mod old;
mod reset;
mod table;
mod targets;

use std::process::ExitCode;

use vltava_client::{Client, admin::list_groups};

pub(crate) use self::args::Args;
use super::{brokers, failure::Failure, output, usage};

/// Runs the tool. As in Kafka, a command that fails at a broker says so and exits with 0; only wrong options exit with 1.
pub(crate) fn run(args: &Args) -> ExitCode {
    let checked = args.check();
    if args.reset_offsets
        && args.bootstrap_server.is_some()
        && args.is_modern()
        && !args.reset.execute
        && !args.reset.dry_run
    {
        eprintln!("{}", args::NO_ACTION);
    }
    if let Err(failure) = checked {
        return usage::<Args>(&failure.message);
    }
    if args.zookeeper.is_some() {
        eprintln!(
            "Note: This will only show information about consumers that use ZooKeeper (not those using the Java consumer API).\n"
        );
    } else if !args.is_modern() {
        eprintln!(
            "Note: This will only show information about consumers that use the Java consumer API (non-ZooKeeper-based consumers).\n"
        );
    }
    let done = super::block_on(async {
        if args.zookeeper.is_some() { old::run(args).await } else { through_brokers(args).await }
    });
    match done {
        Ok(()) => {}
        Err(failure) if failure.usage => return usage::<Args>(&failure.message),
        Err(failure) => {
            let words = format!("Executing consumer group command failed due to {}", failure.message);
            error(args, &words);
            eprintln!("{failure}");
        }
    }
    ExitCode::SUCCESS
}

/// An error as the tool prints it: on standard output.
fn error(args: &Args, words: &str) {
    output::line(format_args!("{}Error: {words}", if args.is_modern() { "\n" } else { "" }));
}

async fn through_brokers(args: &Args) -> Result<(), Failure> {
    let bootstrap = args.bootstrap_server.as_deref().unwrap_or_default();
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), args.timeout).await?;
    if args.list {
        return list(&mut client, args).await;
    }
    let groups = if args.all_groups { names(&mut client).await? } else { args.group.clone() };
    if args.describe {
        for group in &groups {
            describe::describe(&mut client, args, group).await?;
        }
        return Ok(());
    }
    if args.delete {
        return delete::groups(&mut client, args, &groups).await;
    }
    if args.delete_offsets {
        // One group at a time, as in Kafka.
        let group = groups.first().map(String::as_str).unwrap_or_default();
        return delete::offsets(&mut client, args, group).await;
    }
    reset::reset(&mut client, args, &groups).await
}

/// The names of all groups of consumers.
async fn names(client: &mut Client) -> Result<Vec<String>, Failure> {
    let groups = list_groups(client, &[]).await?.into_iter();
    Ok(groups.filter(|group| is_consumers(&group.protocol_type)).map(|group| group.group).collect())
}

/// Whether a group is one of consumers, not of Connect workers: a group without protocol only keeps offsets.
fn is_consumers(protocol_type: &str) -> bool {
    matches!(protocol_type, "" | "consumer")
}

async fn list(client: &mut Client, args: &Args) -> Result<(), Failure> {
    const STATES: [&str; 7] =
        ["PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty", "Assigning", "Reconciling"];
    let states = chosen(args.state.as_deref(), &STATES, ["state", "states"])?;
    let kinds = chosen(args.kind.as_deref(), &["Consumer", "Classic"], ["types", "types"])?;
    let mut groups = list_groups(client, &states).await?;
    groups.retain(|group| is_consumers(&group.protocol_type));
    // Brokers before 2.6 know no filter, those before 3.8 no types: then all are classic.
    groups.retain(|group| {
        states.is_empty() || group.state.is_empty() || states.contains(&group.state.as_str())
    });
    let kind = |name: &str| if name.eq_ignore_ascii_case("consumer") { "Consumer" } else { "Classic" };
    groups.retain(|group| kinds.is_empty() || kinds.contains(&kind(&group.kind)));
    if args.state.is_none() && args.kind.is_none() {
        for group in groups {
            output::line(group.group);
        }
        return Ok(());
    }
    let rows: Vec<table::Listed<'_>> = groups
        .iter()
        .map(|group| table::Listed {
            group: &group.group,
            kind: kind(&group.kind),
            state: if group.state.is_empty() { "Unknown" } else { &group.state },
        })
        .collect();
    output::write(&table::listing(&rows, args.kind.is_some(), args.state.is_some()));
    Ok(())
}

/// The names in a list such as `stable,empty`, as brokers spell them.
fn chosen<'a>(
    list: Option<&str>,
    known: &[&'a str],
    [what, whats]: [&str; 2],
) -> Result<Vec<&'a str>, Failure> {
    let names = list.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let found = known.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
            found.ok_or_else(|| {
                let words = format!(
                    "Invalid {what} list '{}'. Valid {whats} are: {}",
                    list.unwrap_or_default(),
                    known.join(", ")
                );
                Failure::usage(words)
            })
        })
        .collect()
}
