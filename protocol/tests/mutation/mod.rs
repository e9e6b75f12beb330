//! Damage to well-formed input: small enough to get past the first check, of the kinds that decoders fall for.

/// Numbers at which lengths, counts and offsets turn.
const NUMBERS: [i64; 14] = [
    0,
    1,
    -1,
    2,
    0x7f,
    0x80,
    0xff,
    i16::MAX as i64,
    i16::MIN as i64,
    i32::MAX as i64,
    i32::MIN as i64,
    0x3fff_ffff,
    i64::MAX,
    i64::MIN,
];

/// Makes the same inputs for the same seed (SplitMix64).
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// A damaged copy of one of the seeds.
    pub(crate) fn mutate(&mut self, seeds: &[Vec<u8>], at: usize) -> Vec<u8> {
        let mut input = seeds[at].clone();
        for _ in 0..=self.below(3) {
            self.damage(&mut input, seeds);
        }
        input
    }

    fn damage(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let length = input.len();
        let at = self.below(length);
        let end = at + self.below(32).min(length - at);
        match self.below(9) {
            0 if length > 0 => input[at] ^= 1 << self.below(8),
            1 if length > 0 => input[at] = self.next() as u8,
            2 | 3 if length > 0 => {
                let number = NUMBERS[self.below(NUMBERS.len())].to_be_bytes();
                let width = [1, 2, 4, 8][self.below(4)].min(length - at);
                input[at..at + width].copy_from_slice(&number[8 - width..]);
            }
            4 if length > 0 => {
                // The largest number of seven bits a byte.
                let end = (at + 5).min(length);
                input[at..end].fill(0xff);
                input[end - 1] = 0x07;
            }
            5 => input.truncate(at),
            6 => drop(input.drain(at..end)),
            7 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            _ => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
}
