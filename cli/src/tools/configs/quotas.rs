//! Quotas of users, client ids and addresses through the brokers (KIP-546), and users' SCRAM credentials (KIP-554).

use vltava_client::{
    Client,
    admin::{
        QuotaKind, QuotaMatch, Quotas, ScramUser, alter_quotas, alter_scram, describe_quotas, describe_scram,
    },
};

use super::{
    changes::Changes,
    entity::{Kind, Name, Target},
    new::executed,
    scram,
};
use crate::tools::{failure::Failure, java_order, java_text::double, output};

/// The quotas of users and client ids.
const OF_CLIENTS: [&str; 4] =
    ["producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"];
/// Those of addresses.
const OF_IPS: [&str; 1] = ["connection_creation_rate"];

pub(super) async fn describe(client: &mut Client, target: &Target) -> Result<(), Failure> {
    let entity = wanted(target);
    let mut found = describe_quotas(client, &entity).await.map_err(executed)?;
    java_order::sort_fitted(&mut found, entity_hash);
    for mut quotas in found {
        java_order::sort_fitted(&mut quotas.values, |(key, _)| java_order::string_hash(key));
        output::line(line(&quotas));
    }
    // Those of users alone; a default has no credentials.
    if let [(Kind::Users, name @ (Name::All | Name::Of(_)))] = target.levels.as_slice() {
        let user = if let Name::Of(user) = name { Some(user.as_str()) } else { None };
        for user in describe_scram(client, user).await.map_err(executed)? {
            output::line(credentials(user));
        }
    }
    Ok(())
}

pub(super) async fn alter(client: &mut Client, target: &Target, changes: &Changes) -> Result<(), Failure> {
    check(target, changes)?;
    if changes.set.keys().chain(&changes.delete).any(|key| scram::mechanism(key).is_some()) {
        alter_credentials(client, target, changes).await?;
    } else {
        alter_limits(client, target, changes).await?;
    }
    match target.first() {
        Some((kind, Name::Of(name))) => {
            let kind = kind.to_string();
            let one = kind.strip_suffix('s').unwrap_or(&kind);
            output::line(format_args!("Completed updating config for {one} {name}."));
        }
        Some((kind, _)) => {
            output::line(format_args!("Completed updating default config for {kind} in the cluster."));
        }
        None => {}
    }
    Ok(())
}

async fn alter_credentials(client: &mut Client, target: &Target, changes: &Changes) -> Result<(), Failure> {
    let Some((_, Name::Of(user))) = target.first() else {
        return Err(Failure::illegal(
            "The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.",
        ));
    };
    let set = changes.set.iter().filter_map(|(key, value)| Some((scram::mechanism(key)?, value)));
    let set: Vec<_> =
        set.map(|(mechanism, value)| scram::credential(mechanism, value)).collect::<Result<_, _>>()?;
    let delete: Vec<_> = changes.delete.iter().filter_map(|key| scram::mechanism(key)).collect();
    alter_scram(client, user, &set, &delete).await.map_err(executed)
}

async fn alter_limits(client: &mut Client, target: &Target, changes: &Changes) -> Result<(), Failure> {
    let set =
        changes.set.iter().map(|(key, value)| Ok::<_, Failure>((key.clone(), Some(limit(key, value)?))));
    let delete = changes.delete.iter().map(|key| Ok((key.clone(), None)));
    let all: Vec<(String, Option<f64>)> = set.chain(delete).collect::<Result<_, Failure>>()?;
    let before = describe_quotas(client, &wanted(target)).await.map_err(executed)?;
    let has = |key: &String| before.iter().any(|quotas| quotas.values.iter().any(|(name, _)| name == key));
    let missing: Vec<&str> = changes.delete.iter().filter(|key| !has(key)).map(String::as_str).collect();
    if !missing.is_empty() {
        let class = "org.apache.kafka.common.errors.InvalidConfigurationException";
        return Err(Failure::new(class, format!("Invalid config(s): {}", missing.join(","))));
    }
    let entity: Vec<(QuotaKind, Option<String>)> = levels(target)
        .map(|(kind, name)| (kind, if let Name::Of(name) = name { Some(name.clone()) } else { None }))
        .collect();
    alter_quotas(client, &entity, &all).await.map_err(executed)
}

