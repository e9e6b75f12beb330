//! Pages that have been used before, for what a row writes.
//!
//! A new file's pages come from free memory. A hypervisor may take free memory back (virtio-balloon's free page reporting does so within
//! seconds), and then the first use of a page costs several times what copying into it does: how much of a row's CPU that is would depend on
//! what ran before the row, and not on who runs. So each contestant is given as many used pages as it is about to need, at the pace at which it
//! takes them: less than a second's worth is ever free long enough to be taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::measure;

/// Bytes that are given back at once: more than the allocator keeps for itself when they are freed (glibc: 32 MiB), so that the system has them.
const PIECE: u64 = 40 << 20;

/// How often it is asked how many are free. A broker takes a few megabytes in that time.
const INTERVAL: Duration = Duration::from_millis(10);

/// Used memory, of which more is free whenever somebody else takes some; all of it when dropped.
#[derive(Debug)]
pub(crate) struct UsedPages {
    done: Arc<AtomicBool>,
    giver: Option<JoinHandle<()>>,
}

impl UsedPages {
    /// Uses `bytes` of memory (half of what is available at most), and then gives them away.
    pub(crate) fn of(bytes: u64) -> UsedPages {
        let bytes = bytes.min(measure::available_memory() / 2);
        let mut pieces: Vec<Vec<u8>> = (0..bytes.div_ceil(PIECE)).map(|_| vec![1; PIECE as usize]).collect();
        // One is free at the beginning, and another whenever it may be gone.
        pieces.pop();
        let enough = measure::free_memory();
        let done = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&done);
        let give = move || {
            while !told.load(Ordering::Relaxed) && !pieces.is_empty() {
                let missing = enough.saturating_sub(measure::free_memory()).div_ceil(PIECE);
                pieces.truncate(pieces.len().saturating_sub(missing as usize));
                std::thread::sleep(INTERVAL);
            }
        };
        UsedPages { done, giver: Some(std::thread::spawn(give)) }
    }
}

impl Drop for UsedPages {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(giver) = self.giver.take() {
            giver.join().expect("a loop that cannot fail");
        }
    }
}
