//! Ids of chains and assets by CAIP-2 and CAIP-19.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::io;
use std::str::FromStr;

/// A CAIP-2 chain id, e.g. `bip122:0f9188f13cb7b2c71f2a335e3a4fc328` (Bitcoin regtest).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct ChainId(String);

/// A CAIP-19 asset id, e.g. `bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct AssetId(String);

/// Text that is not a CAIP id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotACaip {
    /// Not `namespace:reference` (CAIP-2).
    #[error("a chain is `namespace:reference` as in CAIP-2")]
    Chain,
    /// Not `chain/namespace:reference` (CAIP-19).
    #[error("an asset is `chain/namespace:reference` as in CAIP-19")]
    Asset,
}

/// Whether a text is `namespace:reference`: a namespace of 3–8 of `a–z 0–9 -`, and a reference of at
/// most `reference_max` of `A–Z a–z 0–9 -` and `more`.
fn is_named(text: &str, reference_max: usize, more: u8) -> bool {
    let Some((namespace, reference)) = text.split_once(':') else {
        return false;
    };

    let lower = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let any = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == more;

    (3..=8).contains(&namespace.len())
        && namespace.bytes().all(lower)
        && (1..=reference_max).contains(&reference.len())
        && reference.bytes().all(any)
}

impl FromStr for ChainId {
    type Err = NotACaip;

    fn from_str(text: &str) -> Result<Self, NotACaip> {
        if is_named(text, 32, b'_') {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotACaip::Chain)
        }
    }
}

impl FromStr for AssetId {
    type Err = NotACaip;

    fn from_str(text: &str) -> Result<Self, NotACaip> {
        let (chain, asset) = text.split_once('/').ok_or(NotACaip::Asset)?;

        // Percent encoding, which CAIP-19 allows, is refused: it would give one asset two texts.
        let valid = is_named(chain, 32, b'_') && is_named(asset, 128, b'.');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotACaip::Asset)
        }
    }
}

impl AssetId {
    /// Chain on which the asset is.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        // An asset's text was parsed with a slash, so there always is a first part.
        ChainId(self.0.split('/').next().unwrap_or_default().to_owned())
    }
}

macro_rules! text_id {
    ($($name:ident)*) => {$(
        impl $name {
            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl BorshDeserialize for $name {
            fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
                let text = String::deserialize_reader(reader)?;
                // Borsh bytes are checked by the rules of the text form, so that they cannot hold
                // an id that no text has.
                text.parse().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
            }
        }
    )*};
}
text_id!(ChainId AssetId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caip_ids_parse_strictly() {
        let asset: AssetId = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1"
            .parse()
            .unwrap();
        assert_eq!(
            asset.chain().as_str(),
            "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"
        );
        for good in ["eip155:1/slip44:60", "cosmos:a_b/ibc:a.b"] {
            assert!(good.parse::<AssetId>().is_ok(), "{good}");
        }
        assert!("eip155:1/slip44:6_0".parse::<AssetId>().is_err());
        for bad in [
            "",
            "eip155",
            "eip155:",
            "EIP155:1",
            "eip155:1/slip44",
            "eip155:1/slip44:60/x",
            "e:1",
            "eip155:1.0",
            "eip155:1.0/slip44:60",
        ] {
            assert!(
                bad.parse::<AssetId>().is_err() && (bad.parse::<ChainId>().is_err()),
                "{bad}"
            );
        }
    }
}
