//! What waits until it is witnessed, and the attacks of a writer that chooses its stamps.

mod between;
mod held_back;

use crate::{HOUR_MS, LARGE, SKEW_MS, SMALL, TWO, code, ready, ready_under, ready_with};
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::ActStanding;
use strongroom_journal::share::{self, ShareRequest};
use strongroom_journal::state::Lookup as _;
use strongroom_policy::{Guard, GuardKind};
use strongroom_types::{
    Act, ActBody, AllowListEntry, AllowListId, Code, Digest, Document as _, MinorUnits, Refusal,
    RegistryRecord, Signed, Tighten, UnixMs, User, UserId, Vault, VaultId,
};
use strongroom_world::{
    AuthorizationExt as _, FRIEND, Ledger, PolicyOptions, START, STRANGER, Who,
};

const DAY_MS: u64 = 24 * HOUR_MS;

fn slow() -> Ledger {
    ready_with(|o| o.delay_ms = DAY_MS)
}

fn mallory() -> RegistryRecord {
    RegistryRecord::User(User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    })
}

fn in_force(ledger: &Ledger) -> bool {
    let tenant = ledger.world.tenant.id;
    ledger.state.user(tenant, UserId([9; 16])).is_ok()
}

/// An act that lives for this long.
fn signed(ledger: &Ledger, body: ActBody, who: &[Who], life_ms: u64) -> (Digest, Signed) {
    let world = &ledger.world;
    let mut act = world.act(ledger.now, world.scope(), body, ledger.version());
    act.expires = ledger.now.plus(life_ms);
    (act.digest(), world.sign(&act, who))
}

fn propose(ledger: &mut Ledger) -> Digest {
    let (proposal, act) = signed(
        ledger,
        ActBody::Put(mallory()),
        &ledger.committee(),
        31 * DAY_MS,
    );
    ledger.push(Body::Act(act), ledger.now).unwrap();
    proposal
}

/// A proposal that waits for its release, and a release of it that waits to be witnessed.
fn released(ledger: &mut Ledger) -> (Digest, Digest) {
    let proposal = propose(ledger);
    ledger.witness();
    ledger.wait(ledger.world.options.delay_ms);
    let release = release(ledger, proposal).unwrap();
    (proposal, release)
}

fn release(ledger: &mut Ledger, proposal: Digest) -> Result<Digest, Refusal> {
    let body = ActBody::Release(proposal);
    let (digest, act) = signed(ledger, body, &ledger.committee(), DAY_MS);
    ledger.push(Body::Act(act), ledger.now).map(|_| digest)
}

fn standing(ledger: &Ledger, act: Digest) -> Option<ActStanding> {
    let key = ks::used_act(ledger.world.tenant.id, &act);
    ledger.state.record(&key).unwrap()
}

#[test]
fn hole_delay_of_a_back_dated_proposal_is_not_over() {
    let mut ledger = slow();
    let stamp = ledger.now;
    let proposal = ledger.signed_act(ActBody::Put(mallory()), &ledger.committee());
    let digest = Act::digest_of(&proposal.text);

    // A day later the writer appends the proposal with yesterday's stamp, and a release with
    // today's.
    ledger.push(Body::Act(proposal), stamp).unwrap();
    ledger.wait(DAY_MS);
    assert_eq!(code(release(&mut ledger, digest)), Code::NotWitnessed);

    // Its delay begins when a quorum has seen it.
    ledger.witness();
    assert_eq!(code(release(&mut ledger, digest)), Code::ReleaseTooEarly);
    ledger.wait(DAY_MS - 1);
    assert_eq!(code(release(&mut ledger, digest)), Code::ReleaseTooEarly);
    ledger.wait(1);
    release(&mut ledger, digest).unwrap();
}

