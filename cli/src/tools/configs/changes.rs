//! What to change: `--add-config`, `--add-config-file` and `--delete-config`.

use std::collections::BTreeMap;

use vltava_settings::{Level, Properties, validate_broker_config, validate_topic_config};

use super::{
    Args,
    entity::{Kind, Name, Target},
    scram,
};
use crate::tools::failure::Failure;

/// Keys to set and keys to take back.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) set: BTreeMap<String, String>,
    pub(super) delete: Vec<String>,
}

/// Without the values: there may be passwords among them.
impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes").field("set", &self.set.keys()).field("delete", &self.delete).finish()
    }
}

impl Changes {
    /// Reads the options.
    pub(super) fn of(args: &Args) -> Result<Changes, Failure> {
        let mut set = pairs(args.add_config.as_deref().unwrap_or_default())?;
        if let Some(file) = &args.add_config_file {
            let properties = Properties::read(file)
                .map_err(|error| Failure::new("java.nio.file.NoSuchFileException", error.to_string()))?;
            set.extend(properties.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        let delete = args.delete_config.iter().map(|key| key.trim());
        Ok(Changes { set, delete: delete.filter(|key| !key.is_empty()).map(str::to_owned).collect() })
    }

    /// Checks each value that is set against the table of its entity, where the tool writes to ZooKeeper itself.
    pub(super) fn check(&self, target: &Target) -> Result<(), Failure> {
        for (key, value) in &self.set {
            match target.kind() {
                Kind::Topics => validate_topic_config(key, value).map(|_| ())?,
                Kind::Brokers => {
                    let default = target.levels.iter().any(|(_, name)| *name == Name::Default);
                    let level = if default { Level::Cluster } else { Level::Broker };
                    validate_broker_config(key, value, level).map(|_| ())?;
                }
                // They are no configuration of ZooKeeper's.
                Kind::BrokerLoggers | Kind::Ips | Kind::ClientMetrics => {}
                Kind::Users if target.levels.len() == 1 && scram::mechanism(key).is_some() => {}
                Kind::Clients | Kind::Users => check_quota(key, value)?,
            }
        }
        Ok(())
    }

    /// Puts in the place of each password what ZooKeeper keeps of it.
    pub(super) fn keep_no_passwords(&mut self) -> Result<(), Failure> {
        for (key, value) in &mut self.set {
            if let Some(mechanism) = scram::mechanism(key) {
                *value = scram::znode(mechanism, value)?;
            }
        }
        Ok(())
    }

    /// Checks that each logger that is meant is one of a broker's.
    pub(super) fn check_loggers(&self, known: &BTreeMap<String, String>) -> Result<(), Failure> {
        let meant = self.delete.iter().chain(self.set.keys());
        let unknown: Vec<&str> =
            meant.map(String::as_str).filter(|logger| !known.contains_key(*logger)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let class = "org.apache.kafka.common.errors.InvalidConfigurationException";
        Err(Failure::new(class, format!("Invalid broker logger(s): {}", unknown.join(","))))
    }

    /// Applies the changes. A key can only be taken back where it is set.
    pub(super) fn apply(&self, overrides: &mut BTreeMap<String, String>) -> Result<(), Failure> {
        let missing: Vec<&str> =
            self.delete.iter().map(String::as_str).filter(|key| !overrides.contains_key(*key)).collect();
        if !missing.is_empty() {
            let class = "org.apache.kafka.common.errors.InvalidConfigurationException";
            return Err(Failure::new(class, format!("Invalid config(s): {}", missing.join(","))));
        }
        overrides.extend(self.set.clone());
        overrides.retain(|key, _| !self.delete.contains(key));
        Ok(())
    }
}

/// A quota of clients or users.
fn check_quota(key: &str, value: &str) -> Result<(), Failure> {
    const QUOTAS: [&str; 4] =
        ["producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"];
    if !QUOTAS.contains(&key) {
        return Err(Failure::illegal(format!(
            "requirement failed: Unknown Dynamic Configuration: Set({key})."
        )));
    }
    match value.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(()),
        _ => {
            let class = "org.apache.kafka.common.config.ConfigException";
            let words = format!("Invalid value {value} for configuration {key}: a positive number is needed");
            Err(Failure::new(class, words))
        }
    }
}

/// Reads `k1=v1,k2=[v1,v2],k3=v3`.
fn pairs(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let malformed = || {
        let words = "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\".";
        Failure::illegal(words)
    };
    let (mut entries, mut depth, mut entry) = (Vec::new(), 0_usize, String::new());
    for character in text.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                entries.push(std::mem::take(&mut entry));
                continue;
            }
            _ => {}
        }
        entry.push(character);
    }
    entries.push(entry);
    let pair = |entry: String| {
        let (key, value) = entry.split_once('=').ok_or_else(malformed)?;
        let value = value.trim();
        let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value);
        Ok((key.trim().to_owned(), inner.to_owned()))
    };
    entries.into_iter().filter(|entry| !entry.trim().is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_group_values_with_commas() {
        let read = pairs("k1=v1, k2=[v1,v2],k3 = a=b,").unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(read, [("k1", "v1"), ("k2", "v1,v2"), ("k3", "a=b")]);
        assert!(pairs("k1").is_err());
        assert!(pairs("").unwrap().is_empty());
    }

    #[test]
    fn only_what_is_set_can_be_taken_back() {
        let mut overrides = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let changes = Changes { set: BTreeMap::from([("b".into(), "2".into())]), delete: vec!["c".into()] };
        assert_eq!(changes.apply(&mut overrides).unwrap_err().message, "Invalid config(s): c");
        let changes = Changes { delete: vec!["a".into()], ..changes };
        changes.apply(&mut overrides).unwrap();
        assert_eq!(overrides, BTreeMap::from([("b".to_owned(), "2".to_owned())]));
    }

    #[test]
    fn quotas_are_checked() {
        assert!(check_quota("producer_byte_rate", "1048576").is_ok());
        assert!(check_quota("request_percentage", "0").is_err());
        assert!(check_quota("no_such", "1").unwrap_err().message.contains("Unknown Dynamic Configuration"));
    }
}
