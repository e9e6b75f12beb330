//! Pages that have been used before, for whatever a row writes.
//!
//! A new file's pages come from free memory. A hypervisor may take free memory back (virtio-balloon's free page reporting does so within
//! seconds), and then the first use of a page costs several times what copying into it does: how much of a row's CPU that is would depend on
//! what ran before, and on who runs first. So nearly all of the memory that is free belongs to this program, which has used it, and it is given
//! away at the pace at which others take it. What they give back is taken again between the contestants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::measure;

/// Bytes that are given back at once: more than the allocator keeps for itself when they are freed (glibc: 32 MiB), so that the system has them.
const PIECE: u64 = 40 << 20;

/// What is left free: enough that the system reclaims nothing, and gone in half a second when a broker writes.
const LEFT: u64 = 600 << 20;

/// How often it is asked how much is free. A broker takes some ten megabytes in that time.
const INTERVAL: Duration = Duration::from_millis(10);

/// Memory that has been used, of which more is free whenever somebody else takes some; all of it when dropped.
#[derive(Debug)]
pub(crate) struct UsedPages {
    pieces: Arc<Mutex<Vec<Vec<u8>>>>,
    done: Arc<AtomicBool>,
    giver: Option<JoinHandle<()>>,
}

impl UsedPages {
    /// Gives away from now on; there is nothing to give until [`Self::take`].
    pub(crate) fn new() -> UsedPages {
        let (pieces, done) = (Arc::<Mutex<Vec<Vec<u8>>>>::default(), Arc::<AtomicBool>::default());
        let (given, told) = (Arc::clone(&pieces), Arc::clone(&done));
        let give = move || {
            while !told.load(Ordering::Relaxed) {
                let missing = LEFT.saturating_sub(measure::free_memory()).div_ceil(PIECE);
                if missing > 0 {
                    let mut pieces = given.lock().expect("a loop that cannot fail");
                    let left = pieces.len().saturating_sub(missing as usize);
                    let _freed = pieces.split_off(left);
                }
                std::thread::sleep(INTERVAL);
            }
        };
        UsedPages { pieces, done, giver: Some(std::thread::spawn(give)) }
    }

    /// Takes what is free, and uses it.
    pub(crate) fn take(&self) {
        while measure::free_memory() > LEFT + 2 * PIECE {
            let piece = vec![1; PIECE as usize];
            self.pieces.lock().expect("a loop that cannot fail").push(piece);
        }
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
