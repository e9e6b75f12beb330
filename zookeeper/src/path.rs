//! Paths of nodes: what is allowed in one, and where its parent is.

/// The nodes that are always there: the root, and the server's own.
pub const ROOT: &str = "/";
/// Parent of the server's own nodes.
pub const ZOOKEEPER: &str = "/zookeeper";
/// Quotas live below it, each at the path it limits.
pub const QUOTA: &str = "/zookeeper/quota";
/// The ensemble's configuration; empty on a server of one node.
pub const CONFIG: &str = "/zookeeper/config";
/// The child of a quota that holds its limits.
pub const LIMITS_NODE: &str = "zookeeper_limits";
/// The child of a quota that holds what is in use.
pub const STATS_NODE: &str = "zookeeper_stats";

/// Whether nobody may delete the node.
#[must_use]
pub fn is_special(path: &str) -> bool {
    [ROOT, ZOOKEEPER, QUOTA, CONFIG].contains(&path)
}

/// The parent's path and the name in it, or `None` for what has no slash. The parent of `/a` is `/`.
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    let (parent, name) = path.rsplit_once('/')?;
    Some((if parent.is_empty() { ROOT } else { parent }, name))
}

/// The path of a child.
#[must_use]
pub fn join(parent: &str, name: &str) -> String {
    if parent == ROOT { format!("/{name}") } else { format!("{parent}/{name}") }
}

/// A path and all above it, up to the root.
pub fn with_ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        if *path == ROOT { None } else { split(path).map(|(parent, _)| parent) }
    })
}

/// Whether a path is allowed, by the rules of `PathUtils.validatePath`: absolute, no empty, `.` or `..` parts, no slash at the end,
/// and none of the characters that break terminals or files, nor any beyond the basic plane (Java sees surrogates there).
#[must_use]
pub fn is_valid(path: &str) -> bool {
    if path == ROOT {
        return true;
    }
    let Some(rest) = path.strip_prefix('/') else { return false };
    rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && !path.chars().any(
            |c| matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_clients_may_and_may_not_use() {
        for good in ["/", "/a", "/a/b-0000000001", "/.a", "/a..b", "/...", "/é", "/a b"] {
            assert!(is_valid(good), "{good:?}");
        }
        for bad in [
            "",
            "a",
            "a/b",
            "//",
            "/a/",
            "/a//b",
            "/.",
            "/a/./b",
            "/a/..",
            "/a\0",
            "/a\u{1f}",
            "/\u{7f}",
            "/\u{e000}",
            "/\u{fffd}",
            "/\u{1f30a}",
        ] {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }

    #[test]
    fn parents_end_at_the_root() {
        assert_eq!(split("/a"), Some(("/", "a")));
        assert_eq!(split("/a/b"), Some(("/a", "b")));
        assert_eq!(split("a"), None);
        assert_eq!(with_ancestors("/a/b").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(with_ancestors("a").collect::<Vec<_>>(), ["a"]);
    }
}
