//! 14: a strict vault's coins leave as another vault's, or to where no one watches.

use super::steps::{Goal, approved, edit_policy, put_first, rule};
use super::{QUORUM, ask_for, try_to_sign, usual};
use crate::evidence::Refused;
use crate::ground::{Building, Ground, Payment, edited, now};
use crate::row::{Attack, Outcome, Row};
use bitcoin::bip32::{ChainCode, ChildNumber, Fingerprint, Xpub};
use bitcoin::key::TapTweak as _;
use bitcoin::secp256k1::{PublicKey, Secp256k1};
use bitcoin::{Address, NetworkKind, ScriptBuf};
use strongroom_guard::G;
use strongroom_policy::{AmountRange, Match, Sources};
use strongroom_ports::chain::OwnPath;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{ActBody, Code, RegistryRecord, Tier, Vault};
use strongroom_world::{ONE_OF_N_MAX, STRANGER, Who, WorldOptions};

const AMOUNT: u64 = 300_000;
/// So much needs two approvals from the main vault, and none from one for petty cash.
const LARGE: u64 = 2 * ONE_OF_N_MAX;
/// The tag of vaults that pay without approval.
const PETTY: &str = "petty cash";

pub const ROW: Row = Row {
    id: "14",
    story: "The main vault's payments need people's approvals, those for petty cash need none. The \
            thief has the main vault's coins paid by the rule of petty cash, with change that is \
            a thief's, or that lies where no one looks, or signed by another key of the firm.",
    attacks: &[
        Attack {
            guard: G::ChangeOwn,
            code: Code::PathNotOwn,
            red_when: "a transaction is signed whose change is a thief's",
            world: usual,
            run: thiefs_change,
        },
        Attack {
            guard: G::PathBounds,
            code: Code::PathNotOwn,
            red_when: "a transaction is signed whose change lies where no service looks",
            world: usual,
            run: lost_change,
        },
        Attack {
            guard: G::KeyOfVault,
            code: Code::PackageInvalid,
            red_when: "a key signs for a payment from another key's vault",
            world: usual,
            run: by_another_key,
        },
        Attack {
            guard: G::AccountUnique,
            code: Code::AlreadyExists,
            red_when: "the main vault's coins are signed away without an approval",
            world: petty_cash,
            run: second_name,
        },
        Attack {
            guard: G::VaultByCommittee,
            code: Code::QuorumMissing,
            red_when: "a vault that admins alone made pays without an approval",
            world: petty_cash,
            run: admins_alone,
        },
    ],
};

/// The usual world; vaults with a tag pay any amount without approval.
fn petty_cash() -> WorldOptions {
    WorldOptions {
        charter: |charter, _| {
            edit_policy(charter, |policy| {
                let tags = PETTY.parse().ok().map(|tag| vec![tag]);
                let matches = Match {
                    sources: Some(Box::new(Sources { vaults: None, tags })),
                    amount: Some(Box::new(AmountRange {
                        gt: None,
                        lte: Some((10 * ONE_OF_N_MAX).into()),
                    })),
                    ..Match::default()
                };
                if let Some(rule) = rule("petty", matches, Tier::Auto, Vec::new()) {
                    put_first(policy, rule);
                }
            });
        },
        ..usual()
    }
}

/// A payment whose attempt names a transaction with another change output.
fn with_change(
    ground: &mut Ground,
    script: ScriptBuf,
    path: Option<OwnPath>,
) -> anyhow::Result<Outcome> {
    let payment = ground.payment(AMOUNT)?;
    let unsigned = edited(&payment.built.unsigned, |unsigned| {
        let own = unsigned
            .outputs
            .iter_mut()
            .zip(&mut unsigned.transaction.output);
        let own = own.filter_map(|(claim, output)| claim.as_mut().map(|claim| (claim, output)));
        for (claim, output) in own {
            *claim = path.unwrap_or(*claim);
            output.script_pubkey = script.clone();
        }
        Ok(())
    })?;
    let payment = payment.with_transaction(unsigned);
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}

