//! What the records of the test programs contain. The programs in Java, Go and Python say the same in their languages.

/// The key of the n-th record that a tag wrote with a codec.
#[must_use]
pub fn key(tag: &str, codec: &str, n: i32) -> String {
    format!("{tag}.{codec}.{n}")
}

/// The value of the n-th record: compressible text of changing length, in more than ASCII.
#[must_use]
pub fn value(key: &str, n: i32) -> String {
    format!("{key} Řeka 明天{}", " teče dál".repeat(usize::try_from(n % 40).unwrap_or_default()))
}