/// The levels, each with what it is to quotas.
fn levels(target: &Target) -> impl Iterator<Item = (QuotaKind, &Name)> {
    target.levels.iter().filter_map(|(kind, name)| Some((kind.of_quotas()?, name)))
}

fn wanted(target: &Target) -> Vec<(QuotaKind, QuotaMatch)> {
    let which = |name: &Name| match name {
        Name::All => QuotaMatch::Any,
        Name::Default => QuotaMatch::Default,
        Name::Of(name) => QuotaMatch::Named(name.clone()),
    };
    levels(target).map(|(kind, name)| (kind, which(name))).collect()
}

/// Refuses keys that are no quotas of what is meant, in Kafka's words and with its collections' names.
fn check(target: &Target, changes: &Changes) -> Result<(), Failure> {
    if target.kind() == Kind::Ips {
        let all = changes.set.keys().chain(&changes.delete).map(String::as_str);
        let unknown: Vec<&str> = all.filter(|key| !OF_IPS.contains(key)).collect();
        return if unknown.is_empty() {
            Ok(())
        } else {
            Err(Failure::illegal(format!(
                "Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: {}",
                unknown.join(",")
            )))
        };
    }
    let of_users = target.levels.iter().all(|(kind, _)| *kind == Kind::Users);
    let known = |key: &str| OF_CLIENTS.contains(&key) || (of_users && scram::mechanism(key).is_some());
    let added: Vec<&str> = changes.set.keys().map(String::as_str).filter(|key| !known(key)).collect();
    let deleted: Vec<&str> = changes.delete.iter().map(String::as_str).filter(|key| !known(key)).collect();
    let (what, whose) = if of_users { ("quota and SCRAM credential", "users") } else { ("quota", "clients") };
    let refused = |done: &str, collection: &str, keys: &[&str]| {
        let keys = keys.join(", ");
        Err(Failure::illegal(format!(
            "Only {what} configs can be {done} for '{whose}' using --bootstrap-server. Unexpected config names: {collection}({keys})"
        )))
    };
    if !added.is_empty() {
        return refused("added", "Set", &added);
    }
    if !deleted.is_empty() {
        return refused("deleted", "ArrayBuffer", &deleted);
    }
    let all = || changes.set.keys().chain(&changes.delete);
    if all().any(|key| scram::mechanism(key).is_some()) && all().any(|key| scram::mechanism(key).is_none()) {
        return Err(Failure::illegal(
            "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.",
        ));
    }
    Ok(())
}

fn limit(key: &str, value: &str) -> Result<f64, Failure> {
    let limit = value.trim().parse::<f64>().ok();
    limit
        .ok_or_else(|| Failure::illegal(format!("Cannot parse quota configuration value for {key}: {value}")))
}

/// What a quota is of and what it is.
fn line(quotas: &Quotas) -> String {
    let kinds = [(Kind::Users, "user-principal"), (Kind::Clients, "client-id"), (Kind::Ips, "ip")];
    let part = |(kind, words): (Kind, &str)| {
        let wire = kind.of_quotas()?.name();
        let (_, name) = quotas.entity.iter().find(|(kind, _)| kind == wire)?;
        Some(match name {
            Some(name) => format!("{words} '{name}'"),
            None => format!("the default {words}"),
        })
    };
    let entity: Vec<String> = kinds.into_iter().filter_map(part).collect();
    let values: Vec<String> =
        quotas.values.iter().map(|(key, value)| format!("{key}={}", double(*value))).collect();
    format!("Quota configs for {} are {}", entity.join(", "), values.join(", "))
}

/// `ClientQuotaEntity.hashCode`: of a list of one map.
fn entity_hash(quotas: &Quotas) -> u32 {
    let hash = java_order::string_hash;
    let parts = quotas.entity.iter().map(|(kind, name)| hash(kind) ^ name.as_deref().map_or(0, hash));
    parts.fold(31, u32::wrapping_add)
}

