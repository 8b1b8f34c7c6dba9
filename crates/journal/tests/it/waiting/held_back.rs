//! A resume and a vault that the writer held back until they had expired.

use super::{signed, standing};
use crate::{HOUR_MS, SKEW_MS, ready};
use strongroom_journal::Body;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{ActBody, Digest, RegistryRecord, Tighten, Vault, VaultId};
use strongroom_world::{Ledger, Who};

/// Witnesses this late after the expiry of the act in front of `ledger`; says where the act stands.
fn witnessed_late(ledger: &mut Ledger, act: Digest, late_ms: u64) -> Option<ActStanding> {
    ledger.wait(HOUR_MS + late_ms);
    ledger.witness();
    standing(ledger, act)
}

/// The writer holds an act back until its expiry, and stamps it as if it had come in time.
const HELD_BACK: [(u64, ActStanding); 2] = [
    (SKEW_MS, ActStanding::InForce),
    (SKEW_MS + 1_000, ActStanding::Void),
];

#[test]
fn hole_old_resume_takes_effect_only_when_it_is_witnessed_in_time() {
    let stopped = |ledger: &Ledger| ledger.state.tenant(ledger.world.tenant.id).unwrap().stopped;
    for (late_ms, expected) in HELD_BACK {
        let mut ledger = ready();
        ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
        let (act, resume) = signed(&ledger, ActBody::Resume, &[Who::Admin(0)], HOUR_MS);
        ledger.push(Body::Act(resume), ledger.now).unwrap();
        assert!(stopped(&ledger), "waits");

        let stands = witnessed_late(&mut ledger, act, late_ms);
        assert_eq!(stands, Some(expected), "{late_ms} ms after its expiry");
        assert_eq!(stopped(&ledger), expected == ActStanding::Void);
        if stopped(&ledger) {
            ledger
                .act_in_force(ActBody::Resume, &[Who::Admin(0)])
                .unwrap();
            assert!(!stopped(&ledger));
        }
    }
}

#[test]
fn hole_old_vault_takes_effect_only_when_it_is_witnessed_in_time() {
    for (late_ms, expected) in HELD_BACK {
        let mut ledger = ready();
        let vault = Vault {
            id: VaultId([9; 16]),
            account: 1,
            ..ledger.world.tenant.first_vault()
        };
        let id = vault.id;
        let exists = |ledger: &Ledger| ledger.state.vault(ledger.world.tenant.id, id).is_ok();
        let put = ActBody::Put(RegistryRecord::Vault(vault));
        let (act, late) = signed(&ledger, put.clone(), &[Who::Admin(0)], HOUR_MS);
        ledger.push(Body::Act(late), ledger.now).unwrap();
        assert!(!exists(&ledger), "waits");

        let stands = witnessed_late(&mut ledger, act, late_ms);
        assert_eq!(stands, Some(expected), "{late_ms} ms after its expiry");
        assert_eq!(exists(&ledger), expected == ActStanding::InForce);
        if !exists(&ledger) {
            ledger.act_in_force(put, &[Who::Admin(0)]).unwrap();
            assert!(exists(&ledger));
        }
    }
}
