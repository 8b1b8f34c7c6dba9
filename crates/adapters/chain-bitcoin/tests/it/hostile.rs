//! Forms that break one rule of the strict reading each.

use crate::setup::{CHANGE, FOREIGN, TestVault, code, coin, effects, regtest, request};
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Witness};
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_chain_bitcoin::{BitcoinCodec, Network, address};
use strongroom_ports::chain::{ChainCodec, Inspection, NoRegistry, OwnPath};
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{Code, Refusal};

fn form() -> (BitcoinCodec, TestVault, Unsigned) {
    let (codec, vault) = (regtest(), TestVault::new(1, 3));
    let effects = effects(&codec, &[(FOREIGN, 70_000)]);
    let coins = [coin(1, 60_000), coin(2, 40_000)];
    let built = request(&effects, &vault.key, &coins).build(&codec).unwrap();
    let unsigned = Unsigned::decode(&built.unsigned, codec.network()).unwrap();
    (codec, vault, unsigned)
}

fn changed(change: impl FnOnce(&mut Unsigned)) -> Result<Inspection, Refusal> {
    let (codec, vault, mut unsigned) = form();
    change(&mut unsigned);
    codec.inspect(
        &unsigned.encode(codec.network()).unwrap(),
        &vault.key,
        &NoRegistry,
    )
}

fn own_output(unsigned: &Unsigned) -> usize {
    unsigned
        .outputs
        .iter()
        .position(|claim| *claim == Some(CHANGE))
        .unwrap()
}

#[test]
fn the_unchanged_form_is_accepted() {
    assert_eq!(changed(|_| ()).unwrap().moves.len(), 1);
}

#[test]
fn change_to_another_vault_is_refused() {
    let stranger = TestVault::new(2, 3);
    let theirs = regtest().derive_address(&stranger.key, CHANGE).unwrap();
    let script = address::parse(&theirs, Network::Regtest).unwrap();
    let refusal = changed(|form| {
        let own = own_output(form);
        form.transaction.output[own].script_pubkey = script;
    });
    assert_eq!(code(refusal), Code::PathNotOwn);
    let claims_payment = changed(|form| form.outputs = vec![Some(CHANGE); 2]);
    assert_eq!(code(claims_payment), Code::PathNotOwn);
    let other_index = changed(|form| {
        let own = own_output(form);
        form.outputs[own] = Some(OwnPath { index: 8, ..CHANGE });
    });
    assert_eq!(code(other_index), Code::PathNotOwn);
}

#[test]
fn conflicts_are_ascending_texts_whatever_the_order_of_inputs() {
    let inspection = changed(|form| {
        form.transaction.input[0].previous_output.vout = 9;
        form.transaction.input[1].previous_output = form.transaction.input[0].previous_output;
        form.transaction.input[1].previous_output.vout = 10;
    });
    let conflicts = inspection.unwrap().conflicts;
    assert!(
        conflicts.is_sorted() && conflicts[0].to_string().ends_with(":10"),
        "{conflicts:?}"
    );
}

#[test]
fn an_output_to_the_vault_without_claim_is_a_payment() {
    let inspection = changed(|form| form.outputs = vec![None; 2]).unwrap();
    assert_eq!(
        (inspection.moves.len(), inspection.returned.is_zero()),
        (2, true)
    );
}

#[test]
fn another_account_of_the_same_key_is_another_vault() {
    let (codec, _, unsigned) = form();
    let bytes = unsigned.encode(codec.network()).unwrap();
    assert_eq!(
        code(codec.inspect(&bytes, &TestVault::new(1, 4).key, &NoRegistry)),
        Code::PathNotOwn
    );
}

#[test]
fn an_unusual_transaction_is_opaque() {
    let opaque = |change: fn(&mut Unsigned)| assert_eq!(code(changed(change)), Code::OpaqueEffects);
    opaque(|form| form.transaction.version = Version::ONE);
    opaque(|form| form.transaction.version = Version(3));
    opaque(|form| form.transaction.lock_time = LockTime::from_consensus(1));
    opaque(|form| form.transaction.lock_time = LockTime::from_consensus(499_999_999));
    opaque(|form| form.transaction.lock_time = LockTime::from_consensus(500_000_000));
    opaque(|form| form.transaction.lock_time = LockTime::from_consensus(u32::MAX));
    opaque(|form| form.transaction.input[1].sequence = Sequence::MAX);
    opaque(|form| form.transaction.input[0].sequence = Sequence::ENABLE_LOCKTIME_NO_RBF);
    opaque(|form| form.transaction.input[0].sequence = Sequence::from_height(10));
    opaque(|form| form.transaction.input[0].script_sig = ScriptBuf::from_bytes(vec![0x51]));
    opaque(|form| form.transaction.input[0].witness = Witness::from_slice(&[[0x50u8; 2]]));
    opaque(|form| form.transaction.input[0].previous_output = OutPoint::null());
}

#[test]
fn an_output_without_address_is_opaque() {
    let no_point = format!("5120{}", "ff".repeat(32));
    for script in [
        "6a0548656c6c6f",
        "51",
        "",
        "5210751e76e8199196d454941c45d1b3a323",
        &no_point,
    ] {
        let refusal = changed(|form| {
            let payment = 1 - own_output(form);
            form.transaction.output[payment].script_pubkey = ScriptBuf::from_hex(script).unwrap();
        });
        assert_eq!(code(refusal), Code::OpaqueEffects, "{script}");
    }
}