#[test]
fn hole_lock_of_a_back_dated_authorization_is_not_over() {
    let mut ledger = ready_under(PolicyOptions {
        time_lock_seconds: 600,
        ..PolicyOptions::default()
    });
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    let stamp = ledger.now;
    let authorization = ledger.authorization(&intent, &TWO).into_body();
    ledger.wait(1_200_000);
    ledger.push(authorization, stamp).unwrap();

    // Attempt 2 needs no signature of a person and makes the intent young.
    let kind = strongroom_types::AttemptKind::Bump;
    let first = ledger.world.attempt(&intent);
    let second = ledger
        .world
        .next_attempt(&first, kind, strongroom_world::FEE_MAX);
    ledger.push(Body::from(second), ledger.now).unwrap();
    let asked = |now| ShareRequest {
        tenant: ledger.world.tenant.id,
        intent: intent.digest(),
        attempt: 2,
        signer: 1,
        now,
    };
    let answer = |ledger: &Ledger, asked| {
        let genesis = &ledger.world.genesis;
        share::check(&ledger.state, genesis, &asked).map_err(|refusal| refusal.code)
    };
    let asked_now = asked(ledger.now);
    assert_eq!(answer(&ledger, asked_now).err(), Some(Code::TimeLocked));

    ledger.witness();
    let (until, now) = (ledger.now.plus(600_000), ledger.now.plus(599_999));
    let at_end = asked_now;
    let record = ledger.state.intent(asked_now.tenant, &asked_now.intent);
    assert_eq!(record.unwrap().unwrap().locked_until, until);
    let asked_now = ShareRequest { now, ..at_end };
    assert_eq!(answer(&ledger, asked_now).err(), Some(Code::TimeLocked));
}

#[test]
fn hole_release_takes_effect_only_when_it_is_witnessed() {
    let mut ledger = slow();
    let (put, act) = released(&mut ledger);
    assert!(!in_force(&ledger));
    assert_eq!(standing(&ledger, act), Some(ActStanding::Released));
    assert_eq!(standing(&ledger, put), Some(ActStanding::Released));
    ledger.witness();
    assert!(in_force(&ledger));
    assert_eq!(standing(&ledger, act), Some(ActStanding::InForce));
    assert_eq!(standing(&ledger, put), Some(ActStanding::InForce));
}

#[test]
fn hole_release_that_is_witnessed_after_its_expiry_is_void() {
    for (late_ms, expected) in [(SKEW_MS, true), (SKEW_MS + 1_000, false)] {
        let mut ledger = slow();
        let proposal = propose(&mut ledger);
        ledger.witness();
        ledger.wait(DAY_MS);
        let body = ActBody::Release(proposal);
        let (release_act, act) = signed(&ledger, body, &ledger.committee(), HOUR_MS);

        // The act is in time by its stamp, which is the writer's own, but is witnessed much later.
        ledger.push(Body::Act(act), ledger.now).unwrap();
        ledger.wait(HOUR_MS + late_ms);
        ledger.witness();
        assert_eq!(in_force(&ledger), expected, "{late_ms} ms after its expiry");
        if expected {
            continue;
        }

        // The release stays used, the proposal stays open.
        assert_eq!(standing(&ledger, release_act), Some(ActStanding::Void));
        assert_eq!(standing(&ledger, proposal), Some(ActStanding::Proposed));
        release(&mut ledger, proposal).unwrap();
        ledger.witness();
        assert!(in_force(&ledger));
    }
}

#[test]
fn hole_release_that_is_witnessed_after_its_proposals_life_is_void() {
    for (late_ms, expected) in [(SKEW_MS, true), (SKEW_MS + 1_000, false)] {
        let mut ledger = slow();
        let proposal = propose(&mut ledger);
        ledger.witness();
        ledger.wait(31 * DAY_MS - HOUR_MS);
        release(&mut ledger, proposal).unwrap();
        ledger.wait(HOUR_MS + late_ms);
        let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
        ledger.authorize(&intent, &[]).unwrap();
        ledger.witness();
        assert_eq!(in_force(&ledger), expected, "{late_ms} ms after its life");
    }
}

fn tighter_policy(ledger: &Ledger) -> RegistryRecord {
    let mut policy = ledger.world.tenant.policy(&Default::default());
    policy.guards.push(Guard {
        id: "cap".parse().unwrap(),
        kind: GuardKind::AmountMax {
            asset: strongroom_world::NATIVE.parse().unwrap(),
            lte: MinorUnits::from(SMALL),
        },
    });
    RegistryRecord::Policy(policy.to_text())
}