fn thiefs_change(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let thief: Address<_> = STRANGER.parse()?;
    let script = thief.assume_checked().script_pubkey();
    with_change(ground, script, None)
}

fn lost_change(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let path = OwnPath {
        change: 1,
        index: ADDRESS_INDEX_MAX + 7,
    };
    let script = script_at(ground, path)?;
    with_change(ground, script, Some(path))
}

/// A script of the vault as BIP-86 has it: the product derives none at this index.
fn script_at(ground: &Ground, path: OwnPath) -> anyhow::Result<ScriptBuf> {
    let (secp, vault) = (Secp256k1::new(), ground.vault_key()?);
    let root = Xpub {
        network: NetworkKind::Test,
        depth: 0,
        parent_fingerprint: Fingerprint::default(),
        child_number: ChildNumber::Normal { index: 0 },
        public_key: PublicKey::from_slice(&vault.public_key)?,
        chain_code: ChainCode::from(vault.chain_code),
    };
    let steps = [86, 1, vault.account, path.change, path.index];
    let child = steps.iter().try_fold(root, |parent, index| {
        parent.ckd_pub(&secp, ChildNumber::from_normal_idx(*index)?)
    })?;
    let key = child.to_x_only_pub().tap_tweak(&secp, None).0;
    Ok(ScriptBuf::new_p2tr_tweaked(key))
}

fn by_another_key(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let other = ground.make_second_key()?;
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;

    // The commitments are of the other key, which the request names.
    let own = std::mem::replace(&mut ground.world.tenant.key, other);
    let request = ground.request(&payment, &QUORUM);
    ground.world.tenant.key = own;
    let request = request?;

    let answers = ground.answers(&QUORUM, &request)?;
    let refused = Refused::among(&answers);
    if !refused.is_empty() {
        return Ok(Outcome {
            refused,
            ..Outcome::default()
        });
    }
    let vault = ground.vault_key()?;
    let signatures = ground.signatures(&request, &answers, &vault)?;
    Ok(Outcome {
        harm: Some(format!(
            "{} signature under {other}, for a vault of {own}",
            signatures.len()
        )),
        ..Outcome::default()
    })
}

/// A second vault for petty cash, on this account of the main vault's key.
fn petty_vault(ground: &Ground, account: u32) -> anyhow::Result<Vault> {
    Ok(Vault {
        account,
        tags: vec![PETTY.parse()?],
        ..ground.world.tenant.second_vault()
    })
}

/// A large payment from that vault, which no one approves.
fn petty_payment(ground: &Ground) -> anyhow::Result<Payment> {
    let vault = ground.world.tenant.second_vault().id;
    let intent = ground
        .world
        .intent_with(now(), LARGE, STRANGER, |intent| intent.vault = vault);
    let coins = [ground.new_coin(LARGE)?];
    let built = ground.build(&Building::new(STRANGER, LARGE, &coins))?;
    Ok(Payment::new(intent, built))
}

/// Makes the vault by these people's signatures, and pays from it.
fn make_and_pay(ground: &mut Ground, account: u32, who: &[Who]) -> anyhow::Result<Outcome> {
    let vault = petty_vault(ground, account)?;
    ground.account = account;
    let payment = petty_payment(ground)?;
    let goal = Goal::new(ground, &payment)?;
    let put = ActBody::Put(RegistryRecord::Vault(vault));
    let act = ground.ledger().signed_act(put, who);
    if let Some(outcome) = goal.force_act(ground, &act)? {
        return Ok(outcome);
    }
    let body = approved(ground, &payment, Vec::new());
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }
    ground.wait_nodes()?;
    ask_for(ground, &payment, &goal.request, None)
}

/// Both boards sign it, as a vault of petty cash; it has the main vault's addresses.
fn second_name(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let boards = [ground.ledger().admins(), ground.ledger().committee()].concat();
    make_and_pay(ground, 0, &boards)
}

/// An account of its own, but the admins alone chose the rule by which it pays.
fn admins_alone(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let admins = ground.ledger().admins();
    make_and_pay(ground, 1, &admins)
}
