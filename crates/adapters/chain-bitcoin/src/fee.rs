//! Sizes and fees in integers. The selection library counts in 32-bit floats, which cannot hold
//! amounts in satoshi exactly.

/// Weight of a Taproot key-path input: 41 bytes that count fourfold, and a witness of count, length
/// and 64 bytes.
const INPUT_WEIGHT: u64 = 41 * 4 + 66;
/// Weight of a P2TR output, 43 bytes that count fourfold.
const CHANGE_WEIGHT: u64 = 43 * 4;
/// Weight of version, lock time, segwit marker and flag.
const FIXED_WEIGHT: u64 = 8 * 4 + 2;
/// Lowest rate that is used, satoshi per 1 000 virtual bytes: nodes relay nothing below 1 sat/vB.
const RELAY_RATE: u64 = 1_000;
/// Rate by which a replacement must pay more for its own size (BIP-125 rule 4), satoshi per 1 000
/// virtual bytes.
const REPLACE_RATE: u64 = 1_000;

/// The transaction to be replaced.
#[derive(Clone, Copy, Debug)]
pub struct Replaced {
    /// Its fee, satoshi.
    pub fee: u64,
    /// Its size, virtual bytes.
    pub vsize: u64,
}

/// Rate and outputs from which the fee of a transaction follows.
#[derive(Clone, Copy, Debug)]
pub struct Fees {
    /// Satoshi per 1 000 virtual bytes.
    pub rate: u64,
    /// Weight of the paying outputs, weight units.
    pub outputs_weight: u64,
    /// Number of paying outputs.
    pub outputs: usize,
    /// Transaction that it replaces and must outbid, if any.
    pub replaced: Option<Replaced>,
}

impl Fees {
    /// Virtual size (BIP-141) of the signed transaction with this number of inputs, with or without
    /// change.
    pub fn vsize(&self, inputs: usize, change: bool) -> u64 {
        let outputs = self.outputs + usize::from(change);

        // Bytes outside of the witness count fourfold (BIP-141).
        let weight = FIXED_WEIGHT
            + 4 * (count_bytes(inputs) + count_bytes(outputs))
            + INPUT_WEIGHT * inputs as u64
            + self.outputs_weight
            + if change { CHANGE_WEIGHT } else { 0 };

        weight.div_ceil(4)
    }

    /// Smallest fee of that transaction, satoshi.
    pub fn fee(&self, inputs: usize, change: bool) -> u64 {
        let vsize = self.vsize(inputs, change);
        let by_rate = at_rate(vsize, self.rate.max(RELAY_RATE));
        self.replaced
            .map_or(by_rate, |old| by_rate.max(old.outbid(vsize)))
    }

    /// Cost of spending one more coin of the vault, satoshi.
    pub fn input_cost(&self) -> u64 {
        at_rate(INPUT_WEIGHT.div_ceil(4), self.rate.max(RELAY_RATE))
    }
}

impl Replaced {
    /// Smallest fee of a replacement, satoshi, by BIP-125 rules 3 and 4 and Bitcoin Core's rule
    /// that the fee rate must rise.
    fn outbid(&self, vsize: u64) -> u64 {
        let more = self.fee.saturating_add(at_rate(vsize, REPLACE_RATE));
        let same_rate = u128::from(self.fee) * u128::from(vsize) / u128::from(self.vsize.max(1));

        // One satoshi is added to the fee of equal rate, because Core refuses a replacement whose
        // rate does not rise.
        more.max(
            u64::try_from(same_rate)
                .unwrap_or(u64::MAX)
                .saturating_add(1),
        )
    }
}

/// Fee for a size in virtual bytes, satoshi, rounded up.
fn at_rate(vsize: u64, rate: u64) -> u64 {
    let fee = (u128::from(vsize) * u128::from(rate)).div_ceil(1_000);
    u64::try_from(fee).unwrap_or(u64::MAX)
}

fn count_bytes(count: usize) -> u64 {
    // A compact size takes 3 bytes from 253 on; no transaction here has 65,536 inputs or outputs.
    if count < 0xfd { 1 } else { 3 }
}
