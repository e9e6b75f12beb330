//! Zigzag varints, as records of magic 2 use them for lengths and deltas.

/// Reads a varint from the front of `bytes`: the value and the bytes it took. `None` where it ends early or is over-long.
pub(super) fn read_i32(bytes: &[u8]) -> Option<(i32, usize)> {
    let mut value = 0u32;
    for (i, &byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some(((value >> 1) as i32 ^ -((value & 1) as i32), i + 1));
        }
    }
    None
}

/// As [`read_i32`], of 64 bits.
pub(super) fn read_i64(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some(((value >> 1) as i64 ^ -((value & 1) as i64), i + 1));
        }
    }
    None
}

/// Appends a varint. A 32-bit value has the same bytes as the equal 64-bit one.
pub(super) fn write(out: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Bytes that [`write`] takes.
pub(super) fn size(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_reads_as_written() {
        let edges = [
            0,
            1,
            -1,
            63,
            64,
            -64,
            -65,
            8191,
            8192,
            i64::from(i32::MAX),
            i64::from(i32::MIN),
            i64::MAX,
            i64::MIN,
        ];
        for value in edges {
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            assert_eq!(bytes.len(), size(value), "{value}");
            assert_eq!(read_i64(&bytes), Some((value, bytes.len())));
            if let Ok(narrow) = i32::try_from(value) {
                assert_eq!(read_i32(&bytes), Some((narrow, bytes.len())));
            }
        }
    }

    #[test]
    fn an_endless_or_cut_varint_is_none() {
        assert_eq!(read_i32(&[0x80; 6]), None);
        assert_eq!(read_i64(&[0x80; 11]), None);
        assert_eq!(read_i32(&[0x80]), None);
        assert_eq!(read_i32(&[]), None);
    }
}
