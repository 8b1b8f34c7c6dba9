//! Valid values of any borsh type, made by *decoding* a reader that answers with plausible bytes.
//!
//! Borsh asks for one byte for a tag, four for a length, and so on; small answers make most types
//! decode within a few tries, so no target needs hand-written samples.

use borsh::BorshDeserialize;
use rand_core::RngCore;
use std::io::{self, Read};

/// Texts that a reader of random letters would never guess.
const WORDS: [&str; 8] = [
    "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
    "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1",
    "bcrt1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqvg32hk",
    "malformed",
    "journal_stale",
    "main",
    "{}",
    "Treasury",
];
const TRIES_MAX: usize = 20_000;
const BYTES_MAX: usize = 64 * 1024;

/// A value of `T`, or `None` when the tries run out.
pub fn value<T: BorshDeserialize>(rng: &mut dyn RngCore) -> Option<T> {
    (0..TRIES_MAX).find_map(|_| {
        T::deserialize_reader(&mut Plausible {
            rng,
            word: None,
            left: BYTES_MAX,
        })
        .ok()
    })
}

struct Plausible<'a> {
    rng: &'a mut dyn RngCore,
    /// A text whose length was given as the last answer.
    word: Option<&'static str>,
    left: usize,
}

impl Read for Plausible<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(buffer.len())
            .ok_or(io::ErrorKind::FileTooLarge)?;
        if let Some(word) = self.word.take().filter(|word| word.len() == buffer.len()) {
            buffer.copy_from_slice(word.as_bytes());
            return Ok(buffer.len());
        }
        match buffer.len() {
            1 => buffer.fill(self.tag()),
            2 => buffer.copy_from_slice(&[1 + self.below(3), 0]),
            4 => {
                let length = self.length();
                buffer.copy_from_slice(&length.to_le_bytes());
            }
            3 | 5..=8 => {
                buffer.fill(0);
                if let Some(first) = buffer.first_mut() {
                    *first = b'a' + self.below(26);
                }
            }
            _ => self.rng.fill_bytes(buffer),
        }
        Ok(buffer.len())
    }
}

impl Plausible<'_> {
    fn below(&mut self, bound: u32) -> u8 {
        u8::try_from(self.rng.next_u32() % bound).unwrap_or_default()
    }

    /// A tag: mostly of the first variants, so that nested options end, sometimes of a later one,
    /// sometimes a letter.
    fn tag(&mut self) -> u8 {
        match self.below(10) {
            0..=3 => 0,
            4..=6 => 1,
            7..=8 => self.below(14),
            _ => b'a',
        }
    }

    fn length(&mut self) -> u32 {
        if self.below(3) != 0 {
            return u32::from(self.below(3));
        }
        let at = usize::from(self.below(8));
        self.word = WORDS.get(at).copied();
        self.word
            .map_or(0, |word| u32::try_from(word.len()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    #[test]
    fn nested_types_are_made_and_the_same_seed_makes_the_same_value() {
        type Nested = (Vec<Option<String>>, u16, [u8; 32], Option<Vec<u8>>);
        let make = |seed| value::<Nested>(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }
}
