//! Services that are hostile and sign with their own valid keys.

use anyhow::bail;
use strongroom::roles::RoleName;
use strongroom_host::SystemEntropy;
use strongroom_ports::chain::{OwnCoin, OwnPath};
use strongroom_types::Signed;

use super::approval::core_of;
use super::{PAYEE, own_address, transaction_id};
use crate::demo::hostile::Hostile;
use crate::demo::people::intent_digest;
use crate::demo::stand::Stand;
use crate::demo::tamper::Tampering;

/// Roles that stay honest while coordinator and transactions service are hostile.
const HONEST_ROLES: [RoleName; 4] = [
    RoleName::Link,
    RoleName::Writer,
    RoleName::Approvals,
    RoleName::Api,
];

/// Coordinator and transactions service turn hostile, with their own valid keys.
pub fn attacks(stand: &mut Stand, pending: &Signed) -> anyhow::Result<()> {
    println!(
        "\n■ Attacks: coordinator and transactions service are hostile and sign with their own valid keys"
    );
    stand.stop_services();
    stand.start(&HONEST_ROLES, false)?;
    stand.wait_fresh()?;
    initiator_cannot_approve(stand, pending)?;

    let coins = confirmed_coins(stand, 14)?;
    let parts = stand.parts()?;
    let hostile = Hostile::new(parts.platform, parts.people.tenant, parts.people.key)?;
    let mut run = Tampering::new(
        parts.platform,
        parts.people,
        hostile,
        parts.artefacts,
        coins,
        PAYEE,
    )?;

    run.unapproved(pending)?;
    run.swapped()?;
    run.pays_else()?;
    run.foreign_change()?;
    run.revoked_approver()?;
    run.other_anchor()?;

    // The honest services are back for the phases that follow.
    stand.wait_fresh()?;
    stand.stop_services();
    stand.start(&RoleName::ALL, false)?;
    stand.wait_fresh()
}

/// The API says at once what journal and signers would say.
fn initiator_cannot_approve(stand: &Stand, pending: &Signed) -> anyhow::Result<()> {
    let core = core_of(stand, pending)?;
    let people = &stand.people;
    let own = people.approval(
        &people.initiator,
        intent_digest(pending),
        core,
        &SystemEntropy,
    );
    match stand.client()?.decide(transaction_id(pending), &own) {
        Err(error) if error.code() == Some("approval_by_initiator") => {
            println!("    ✓ the API refuses the initiator's own approval: approval_by_initiator");
            Ok(())
        }
        other => bail!("the initiator's own approval was not refused: {other:?}"),
    }
}

fn confirmed_coins(stand: &Stand, count: usize) -> anyhow::Result<Vec<OwnCoin>> {
    let address = own_address(stand)?;
    let coins = stand.platform()?.chain.coins(&[address])?;
    let path = OwnPath {
        change: 0,
        index: 0,
    };
    let own = coins.into_iter().map(|coin| OwnCoin {
        key: coin.key,
        path,
        asset: coin.asset,
        amount: coin.amount,
    });
    let coins: Vec<OwnCoin> = own.take(count).collect();
    if coins.len() < count {
        bail!("only {} coins", coins.len())
    } else {
        Ok(coins)
    }
}
