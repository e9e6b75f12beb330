//! The quick look at every record of an uncompressed batch: what nearly all batches are.
//!
//! It steps over keys, values and headers by their lengths, so it touches a cache line or two for each record, which the checksum has just brought in.
//! Where anything is out of the ordinary it says so, and [`inspect()`](super::inspect()) finds out what.

use super::Rules;
use crate::records::{BatchHeader, NO_TIMESTAMP, TimestampType};
use crate::wire::varint;

/// The largest timestamp of a body's records; `None` where a record is not whole, is no successor of the one before, or may not be appended under
/// these rules, which is for the closer look to say.
pub(super) fn walk(header: &BatchHeader, body: &[u8], rules: &Rules) -> Option<i64> {
    if header.timestamp_type() != TimestampType::CreateTime {
        return None;
    }
    let mut rest = Fields(body);
    let (mut smallest, mut largest) = (i64::MAX, i64::MIN);
    for expected in 0..header.count {
        let length = rest.number()?;
        let mut record = Fields(rest.skip(length)?);
        // The attributes, which mean nothing yet.
        record.skip(1)?;
        let timestamp = header.base_timestamp.wrapping_add(record.long()?);
        smallest = smallest.min(timestamp);
        largest = largest.max(timestamp);
        if record.number()? != expected {
            return None;
        }
        let key = record.number()?;
        if key < 0 && rules.compacted {
            return None;
        }
        record.skip(key.max(0))?;
        let value = record.number()?;
        record.skip(value.max(0))?;
        for _ in 0..record.headers()? {
            let name = record.number()?;
            record.skip(name)?;
            let value = record.number()?;
            record.skip(value.max(0))?;
        }
        if !record.0.is_empty() {
            return None;
        }
    }
    if !rest.0.is_empty() {
        return None;
    }
    let by_create_time = rules.timestamp_type == TimestampType::CreateTime;
    let in_range =
        smallest > NO_TIMESTAMP && rules.allows_timestamp(smallest) && rules.allows_timestamp(largest);
    (!by_create_time || in_range).then_some(largest)
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    #[inline]
    fn number(&mut self) -> Option<i32> {
        let (value, size) = varint::decode_i32(self.0).ok()?;
        self.0 = self.0.get(size..)?;
        Some(value)
    }

    #[inline]
    fn long(&mut self) -> Option<i64> {
        let (value, size) = varint::decode_i64(self.0).ok()?;
        self.0 = self.0.get(size..)?;
        Some(value)
    }

    /// Steps over so many bytes, and gives them; `None` also where their number is negative.
    #[inline]
    fn skip(&mut self, length: i32) -> Option<&'a [u8]> {
        let (skipped, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(skipped)
    }

    /// How many headers follow: no more than the bytes that are left can hold.
    #[inline]
    fn headers(&mut self) -> Option<i32> {
        let count = self.number()?;
        usize::try_from(count).is_ok_and(|count| count <= self.0.len() / 2).then_some(count)
    }
}
