//! A signer that dies, and services that lose their databases.

use anyhow::{Context as _, bail};
use strongroom::roles::RoleName;

use super::transfers::transfer;
use crate::demo::stand::Stand;

/// Roles whose databases can be lost; the writer's holds the journal.
const LOST_ROLES: [RoleName; 4] = [
    RoleName::Api,
    RoleName::Approvals,
    RoleName::Transactions,
    RoleName::Coordinator,
];

/// A signer is killed without warning between two transfers; signing goes on with the others.
pub fn killed_signer(stand: &mut Stand) -> anyhow::Result<()> {
    println!("\n■ SIGKILL: one signer dies between two transfers");
    let victim = stand
        .children
        .iter_mut()
        .find(|child| child.name() == "signer-2")
        .context("signer-2")?;
    println!("  killing {} (pid {})", victim.name(), victim.pid());
    victim.kill()?;

    // The stand reports a child that ended; this one is meant to.
    stand.dead = Some("signer-2");
    for n in 0..3 {
        transfer(stand, &format!("without-signer-2-{n}"), false)?;
    }
    println!("    ✓ three more transfers signed by the two that are left");

    stand.dead = None;
    let victim = stand
        .children
        .iter_mut()
        .find(|child| child.name() == "signer-2")
        .context("signer-2")?;
    victim.restart()?;
    println!("  restarted as pid {}", victim.pid());
    stand.wait_fresh()
}

/// Every service database but the journal's is deleted.
pub fn services_lost(stand: &mut Stand) -> anyhow::Result<()> {
    println!("\n■ Every service database except the journal's is deleted, the bus too");
    let before = stand.client()?.vaults(stand.people.tenant)?;
    stand.wait_fresh()?;

    // The claim needs them, and they are nowhere but on the bus that goes.
    stand.keep_cosignatures()?;
    stand.stop_services();

    for role in LOST_ROLES {
        std::fs::remove_dir_all(stand.layout.role(role))?;
    }
    std::fs::remove_dir_all(stand.layout.bus())?;

    // Everything else is rebuilt from the journal, which the writer publishes again.
    stand.start(&RoleName::ALL, true)?;
    stand.wait_fresh()?;
    let after = stand.client()?.vaults(stand.people.tenant)?;
    if before != after {
        bail!("the vaults differ after the restart: {before:?} / {after:?}");
    }
    transfer(stand, "after-the-loss", false)?;
    println!("    ✓ the same vaults are listed, and one more transfer is signed");
    Ok(())
}
