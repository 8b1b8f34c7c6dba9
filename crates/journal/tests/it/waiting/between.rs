//! What comes between an act that waits and the word of its witnesses.

use super::{DAY_MS, in_force, propose, release, released, standing};
use crate::{SKEW_MS, ready};
use strongroom_journal::Body;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{ActBody, Digest, RegistryRecord, Tighten, Vault, VaultId};
use strongroom_world::Who;

/// The platform's stop leaves the version of the tenant as it is.
#[test]
fn hole_a_release_that_waits_is_void_once_the_platform_is_stopped() {
    let mut ledger = ready();
    let (proposal, release) = released(&mut ledger);
    let stop = ActBody::Tighten(Tighten::Stop);
    ledger.platform_act(stop).unwrap();
    ledger.witness();
    assert!(!in_force(&ledger));
    assert_eq!(standing(&ledger, release), Some(ActStanding::Void));
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::Proposed));
}

#[test]
fn hole_a_vault_that_waits_is_void_once_the_platform_is_stopped() {
    let mut ledger = ready();
    let id = VaultId([9; 16]);
    let vault = Vault {
        id,
        account: 1,
        ..ledger.world.tenant.first_vault()
    };
    let put = ActBody::Put(RegistryRecord::Vault(vault));
    ledger.act(put, &ledger.admins()).unwrap();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    ledger.witness();
    assert!(ledger.state.vault(ledger.world.tenant.id, id).is_err());
}

/// Cosigned in time, the release takes effect though the entry that says so comes after the
/// proposal's end.
#[test]
fn a_proposal_is_not_forgotten_while_its_release_waits() {
    let mut ledger = ready();
    let proposal = propose(&mut ledger);
    ledger.witness();
    ledger.wait(30 * DAY_MS - 1);
    release(&mut ledger, proposal).unwrap();
    let in_time = ledger.witnessed();

    ledger.wait(SKEW_MS + 1_001);
    let cancel = Tighten::Cancel(Digest([9; 32]));
    ledger.tighten(cancel, &[Who::Clerk]).unwrap();
    ledger.push(Body::Witnessed(in_time), ledger.now).unwrap();
    assert!(in_force(&ledger));
}
