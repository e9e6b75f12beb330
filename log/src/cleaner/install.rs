//! Putting a cleaned segment in the place of those it was made from.

use std::sync::Arc;

use crate::disk::{self, Result};
use crate::error::LogError;
use crate::log::Log;
use crate::names::Suffix;
use crate::removal::Removal;
use crate::segment::Segment;

/// A cleaned segment, on disk and ready, and what it replaces.
#[derive(Debug)]
#[must_use]
pub struct Replacement {
    pub(super) cleaned: Arc<Segment>,
    pub(super) old: Vec<Arc<Segment>>,
    /// Counted when the cleaning began: what was truncated since must not come back.
    pub(super) truncations: u64,
}

impl Log {
    /// Puts it in place, by the steps that a start after a crash can finish or undo: `.cleaned` becomes `.swap`, the old ones `.deleted`, `.swap` the segment.
    /// `None` where the log has changed so that it does not fit any more: then nothing happens, and it is thrown away.
    ///
    /// Cost: four renames for each segment and no flush. Readers of the old segments go on.
    pub fn install(&mut self, replacement: Replacement, now: i64) -> Result<Option<Removal>> {
        let Replacement { cleaned, old, truncations } = replacement;
        let segments = self.shared.segments();
        let at = old
            .first()
            .and_then(|first| segments.iter().position(|segment| Arc::ptr_eq(segment, first)))
            .filter(|at| {
                let listed = segments[*at..].iter().zip(&old);
                listed.filter(|(listed, old)| Arc::ptr_eq(listed, old)).count() == old.len()
            });
        let fits = self.shared.check_open().is_ok() && self.shared.recovery.lock().truncations == truncations;
        let Some(at) = at.filter(|at| fits && at + old.len() < segments.len()) else {
            cleaned.remove()?;
            return Ok(None);
        };
        if let Err(error) = cleaned.rename(Suffix::Swap) {
            let _ = cleaned.remove();
            return Err(error);
        }
        if let Err(error) = self.swap(&cleaned, &old) {
            // What is on disk is one or the other when it is opened again; until then nothing is certain.
            tracing::error!(partition = %self.partition, %error,
                "a cleaned segment is half in place: the log is closed until the broker starts again");
            self.shared.close();
            return Err(error);
        }
        let mut list = segments[..at].to_vec();
        list.push(cleaned);
        list.extend_from_slice(&segments[at + old.len()..]);
        self.shared.set_segments(list);
        Ok(Some(Removal::segments(old, now.saturating_add(self.config.file_delete_delay_ms))))
    }

    fn swap(&self, cleaned: &Segment, old: &[Arc<Segment>]) -> Result<(), LogError> {
        for segment in old {
            segment.rename(Suffix::Deleted)?;
        }
        cleaned.rename(Suffix::None)?;
        // The producers as they were at a segment's begin are of use while there is one.
        for segment in &old[1..] {
            disk::remove(&self.snapshot_path(segment.base_offset()))?;
        }
        Ok(())
    }
}
