//! Pause, stop and resume.

use crate::{HOUR_MS, SMALL, code, ready, ready_with};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{
    ActBody, Code, Document as _, Refusal, RegistryRecord, Scope, Tighten, UnixMs, User, UserId,
    Vault, VaultId,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, Who};

fn pause(
    ledger: &mut Ledger,
    vault: Option<VaultId>,
    ms: u64,
    who: &[Who],
) -> Result<u64, Refusal> {
    let until = ledger.now.plus(ms);
    ledger.tighten(Tighten::Pause { vault, until }, who)
}

fn small(ledger: &Ledger) -> Option<Code> {
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.refused(ledger.authorization(&intent, &[]).into_body())
}

fn put_user(ledger: &Ledger) -> Option<Code> {
    let record = RegistryRecord::User(User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    });
    ledger.refused(Body::Act(
        ledger.signed_act(ActBody::Put(record), &ledger.committee()),
    ))
}

#[test]
fn one_admin_pauses_for_at_most_four_hours() {
    let mut ledger = ready_with(|o| o.admins = (3, 2));
    assert_eq!(
        code(pause(&mut ledger, None, 4 * HOUR_MS + 1, &[Who::Admin(0)])),
        Code::PauseTooLong
    );
    assert_eq!(
        code(pause(&mut ledger, None, HOUR_MS, &[Who::Committee(0)])),
        Code::QuorumMissing
    );
    pause(&mut ledger, None, 4 * HOUR_MS, &[Who::Admin(0)]).unwrap();
    assert_eq!(small(&ledger), Some(Code::Paused));
    ledger.wait(4 * HOUR_MS - 1);
    assert_eq!(small(&ledger), Some(Code::Paused));
    ledger.wait(1);
    assert_eq!(small(&ledger), None);
}

#[test]
fn an_admin_pauses_once_in_24_hours() {
    let mut ledger = ready();
    pause(&mut ledger, None, HOUR_MS, &[Who::Admin(0)]).unwrap();
    ledger.witness();
    pause(&mut ledger, None, 4 * HOUR_MS, &[Who::Admin(0)]).unwrap();
    ledger.wait(4 * HOUR_MS);
    assert_eq!(
        code(pause(&mut ledger, None, HOUR_MS, &[Who::Admin(0)])),
        Code::PauseTooLong
    );
    pause(&mut ledger, None, HOUR_MS, &[Who::Admin(1)]).unwrap();
    ledger.wait(20 * HOUR_MS - 1);
    assert_eq!(
        code(pause(&mut ledger, None, HOUR_MS, &[Who::Admin(0)])),
        Code::PauseTooLong
    );
    ledger.wait(1);
    pause(&mut ledger, None, HOUR_MS, &[Who::Admin(0)]).unwrap();
}

/// One admin alone gains four hours in a day, by however many pauses.
#[test]
fn a_further_pause_within_the_four_hours_is_cut_at_their_end() {
    let mut ledger = ready();
    let id = ledger.world.tenant.vault;
    let vault = Some(id);
    pause(&mut ledger, vault, 4 * HOUR_MS, &[Who::Admin(0)]).unwrap();
    ledger.witness();
    let end = ledger.now.plus(4 * HOUR_MS);
    let paused = |ledger: &Ledger| {
        let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
        let vault = ledger.state.vault(ledger.world.tenant.id, id);
        (tenant.paused_until, vault.unwrap().paused_until)
    };
    for _ in 0..3 {
        ledger.wait(HOUR_MS);
        pause(&mut ledger, None, 4 * HOUR_MS, &[Who::Admin(0)]).unwrap();
        pause(&mut ledger, vault, 4 * HOUR_MS, &[Who::Admin(0)]).unwrap();
        assert_eq!(paused(&ledger), (end, end));
    }

    ledger.wait(HOUR_MS);
    assert_eq!(small(&ledger), None);
    let again = pause(&mut ledger, None, HOUR_MS, &[Who::Admin(0)]);
    assert_eq!(code(again), Code::PauseTooLong);
}

