//! `meta.properties`: whose directory this is.

use std::path::Path;

use crate::disk::{self, Durable, Result};
use crate::error::LogError;

const FILE: &str = "meta.properties";

/// What an owner can do about a file that makes no sense.
const ADVICE: &str = "If the directory is this broker's, delete the file: it is written again at the start; if not, correct log.dirs";

/// So much of a line that makes no sense is shown.
const SHOWN: usize = 40;
const MAX_BYTES: u64 = 1 << 20;

/// What a log directory says about the broker it belongs to. Keys that are not ours are kept as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `broker.id`
    pub broker_id: Option<i32>,
    /// `cluster.id`; brokers before 0.10.1 wrote none.
    pub cluster_id: Option<String>,
    others: Vec<(String, String)>,
}

impl Identity {
    /// A broker of a cluster.
    pub fn new(broker_id: i32, cluster_id: Option<String>) -> Self {
        Self { broker_id: Some(broker_id), cluster_id, others: Vec::new() }
    }

    /// Reads the file of a log directory; `None` where there is none.
    pub(crate) fn read(log_dir: &Path) -> Result<Option<Self>> {
        let path = log_dir.join(FILE);
        let Some(bytes) = disk::read_small(&path, MAX_BYTES)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let identity = Self::parse(&text)
            .map_err(|reason| LogError::corrupt(&path, 0, format!("{reason}. {ADVICE}")))?;
        if identity.version() == "1" && identity.broker_id.is_none() {
            return Err(LogError::Foreign {
                directory: log_dir.to_owned(),
                reason: "meta.properties has version 1 and a node.id: it was formatted for KRaft, not for a broker with ZooKeeper"
                    .to_owned(),
            });
        }
        Ok(Some(identity))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut identity = Self::default();
        for line in
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '!']))
        {
            let Some((key, value)) = line.split_once(['=', ':']) else {
                let shown: String = line.chars().take(SHOWN).flat_map(char::escape_default).collect();
                return Err(format!("'{shown}' is not key=value"));
            };
            let (key, value) = (key.trim(), value.trim().replace('\\', ""));
            match key {
                "broker.id" => {
                    let id = value.parse().map_err(|_| format!("broker.id '{value}' is not a number"))?;
                    identity.broker_id = Some(id).filter(|id| *id >= 0);
                }
                "cluster.id" => identity.cluster_id = Some(value),
                _ => identity.others.push((key.to_owned(), value)),
            }
        }
        if !["0", "1"].contains(&identity.version()) {
            return Err(format!("Unrecognized version '{}' of meta.properties", identity.version()));
        }
        Ok(identity)
    }

    fn version(&self) -> &str {
        self.others.iter().find(|(key, _)| key == "version").map_or("0", |(_, value)| value.as_str())
    }

    /// Replaces the file, durably.
    pub(crate) fn write(&self, log_dir: &Path) -> Result<()> {
        let mut text = String::new();
        for (key, value) in &self.others {
            text.push_str(&format!("{key}={value}\n"));
        }
        if !self.others.iter().any(|(key, _)| key == "version") {
            text.push_str("version=0\n");
        }
        if let Some(id) = self.broker_id {
            text.push_str(&format!("broker.id={id}\n"));
        }
        if let Some(id) = &self.cluster_id {
            text.push_str(&format!("cluster.id={id}\n"));
        }
        disk::replace(&log_dir.join(FILE), text.as_bytes(), Durable::Now)
    }

    /// Takes on the identity of `broker`, or says whose directory it is instead.
    pub(crate) fn claim(&mut self, log_dir: &Path, broker: &Self) -> Result<bool> {
        let foreign = |reason| Err(LogError::Foreign { directory: log_dir.to_owned(), reason });
        if let (Some(found), Some(ours)) = (self.broker_id, broker.broker_id)
            && found != ours
        {
            return foreign(format!(
                "another broker's directory: meta.properties has broker.id {found}, this broker's is {ours}"
            ));
        }
        if let (Some(found), Some(ours)) = (&self.cluster_id, &broker.cluster_id)
            && found != ours
        {
            return foreign(format!(
                "another cluster's directory: meta.properties has cluster.id {found}, this cluster's is {ours}"
            ));
        }
        let before = self.clone();
        self.broker_id = broker.broker_id.or(self.broker_id);
        if broker.cluster_id.is_some() {
            self.cluster_id.clone_from(&broker.cluster_id);
        }
        Ok(*self != before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_all_versions_are_read_and_keep_what_is_not_ours() {
        let text =
            "#\n#Mon Nov 23 10:00:00 UTC 2026\ncluster.id=abc\\=\nversion=0\nbroker.id=7\ndirectory.id=xyz\n";
        let identity = Identity::parse(text).unwrap();
        assert_eq!((identity.broker_id, identity.cluster_id.as_deref()), (Some(7), Some("abc=")));
        let tmp = tempfile::tempdir().unwrap();
        identity.write(tmp.path()).unwrap();
        assert_eq!(Identity::read(tmp.path()).unwrap(), Some(identity));
        assert!(std::fs::read_to_string(tmp.path().join(FILE)).unwrap().contains("directory.id=xyz"));
        assert!(Identity::parse("version=9\n").unwrap_err().contains("Unrecognized version '9'"));
        assert!(Identity::parse("broker.id=x\n").unwrap_err().contains("not a number"));
    }

    #[test]
    fn garbage_is_told_with_what_can_be_done_about_it() {
        let tmp = tempfile::tempdir().unwrap();
        std::fs::write(tmp.path().join(FILE), format!("\u{1}{}", "garbage".repeat(1000))).unwrap();
        let told = Identity::read(tmp.path()).unwrap_err().to_string();
        assert!(told.contains("meta.properties: ") && told.contains("'\\u{1}garbage"), "{told}");
        assert!(told.ends_with(ADVICE) && told.len() < 400, "{told}");
    }

    #[test]
    fn another_brokers_or_clusters_directory_is_refused() {
        let ours = Identity::new(1, Some("c1".to_owned()));
        let table = [
            (Identity::default(), Ok(true)),
            (ours.clone(), Ok(false)),
            (Identity::new(1, None), Ok(true)),
            (Identity::new(2, None), Err("another broker's directory")),
            (Identity::new(1, Some("c2".to_owned())), Err("another cluster's directory")),
        ];
        for (mut found, expected) in table {
            let answer = found.claim(Path::new("/d"), &ours);
            match expected {
                Ok(changed) => assert_eq!(answer.unwrap(), changed),
                Err(text) => assert!(answer.unwrap_err().to_string().contains(text)),
            }
        }
    }
}
