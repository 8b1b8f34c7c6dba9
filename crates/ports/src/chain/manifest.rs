//! Description of a codec, and amounts as people read them.

use strongroom_types::{AssetId, ChainId, MinorUnits, Suite};

/// Description of a codec.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The only network that this codec reads, CAIP-2.
    pub chain: ChainId,
    /// The asset in which fees are paid, CAIP-19.
    pub native: AssetId,
    /// Name and version of the decoder, part of every decision core, e.g. `bitcoin/1`.
    pub decoder: &'static str,
    /// Name of the network in configuration files and on screens, e.g. `regtest`; distinct among
    /// the codecs of a build.
    pub network: &'static str,
    /// Schemes whose keys can hold assets on this chain, the preferred one first.
    pub suites: &'static [Suite],
    /// Form in which the native asset is shown.
    pub display: Display,
}

/// Form in which amounts of an asset are shown to people. No decision depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Display {
    /// Ticker of the whole unit, e.g. `BTC`.
    pub symbol: &'static str,
    /// Ticker of the base unit, e.g. `sat`.
    pub minor: &'static str,
    /// Decimal places between the two, e.g. 8.
    pub decimals: u8,
}

/// Facts that follow from an address alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressFacts {
    /// Kind of address as the chain names it, e.g. `p2tr`.
    pub kind: &'static str,
}

impl Manifest {
    /// An amount as people read it: exact base units first, then the whole unit, `5000000 sat
    /// (0.05000000 BTC)`. If this build does not know the asset's decimals, it shows only the base
    /// units: with a guessed decimal point the amount would be wrong.
    #[must_use]
    pub fn amount(&self, asset: &AssetId, units: MinorUnits) -> String {
        if *asset == self.native {
            self.display.amount(units)
        } else {
            format!("{units} base units of {asset}")
        }
    }
}

impl Display {
    /// The amount in base units and in whole units, with all decimals.
    #[must_use]
    pub fn amount(&self, units: MinorUnits) -> String {
        let (decimals, digits) = (usize::from(self.decimals), units.to_string());

        // The digits are split as text, because a float would round amounts above 2^53.
        let padded = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, fraction) = padded.split_at(padded.len() - decimals);
        let point = if decimals == 0 { "" } else { "." };
        format!(
            "{units} {} ({whole}{point}{fraction} {})",
            self.minor, self.symbol
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITCOIN: Display = Display {
        symbol: "BTC",
        minor: "sat",
        decimals: 8,
    };

    #[test]
    fn amounts_show_every_decimal() {
        let shown = |units: u64| BITCOIN.amount(units.into());
        assert_eq!(shown(0), "0 sat (0.00000000 BTC)");
        assert_eq!(shown(1), "1 sat (0.00000001 BTC)");
        assert_eq!(shown(5_000_000), "5000000 sat (0.05000000 BTC)");
        assert_eq!(
            shown(2_100_000_000_000_001),
            "2100000000000001 sat (21000000.00000001 BTC)"
        );
    }

    #[test]
    fn amounts_of_256_bits_are_shown_whole() {
        let wei = Display {
            symbol: "ETH",
            minor: "wei",
            decimals: 18,
        };
        let max = MinorUnits::from_be_bytes([0xff; 32]);
        let text = wei.amount(max);
        assert!(text.ends_with("584007913129639935 ETH)"), "{text}");
        assert_eq!(text.matches('.').count(), 1);
        let plain = Display {
            symbol: "X",
            minor: "x",
            decimals: 0,
        };
        assert_eq!(plain.amount(7.into()), "7 x (7 X)");
    }
}
