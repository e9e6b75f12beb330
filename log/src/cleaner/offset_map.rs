//! From a record's key to the last offset that it has: what compaction decides by, in bounded memory.
//!
//! Keys are known by 128 bits of their SHA-256. That two keys share them is not to be expected in the life of a cluster, and not to be brought about; it
//! would cost the older one its record.

use sha2::{Digest as _, Sha256};

/// Bytes of a slot: half of a SHA-256, and an offset.
pub(crate) const SLOT: usize = 24;
/// Slots to begin with: 24 KiB.
const FIRST: usize = 1024;
const FREE: i64 = -1;

/// An open-addressed table that grows up to a bound. Its memory is that of the largest dirty part seen, and no more than was allowed, but for half as much
/// again while it grows the last time.
#[derive(Debug)]
pub(crate) struct OffsetMap {
    hashes: Vec<[u64; 2]>,
    offsets: Vec<i64>,
    used: usize,
    /// Slots that it may have.
    slots: usize,
    /// Keys that it takes at most: fewer than slots.
    limit: usize,
    /// Everything up to here has been put in.
    latest: i64,
}

impl OffsetMap {
    /// For as many keys as fill `load_factor` of `bytes`.
    pub(crate) fn new(bytes: usize, load_factor: f64) -> Self {
        let slots = (bytes / SLOT).max(2);
        // The factor is between 0 and 1, and so the product an index.
        let limit = (slots as f64 * load_factor.clamp(0.0, 1.0)) as usize;
        let limit = limit.clamp(1, slots - 1);
        Self { hashes: Vec::new(), offsets: Vec::new(), used: 0, slots, limit, latest: -1 }
    }

    /// Whether there is room for another key.
    pub(crate) fn is_full(&self) -> bool {
        self.used >= self.limit
    }

    /// Keys that it holds.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// The share of what it may hold, between 0 and 1.
    pub(crate) fn utilization(&self) -> f64 {
        self.used as f64 / self.limit as f64
    }

    /// Notes that a key has a record at `offset`.
    pub(crate) fn put(&mut self, key: &[u8], offset: i64) {
        if self.used * 4 >= self.hashes.len() * 3 && self.hashes.len() < self.slots {
            self.grow();
        }
        let hash = hash(key);
        let at = self.find(hash);
        if self.offsets[at] == FREE {
            self.used += 1;
            self.hashes[at] = hash;
        }
        self.offsets[at] = self.offsets[at].max(offset);
    }

    /// The last offset of a key, if it was put in.
    pub(crate) fn get(&self, key: &[u8]) -> Option<i64> {
        if self.used == 0 {
            return None;
        }
        Some(self.offsets[self.find(hash(key))]).filter(|offset| *offset != FREE)
    }

    /// Up to where everything was put in; -1 at first.
    pub(crate) fn latest(&self) -> i64 {
        self.latest
    }

    pub(crate) fn set_latest(&mut self, offset: i64) {
        self.latest = self.latest.max(offset);
    }

    /// The slot of a hash, or the free one where it belongs. There is always a free one.
    fn find(&self, hash: [u64; 2]) -> usize {
        let slots = self.hashes.len();
        let mut at = (hash[0] % slots as u64) as usize;
        while self.offsets[at] != FREE && self.hashes[at] != hash {
            at += 1;
            if at == slots {
                at = 0;
            }
        }
        at
    }

    fn grow(&mut self) {
        // Where the next size would be nearly the largest, it is that at once.
        let doubled = (self.hashes.len() * 2).max(FIRST);
        let slots = if doubled * 2 > self.slots { self.slots } else { doubled };
        let hashes = std::mem::replace(&mut self.hashes, vec![[0; 2]; slots]);
        let offsets = std::mem::replace(&mut self.offsets, vec![FREE; slots]);
        for (hash, offset) in hashes.into_iter().zip(offsets).filter(|(_, offset)| *offset != FREE) {
            let at = self.find(hash);
            (self.hashes[at], self.offsets[at]) = (hash, offset);
        }
    }
}

fn hash(key: &[u8]) -> [u64; 2] {
    let digest = Sha256::digest(key);
    let word = |at: usize| digest[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    [word(0), word(8)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_offset_of_each_key_is_known_and_the_bound_holds() {
        let mut map = OffsetMap::new(24 * 10_000, 0.5);
        for offset in 0..20_000_i64 {
            if map.is_full() {
                break;
            }
            map.put(format!("key {}", offset % 7_000).as_bytes(), offset);
        }
        assert_eq!((map.len(), map.is_full()), (5_000, true));
        for key in 0..5_000 {
            assert_eq!(map.get(format!("key {key}").as_bytes()), Some(key));
        }
        assert_eq!(map.get(b"another"), None);
        map.put(b"key 3", 2);
        assert_eq!(map.get(b"key 3"), Some(3), "an older record changes nothing");
        assert_eq!(OffsetMap::new(0, 0.9).get(b"x"), None);
        assert!(map.hashes.len() <= 10_000, "{} slots", map.hashes.len());
        // Filled to the last key, one slot is free.
        let mut full = OffsetMap::new(24 * 1000, 1.0);
        let mut offset = 0;
        while !full.is_full() {
            full.put(format!("{offset}").as_bytes(), offset);
            offset += 1;
        }
        assert_eq!((full.len(), full.hashes.len(), full.get(b"none")), (999, 1000, None));
    }
}
