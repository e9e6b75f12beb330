//! Numbers of 7 bits a byte, least significant first, the top bit saying that more follow.

use super::DecodeReason;

/// Bytes that [`encode_u32`] takes.
#[must_use]
#[inline]
pub const fn size_u32(value: u32) -> usize {
    // One byte for each started group of seven bits; zero takes one as well.
    ((31 - (value | 1).leading_zeros()) / 7 + 1) as usize
}

/// Bytes that [`encode_u64`] takes.
#[must_use]
#[inline]
pub const fn size_u64(value: u64) -> usize {
    ((63 - (value | 1).leading_zeros()) / 7 + 1) as usize
}

/// Appends an unsigned number.
#[inline]
pub fn encode_u32(value: u32, out: &mut Vec<u8>) {
    encode_u64(u64::from(value), out);
}

/// Appends an unsigned number.
#[inline]
pub fn encode_u64(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an unsigned number: the value and the bytes it took.
///
/// # Errors
/// [`DecodeReason::InvalidVarint`] past 32 bits, [`DecodeReason::Truncated`] at the end.
#[inline]
pub fn decode_u32(bytes: &[u8]) -> Result<(u32, usize), DecodeReason> {
    match *bytes {
        [first, ..] if first < 0x80 => return Ok((u32::from(first), 1)),
        [first, second, ..] if second < 0x80 => {
            return Ok((u32::from(first & 0x7f) | u32::from(second) << 7, 2));
        }
        _ => {}
    }
    decode_long_u32(bytes)
}

/// Three bytes and more, which in records only large values have.
#[inline(never)]
fn decode_long_u32(bytes: &[u8]) -> Result<(u32, usize), DecodeReason> {
    let mut value = 0u32;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        if index == 4 && byte > 0x0f {
            return Err(DecodeReason::InvalidVarint);
        }
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(DecodeReason::Truncated { needed: bytes.len() + 1, left: bytes.len() })
}

/// Reads an unsigned number: the value and the bytes it took.
///
/// # Errors
/// [`DecodeReason::InvalidVarint`] past 64 bits, [`DecodeReason::Truncated`] at the end.
#[inline]
pub fn decode_u64(bytes: &[u8]) -> Result<(u64, usize), DecodeReason> {
    match *bytes {
        [first, ..] if first < 0x80 => return Ok((u64::from(first), 1)),
        [first, second, ..] if second < 0x80 => {
            return Ok((u64::from(first & 0x7f) | u64::from(second) << 7, 2));
        }
        _ => {}
    }
    decode_long_u64(bytes)
}

#[inline(never)]
fn decode_long_u64(bytes: &[u8]) -> Result<(u64, usize), DecodeReason> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && byte > 0x01 {
            return Err(DecodeReason::InvalidVarint);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(DecodeReason::Truncated { needed: bytes.len() + 1, left: bytes.len() })
}

/// Small negative numbers become small unsigned ones: 0, -1, 1, -2 are 0, 1, 2, 3.
#[must_use]
#[inline]
pub const fn zigzag32(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// The inverse of [`zigzag32`].
#[must_use]
#[inline]
pub const fn unzigzag32(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// As [`zigzag32`], for 64 bits.
#[must_use]
#[inline]
pub const fn zigzag64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag64`].
#[must_use]
#[inline]
pub const fn unzigzag64(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads a signed number in zigzag, as records of magic 2 have them: the value and the bytes it took.
///
/// # Errors
/// As [`decode_u32`].
#[inline]
pub fn decode_i32(bytes: &[u8]) -> Result<(i32, usize), DecodeReason> {
    decode_u32(bytes).map(|(value, size)| (unzigzag32(value), size))
}

/// As [`decode_i32`], for 64 bits.
///
/// # Errors
/// As [`decode_u64`].
#[inline]
pub fn decode_i64(bytes: &[u8]) -> Result<(i64, usize), DecodeReason> {
    decode_u64(bytes).map(|(value, size)| (unzigzag64(value), size))
}

/// Appends a signed number in zigzag. One of 32 bits has the same bytes as the equal one of 64.
#[inline]
pub fn encode_i64(value: i64, out: &mut Vec<u8>) {
    encode_u64(zigzag64(value), out);
}

/// Bytes that [`encode_i64`] takes.
#[must_use]
#[inline]
pub const fn size_i64(value: i64) -> usize {
    size_u64(zigzag64(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_examples_hold() {
        for (value, bytes) in [
            (0u32, &[0u8][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (u32::MAX, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut out = Vec::new();
            encode_u32(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(decode_u32(bytes), Ok((value, bytes.len())));
        }
    }

    #[test]
    fn a_number_wider_than_its_type_is_refused() {
        assert_eq!(decode_u32(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(DecodeReason::InvalidVarint));
        assert_eq!(decode_u32(&[0xff, 0xff, 0xff, 0xff, 0x8f, 1]), Err(DecodeReason::InvalidVarint));
        assert_eq!(decode_u64(&[0xff; 11]), Err(DecodeReason::InvalidVarint));
        assert_eq!(decode_u32(&[0x80]), Err(DecodeReason::Truncated { needed: 2, left: 1 }));
    }

    #[test]
    fn small_negative_numbers_are_small() {
        let edges = [(0, 1), (-1, 1), (63, 1), (-64, 1), (64, 2), (-65, 2), (8191, 2), (8192, 3)];
        for (value, size) in
            edges.into_iter().chain([(i64::MAX, 10), (i64::MIN, 10), (i64::from(i32::MIN), 5)])
        {
            let mut out = Vec::new();
            encode_i64(value, &mut out);
            assert_eq!((size_i64(value), decode_i64(&out)), (size, Ok((value, size))));
        }
    }

    proptest! {
        #[test]
        fn numbers_survive_and_sizes_are_exact(small: u32, large: u64, signed: i32, long: i64) {
            let mut out = Vec::new();
            encode_u32(small, &mut out);
            prop_assert_eq!((decode_u32(&out), out.len()), (Ok((small, size_u32(small))), size_u32(small)));
            out.clear();
            encode_u64(large, &mut out);
            prop_assert_eq!((decode_u64(&out), out.len()), (Ok((large, size_u64(large))), size_u64(large)));
            for number in [i64::from(signed), long] {
                out.clear();
                encode_i64(number, &mut out);
                prop_assert_eq!((decode_i64(&out), out.len()), (Ok((number, size_i64(number))), size_i64(number)));
                if let Ok(narrow) = i32::try_from(number) {
                    prop_assert_eq!(decode_i32(&out), Ok((narrow, out.len())));
                }
            }
        }
    }
}