/// It reaches as far as one of them alone could: else one whose hours are over, or run out, would cut
/// another's pause by signing it.
#[test]
fn a_pause_by_two_admins_ends_with_the_hours_of_the_one_who_has_more_left() {
    let mut ledger = ready_with(|o| o.admins = (3, 1));
    let [first, second, third] = [0, 1, 2].map(Who::Admin);
    let paused = |ledger: &Ledger| {
        let tenant = ledger.state.tenant(ledger.world.tenant.id);
        tenant.unwrap().paused_until
    };
    pause(&mut ledger, None, HOUR_MS, &[first]).unwrap();
    ledger.witness();
    ledger.wait(2 * HOUR_MS);
    pause(&mut ledger, None, HOUR_MS, &[second]).unwrap();
    ledger.witness();
    let end = ledger.now.plus(4 * HOUR_MS);

    // Both pauses are part-way, then one of them is over, then both.
    ledger.wait(HOUR_MS);
    pause(&mut ledger, None, 4 * HOUR_MS, &[first, second]).unwrap();
    assert_eq!(paused(&ledger), end);
    ledger.wait(2 * HOUR_MS);
    pause(&mut ledger, None, 4 * HOUR_MS, &[first, second]).unwrap();
    assert_eq!(paused(&ledger), end);
    ledger.wait(HOUR_MS);
    let over = pause(&mut ledger, None, HOUR_MS, &[first, second]);
    assert_eq!(code(over), Code::PauseTooLong);

    // With an admin who has not paused yet it holds in full, and that one is counted.
    let end = ledger.now.plus(4 * HOUR_MS);
    pause(&mut ledger, None, 4 * HOUR_MS, &[first, third]).unwrap();
    assert_eq!(paused(&ledger), end);
    ledger.witness();
    ledger.wait(HOUR_MS);
    pause(&mut ledger, None, 4 * HOUR_MS, &[third]).unwrap();
    assert_eq!(paused(&ledger), end);
}

/// Held back by the writer until it pauses nothing, it would use up the admin's one pause.
#[test]
fn hole_a_pause_that_is_over_is_refused_and_not_counted() {
    let mut ledger = ready();
    let over = pause(&mut ledger, None, 0, &[Who::Admin(0)]);
    assert_eq!(code(over), Code::AuthorityExpired);
    pause(&mut ledger, None, 1, &[Who::Admin(0)]).unwrap();
}

#[test]
fn a_pause_never_shortens_another() {
    let mut ledger = ready();
    pause(&mut ledger, None, 2 * HOUR_MS, &[Who::Admin(0)]).unwrap();
    pause(&mut ledger, None, 1, &[Who::Admin(1)]).unwrap();
    ledger.wait(2 * HOUR_MS - 1);
    assert_eq!(small(&ledger), Some(Code::Paused));
}

#[test]
fn a_pause_of_a_vault_never_shortens_another() {
    let mut ledger = ready();
    let vault = ledger.world.tenant.vault;
    let paused_until = |ledger: &Ledger| {
        let record = ledger.state.vault(ledger.world.tenant.id, vault);
        record.unwrap().paused_until
    };
    let until = ledger.now.plus(4 * HOUR_MS);
    pause(&mut ledger, Some(vault), 4 * HOUR_MS, &[Who::Admin(0)]).unwrap();
    for who in [Who::Admin(0), Who::Admin(1)] {
        pause(&mut ledger, Some(vault), HOUR_MS, &[who]).unwrap();
        assert_eq!(paused_until(&ledger), until, "{who:?}");
    }
}

/// The text is in the journal by an admin whose hours end first. The other's have begun again.
#[test]
fn a_pause_comes_again_by_an_admin_whose_hours_begin_again() {
    let mut ledger = ready();
    for (who, then_ms) in [(Who::Admin(0), 21 * HOUR_MS), (Who::Admin(1), 2 * HOUR_MS)] {
        pause(&mut ledger, None, HOUR_MS, &[who]).unwrap();
        ledger.witness();
        ledger.wait(then_ms);
    }
    let (world, start) = (ledger.world.clone(), ledger.now);
    let until = start.plus(3 * HOUR_MS);
    let body = ActBody::Tighten(Tighten::Pause { vault: None, until });
    let act = world.act(start, world.scope(), body, ledger.version());
    let paused_until = |ledger: &mut Ledger, who: &[Who]| {
        let body = Body::Act(world.sign(&act, who));
        ledger.push(body, ledger.now).unwrap();
        let tenant = ledger.state.tenant(world.tenant.id).unwrap();
        tenant.paused_until
    };
    let cut = paused_until(&mut ledger, &[Who::Admin(1)]);
    assert_eq!(cut, start.plus(2 * HOUR_MS));
    ledger.wait(HOUR_MS);
    let both = [Who::Admin(0), Who::Admin(1)];
    assert_eq!(paused_until(&mut ledger, &both), until);
}

#[test]
fn a_paused_vault_pauses_no_other() {
    let mut ledger = ready();
    let second = Vault {
        id: VaultId([9; 16]),
        account: 1,
        ..ledger.world.tenant.first_vault()
    };
    ledger
        .act_in_force(
            ActBody::Put(RegistryRecord::Vault(second.clone())),
            &[Who::Admin(0)],
        )
        .unwrap();
    let vault = ledger.world.tenant.vault;
    pause(&mut ledger, Some(vault), HOUR_MS, &[Who::Admin(0)]).unwrap();
    assert_eq!(small(&ledger), Some(Code::Paused));
    let intent = ledger
        .world
        .intent_with(ledger.now, SMALL, FRIEND, |i| i.vault = second.id);
    ledger.authorize(&intent, &[]).unwrap();
}

