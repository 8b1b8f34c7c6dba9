//! Amounts in base units (satoshi, wei, …).

use borsh::{BorshDeserialize, BorshSerialize};
use ruint::aliases::U256;
use std::fmt;
use std::io;
use std::str::FromStr;

/// An amount in the asset's base units: 256 bits, checked arithmetic only.
///
/// Text form: decimal digits without leading zeros. Borsh form: 32 bytes, big-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MinorUnits(U256);

impl MinorUnits {
    /// Zero units.
    pub const ZERO: Self = Self(U256::ZERO);

    /// Sum, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Difference, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Half of the amount, rounded down.
    #[must_use]
    pub fn half(self) -> Self {
        Self(self.0 >> 1)
    }

    /// Whether the amount is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The amount as 64 bits, or `None` when it is larger (Bitcoin amounts fit).
    #[must_use]
    pub fn to_u64(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }

    /// 32 bytes, big-endian.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    /// The amount of 32 bytes, big-endian.
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_be_bytes(bytes))
    }
}

impl From<u64> for MinorUnits {
    fn from(units: u64) -> Self {
        Self(U256::from(units))
    }
}

impl fmt::Display for MinorUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for MinorUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Text that is not a canonical amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an amount is decimal digits without sign, point or leading zeros, below 2^256")]
pub struct NotAnAmount;

impl FromStr for MinorUnits {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        // The length is checked before anything is computed: 2^256 − 1 has 78 digits. Leading zeros
        // are refused, because people sign texts and one amount must have one text.
        let digits =
            !text.is_empty() && text.len() <= 78 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits || (text.len() > 1 && text.starts_with('0')) {
            return Err(NotAnAmount);
        }

        U256::from_str_radix(text, 10)
            .map(Self)
            .map_err(|_| NotAnAmount)
    }
}

impl BorshSerialize for MinorUnits {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        // The bytes are big-endian, so that their order is the order of the amounts
        // (docs/adr/0011).
        writer.write_all(&self.to_be_bytes())
    }
}

impl BorshDeserialize for MinorUnits {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        <[u8; 32]>::deserialize_reader(reader).map(Self::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_decimal_text_is_an_amount() {
        for good in [
            "0",
            "1",
            "1500000000000000000",
            &MinorUnits(U256::MAX).to_string(),
        ] {
            assert_eq!(good.parse::<MinorUnits>().unwrap().to_string(), good);
        }
        let two_to_256 =
            "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        for bad in [
            "", "-1", "+1", "01", "1.0", "1e3", "0x1", " 1", "1_000", two_to_256,
        ] {
            assert_eq!(bad.parse::<MinorUnits>(), Err(NotAnAmount), "{bad}");
        }
    }

    #[test]
    fn sums_do_not_wrap() {
        let max = MinorUnits(U256::MAX);
        assert_eq!(max.checked_add(1.into()), None);
        assert_eq!(MinorUnits::ZERO.checked_sub(1.into()), None);
    }

    #[test]
    fn amount_bytes_do_not_change() {
        let bytes = borsh::to_vec(&MinorUnits::from(258)).unwrap();
        assert_eq!(hex::encode(bytes), format!("{:0>64}", "102"));
    }
}
