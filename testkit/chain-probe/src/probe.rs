//! The codec's own facts, and reading a form back.

use crate::address;
use crate::form::Form;
use strongroom_ports::chain::{Display, Manifest, VaultKey};
use strongroom_types::caip::NotACaip;
use strongroom_types::{Code, Refusal, Suite};

/// The probe chain's codec.
pub struct ProbeCodec {
    pub(crate) manifest: Manifest,
}

impl ProbeCodec {
    /// A codec of the one network.
    ///
    /// # Errors
    /// Never in practice: the ids are CAIP ids, which a test shows.
    pub fn new() -> Result<Self, NotACaip> {
        let manifest = Manifest {
            chain: "probe:devnet".parse()?,
            native: "probe:devnet/slip44:1".parse()?,
            decoder: "probe/1",
            network: "probe-devnet",
            suites: &[Suite::FrostEd25519],
            display: Display {
                symbol: "PRB",
                minor: "grain",
                decimals: 18,
            },
        };
        Ok(Self { manifest })
    }

    /// Reads a form whose sender is the vault's own account.
    pub(crate) fn read(&self, unsigned: &[u8], vault: &VaultKey) -> Result<Form, Refusal> {
        let form = Form::decode(unsigned)?;

        // The path alone would name an account of whichever vault the reader has in mind.
        if address::own_key(vault, form.path)? != form.sender {
            return Err(Refusal::new(
                Code::PathNotOwn,
                "the sender is another account",
            ));
        }
        Ok(form)
    }
}
