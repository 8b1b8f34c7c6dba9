//! Transactions that a thief would rather have signed.

use anyhow::Context as _;
use strongroom_chain_bitcoin::Network;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_ports::chain::OwnPath;

/// A foreign address: where a thief would like the money to go.
const FOREIGN: &str = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6";

/// The same amount from the same coin to a thief.
pub fn redirected(unsigned: &[u8]) -> anyhow::Result<Vec<u8>> {
    stolen(unsigned, Option::is_none)
}

/// Change that is claimed to be own but goes to a thief.
pub fn foreign_change(unsigned: &[u8]) -> anyhow::Result<Vec<u8>> {
    stolen(unsigned, Option::is_some)
}

/// The first output of which `wanted` holds goes to a thief; an output has a path when it is ours.
fn stolen(unsigned: &[u8], wanted: fn(&Option<OwnPath>) -> bool) -> anyhow::Result<Vec<u8>> {
    edit(unsigned, |unsigned, thief| {
        let at = unsigned.outputs.iter().position(wanted);
        let at = at.context("no such output")?;
        let output = unsigned.transaction.output.get_mut(at).context("output")?;
        output.script_pubkey = thief;
        Ok(())
    })
}

fn edit(
    unsigned: &[u8],
    change: impl Fn(&mut Unsigned, bitcoin::ScriptBuf) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<u8>> {
    // Decoded and encoded by the shipped codec, so that nothing but the output can be refused.
    let refused = |refusal: strongroom_types::Refusal| anyhow::anyhow!("{refusal}");
    let mut decoded = Unsigned::decode(unsigned, Network::Regtest).map_err(refused)?;
    let thief =
        strongroom_chain_bitcoin::address::parse(FOREIGN, Network::Regtest).map_err(refused)?;
    change(&mut decoded, thief)?;
    decoded.encode(Network::Regtest).map_err(refused)
}
