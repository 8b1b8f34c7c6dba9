//! Tightenings are charged to the credentials that sign them.

use super::MINUTE_MS;
use crate::{HOUR_MS, MEDIUM, SMALL, TWO, act_body, code, ready, ready_with};
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::CredentialRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{
    ActBody, AttemptKind, Code, Credential, CredentialClass, Digest, Document as _, Intent,
    Refusal, RegistryRecord, Scope, Tighten, digest,
};
use strongroom_world::{FRIEND, INTENT_LIFE_MS, Ledger, Who};

const DAY_MS: u64 = 24 * HOUR_MS;
const RETENTION_MS: u64 = 400 * DAY_MS;

fn unknown(n: u32) -> Digest {
    digest("unknown", &[&n.to_be_bytes()])
}

fn cancel(ledger: &mut Ledger, n: u32, who: &[Who]) -> Result<u64, Refusal> {
    ledger.tighten(Tighten::Cancel(unknown(n)), who)
}

fn pause(ledger: &mut Ledger, who: &[Who]) -> Result<u64, Refusal> {
    let until = ledger.now.plus(MINUTE_MS);
    ledger.tighten(Tighten::Pause { vault: None, until }, who)
}

fn credential(ledger: &Ledger, who: Who) -> CredentialRecord {
    let id = ledger.world.person(who).credential.id;
    let key = ks::credential(ledger.world.tenant.id, id);
    ledger.state.record(&key).unwrap().unwrap()
}

fn kept(ledger: &Ledger, who: Who) -> u32 {
    credential(ledger, who).kept
}

/// Entries that change nothing here: each forgets a little of what is due.
fn settle(ledger: &mut Ledger) {
    for n in 0..4 {
        ledger.wait(MINUTE_MS);
        let group = ledger.world.tenant.risk;
        let user = ledger.world.person(Who::Risk(9 + n)).user.id;
        let leave = Tighten::LeaveGroup { group, user };
        ledger.tighten(leave, &[Who::Admin(0)]).unwrap();
    }
}

fn limited(per_minute: fn(&mut strongroom_journal::Bounds)) -> Ledger {
    let mut ledger = ready_with(|o| o.tune = per_minute);
    ledger.now.0 = (ledger.now.0 / MINUTE_MS + 1) * MINUTE_MS;
    ledger
}

#[test]
fn a_credential_adds_so_many_tightenings_in_a_minute_of_journal_time() {
    let mut ledger = limited(|b| b.tightenings_per_minute = 3);
    for n in 0..3 {
        cancel(&mut ledger, n, &[Who::Clerk]).unwrap();
    }
    assert_eq!(
        code(cancel(&mut ledger, 3, &[Who::Clerk])),
        Code::QuotaExceeded
    );
    ledger.wait(MINUTE_MS - 1);
    let same_minute = cancel(&mut ledger, 3, &[Who::Clerk]);
    assert_eq!(code(same_minute), Code::QuotaExceeded);
    cancel(&mut ledger, 3, &[Who::Initiator]).unwrap();
    ledger.wait(1);
    cancel(&mut ledger, 3, &[Who::Clerk]).unwrap();
}

/// A program's stolen key must not take its owner's room.
#[test]
fn a_persons_other_credential_has_room_of_its_own() {
    let mut ledger = limited(|b| b.tightenings_per_minute = 1);
    cancel(&mut ledger, 0, &[Who::Initiator]).unwrap();
    let used_up = cancel(&mut ledger, 1, &[Who::Initiator]);
    assert_eq!(code(used_up), Code::QuotaExceeded);
    cancel(&mut ledger, 1, &[Who::InitiatorKey]).unwrap();
}

#[test]
fn each_kind_is_charged_to_one_of_its_signers_who_has_room() {
    let mut ledger = limited(|b| b.tightenings_per_minute = 1);
    cancel(&mut ledger, 0, &[Who::Clerk]).unwrap();
    let both = [Who::Admin(0), Who::Clerk];
    pause(&mut ledger, &both).unwrap();
    let entries = |ledger: &Ledger, who| credential(ledger, who).tightenings.entries;
    assert_eq!(both.map(|who| entries(&ledger, who)), [1, 1]);

    let mut stopped = ledger.clone();
    let refused = stopped.tighten(Tighten::Stop, &both);
    assert_eq!(code(refused), Code::QuotaExceeded, "both have used it up");
    stopped.tighten(Tighten::Stop, &[Who::Admin(1)]).unwrap();
    stopped
        .tighten(Tighten::Stop, &[Who::Admin(1)])
        .unwrap_err();

    ledger.wait(MINUTE_MS);
    ledger.tighten(Tighten::Stop, &both).unwrap();
    let charged: u32 = both.iter().map(|who| entries(&ledger, *who)).sum();
    assert_eq!(
        charged, 2,
        "one of them in this minute, the other a minute ago"
    );
    let in_this_minute =
        both.map(|who| credential(&ledger, who).tightenings.at(ledger.now).entries);
    assert_eq!(in_this_minute.iter().sum::<u32>(), 1);
}