/// Everything that must stay possible under a stop.
fn tightenings(ledger: &Ledger) -> Vec<(Tighten, Vec<Who>)> {
    let (tenant, clerk) = (&ledger.world.tenant, ledger.world.person(Who::Clerk));
    let approver = ledger.world.person(Who::Approver(0)).user.id;
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND).digest();
    let admin = vec![Who::Admin(0)];
    vec![
        (Tighten::revoke(clerk.credential.id), admin.clone()),
        (Tighten::revoke(clerk.user.id), admin.clone()),
        (
            Tighten::LeaveGroup {
                group: tenant.approvers,
                user: approver,
            },
            admin.clone(),
        ),
        (Tighten::revoke(tenant.friend), admin.clone()),
        (
            Tighten::Pause {
                vault: None,
                until: UnixMs(ledger.now.0 + 1),
            },
            admin.clone(),
        ),
        (Tighten::Stop, admin),
        (Tighten::revoke(tenant.key), ledger.committee()),
        (Tighten::Cancel(intent), vec![Who::Initiator]),
    ]
}

#[test]
fn a_stop_holds_payments_and_loosenings_and_nothing_else() {
    let mut ledger = ready();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    held(&ledger, Code::TenantStopped);
    ledger
        .act_in_force(ActBody::Resume, &[Who::Admin(0)])
        .unwrap();
    assert_eq!((small(&ledger), put_user(&ledger)), (None, None));
}

#[test]
fn a_stop_of_the_platform_holds_every_tenant() {
    let mut ledger = ready();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    held(&ledger, Code::PlatformStopped);
    assert_eq!(
        code(ledger.act(ActBody::Resume, &[Who::Admin(0)])),
        Code::NotStopped,
        "not the tenant's to resume"
    );
    ledger.platform_act(ActBody::Resume).unwrap();
    held(&ledger, Code::PlatformStopped);
    ledger.witness();
    assert_eq!((small(&ledger), put_user(&ledger)), (None, None));
}

fn held(ledger: &Ledger, expected: Code) {
    assert_eq!(
        (small(ledger), put_user(ledger)),
        (Some(expected), Some(expected))
    );
    let vault = Vault {
        id: VaultId([9; 16]),
        account: 1,
        ..ledger.world.tenant.first_vault()
    };
    let vault = ledger.signed_act(ActBody::Put(RegistryRecord::Vault(vault)), &[Who::Admin(0)]);
    assert_eq!(ledger.refused(Body::Act(vault)), Some(expected));
    for (what, who) in tightenings(ledger) {
        let act = ledger.signed_act(ActBody::Tighten(what.clone()), &who);
        assert_eq!(ledger.refused(Body::Act(act)), None, "{what:?}");
    }
}

#[test]
fn a_proposal_made_before_a_stop_is_not_released_under_it_but_can_be_vetoed() {
    let mut ledger = ready();
    let record = RegistryRecord::User(User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    });
    let proposal = ledger.signed_act(ActBody::Put(record), &ledger.committee());
    let digest = strongroom_types::Act::digest_of(&proposal.text);
    ledger.push(Body::Act(proposal), ledger.now).unwrap();
    ledger.witness();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    assert_eq!(
        code(ledger.act(ActBody::Release(digest), &ledger.committee())),
        Code::TenantStopped
    );
    ledger
        .tighten(Tighten::Veto(digest), &[Who::Committee(0)])
        .unwrap();
}

#[test]
fn what_runs_cannot_be_resumed() {
    let mut ledger = ready();
    assert_eq!(
        code(ledger.act(ActBody::Resume, &[Who::Admin(0)])),
        Code::NotStopped
    );
    assert_eq!(code(ledger.platform_act(ActBody::Resume)), Code::NotStopped);
}

#[test]
fn an_old_resume_never_undoes_a_later_stop() {
    let mut ledger = ready();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    let resume = Body::Act(ledger.signed_act(ActBody::Resume, &[Who::Admin(0)]));
    ledger.push(resume.clone(), ledger.now).unwrap();
    ledger.witness();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    assert_eq!(ledger.refused(resume), Some(Code::UsedAuthority));
    let world = ledger.world.clone();
    let early = world.act(
        ledger.now,
        world.scope(),
        ActBody::Resume,
        ledger.version() - 1,
    );
    assert_eq!(
        ledger.refused(Body::Act(world.sign(&early, &[Who::Admin(0)]))),
        Some(Code::WrongScopeVersion)
    );
}

#[test]
fn a_payment_in_the_platforms_scope_does_not_evade_a_stop() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let body = ledger.authorization(&intent, &[]).into_body();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    let entry = ledger.entry(Scope::Platform, body, ledger.now);
    assert_eq!(code(ledger.push_entry(entry)), Code::WrongScope);
}
