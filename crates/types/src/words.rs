//! Sixteen words that people compare: the first 176 bits of a digest as BIP-39 English words.
//!
//! Eight words would be 88 bits, and two files with equal words could be found with 2^44 work. The
//! words are shown as a 4 × 4 grid.

use crate::Digest;

const WORDS: &str = include_str!("../vectors/bip39-english.txt");
const BITS_PER_WORD: usize = 11;

/// The sixteen words of a digest, most significant bits first (BIP-39 English list, 11 bits
/// per word).
#[must_use]
pub fn words(of: &Digest) -> [&'static str; 16] {
    let list: Vec<&'static str> = WORDS.lines().collect();

    // 16 words of 11 bits use 176 of the 256 bits, and 11 bits can index exactly the 2,048 words of
    // the list, so neither look-up can fail.
    std::array::from_fn(|word| {
        let bit = |n: usize| {
            of.0.get(n / 8)
                .map_or(0, |byte| usize::from(byte >> (7 - n % 8) & 1))
        };

        let start = word * BITS_PER_WORD;
        let index = (start..start + BITS_PER_WORD).fold(0, |index, n| index << 1 | bit(n));
        list.get(index).copied().unwrap_or_default()
    })
}

/// The words in four lines of four, for screens.
#[must_use]
pub fn grid(of: &Digest) -> String {
    let lines: Vec<String> = words(of)
        .chunks(4)
        .map(|row| {
            row.iter()
                .map(|w| format!("{w:<9}"))
                .collect::<String>()
                .trim_end()
                .to_owned()
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest as _;

    #[test]
    fn the_word_list_is_the_bip39_english_list() {
        let hash = hex::encode(sha2::Sha256::digest(WORDS));
        assert_eq!(
            hash,
            "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
        );
        assert_eq!(WORDS.lines().count(), 2048);
    }

    #[test]
    fn words_of_the_extremes() {
        assert_eq!(words(&Digest([0; 32])), ["abandon"; 16]);
        assert_eq!(words(&Digest([255; 32])), ["zoo"; 16]);
        let mut one = [0; 32];
        one[1] = 0b0010_0000;
        assert_eq!(words(&Digest(one))[0], "ability", "bits 0–10 are 1");
    }
}
