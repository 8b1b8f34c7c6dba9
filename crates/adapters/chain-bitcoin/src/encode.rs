//! The unsigned form, whose digest the attempt names; borsh, version 1.
//!
//! `version u8 ‖ magic [4] ‖ transaction bytes ‖ inputs [{amount u64, path}] ‖ outputs
//! [Option<path>]`. The transaction is in its network encoding without witnesses. An input's path
//! claims which address of the vault holds the coin; an output's path claims that the output
//! returns to the vault. Every path is checked by derivation.

use crate::Network;
use bitcoin::Transaction;
use bitcoin::consensus::encode;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_guard::{G, guard};
use strongroom_ports::chain::OwnPath;
use strongroom_types::attempt::CONFLICT_KEYS_MAX;
use strongroom_types::{Code, Refusal};

/// Version of the form.
pub const VERSION: u8 = 1;
/// Largest unsigned form in bytes; 256 inputs and 64 outputs need a third of it.
pub const UNSIGNED_BYTES_MAX: usize = 64 * 1024;
/// Largest number of inputs. Each is a conflict key of the attempt, which bounds their number.
pub const INPUTS_MAX: usize = CONFLICT_KEYS_MAX;
/// Largest number of outputs; 32 transfers and change need about half of them.
pub const OUTPUTS_MAX: usize = 64;

/// The builder's claims about one input, checked by derivation and by the signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct InputClaim {
    /// Amount of the coin, satoshi. A false amount makes the signature invalid, because BIP-341
    /// commits to every input's amount.
    pub amount: u64,
    /// Path of the vault's address that holds the coin.
    pub path: OwnPath,
}

/// A decoded unsigned form. It has one claim for each input and each output of the transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsigned {
    /// The transaction without witnesses.
    pub transaction: Transaction,
    /// Claims about the inputs, in their order.
    pub inputs: Vec<InputClaim>,
    /// Claims about the outputs, in their order: the vault's path of an output that returns to the
    /// vault.
    pub outputs: Vec<Option<OwnPath>>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Form {
    version: u8,
    magic: [u8; 4],
    transaction: Vec<u8>,
    inputs: Vec<InputClaim>,
    outputs: Vec<Option<OwnPath>>,
}

fn malformed(detail: &str) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

impl Unsigned {
    /// The canonical encoding for this network.
    ///
    /// # Errors
    /// `record_too_large` above [`UNSIGNED_BYTES_MAX`].
    pub fn encode(&self, network: Network) -> Result<Vec<u8>, Refusal> {
        let form = Form {
            version: VERSION,
            magic: network.magic(),
            transaction: encode::serialize(&self.transaction),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
        };

        let bytes = borsh::to_vec(&form).map_err(|e| Refusal::new(Code::Internal, e))?;
        if bytes.len() > UNSIGNED_BYTES_MAX {
            return Err(Code::RecordTooLarge.into());
        }
        Ok(bytes)
    }

    /// Decodes a form strictly: it is encoded again and must give the same bytes.
    ///
    /// # Errors
    /// `record_too_large`, `unsupported` (another version), `unknown_chain` (another network),
    /// `malformed`.
    pub fn decode(bytes: &[u8], network: Network) -> Result<Self, Refusal> {
        // The length is checked before decoding: counts inside the bytes must not decide how much
        // memory is taken.
        if bytes.len() > UNSIGNED_BYTES_MAX {
            return Err(Code::RecordTooLarge.into());
        }

        // The version is read before the rest, because a later form may differ in everything that
        // follows it.
        if bytes.first().is_some_and(|version| *version != VERSION) {
            return Err(Refusal::new(
                Code::Unsupported,
                "unknown version of the unsigned form",
            ));
        }

        let form =
            Form::try_from_slice(bytes).map_err(|_| malformed("not an unsigned Bitcoin form"))?;

        // Bitcoin signatures name no network: a transaction that was approved for one network could
        // be spent on another.
        if form.magic != network.magic() {
            return Err(Refusal::new(
                Code::UnknownChain,
                "made for another Bitcoin network",
            ));
        }

        let transaction: Transaction = encode::deserialize(&form.transaction)
            .map_err(|_| malformed("not a Bitcoin transaction"))?;
        let unsigned = Self {
            transaction,
            inputs: form.inputs,
            outputs: form.outputs,
        };
        unsigned.check_counts()?;

        // Both libraries' decoders are strict today. The comparison keeps this function strict if
        // one of them changes.
        if guard(G::StrictCodec, unsigned.encode(network)? != bytes) {
            return Err(malformed("the unsigned form is not in its one encoding"));
        }
        Ok(unsigned)
    }

    fn check_counts(&self) -> Result<(), Refusal> {
        let (inputs, outputs) = (self.transaction.input.len(), self.transaction.output.len());

        // The lists are zipped later. One that is too short would leave inputs without a signature
        // and outputs unread.
        if inputs != self.inputs.len() || outputs != self.outputs.len() {
            return Err(malformed("every input and output needs its claim"));
        }

        if !(1..=INPUTS_MAX).contains(&inputs) || !(1..=OUTPUTS_MAX).contains(&outputs) {
            return Err(malformed("1 to 256 inputs and 1 to 64 outputs"));
        }
        Ok(())
    }
}
