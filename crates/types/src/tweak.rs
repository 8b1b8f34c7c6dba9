//! The tweak between a derived child key and the key that signs.

use borsh::{BorshDeserialize, BorshSerialize};

/// The tweak that follows the child derivation.
///
/// Borsh form: one byte, 0 or 1.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Tweak {
    /// The child key itself signs.
    None = 0,
    /// One BIP-341 TapTweak without script tree (Taproot suite only).
    Bip341 = 1,
}

#[cfg(test)]
mod tests {
    use super::Tweak;

    #[test]
    fn tweak_bytes_do_not_change() {
        for (tweak, flag) in [(Tweak::None, false), (Tweak::Bip341, true)] {
            let bytes = borsh::to_vec(&tweak).unwrap();
            assert_eq!(bytes, borsh::to_vec(&flag).unwrap());
            assert_eq!(borsh::from_slice::<Tweak>(&bytes).unwrap(), tweak);
        }
        assert!(borsh::from_slice::<Tweak>(&[2]).is_err());
    }
}
