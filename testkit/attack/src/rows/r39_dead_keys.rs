//! 39: money for a vault whose key is revoked, and from one.

use super::steps::{Goal, named};
use super::{force_and_sign, usual};
use crate::ground::{Building, Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_guard::G;
use strongroom_ports::chain::{ChainCodec as _, OwnPath};
use strongroom_types::{
    ActBody, Code, Destination, IntentKind, RegistryRecord, Tighten, Transfer, Vault,
};
use strongroom_world::{FRIEND, NATIVE};

const AMOUNT: u64 = 300_000;

pub const ROW: Row = Row {
    id: "39",
    story: "The firm learns that a key may have leaked, and revokes it. Then money is sent to the \
            vault of that key, as if it were still the firm's own. And the coordinator, who kept a \
            request from before, asks for a payment from such a vault.",
    attacks: &[
        Attack {
            guard: G::ReceiverUsable,
            code: Code::KeyRevoked,
            red_when: "a payment is signed to an address of a revoked key",
            world: usual,
            run: to_a_revoked_key,
        },
        Attack {
            guard: G::KeyRevoked,
            code: Code::KeyRevoked,
            red_when: "a revoked key signs",
            world: usual,
            run: by_a_revoked_key,
        },
    ],
};

fn to_a_revoked_key(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let key = ground.make_second_key()?;
    let vault = Vault {
        key,
        account: 0,
        ..ground.world.tenant.second_vault()
    };
    let boards = [ground.ledger().admins(), ground.ledger().committee()].concat();
    let id = vault.id;
    ground.act(ActBody::Put(RegistryRecord::Vault(vault)), &boards)?;
    let committee = ground.ledger().committee();
    ground.act(ActBody::Tighten(Tighten::revoke(key)), &committee)?;

    let codec = BitcoinCodec::new(Network::Regtest)?;
    let path = OwnPath {
        change: 0,
        index: 0,
    };
    let address = codec.derive_address(&ground.vault_key_of(key, 0)?, path);
    let address = address.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    let native = NATIVE.parse()?;
    let intent = ground.world.intent_with(now(), AMOUNT, FRIEND, |intent| {
        intent.kind = IntentKind::Transfer(vec![Transfer {
            asset: native,
            destination: Destination::Vault(id),
            amount: AMOUNT.into(),
            memo: None,
        }]);
    });
    let coins = [ground.new_coin(AMOUNT)?];
    let built = ground.build(&Building::new(&address, AMOUNT, &coins))?;
    let payment = Payment::new(intent, built);
    let body = ground.authorization(&payment, &[]);
    let outcome = force_and_sign(ground, &payment, &body)?;
    Ok(named(outcome, || {
        format!("{AMOUNT} signed away to {address}, whose key is revoked")
    }))
}

fn by_a_revoked_key(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;
    let goal = Goal::new(ground, &payment)?;
    let committee = ground.ledger().committee();
    let key = ground.world.tenant.key;
    ground.act(ActBody::Tighten(Tighten::revoke(key)), &committee)?;
    goal.ask(ground)
}