#[test]
fn an_admin_who_revokes_their_own_credential_is_charged() {
    let mut ledger = limited(|b| b.tightenings_per_minute = 1);
    let id = ledger.world.person(Who::Admin(0)).credential.id;
    let revoke = Tighten::Revoke(strongroom_types::Revocable::Credential(id));
    ledger.tighten(revoke, &[Who::Admin(0)]).unwrap();
    let record = credential(&ledger, Who::Admin(0));
    assert_eq!((record.revoked, record.tightenings.entries), (true, 1));
}

#[test]
fn a_tightening_gets_in_when_every_other_quota_is_used_up() {
    let mut ledger = limited(|b| {
        b.entries_per_minute = 3;
        b.intents_open_max = 1;
        b.proposals_open_max = 1;
        b.ended_open_max = 2;
    });
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
    for n in 0..2 {
        let _ = cancel(&mut ledger, n, &[Who::Initiator]);
        let _ = cancel(&mut ledger, n, &[Who::Admin(0)]);
    }
    let record = RegistryRecord::User(ledger.world.person(Who::Stranger).user);
    ledger
        .act(ActBody::Put(record), &ledger.committee())
        .unwrap();
    let first = ledger.world.attempt(&intent);
    let bump = ledger.world.next_attempt(&first, AttemptKind::Bump, 1);
    ledger.push(Body::from(bump.clone()), ledger.now).unwrap();
    let next = ledger.world.next_attempt(&bump, AttemptKind::Bump, 1);
    assert_eq!(ledger.refused(Body::from(next)), Some(Code::QuotaExceeded));
    assert_eq!(
        code(cancel(&mut ledger, 9, &[Who::Admin(0)])),
        Code::QuotaExceeded
    );

    let of_live = Tighten::Cancel(intent.digest());
    ledger.tighten(of_live, &[Who::Initiator]).unwrap();
    pause(&mut ledger, &[Who::Admin(0)]).unwrap();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
}

/// A witness that holds an act waits for a quota to pass: nothing that does not pass may look like
/// one.
#[test]
fn a_tightening_is_refused_by_quota_only_when_nothing_else_refuses_it() {
    let mut ledger = limited(|b| b.tightenings_per_minute = 1);
    let first = act_body(
        &ledger,
        ActBody::Tighten(Tighten::Cancel(unknown(0))),
        &[Who::Clerk],
        |_| {},
    );
    ledger.push(first.clone(), ledger.now).unwrap();
    assert_eq!(ledger.refused(first), Some(Code::UsedAuthority));

    let (now, clerk) = (ledger.now, [Who::Clerk]);
    let not_theirs = ledger.tighten(Tighten::Stop, &clerk);
    assert_eq!(code(not_theirs), Code::QuorumMissing);
    let no = ledger.tighten(Tighten::Reject(unknown(1)), &clerk);
    assert_eq!(code(no), Code::ApprovalNotEligible);
    let expired = act_body(
        &ledger,
        ActBody::Tighten(Tighten::Cancel(unknown(1))),
        &clerk,
        |act| {
            act.expires = now;
        },
    );
    assert_eq!(ledger.refused(expired), Some(Code::AuthorityExpired));

    let committee = [Who::Committee(0)];
    cancel(&mut ledger, 2, &committee).unwrap();
    let veto = ledger.tighten(Tighten::Veto(unknown(3)), &committee);
    assert_eq!(code(veto), Code::UnknownProposal);
}

#[test]
fn a_tightening_needs_a_person() {
    let mut ledger = ready();
    let stranger = ledger.world.person(Who::Stranger).credential;
    ledger.put_and_release(RegistryRecord::Credential(Credential {
        user: None,
        class: CredentialClass::Watch,
        ..stranger
    }));
    let alone = cancel(&mut ledger, 0, &[Who::Stranger]);
    assert_eq!(code(alone), Code::WrongCredentialClass);
    cancel(&mut ledger, 0, &[Who::Clerk, Who::Stranger]).unwrap();
}

