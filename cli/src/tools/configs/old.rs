//! The tool of Kafka 0.9 to 2.x: overrides as znodes below `/config`, with a notification of each change.

use vltava_broker::control::{Session, znodes::paths};

use super::{
    Args,
    changes::Changes,
    entity::{Kind, Name, Target, desanitize},
};
use crate::tools::{failure::Failure, java_order, output, zookeeper};

pub(super) async fn run(args: &Args, target: &Target) -> Result<(), Failure> {
    let mut changes = Changes::of(args)?;
    changes.check(target)?;
    if target.kind() == Kind::Users {
        changes.keep_no_passwords()?;
    }
    let session = zookeeper::connect(args.zookeeper.as_deref().unwrap_or_default()).await?;
    match target.entity() {
        Some(entity) if args.alter => {
            if let (Kind::Topics, Some((_, Name::Of(topic)))) = (target.kind(), target.levels.first())
                && !zookeeper::exists(&session, &paths::topic(topic)).await?
            {
                let class = "kafka.admin.AdminOperationException";
                return Err(Failure::new(class, format!("Topic \"{topic}\" does not exist.")));
            }
            if matches!(target.kind(), Kind::Clients | Kind::Users) && !changes.set.is_empty() {
                let keys: Vec<&str> = changes.set.keys().map(String::as_str).collect();
                eprintln!(
                    "WARNING: {} is kept, but Vltava's brokers neither enforce quotas nor check credentials yet: one that runs says so in its log, and none starts until it is taken back.",
                    keys.join(", ")
                );
            }
            let mut overrides = zookeeper::overrides(&session, &entity).await?;
            let unset =
                |failure: Failure| Failure::new("kafka.common.InvalidConfigException", failure.message);
            changes.apply(&mut overrides).map_err(unset)?;
            zookeeper::set_overrides(&session, &entity, &overrides).await?;
            output::line(format_args!("Completed Updating config for entity: {target}."));
            Ok(())
        }
        _ => describe(&session, target).await,
    }
}

async fn describe(session: &Session, target: &Target) -> Result<(), Failure> {
    // Of a user that only its clients have quotas of, nothing is shown where all users are.
    let skip_empty = matches!(target.levels.as_slice(), [(Kind::Users, Name::All)]);
    for target in expand(session, target).await? {
        let Some(entity) = target.entity() else { continue };
        let overrides = zookeeper::overrides(session, &entity).await?;
        if overrides.is_empty() && skip_empty {
            continue;
        }
        let mut entries: Vec<(String, String)> = overrides.into_iter().collect();
        java_order::sort(&mut entries, |(key, _)| key);
        let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        output::line(format_args!("Configs for {target} are {}", entries.join(",")));
    }
    Ok(())
}

/// Every entity that a target means.
async fn expand(session: &Session, target: &Target) -> Result<Vec<Target>, Failure> {
    let mut found = vec![Target::new(Vec::new())];
    for (kind, name) in &target.levels {
        let mut next = Vec::new();
        for outer in found {
            let names = match name {
                Name::All => {
                    let above = outer.path().filter(|path| !path.is_empty());
                    let path = above
                        .map_or_else(|| paths::CONFIG.to_owned(), |path| format!("{}/{path}", paths::CONFIG));
                    // All topics are there, also those without an override.
                    let children = match kind {
                        Kind::Topics => zookeeper::children(session, paths::TOPICS).await?,
                        _ => zookeeper::children(session, &format!("{path}/{kind}")).await?,
                    };
                    children.iter().map(|child| desanitize(child)).collect()
                }
                name => vec![name.clone()],
            };
            next.extend(names.into_iter().map(|name| {
                let mut levels = outer.levels.clone();
                levels.push((*kind, name));
                Target::new(levels)
            }));
        }
        found = next;
    }
    Ok(found)
}