#[test]
fn hole_tightening_after_a_release_is_not_undone_by_it() {
    let tightenings: [fn(&mut Ledger); 3] = [
        |ledger| {
            let clerk = ledger.world.person(Who::Clerk).credential.id;
            ledger
                .tighten(Tighten::revoke(clerk), &[Who::Admin(0)])
                .unwrap();
        },
        |ledger| {
            ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
        },
        |ledger| {
            let put = ActBody::Put(tighter_policy(ledger));
            ledger.act(put, &ledger.committee()).unwrap();
        },
    ];
    for tighten in tightenings {
        let mut ledger = slow();
        let (proposal, act) = released(&mut ledger);
        tighten(&mut ledger);
        ledger.witness();
        assert!(!in_force(&ledger));
        assert_eq!(standing(&ledger, act), Some(ActStanding::Void));
        let open = ledger.state.proposal(ledger.world.tenant.id, &proposal);
        assert!(open.unwrap().is_some());
    }
}

#[test]
fn hole_what_one_person_can_sign_makes_no_release_void() {
    let mut ledger = slow();
    let other = propose(&mut ledger);
    released(&mut ledger);
    let veto = Tighten::Veto(other);
    ledger.tighten(veto, &[Who::Committee(0)]).unwrap();
    let pause = Tighten::Pause {
        vault: None,
        until: ledger.now.plus(HOUR_MS),
    };
    ledger.tighten(pause, &[Who::Admin(0)]).unwrap();
    let cancel = Tighten::Cancel(Digest([3; 32]));
    ledger.tighten(cancel, &[Who::Clerk]).unwrap();
    ledger.witness();
    assert!(in_force(&ledger));
}

#[test]
fn hole_veto_applies_while_a_release_waits() {
    let mut ledger = slow();
    let (proposal, act) = released(&mut ledger);
    ledger
        .tighten(Tighten::Veto(proposal), &[Who::Committee(0)])
        .unwrap();
    ledger.witness();
    assert!(!in_force(&ledger));
    assert_eq!(standing(&ledger, act), Some(ActStanding::Void));
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::Ended));
    assert_eq!(code(release(&mut ledger, proposal)), Code::UnknownProposal);
    let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
    assert_eq!(tenant.proposals_open, 0);
}

#[test]
fn a_veto_applies_before_the_proposal_is_witnessed() {
    let mut ledger = slow();
    let proposal = propose(&mut ledger);
    ledger
        .tighten(Tighten::Veto(proposal), &[Who::Committee(0)])
        .unwrap();
    ledger.witness();
    assert_eq!(code(release(&mut ledger, proposal)), Code::UnknownProposal);
}

#[test]
fn hole_item_that_fails_does_not_fail_the_witnessed_entry() {
    let mut ledger = ready();
    let mut plan = ledger.world.plan();
    plan.key.0 = [9; 16];
    let key = plan.key;
    let put = ActBody::Put(RegistryRecord::Ceremony(plan));
    let (_, act) = signed(&ledger, put, &ledger.committee(), DAY_MS);
    let proposal = Act::digest_of(&act.text);
    ledger.push(Body::Act(act), ledger.now).unwrap();
    ledger.witness();
    let act = release(&mut ledger, proposal).unwrap();

    // Another scope's act makes it impossible; what waits behind it is settled all the same.
    ledger
        .platform_act(ActBody::Tighten(Tighten::Quarantine(3)))
        .unwrap();
    let home = ledger.world.clone();
    ledger.world = home.for_tenant(1);
    ledger.create_tenant();
    let other = ledger.world.tenant.id;
    ledger.world = home;
    ledger.witness();
    assert_eq!(standing(&ledger, act), Some(ActStanding::Void));
    let behind = ledger.state.tenant(other).unwrap();
    assert_eq!(behind.witnessed_at, Some(ledger.now));
    let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
    assert!(
        ledger
            .state
            .threshold_key(ledger.world.tenant.id, key)
            .is_err()
    );
    assert_eq!(tenant.waiting, None);
    assert_eq!(tenant.proposals_open, 1, "all or nothing: still open");
    let open = ledger
        .state
        .proposal(ledger.world.tenant.id, &proposal)
        .unwrap();
    assert!(open.is_some());
}

#[test]
fn a_release_under_a_stop_of_the_platform_is_void() {
    let mut ledger = slow();
    let (_, act) = released(&mut ledger);
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    ledger.witness();
    assert_eq!(standing(&ledger, act), Some(ActStanding::Void));
    assert!(!in_force(&ledger));
}

