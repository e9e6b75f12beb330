//! Adler-32, the checksum of Apache's log and snapshots (RFC 1950).

/// A running checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adler32 {
    a: u32,
    b: u32,
}

impl Adler32 {
    pub(super) fn new() -> Self {
        Adler32 { a: 1, b: 0 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        const MODULUS: u32 = 65_521;
        // The most bytes after which the sums still fit 32 bits, so that the remainder is taken once for so many.
        for chunk in bytes.chunks(5552) {
            for byte in chunk {
                self.a += u32::from(*byte);
                self.b += self.a;
            }
            self.a %= MODULUS;
            self.b %= MODULUS;
        }
    }

    pub(super) fn value(self) -> i64 {
        i64::from((self.b << 16) | self.a)
    }

    pub(super) fn of(bytes: &[u8]) -> i64 {
        let mut sum = Adler32::new();
        sum.update(bytes);
        sum.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        assert_eq!(Adler32::of(b""), 1);
        assert_eq!(Adler32::of(b"Wikipedia"), 0x11E6_0398);
        let long = vec![0xff; 100_000];
        let mut parts = Adler32::new();
        long.chunks(777).for_each(|chunk| parts.update(chunk));
        assert_eq!(parts.value(), Adler32::of(&long));
    }
}
