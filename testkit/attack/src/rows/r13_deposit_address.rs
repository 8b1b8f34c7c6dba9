//! 13: a deposit address is replaced on its way to the payer. The client is the shipped library in
//! this process, which the command line uses for `strongroom address`.

use super::usual;
use crate::ground::{Answers, Ground, Kind, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use strongroom_client::api::{AddressInfo, AddressProof};
use strongroom_client::{Client, ClientError};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_journal::writer::Offer;
use strongroom_ports::chain::{OwnPath, VaultKey};
use strongroom_tlog::Hash;
use strongroom_types::{ActBody, Code, RegistryRecord, Scope, TenantVault, Vault};

pub const ROW: Row = Row {
    id: "13",
    story: "A payer asks for an address of the firm's main vault. The server is a thief's. It gives \
            an address of another vault, with that vault's true papers; or an address of a key \
            that the thief has alone, with papers on which the keeper of the journal signed, and \
            no witness.",
    attacks: &[
        Attack {
            guard: G::ProvedVault,
            code: Code::Conflict,
            red_when: "an address is shown as the main vault's that its key does not derive",
            world: usual,
            run: of_another_vault,
        },
        Attack {
            guard: G::ClientWitnessed,
            code: Code::NotWitnessed,
            red_when: "an address is shown that no vault derives",
            world: usual,
            run: of_the_thiefs_key,
        },
    ],
};

/// The address that the payer asks for.
const PATH: OwnPath = OwnPath {
    change: 0,
    index: 7,
};

/// Makes a second vault, on the next account of the same key.
pub(super) fn second_vault(ground: &mut Ground) -> anyhow::Result<Vault> {
    let second = ground.world.tenant.second_vault();
    let boards = [ground.ledger().admins(), ground.ledger().committee()].concat();
    let put = ActBody::Put(RegistryRecord::Vault(second.clone()));
    ground.act(put, &boards)?;
    Ok(second)
}

/// A key that one signer has alone: its own share, in the place of the whole.
pub(super) fn thiefs_key(ground: &Ground, account: u32) -> anyhow::Result<VaultKey> {
    let key = ground.world.tenant.key;
    let share = ground.public_of(key)?.verifying_shares.remove(&1);
    Ok(VaultKey {
        public_key: share.context("the share of signer 1")?,
        ..ground.vault_key_of(key, account)?
    })
}

fn of_another_vault(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let second = second_vault(ground)?;
    let key = ground.vault_key_of(second.key, second.account)?;
    let proof = ground.vault_proof(second.id)?;
    let told = ground.address_info(&second, &key, PATH, Some(proof))?;
    shown(ground, told, Code::Conflict)
}

/// The end of a key ceremony that never was, behind the journal's true entries.
fn of_the_thiefs_key(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let vault = ground.world.tenant.first_vault();
    let key = thiefs_key(ground, vault.account)?;
    let mut public = ground.public_of(vault.key)?;
    public.group_key.clone_from(&key.public_key);
    let finished = ground.log.follower.size();
    let mut forged = ground.finished(vault.key)?;
    forged.public = public.to_bytes();
    let offer = Offer {
        scope: Scope::Tenant(ground.world.tenant.id),
        body: Body::Finished(Box::new(forged)),
    };
    let batch = ground.forge(&offer, now(), Hash([0x13; 32]))?;
    anyhow::ensure!(batch.first_seq == finished, "behind the last entry");
    ground.keep_hostile(Kind::Batch, &strongroom_wire::encode(&batch));

    let proof = AddressProof {
        key: ground.unwitnessed_proof(&batch)?,
        ..ground.vault_proof(vault.id)?
    };
    let told = ground.address_info(&vault, &key, PATH, Some(proof))?;
    shown(ground, told, Code::NotWitnessed)
}

/// The payer's client asks for the main vault's address. The library's refusal has no code of the
/// list; `stands_for` stands for it.
fn shown(ground: &Ground, told: AddressInfo, stands_for: Code) -> anyhow::Result<Outcome> {
    let tenant = &ground.world.tenant;
    let of = TenantVault {
        tenant: tenant.id,
        vault: tenant.vault,
    };
    let (vault, OwnPath { change, index }) = (of.vault, PATH);
    let path = format!("/v1/vaults/{vault}/addresses/{change}-{index}");
    let api = ground.api(Answers::default().with(path, &told)?)?;
    let client = Client::new(api.url(), "key");
    let codecs = strongroom_chains::codecs(&ground.world.genesis)?;
    let codec = codecs.known().first().context("a chain")?;

    match client.proved_address(&ground.world.genesis, codec.as_ref(), of, PATH) {
        Ok(shown) => {
            let own = ground.address_of(&ground.vault_key()?, PATH)?;
            let harm = format!("shown is {}; the vault's own is {own}", shown.address);
            Ok(Outcome {
                harm: (shown.address != own).then_some(harm),
                ..Outcome::default()
            })
        }
        Err(ClientError::NotProved(_)) => Ok(Outcome {
            codes: vec![stands_for],
            by: Some(Elsewhere::Client),
            ..Outcome::default()
        }),
        Err(error) => Err(error).context("the client"),
    }
}
