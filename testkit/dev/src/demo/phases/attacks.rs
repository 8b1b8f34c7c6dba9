//! Services that are hostile and sign with their own valid keys.

use anyhow::bail;
use std::time::Duration;
use strongroom::roles::RoleName;
use strongroom_host::SystemEntropy;
use strongroom_ports::chain::{OwnCoin, OwnPath};
use strongroom_types::Signed;

use super::approval::core_of;
use super::{PAYEE, own_address, transaction_id};
use crate::demo::people::intent_digest;
use crate::demo::stand::{Stand, pause};
use crate::demo::tamper::{Payment, Tampering};
use crate::demo::writer::HostileWriter;
use crate::layout::Layout;
use crate::platform::Platform;

/// Longer than the delay of the demo's loosenings (2 s), with the second in which witnesses date
/// their cosignatures: a stamp from before it makes the delay look over.
const QUIET: Duration = Duration::from_secs(4);
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

    // A coin for each transaction of the runs below: none may be refused for want of one.
    let coins = confirmed_coins(stand, 14)?;
    let mut run = Tampering::new(stand.parts()?, coins, PAYEE)?;

    run.unapproved(pending)?;
    run.swapped()?;
    run.pays_else()?;
    run.foreign_change()?;
    run.revoked_approver()?;
    run.other_anchor()?;
    let payment = run.honest_payment()?;
    stand.wait_fresh()?;
    back_dated_release(stand, &payment)
}

/// The writer turns hostile, too. Nothing on its bus can be used after that, so the honest services
/// come back on a new one.
fn back_dated_release(stand: &mut Stand, payment: &Payment) -> anyhow::Result<()> {
    println!(
        "\n■ Attack: the writer is hostile. A quiet journal, a proposal under an old stamp, and its release: by the stamps its delay is over"
    );
    println!(
        "  (an error of part \"feed\" is expected here: this process's replica refuses that journal as well)"
    );
    stand.stop_services();
    stand.start(&[RoleName::Link, RoleName::Api], false)?;
    stand.wait_fresh()?;

    // No state says when a journal has been quiet for long enough: the stamps are what is attacked.
    pause(QUIET);
    with_run(stand, |run, platform, layout| {
        run.back_dated(&mut HostileWriter::open(platform, layout)?, payment)
    })?;

    // The same signers share again once they see one true line.
    stand.start_on_new_bus()?;
    stand.stop_services();
    stand.start(&HONEST_ROLES, false)?;
    stand.wait_fresh()?;
    with_run(stand, |run, _, _| {
        run.all_share("back_dated_release", payment)
    })?;

    // The honest services are back for the phases that follow.
    stand.wait_fresh()?;
    stand.stop_services();
    stand.start(&RoleName::ALL, false)?;
    stand.wait_fresh()
}

/// Hostile parts on the services that run now.
fn with_run(
    stand: &mut Stand,
    run: impl FnOnce(&mut Tampering<'_>, &Platform, &Layout) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let parts = stand.parts()?;
    let (platform, layout) = (parts.platform, parts.layout);

    // No coins: what these runs ask for was authorized before.
    let mut tampering = Tampering::new(parts, Vec::new(), PAYEE)?;
    run(&mut tampering, platform, layout)
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
