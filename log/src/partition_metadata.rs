//! `partition.metadata`: the topic's id, so that a directory of a deleted topic is not taken for a new one's of the same name.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::disk::{self, Durable, Result};
use crate::error::LogError;
use crate::log::Log;

const FILE: &str = "partition.metadata";
const MAX_BYTES: u64 = 4096;

/// A topic's id: 16 bytes, in text as Kafka writes it (base64 for URLs).
pub type TopicId = [u8; 16];

pub(crate) fn read(directory: &Path) -> Result<Option<TopicId>> {
    let path = directory.join(FILE);
    let Some(bytes) = disk::read_small(&path, MAX_BYTES)? else { return Ok(None) };
    parse(&String::from_utf8_lossy(&bytes)).map(Some).ok_or_else(|| {
        LogError::corrupt(&path, 0, "expected 'version: 0' and 'topic_id: ' with a topic id of 22 characters")
    })
}

fn parse(text: &str) -> Option<TopicId> {
    let mut lines =
        text.lines().map(|line| line.split_once(':').map(|(key, value)| (key.trim(), value.trim())));
    if lines.next()? != Some(("version", "0")) {
        return None;
    }
    let (key, id) = lines.next()??;
    let id = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
    // All zero stands for no id.
    (key == "topic_id" && id != [0; 16]).then_some(id)
}

impl Log {
    /// The topic's id, if `partition.metadata` has one. Reads the file.
    pub fn topic_id(&self) -> Result<Option<TopicId>> {
        read(&self.shared.directory.path())
    }

    /// Writes `partition.metadata`. A log keeps the id it has: another one is an error, since the directory is another topic's.
    pub fn assign_topic_id(&self, id: TopicId) -> Result<()> {
        let directory = self.shared.directory.path();
        match read(&directory)? {
            Some(known) if known == id => Ok(()),
            Some(known) => Err(LogError::Foreign {
                directory: directory.to_path_buf(),
                reason: format!(
                    "holds the topic with id {}, not {}",
                    URL_SAFE_NO_PAD.encode(known),
                    URL_SAFE_NO_PAD.encode(id)
                ),
            }),
            None => {
                let text = format!("version: 0\ntopic_id: {}\n", URL_SAFE_NO_PAD.encode(id));
                disk::replace(&directory.join(FILE), text.as_bytes(), Durable::Now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_file_gives_an_id() {
        let id = "AAECAwQFBgcICQoLDA0ODw";
        let table = [
            (format!("version: 0\ntopic_id: {id}\n"), true),
            (format!("version: 0\ntopic_id: {id}"), true),
            (format!("version: 1\ntopic_id: {id}\n"), false),
            ("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA\n".to_owned(), false),
            (format!("version: 0\nid: {id}\n"), false),
            ("version: 0\ntopic_id: AA\n".to_owned(), false),
            ("version: 0\n".to_owned(), false),
            (String::new(), false),
        ];
        for (text, good) in table {
            assert_eq!(parse(&text).is_some(), good, "{text}");
        }
        assert_eq!(parse(&format!("version: 0\ntopic_id: {id}")).unwrap()[15], 15);
    }
}
