//! Bitcoin Core's script interpreter: what it accepts, and that it also rejects.

use anyhow::{Context as _, bail};
use strongroom_chain_bitcoin_dev::check_spend;

use crate::demo::stand::Stand;

/// The interpreter also rejects: one witness bit flipped, one amount changed.
pub fn interpreter(stand: &Stand) -> anyhow::Result<()> {
    println!(
        "\n■ The interpreter itself: the signed transaction with one bit flipped, and with one amount changed"
    );
    let raw = stand.last_raw.as_ref().context("a signed transaction")?;
    let outputs = stand
        .platform()?
        .chain
        .spent_outputs(raw)?
        .context("the spent outputs")?;

    check_spend(raw, &outputs)
        .map_err(|e| anyhow::anyhow!("the honest transaction was rejected: {e:?}"))?;

    let mut flipped = raw.clone();
    // The last input's 64-byte signature ends four bytes (lock time) before the end.
    let at = flipped
        .len()
        .checked_sub(10)
        .context("a short transaction")?;
    *flipped.get_mut(at).context("a witness byte")? ^= 1;
    if check_spend(&flipped, &outputs).is_ok() {
        bail!("the interpreter accepted a flipped witness bit");
    }

    // BIP-341: the signature covers the amounts of all spent outputs.
    let mut changed = outputs;
    changed.first_mut().context("a spent output")?.amount += 1;
    if check_spend(raw, &changed).is_ok() {
        bail!("the interpreter accepted a changed amount");
    }
    println!(
        "    ✓ accepted as signed; rejected with one witness bit flipped; rejected with one amount changed"
    );
    Ok(())
}
