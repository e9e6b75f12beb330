//! Znodes that make no sense, and what has been said of them: once for each version, however often they are read.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::znodes::ZnodeError;

/// The znodes that made no sense when they were last read, with their versions.
#[derive(Debug, Default)]
pub(super) struct Garbage(Mutex<HashMap<String, Option<i32>>>);

impl Garbage {
    /// Whether it is news that the znode makes no sense in that version; it is not where it does.
    pub(super) fn is_news<T>(&self, path: &str, version: Option<i32>, read: &Result<T, ZnodeError>) -> bool {
        let mut known = self.0.lock();
        if read.is_ok() {
            known.remove(path);
            return false;
        }
        known.insert(path.to_owned(), version) != Some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::znodes::decode_config;

    #[test]
    fn each_version_is_news_once_until_it_is_put_right() {
        let garbage = Garbage::default();
        let is_news = |version, data: &[u8]| garbage.is_news("/z", Some(version), &decode_config("/z", data));
        assert_eq!([is_news(1, b"{"), is_news(1, b"{"), is_news(2, b"{")], [true, false, true]);
        let right = br#"{"version":1,"config":{}}"#;
        assert_eq!([is_news(3, right), is_news(2, b"{")], [false, true]);
    }
}