fn credentials((user, known): ScramUser) -> String {
    match known {
        Ok(known) => {
            let known: Vec<String> = known
                .into_iter()
                .map(|(mechanism, iterations)| format!("{}=iterations={iterations}", mechanism.name()))
                .collect();
            format!("SCRAM credential configs for user-principal '{user}' are {}", known.join(", "))
        }
        Err(error) => format!(
            "Error retrieving SCRAM credential configs for user-principal '{user}': ExecutionException: {}",
            Failure::from(error)
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Kinds by their names on the wire, and names.
    type Parts<'a> = &'a [(&'a str, Option<&'a str>)];

    fn quotas(entity: Parts<'_>) -> Quotas {
        Quotas {
            entity: entity.iter().map(|(kind, name)| ((*kind).into(), name.map(str::to_owned))).collect(),
            values: vec![("producer_byte_rate".into(), 1024.0), ("request_percentage".into(), 12.5)],
        }
    }

    #[test]
    fn quotas_are_described_as_3_9_describes_them() {
        let values = "are producer_byte_rate=1024.0, request_percentage=12.5";
        let cases: [(Parts<'_>, &str); 4] = [
            (&[("user", Some("u"))], "user-principal 'u'"),
            (&[("client-id", Some("c")), ("user", None)], "the default user-principal, client-id 'c'"),
            (&[("client-id", None)], "the default client-id"),
            (&[("ip", Some("127.0.0.1"))], "ip '127.0.0.1'"),
        ];
        for (entity, words) in cases {
            assert_eq!(line(&quotas(entity)), format!("Quota configs for {words} {values}"));
        }
    }

    #[test]
    fn entities_come_in_the_order_of_javas_hash_map() {
        // Those of `new ClientQuotaEntity(Map.of(...)).hashCode()`.
        let hash = |text: &str| java_order::string_hash(text);
        assert_eq!(entity_hash(&quotas(&[("user", None)])), 31 + hash("user"));
        assert_eq!(entity_hash(&quotas(&[("ip", Some("a"))])), 31 + (hash("ip") ^ 97));
    }

    #[test]
    fn what_is_no_quota_is_refused_in_kafkas_words() {
        let target =
            |kinds: &[Kind]| Target::new(kinds.iter().map(|kind| (*kind, Name::Of("x".into()))).collect());
        let set = |key: &str| Changes { set: BTreeMap::from([(key.into(), "1".into())]), delete: Vec::new() };
        let clients = "Only quota configs can be added for 'clients' using --bootstrap-server. Unexpected config names: Set(SCRAM-SHA-256)";
        let cases = [
            (
                target(&[Kind::Users]),
                "no.such",
                "Only quota and SCRAM credential configs can be added for 'users' using --bootstrap-server. Unexpected config names: Set(no.such)",
            ),
            (target(&[Kind::Clients]), "SCRAM-SHA-256", clients),
            (target(&[Kind::Users, Kind::Clients]), "SCRAM-SHA-256", clients),
            (
                target(&[Kind::Users]),
                "SCRAM-SHA-1",
                "Only quota and SCRAM credential configs can be added for 'users' using --bootstrap-server. Unexpected config names: Set(SCRAM-SHA-1)",
            ),
            (
                target(&[Kind::Ips]),
                "producer_byte_rate",
                "Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: producer_byte_rate",
            ),
        ];
        for (target, key, words) in cases {
            assert_eq!(check(&target, &set(key)).unwrap_err().message, words);
        }
        assert!(check(&target(&[Kind::Ips]), &set("connection_creation_rate")).is_ok());
        assert!(check(&target(&[Kind::Users]), &set("SCRAM-SHA-256")).is_ok());
        let both = Changes { delete: vec!["request_percentage".into()], ..set("SCRAM-SHA-512") };
        assert_eq!(
            check(&target(&[Kind::Users]), &both).unwrap_err().message,
            "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server."
        );
        let delete = Changes { set: BTreeMap::new(), delete: vec!["a".into(), "b".into()] };
        assert_eq!(
            check(&target(&[Kind::Users]), &delete).unwrap_err().message,
            "Only quota and SCRAM credential configs can be deleted for 'users' using --bootstrap-server. Unexpected config names: ArrayBuffer(a, b)"
        );
        assert!(limit("producer_byte_rate", "x").is_err());
    }
}