#[test]
fn so_many_records_of_cancels_are_kept_for_a_credential_and_forgetting_brings_room_back() {
    let mut ledger = limited(|b| b.ended_open_max = 4);
    cancel(&mut ledger, 0, &[Who::Clerk]).unwrap();
    cancel(&mut ledger, 1, &[Who::Clerk]).unwrap();
    assert_eq!(
        kept(&ledger, Who::Clerk),
        4,
        "two ends and the ids of two acts"
    );
    assert_eq!(
        code(cancel(&mut ledger, 2, &[Who::Clerk])),
        Code::QuotaExceeded
    );
    cancel(&mut ledger, 2, &[Who::Initiator]).unwrap();
    assert_eq!(kept(&ledger, Who::Clerk), 4);

    // The ids are needed until the acts expire, the ends for longer.
    ledger.wait(DAY_MS);
    settle(&mut ledger);
    assert_eq!(kept(&ledger, Who::Clerk), 2);
    cancel(&mut ledger, 3, &[Who::Clerk]).unwrap();
    assert_eq!(kept(&ledger, Who::Clerk), 4);

    ledger.wait(RETENTION_MS);
    settle(&mut ledger);
    assert_eq!(
        [Who::Clerk, Who::Initiator].map(|who| kept(&ledger, who)),
        [0, 0]
    );
    assert_eq!(
        ledger
            .state
            .record::<u8>(&ks::ended(ledger.world.tenant.id, &unknown(0)))
            .unwrap(),
        None
    );
}

#[test]
fn the_same_end_by_the_same_person_costs_only_the_id_of_its_act() {
    let mut ledger = ready();
    let end = ks::ended(ledger.world.tenant.id, &unknown(0));
    cancel(&mut ledger, 0, &[Who::Clerk]).unwrap();
    let keys = ledger.state.map().len();
    let first = ledger.state.map()[&end].clone();
    ledger.wait(1);
    cancel(&mut ledger, 0, &[Who::Clerk]).unwrap();
    assert_eq!(
        ledger.state.map().len(),
        keys + 2,
        "an id and when to forget it"
    );
    assert_eq!(ledger.state.map()[&end], first);

    cancel(&mut ledger, 0, &[Who::Initiator]).unwrap();
    assert_ne!(ledger.state.map()[&end], first, "another person's word");
}

/// Both stand on one marker, and each gets back what it was charged.
#[test]
fn two_ends_of_one_intent_in_one_millisecond_are_both_given_back() {
    let mut ledger = ready();
    let people = [Who::Clerk, Who::Initiator];
    for who in people {
        cancel(&mut ledger, 0, &[who]).unwrap();
    }
    assert_eq!(people.map(|who| kept(&ledger, who)), [2, 2]);
    ledger.wait(RETENTION_MS);
    settle(&mut ledger);
    assert_eq!(people.map(|who| kept(&ledger, who)), [0, 0]);
}

/// Else anyone could leave ids without end by a payment of their own.
#[test]
fn a_cancel_is_charged_unless_it_ends_an_authorized_intent() {
    let mut ledger = ready();
    let intent: Intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    let people = [Who::Initiator, Who::Approver(0)];
    let end = |ledger: &mut Ledger| {
        ledger
            .tighten(Tighten::Cancel(intent.digest()), &[people[0]])
            .unwrap();
        ledger
            .tighten(Tighten::Reject(intent.digest()), &[people[1]])
            .unwrap();
    };
    end(&mut ledger);
    assert_eq!(people.map(|who| kept(&ledger, who)), [0, 1]);
    end(&mut ledger);
    assert_eq!(people.map(|who| kept(&ledger, who)), [1, 2]);
    ledger.wait(DAY_MS + INTENT_LIFE_MS);
    settle(&mut ledger);
    assert_eq!(people.map(|who| kept(&ledger, who)), [0, 0]);
}

#[test]
fn the_platforms_tightenings_are_charged_and_its_used_acts_forgotten() {
    let mut ledger = limited(|b| b.tightenings_per_minute = 2);
    let stop = || ActBody::Tighten(Tighten::Stop);
    ledger.platform_act(stop()).unwrap();
    let world = ledger.world.clone();
    let act = world.act(ledger.now, Scope::Platform, stop(), 0);
    let last = Body::Act(world.sign(&act, &[Who::PlatformAdmin]));
    ledger.push(last.clone(), ledger.now).unwrap();
    assert_eq!(code(ledger.platform_act(stop())), Code::QuotaExceeded);
    ledger.wait(MINUTE_MS);
    ledger.platform_act(stop()).unwrap();

    let used = ks::used_act(Scope::Platform, &act.digest());
    ledger.now.0 = act.expires.0 - 1;
    ledger.push(Body::Tick, ledger.now).unwrap();
    assert_eq!(ledger.refused(last.clone()), Some(Code::UsedAuthority));
    ledger.wait(1);
    ledger.push(Body::Tick, ledger.now).unwrap();
    assert!(!ledger.state.map().contains_key(&used));
    assert_eq!(ledger.refused(last), Some(Code::AuthorityExpired));
}

