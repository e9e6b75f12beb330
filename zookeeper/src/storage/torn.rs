//! What a log ends in that is no whole transaction: torn by a crash, or damaged.
//!
//! A crash tears only what nobody was told of: the last write, at most [`MOST_TXNS_AT_ONCE`] transactions, into space that was zero before
//! (the file is made longer first). So it leaves zeros where bytes are missing: behind some byte when the process died, anywhere in units of
//! a disk's sector when the power went. Whatever else is wrong with a record was on the disk whole and has changed since. Then it, and all
//! that follows, may have been acknowledged, and to go on without it would be to lose it in silence: the start is refused, as by Apache's.

use super::MOST_TXNS_AT_ONCE;
use super::adler32::Adler32;
use super::txnlog::{MAX_TXN, RECORD_END, RECORD_HEAD};

/// The least that a disk writes at once. Larger units are multiples of it.
const SECTOR: usize = 512;
/// A record's zxid lies here, behind session and cxid.
const ZXID_AT: usize = RECORD_HEAD + 12;
/// The shortest record: a header of 32 bytes and no body.
const SHORTEST: usize = RECORD_HEAD + 32 + 1;
/// A hole of fewer bytes at a record's begin shows nothing: the checksum's upper half is always zero.
const LEAST_HOLE: usize = 8;

/// What the end of a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was being written when the process or the machine stopped.
    Torn,
    /// It was whole once. So many whole transactions are behind it, counted up to a bound.
    Damaged { behind: usize },
}

/// Where the first record that is not whole lies, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its first byte in the file.
    pub(super) at: u64,
    /// The zxid that it would have.
    pub(super) expected: i64,
    /// Whether each write was on the disk before the next was begun (`forceSync`).
    pub(super) synced: bool,
}

/// Judges `tail`: the file from `place.at` to its end.
pub(super) fn judge(tail: &[u8], place: Place) -> Verdict {
    let behind = whole_records(tail, place.expected);
    let is_torn = (behind == 0 && stops(tail, place.expected))
        || ((behind < MOST_TXNS_AT_ONCE || !place.synced) && has_hole(tail, place.at));
    if is_torn { Verdict::Torn } else { Verdict::Damaged { behind } }
}

/// Whether the record stops in its midst, and nothing is behind: it was being copied when the process died.
fn stops(tail: &[u8], expected: i64) -> bool {
    let written = used(tail);
    // Bytes that are missing from the length only make it smaller: what is impossible is not torn.
    let Some(len) = body_len(tail) else { return false };
    let zxid_agrees =
        written < ZXID_AT + 8 || be_i64(tail, ZXID_AT).is_some_and(|zxid| follows(zxid, expected));
    written < RECORD_HEAD + len + 1 && zxid_agrees && !is_whole_but_for_its_length(&tail[..written])
}