#[test]
fn impossible_amounts_are_refused() {
    let malformed = |change: fn(&mut Unsigned)| assert_eq!(code(changed(change)), Code::Malformed);
    malformed(|form| form.inputs[0].amount = 10_000);
    malformed(|form| form.inputs[0].amount = u64::MAX);
    malformed(|form| form.inputs[0].amount = 2_100_000_000_000_001);
    malformed(|form| form.transaction.output[0].value = Amount::from_sat(u64::MAX));
    malformed(|form| {
        form.transaction.output[0].value = Amount::from_sat(1 << 63);
        form.transaction.output[1].value = Amount::from_sat(1 << 63);
    });
}

#[test]
fn an_output_spent_twice_is_refused() {
    let refusal = changed(|form| {
        form.transaction.input[1].previous_output = form.transaction.input[0].previous_output
    });
    assert_eq!(code(refusal), Code::Malformed);
}

#[test]
fn counts_must_agree_and_stay_in_bounds() {
    let malformed = |change: fn(&mut Unsigned)| assert_eq!(code(changed(change)), Code::Malformed);
    malformed(|form| form.inputs.truncate(1));
    malformed(|form| form.outputs.truncate(1));
    malformed(|form| {
        form.transaction.output.clear();
        form.outputs.clear();
    });
    malformed(|form| {
        let (output, claim) = (form.transaction.output[0].clone(), form.outputs[0]);
        form.transaction.output = vec![output; 65];
        form.outputs = vec![claim; 65];
    });
    malformed(|form| {
        let (input, claim) = (form.transaction.input[0].clone(), form.inputs[0]);
        form.transaction.input = (0..257)
            .map(|vout| {
                let mut next = input.clone();
                next.previous_output.vout = vout;
                next
            })
            .collect();
        form.inputs = vec![claim; 257];
    });
}

#[test]
fn paths_out_of_bounds_are_refused() {
    for path in [
        OwnPath {
            change: 2,
            index: 0,
        },
        OwnPath {
            change: 1,
            index: ADDRESS_INDEX_MAX,
        },
    ] {
        assert_eq!(
            code(changed(|form| form.inputs[0].path = path)),
            Code::PathNotOwn
        );
        let refusal = changed(|form| {
            let own = own_output(form);
            form.outputs[own] = Some(path);
        });
        assert_eq!(code(refusal), Code::PathNotOwn);
    }
}

/// Change that no service watches is the vault's own, and lost: one valid payment with a hostile
/// builder could send all coins of a vault there.
#[test]
fn hole_change_to_an_address_that_is_not_watched_is_not_own() {
    let vault = TestVault::new(1, 3);
    for change in [0, 1] {
        let returned_to = |index| {
            let path = OwnPath { change, index };
            changed(|form| {
                let own = own_output(form);
                form.transaction.output[own].script_pubkey = vault.script(path);
                form.outputs[own] = Some(path);
            })
        };
        returned_to(ADDRESS_INDEX_MAX - 1).unwrap();
        for index in [ADDRESS_INDEX_MAX, 777_777] {
            assert_eq!(code(returned_to(index)), Code::PathNotOwn);
        }
    }
}

#[test]
fn another_version_network_or_size_is_refused() {
    let (codec, vault, unsigned) = form();
    let bytes = unsigned.encode(codec.network()).unwrap();
    let mainnet = BitcoinCodec::new(Network::Mainnet).unwrap();
    assert_eq!(
        code(mainnet.inspect(&bytes, &vault.key, &NoRegistry)),
        Code::UnknownChain
    );
    let mut second = bytes.clone();
    second[0] = 2;
    assert_eq!(
        code(codec.inspect(&second, &vault.key, &NoRegistry)),
        Code::Unsupported
    );
    assert_eq!(
        code(codec.inspect(&vec![1; 64 * 1024 + 1], &vault.key, &NoRegistry)),
        Code::RecordTooLarge
    );
}

#[test]
fn truncated_and_extended_forms_are_refused() {
    let (codec, vault, unsigned) = form();
    let bytes = unsigned.encode(codec.network()).unwrap();
    for length in 0..bytes.len() {
        assert_eq!(
            code(codec.inspect(&bytes[..length], &vault.key, &NoRegistry)),
            Code::Malformed,
            "{length}"
        );
    }
    assert_eq!(
        code(codec.inspect(&[&bytes[..], &[0]].concat(), &vault.key, &NoRegistry)),
        Code::Malformed
    );
}

/// A flipped bit that is accepted must change every message and something that a reviewer sees.
#[test]
fn every_bit_flip_is_refused_or_changes_every_message_or_the_shown_effects() {
    let (codec, vault, unsigned) = form();
    let bytes = unsigned.encode(codec.network()).unwrap();
    let original = codec.inspect(&bytes, &vault.key, &NoRegistry).unwrap();
    let (mut refused, mut accepted, mut only_messages) = (0, 0, 0);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let Ok(inspection) = codec.inspect(&flipped, &vault.key, &NoRegistry) else {
            refused += 1;
            continue;
        };
        accepted += 1;
        let messages = inspection
            .slots
            .iter()
            .zip(&original.slots)
            .all(|(a, b)| a.message != b.message);
        assert!(messages, "bit {bit} leaves a message as it was");
        let shown = |i: &Inspection| {
            let paths: Vec<_> = i.slots.iter().map(|slot| slot.path.clone()).collect();
            (
                i.moves.clone(),
                i.returned,
                i.fee,
                i.conflicts.clone(),
                paths,
            )
        };
        only_messages += u32::from(shown(&inspection) == shown(&original));
    }
    assert!(
        refused > 500 && accepted > 500,
        "{refused} refused, {accepted} accepted"
    );
    assert_eq!(only_messages, 0, "invisible flips");
}
