//! From an empty installation to a vault with coins: tenant, key, vault, address.

use std::time::Duration;

use strongroom_host::SystemEntropy;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{
    Act, ActBody, CeremonyPlan, Digest, RegistryRecord, Scope, Signed, Suite, Vault,
};

use super::own_address;
use crate::demo::stand::{Stand, pause};

/// Confirmed outputs the vault starts with, and the value of each in satoshi.
const FUNDED: (u32, u64) = (300, 10_000_000);

/// Charter's delay of loosenings and ceremonies, milliseconds; 24 hours in production.
const DELAY_MS: u64 = 2_000;

/// Tenant, key, vault, address, coins.
pub fn bring_up(stand: &mut Stand) -> anyhow::Result<()> {
    create_tenant(stand)?;
    generate_key(stand)?;
    create_vault(stand)?;
    fund(stand)
}

fn create_tenant(stand: &Stand) -> anyhow::Result<()> {
    println!(
        "\n■ Tenant: charter signed by the platform's admin and countersigned by the tenant's"
    );

    let people = &stand.people;
    let charter = people.charter(&stand.installation.genesis, DELAY_MS)?;
    let body = ActBody::CreateTenant {
        tenant: people.tenant,
        charter: Box::new(charter),
    };
    let act = people.act(Scope::Platform, 0, body, &SystemEntropy);

    // Both must sign: a platform cannot make a tenant alone, nor a tenant itself.
    let mut signed = Signed::draft(&act);
    signed.endorse::<Act>(&people.operator.key);
    signed.endorse::<Act>(&people.admin.key);
    act_and_wait(stand, &signed, true).map(drop)
}

/// The committee's two acts, and the ceremony that the signers run between themselves.
fn generate_key(stand: &mut Stand) -> anyhow::Result<()> {
    println!(
        "■ Key: the committee proposes, waits 2 s, releases; three signers generate it (FROST, 2-of-3)"
    );
    let plan = CeremonyPlan {
        key: stand.people.key,
        suite: Suite::FrostSecp256k1Tr,
        min_signers: 2,
        roster: stand
            .installation
            .genesis
            .signers
            .iter()
            .map(|seat| seat.index)
            .collect(),
    };
    let proposal = put(stand, RegistryRecord::Ceremony(plan))?;

    // Longer than the charter's delay, which gives people time to object and begins at the end of
    // the second in which the witnesses saw the proposal.
    pause(Duration::from_millis(DELAY_MS + 1_600));
    let release = ActBody::Release(proposal);
    let version = tenant_version(stand)?;
    act_and_wait(
        stand,
        &stand.people.admin_act(version, release, &SystemEntropy),
        false,
    )?;

    let (tenant, key) = (stand.people.tenant, stand.people.key);
    stand.wait("the key was not generated", 60, |platform| {
        platform
            .journal
            .read(|f| f.state().threshold_key(tenant, key).ok()?.public.map(drop))
    })
}

fn create_vault(stand: &Stand) -> anyhow::Result<()> {
    println!(
        "■ Vault and address: the client proves both from genesis, derives the address itself and compares"
    );
    let vault = Vault {
        id: stand.people.vault,
        name: "Treasury".parse()?,
        key: stand.people.key,
        account: 0,
        tags: Vec::new(),
    };
    put(stand, RegistryRecord::Vault(vault)).map(drop)
}

/// Coins on the address that the client derived itself.
fn fund(stand: &mut Stand) -> anyhow::Result<()> {
    // The proof of an address needs a fresh witnessed head over the vault's entry.
    stand.wait_fresh()?;
    let address = own_address(stand)?;
    println!("  {address}");

    let (count, value) = FUNDED;
    stand.platform()?.chain.fund(&address, value, count)?;
    println!(
        "  development chain (no miners, no mempool; scripts checked by Bitcoin Core's interpreter):"
    );
    println!("  {count} confirmed outputs of {value} sat");
    Ok(())
}

fn act_and_wait(stand: &Stand, signed: &Signed, operator: bool) -> anyhow::Result<Digest> {
    let client = if operator {
        stand.operator()?
    } else {
        stand.client()?
    };
    let digest = client.submit_act(signed)?;
    client.wait_act(&digest, Duration::from_secs(20))?;
    Ok(digest)
}

fn tenant_version(stand: &Stand) -> anyhow::Result<u64> {
    Ok(stand.client()?.tenant(stand.people.tenant)?.version)
}

fn put(stand: &Stand, record: RegistryRecord) -> anyhow::Result<Digest> {
    let body = ActBody::Put(record);
    act_and_wait(
        stand,
        &stand
            .people
            .admin_act(tenant_version(stand)?, body, &SystemEntropy),
        false,
    )
}