/// How much of the tail is not reserved space.
pub(super) fn used(tail: &[u8]) -> usize {
    tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Whether a checksum over all there is agrees: then it is the length that has changed, and nothing is missing.
fn is_whole_but_for_its_length(written: &[u8]) -> bool {
    let body = written.get(RECORD_HEAD..).and_then(|body| body.strip_suffix(&[RECORD_END]));
    body.is_some_and(|body| be_i64(written, 0) == Some(Adler32::of(body)))
}

/// Whether a whole sector below the record is zero, from the record's begin if the sector has older ones before it: it never reached the disk.
fn has_hole(tail: &[u8], at: u64) -> bool {
    let Some(len) = body_len(tail) else { return false };
    // Zeros behind all that is written are reserved space.
    let end = (RECORD_HEAD + len + 1).min(used(tail));
    let mut from = 0;
    while from < end {
        let in_sector = ((at + from as u64) % SECTOR as u64) as usize;
        let to = (from + SECTOR - in_sector).min(tail.len());
        if to - from >= LEAST_HOLE && tail[from..to].iter().all(|byte| *byte == 0) {
            return true;
        }
        from = to;
    }
    false
}

/// How many whole records lie anywhere in `tail` but at its begin, counted up to one more than one write can have. They are looked for byte by
/// byte, as the length of the first may be what is damaged.
fn whole_records(tail: &[u8], expected: i64) -> usize {
    let (mut count, mut at) = (0, 1);
    while at + SHORTEST <= tail.len() && count <= MOST_TXNS_AT_ONCE {
        match whole_record(&tail[at..], expected) {
            Some(len) => {
                count += 1;
                at += len;
            }
            None => at += 1,
        }
    }
    count
}

/// The length of the record at the begin of `bytes`, if it is whole and can be behind the one that is missed.
fn whole_record(bytes: &[u8], expected: i64) -> Option<usize> {
    let sum = be_i64(bytes, 0).filter(|sum| sum >> 32 == 0 && *sum != 0)?;
    let end = RECORD_HEAD + body_len(bytes)?;
    let is_whole = be_i64(bytes, ZXID_AT).is_some_and(|zxid| zxid > expected)
        && bytes.get(end) == Some(&RECORD_END)
        && Adler32::of(&bytes[RECORD_HEAD..end]) == sum;
    is_whole.then_some(end + 1)
}

/// The length that a record's head says, if a record can have it. What is missing of the head counts as zero.
fn body_len(bytes: &[u8]) -> Option<usize> {
    let mut len = [0; 4];
    for (byte, from) in len.iter_mut().zip(bytes.iter().skip(8)) {
        *byte = *from;
    }
    usize::try_from(i32::from_be_bytes(len)).ok().filter(|len| *len <= MAX_TXN)
}

/// Whether a transaction with `zxid` can stand where `expected` is due: that one, or the first of a later epoch.
fn follows(zxid: i64, expected: i64) -> bool {
    zxid == expected || zxid >> 32 > expected >> 32
}

fn be_i64(bytes: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jute::Record as _;
    use crate::txn::{CreateTxn, Txn, TxnHeader};

    /// A record as the writer makes it, with a node of `size` bytes.
    fn record(zxid: i64, size: usize) -> Vec<u8> {
        let data: Vec<u8> = (0..size).map(|index| (index % 251 + 1) as u8).collect();
        let node = CreateTxn {
            path: format!("/n{zxid}"),
            data: Some(data.into()),
            acl: Vec::new(),
            ephemeral: false,
            parent_cversion: 1,
        };
        let mut body = TxnHeader { session_id: 7, cxid: 1, zxid, time: 1, op: 1 }.to_bytes();
        Txn::Create(node).encode(&mut body);
        let mut record = Adler32::of(&body).to_be_bytes().to_vec();
        record.extend_from_slice(&(body.len() as i32).to_be_bytes());
        record.extend_from_slice(&body);
        record.push(RECORD_END);
        record
    }

    /// One write of so many transactions from zxid 100 on, and reserved zeros behind it.
    fn write(records: i64, size: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..records).flat_map(|index| record(100 + index, size)).collect();
        bytes.resize(bytes.len() + 2000, 0);
        bytes
    }

    const AT: u64 = 16 + 777;

    fn judged(tail: &[u8]) -> Verdict {
        judge(tail, Place { at: AT, expected: 100, synced: true })
    }

    #[test]
    fn a_record_cut_at_any_byte_is_torn_whether_zeros_follow_or_not() {
        let whole = record(100, 50);
        for cut in 0..whole.len() {
            let mut padded = whole[..cut].to_vec();
            padded.resize(4096, 0);
            assert_eq!(judged(&padded), Verdict::Torn, "zeros behind {cut}");
            assert_eq!(judged(&whole[..cut]), Verdict::Torn, "the file ends at {cut}");
        }
    }

    #[test]
    fn a_sector_that_never_reached_the_disk_is_torn_though_whole_records_are_behind_it() {
        // Records of about 110 bytes: some are whole behind the hole.
        let mut tail = write(40, 50);
        let sector_end = SECTOR - (AT as usize % SECTOR);
        tail[..sector_end].fill(0);
        assert_eq!(judged(&tail), Verdict::Torn);
    }

    #[test]
    fn changed_bytes_are_damage_wherever_they_are_and_whatever_follows() {
        for records in [1, 2, 30] {
            let whole = write(records, 600);
            let first = record(100, 600).len();
            for at in 0..first {
                let mut tail = whole.clone();
                tail[at] ^= 0xa5;
                let damaged = Verdict::Damaged { behind: records as usize - 1 };
                assert_eq!(judged(&tail), damaged, "byte {at} of {records}");
            }
        }
    }

    #[test]
    fn more_behind_a_hole_than_one_write_can_have_is_damage_if_writes_are_synced() {
        let mut tail = write(MOST_TXNS_AT_ONCE as i64 + 20, 10);
        tail[..SECTOR].fill(0);
        let place = Place { at: 1024, expected: 100, synced: true };
        assert!(matches!(judge(&tail, place), Verdict::Damaged { behind } if behind > MOST_TXNS_AT_ONCE));
        assert_eq!(judge(&tail, Place { synced: false, ..place }), Verdict::Torn);
    }

    proptest::proptest! {
        #[test]
        fn garbage_that_ends_the_file_is_never_counted_as_whole(mut tail in proptest::collection::vec(0_u8.., 0..600)) {
            // The checksum's upper half is never like this.
            tail.iter_mut().take(1).for_each(|byte| *byte |= 1);
            let found_whole = matches!(judged(&tail), Verdict::Damaged { behind: 1.. });
            proptest::prop_assert!(!found_whole);
        }
    }
}
