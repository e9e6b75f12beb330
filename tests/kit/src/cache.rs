//! The folder in which downloads and compiled test programs outlive a checkout.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// `${XDG_CACHE_HOME:-~/.cache}/vltava`, created on first use.
#[must_use]
pub fn dir() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is not set")).join(".cache"),
        PathBuf::from,
    );
    let dir = base.join("vltava");
    fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    dir
}

/// Runs `make(&folder)` once for each `(name, recipe)`, ever: later calls, of this or another process, find the folder.
///
/// `recipe` is everything that the result depends on; when it changes, the folder is made again under another name. A folder
/// appears under its final name only when `make` has returned, so an interrupted run leaves nothing that looks finished.
pub fn once(name: &str, recipe: &impl Hash, make: impl FnOnce(&Path)) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    recipe.hash(&mut hasher);
    let finished = format!("{name}-{:016x}", hasher.finish());
    let folder = dir().join(&finished);
    if folder.exists() {
        return folder;
    }
    let _lock = lock(name);
    if !folder.exists() {
        let unfinished = dir().join(format!("{finished}.unfinished"));
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished).unwrap_or_else(|e| panic!("{}: {e}", unfinished.display()));
        make(&unfinished);
        fs::rename(&unfinished, &folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    }
    folder
}

/// Holds the lock of this name, among all processes of the user, until the file is dropped.
pub(crate) fn lock(name: &str) -> File {
    let path = dir().join(format!("{name}.lock"));
    let file = File::create(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.lock().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file
}
