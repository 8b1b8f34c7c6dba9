//! C28: an address of the vault's own key with a script hidden in it. A signature carries the tweak
//! of the key path exactly once, whatever is asked: a request has no place for another one.

use super::{try_to_sign, usual};
use crate::ground::{Building, Ground, Payment, edited, now};
use crate::row::{Attack, Outcome, Row};
use anyhow::Context as _;
use bitcoin::ScriptBuf;
use bitcoin::bip32::{ChainCode, ChildNumber, Fingerprint, Xpub};
use bitcoin::hashes::Hash as _;
use bitcoin::key::TapTweak as _;
use bitcoin::secp256k1::{PublicKey, Secp256k1};
use bitcoin::taproot::TapNodeHash;
use strongroom_guard::G;
use strongroom_ports::chain::OwnPath;
use strongroom_types::Code;
use strongroom_world::FRIEND;

pub const ROW: Row = Row {
    id: "C28",
    story: "A payment's change goes to an address made of the vault's own key, but with a second \
            door that only the thief can open. It derives from the right place, and nothing of it \
            can be seen on the address.",
    attacks: &[Attack {
        guard: G::ChangeOwn,
        code: Code::PathNotOwn,
        red_when: "a payment is signed whose change can be taken by a hidden script",
        world: usual,
        run: change_with_a_script,
    }],
};

const AMOUNT: u64 = 300_000;
/// Where the change goes: the branch and index of an honest builder.
const CHANGE: OwnPath = OwnPath {
    change: 1,
    index: 3,
};

fn change_with_a_script(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let intent = ground.world.intent(now(), AMOUNT, FRIEND);
    let coins = [ground.new_coin(AMOUNT)?];
    let building = Building::new(FRIEND, AMOUNT, &coins);
    let honest = Payment::new(intent, ground.build(&building)?);
    let script = with_script(ground)?;
    let unsigned = edited(&honest.built.unsigned, |unsigned| {
        let outputs = unsigned.transaction.output.iter_mut();
        let mut change = outputs
            .zip(&unsigned.outputs)
            .filter(|(_, path)| **path == Some(CHANGE));
        change.next().context("the change")?.0.script_pubkey = script;
        Ok(())
    })?;
    let payment = honest.with_transaction(unsigned);
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}

/// The vault's key at that place, tweaked with the root of the thief's scripts (BIP-341).
fn with_script(ground: &Ground) -> anyhow::Result<ScriptBuf> {
    let (secp, vault) = (Secp256k1::new(), ground.vault_key()?);
    let root = Xpub {
        network: bitcoin::NetworkKind::Test,
        depth: 0,
        parent_fingerprint: Fingerprint::default(),
        child_number: ChildNumber::Normal { index: 0 },
        public_key: PublicKey::from_slice(&vault.public_key)?,
        chain_code: ChainCode::from(vault.chain_code),
    };
    let steps = [86, 1, vault.account, CHANGE.change, CHANGE.index];
    let child = steps.iter().try_fold(root, |parent, index| {
        parent.ckd_pub(&secp, ChildNumber::from_normal_idx(*index)?)
    })?;
    let scripts = TapNodeHash::from_byte_array([0x28; 32]);
    let key = child.to_x_only_pub().tap_tweak(&secp, Some(scripts)).0;
    Ok(ScriptBuf::new_p2tr_tweaked(key))
}