/// A stop, a leaving and a revocation once more: each left a used id for a month.
#[test]
fn a_tightening_that_changes_nothing_is_charged() {
    let admin = [Who::Admin(0)];
    let group = ready().world.tenant.risk;
    let user = ready().world.person(Who::Clerk).user.id;
    let clerk = ready().world.person(Who::Clerk).credential.id;
    let leave = || Tighten::LeaveGroup { group, user };
    let kinds: [&dyn Fn() -> Tighten; 3] = [&|| Tighten::Stop, &leave, &|| Tighten::revoke(clerk)];
    for what in kinds {
        let mut ledger = limited(|b| b.ended_open_max = 2);
        let _ = ledger.tighten(what(), &admin);
        let first = kept(&ledger, admin[0]);
        for _ in first..2 {
            ledger.tighten(what(), &admin).unwrap();
        }
        let full = ledger.tighten(what(), &admin);
        assert_eq!(code(full), Code::QuotaExceeded, "{:?}", what());
        ledger.tighten(what(), &[Who::Admin(1)]).unwrap();
        pause(&mut ledger, &admin).unwrap();
    }
}

/// It is not a repetition: without it the tenant would go on.
#[test]
fn a_stop_that_makes_a_waiting_resume_void_is_not_charged() {
    let mut ledger = limited(|b| b.ended_open_max = 2);
    for _ in 0..3 {
        ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    }
    assert_eq!(kept(&ledger, Who::Admin(0)), 2);
    ledger.act(ActBody::Resume, &ledger.admins()).unwrap();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    let again = ledger.tighten(Tighten::Stop, &[Who::Admin(0)]);
    assert_eq!(code(again), Code::QuotaExceeded, "void already");
    ledger.witness();
    let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
    assert!(tenant.stopped);
}

/// A pause leaves what waits as it is, so it may not be repeated for nothing because something does.
#[test]
fn a_pause_that_changes_nothing_is_charged_though_an_act_waits() {
    let mut ledger = limited(|b| b.ended_open_max = 2);
    let admin = [Who::Admin(0)];
    ledger.tighten(Tighten::Stop, &admin).unwrap();
    ledger.act(ActBody::Resume, &ledger.admins()).unwrap();
    for expected in [0, 1, 2] {
        pause(&mut ledger, &admin).unwrap();
        assert_eq!(kept(&ledger, admin[0]), expected);
    }
}

/// An admin may make many within four hours; each is worth nothing after its end.
#[test]
fn a_used_pause_is_kept_until_it_is_over_and_not_longer() {
    let mut ledger = ready();
    let until = ledger.now.plus(MINUTE_MS);
    let pause = ActBody::Tighten(Tighten::Pause { vault: None, until });
    let pause = act_body(&ledger, pause, &[Who::Admin(0)], |_| {});
    ledger.push(pause.clone(), ledger.now).unwrap();
    let used = |ledger: &Ledger| {
        let prefix = ks::used_act(ledger.world.tenant.id, &Digest([0; 32]))[..17].to_vec();
        ledger.state.under(&prefix).count()
    };
    let before = used(&ledger);
    ledger.now.0 = until.0 - 1;
    assert_eq!(ledger.refused(pause.clone()), Some(Code::UsedAuthority));
    ledger.now = until;
    cancel(&mut ledger, 0, &[Who::Clerk]).unwrap();
    assert_eq!(used(&ledger), before, "the pause went, the cancel came");
    assert_eq!(ledger.refused(pause), Some(Code::AuthorityExpired));
}

/// A cancel whose text comes twice, first with a signature that cancels nothing, then in full.
#[test]
fn hole_a_cancel_that_comes_twice_gives_all_room_back() {
    let mut ledger = limited(|_| {});
    let who = [Who::Initiator, Who::Clerk];
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    let cancel = ActBody::Tighten(Tighten::Cancel(intent.digest()));
    let Body::Act(full) = act_body(&ledger, cancel, &who, |_| {}) else {
        panic!("an act")
    };
    let clerk = ledger.world.person(Who::Clerk).credential.id;
    let mut stripped = full.clone();
    stripped.endorsements.retain(|by| by.credential == clerk);

    ledger.push(Body::Act(stripped), ledger.now).unwrap();
    assert!(kept(&ledger, Who::Clerk) > 0);
    ledger.authorize(&intent, &[]).unwrap();
    ledger.push(Body::Act(full), ledger.now).unwrap();

    ledger.wait(RETENTION_MS + DAY_MS);
    settle(&mut ledger);
    assert_eq!(who.map(|who| kept(&ledger, who)), [0, 0]);
}