#[test]
fn a_scope_with_an_act_waiting_takes_nothing_but_tightenings() {
    let mut ledger = slow();
    let (proposal, _) = released(&mut ledger);
    let vault = Vault {
        id: VaultId([9; 16]),
        account: 1,
        ..ledger.world.tenant.first_vault()
    };
    let eve = RegistryRecord::User(User {
        id: UserId([8; 16]),
        name: "Eve".parse().unwrap(),
    });
    for (body, who) in [
        (ActBody::Put(eve), ledger.committee()),
        (ActBody::Release(proposal), ledger.committee()),
        (ActBody::Put(RegistryRecord::Vault(vault)), ledger.admins()),
    ] {
        assert_eq!(code(ledger.act(body, &who)), Code::ActWaiting);
    }
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    let put = ActBody::Put(tighter_policy(&ledger));
    ledger.act(put, &ledger.committee()).unwrap();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    ledger.witness();
    ledger
        .act_in_force(ActBody::Resume, &[Who::Admin(0)])
        .unwrap();
    release(&mut ledger, proposal).unwrap();
}

#[test]
fn a_stop_after_a_resume_of_the_platform_stays() {
    let mut ledger = ready();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    ledger.platform_act(ActBody::Resume).unwrap();
    assert_eq!(code(ledger.platform_act(ActBody::Resume)), Code::ActWaiting);
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    ledger.witness();
    assert!(ledger.state.platform().unwrap().stopped);
    ledger.platform_act(ActBody::Resume).unwrap();
    ledger.witness();
    assert!(!ledger.state.platform().unwrap().stopped);
}

#[test]
fn hole_age_of_an_allow_list_entry_counts_from_its_witnessed_release() {
    let mut ledger = slow();
    let charter = ledger.world.tenant.charter().allow_list[0].clone();
    let entry = AllowListEntry {
        id: AllowListId([9; 16]),
        address: STRANGER.into(),
        ..charter.clone()
    };
    let put = ActBody::Put(RegistryRecord::AllowList(entry.clone()));
    let (_, act) = signed(&ledger, put, &ledger.committee(), DAY_MS);
    let proposal = Act::digest_of(&act.text);
    ledger.push(Body::Act(act), ledger.now).unwrap();
    ledger.witness();
    ledger.wait(DAY_MS);
    release(&mut ledger, proposal).unwrap();
    ledger.wait(HOUR_MS);
    ledger.witness();
    let since = |ledger: &Ledger, address: &str| {
        use strongroom_policy::PolicyView as _;
        let view =
            strongroom_journal::apply::TenantView::new(&ledger.state, ledger.world.tenant.id);
        view.allow_list(&entry.chain, address).unwrap().since
    };
    assert_eq!(since(&ledger, STRANGER), ledger.now);

    // A charter's entries have their age from the witnessed time of the tenant's creation.
    let world = ledger.world.clone();
    let mut young = Ledger::with_tenant(world);
    assert_eq!(since(&young, FRIEND), UnixMs(u64::MAX), "of no age yet");
    young.wait(HOUR_MS);
    young.witness();
    assert_eq!(since(&young, FRIEND), START.plus(HOUR_MS));
}

fn pause(ledger: &mut Ledger, until: UnixMs) -> Result<u64, Refusal> {
    ledger.tighten(Tighten::Pause { vault: None, until }, &[Who::Admin(0)])
}

#[test]
fn hole_withheld_pause_does_not_displace_a_newer_one() {
    // The older pause is signed at the start, withheld, and appended an hour later with its own old
    // stamp, just before the pause that is needed now.
    let mut ledger = ready();
    let old = START.plus(4 * HOUR_MS);
    pause(&mut ledger, old).unwrap();
    ledger.wait(HOUR_MS);
    let new = ledger.now.plus(4 * HOUR_MS);
    pause(&mut ledger, new).unwrap();
    let until = |ledger: &Ledger| {
        let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
        tenant.paused_until
    };
    assert_eq!(until(&ledger), new);

    // The older pause is witnessed first, so the newer one ends within its four hours.
    let mut ledger = ready();
    pause(&mut ledger, old).unwrap();
    ledger.wait(HOUR_MS);
    ledger.witness();
    let new = ledger.now.plus(4 * HOUR_MS);
    pause(&mut ledger, new).unwrap();
    assert_eq!(until(&ledger), new);

    // The admin may pause once in 24 hours, counted from there.
    ledger.wait(DAY_MS - 1);
    let again = ledger.now.plus(1_000);
    assert_eq!(code(pause(&mut ledger, again)), Code::PauseTooLong);
    ledger.wait(1);
    pause(&mut ledger, again).unwrap();
}
