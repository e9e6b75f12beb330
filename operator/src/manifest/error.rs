//! What is wrong with a manifest.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// The document, counted from 1.
    pub document: usize,
    /// The line of the file, counted from 1, if it could be found.
    pub line: Option<usize>,
    /// The field, such as `spec.pools[0].replicas`; empty for the document itself.
    pub field: String,
    /// What is wrong and what is allowed.
    pub what: String,
}

impl ManifestError {
    pub(crate) fn new(
        document: usize,
        line: Option<usize>,
        field: &str,
        what: impl Into<String>,
    ) -> ManifestError {
        ManifestError { document, line, field: field.to_owned(), what: what.into() }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document {}", self.document)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Everything that is wrong with a manifest; one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestErrors(pub Vec<ManifestError>);

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestErrors {}
