//! Sizes and fees in integers: the library's selection counts in 32-bit floats, which do not hold
//! satoshi.

/// Weight of a Taproot key-path input: 41 bytes fourfold, and a witness of count, length and 64
/// bytes.
const INPUT_WEIGHT: u64 = 41 * 4 + 66;
/// Weight of a P2TR output.
const CHANGE_WEIGHT: u64 = 43 * 4;
/// Version, lock time, segwit marker and flag.
const FIXED_WEIGHT: u64 = 8 * 4 + 2;
/// Nodes relay nothing below 1 sat/vB, so no lower rate is used.
const RELAY_RATE: u64 = 1_000;
/// BIP-125 rule 4: a replacement pays at least this much more for its own size.
const REPLACE_RATE: u64 = 1_000;

/// The transaction to be replaced.
#[derive(Clone, Copy, Debug)]
pub struct Replaced {
    /// Its fee in satoshi.
    pub fee: u64,
    /// Its virtual size.
    pub vsize: u64,
}

/// Rate and outputs from which the fee of a transaction follows.
#[derive(Clone, Copy, Debug)]
pub struct Fees {
    /// Satoshi per 1 000 virtual bytes.
    pub rate: u64,
    /// Weight of the paying outputs.
    pub outputs_weight: u64,
    /// Number of paying outputs.
    pub outputs: usize,
    /// The transaction it must outbid.
    pub replaced: Option<Replaced>,
}

impl Fees {
    /// Virtual size of the signed transaction with so many inputs, with or without change
    /// (BIP-141).
    pub fn vsize(&self, inputs: usize, change: bool) -> u64 {
        let outputs = self.outputs + usize::from(change);

        // Weight is in weight units: what is not witness counts fourfold (BIP-141).
        let weight = FIXED_WEIGHT
            + 4 * (count_bytes(inputs) + count_bytes(outputs))
            + INPUT_WEIGHT * inputs as u64
            + self.outputs_weight
            + if change { CHANGE_WEIGHT } else { 0 };

        weight.div_ceil(4)
    }

    /// The least fee for it.
    pub fn fee(&self, inputs: usize, change: bool) -> u64 {
        let vsize = self.vsize(inputs, change);
        let by_rate = at_rate(vsize, self.rate.max(RELAY_RATE));
        self.replaced
            .map_or(by_rate, |old| by_rate.max(old.outbid(vsize)))
    }

    /// Cost of spending one more coin of the vault.
    pub fn input_cost(&self) -> u64 {
        at_rate(INPUT_WEIGHT.div_ceil(4), self.rate.max(RELAY_RATE))
    }
}

impl Replaced {
    /// BIP-125 rules 3 and 4, and Bitcoin Core's demand that the fee rate rises.
    fn outbid(&self, vsize: u64) -> u64 {
        let more = self.fee.saturating_add(at_rate(vsize, REPLACE_RATE));
        let same_rate = u128::from(self.fee) * u128::from(vsize) / u128::from(self.vsize.max(1));

        // The fee is one satoshi above equal rate: Core refuses a replacement whose rate does not
        // rise.
        more.max(
            u64::try_from(same_rate)
                .unwrap_or(u64::MAX)
                .saturating_add(1),
        )
    }
}

/// Fee of a size, rounded up.
fn at_rate(vsize: u64, rate: u64) -> u64 {
    let fee = (u128::from(vsize) * u128::from(rate)).div_ceil(1_000);
    u64::try_from(fee).unwrap_or(u64::MAX)
}

fn count_bytes(count: usize) -> u64 {
    // A compact size takes 3 bytes from 253 on; no transaction here has 65,536 inputs or outputs.
    if count < 0xfd { 1 } else { 3 }
}
