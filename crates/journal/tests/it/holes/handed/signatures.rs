//! The text of a handed act under other signatures: in the journal, and handed to the same witness.

use super::*;
use crate::SMALL;
use strongroom_journal::model::IntentStanding;
use strongroom_journal::witness::HANDED_OPEN_MAX;
use strongroom_types::{Endorsement, Intent};
use strongroom_world::{AuthorizationExt as _, FRIEND};

/// The same text, signed by these people.
fn by(site: &Site, signed: &Signed, who: &[Who]) -> Signed {
    site.ledger
        .world
        .sign(&Act::parse(&signed.text).unwrap(), who)
}

fn pay(site: &mut Site, intent: &Intent) -> Result<u64, Refusal> {
    let body = site.ledger.authorization(intent, &[]).into_body();
    site.append(body)
}

fn refused(site: &mut Site, signed: &Signed) -> Code {
    site.append(Body::Act(signed.clone())).unwrap_err().code
}

/// The writer sees a cancel that counts, and appends its text under a signature that does not: one of
/// several admins, or that of any clerk. The payment is then authorized.
#[test]
fn hole_handed_cancel_is_not_used_up_by_its_text_under_other_signatures() {
    let admins = [Who::Admin(0), Who::Admin(1)];
    let cases: [(&[Who], &[Who]); 2] = [
        (&admins, &[Who::Admin(0)]),
        (&[Who::Initiator], &[Who::Clerk]),
    ];
    for (who, fewer) in cases {
        let (mut site, _) = Site::proposed();
        let intent = site.ledger.world.intent(site.now, SMALL, FRIEND);
        let cancel = site.tightening(Tighten::Cancel(intent.digest()), who);
        for seat in 1..=3 {
            assert_eq!(site.hand(seat, &cancel), Ok(true));
        }
        let empty = by(&site, &cancel, fewer);
        site.act(&empty);
        assert_eq!(site.owed(1), 1);
        pay(&mut site, &intent).unwrap();
        assert_eq!(site.round(), [Ok(()); 3]);

        // No share is released under it, and after the ten seconds no head is cosigned.
        let tenant = site.ledger.world.tenant.id;
        let standing = |view: &Overlay<'_>| {
            let known = view.intent(tenant, &intent.digest()).unwrap();
            known.unwrap().standing
        };
        let deltas: Vec<_> = site.witnesses[0]
            .handed_overlay(&site.log.follower, site.now)
            .collect();
        let view = Overlay::new(site.log.follower.state()).with(deltas[0]);
        assert_eq!(standing(&view), IntentStanding::Cancelled);
        site.now = site.now.plus(DUTY_MS);
        assert_eq!(site.round(), [PENDING; 3], "{who:?}");

        let entry = site.act(&cancel);
        assert_eq!(site.round(), [Ok(()); 3]);
        let ended = format!("in the journal, entry {entry}");
        assert_eq!(site.ended(1)[0].to_string(), ended);
        let known = site.log.follower.state().intent(tenant, &intent.digest());
        assert_eq!(known.unwrap().unwrap().standing, IntentStanding::Cancelled);

        // What adds nothing is a replay.
        for again in [&cancel, &empty] {
            assert_eq!(refused(&mut site, again), Code::UsedAuthority);
        }
    }
}

/// The same before the payment is known.
#[test]
fn cancel_of_an_unknown_intent_counts_everyone_who_signs_its_text() {
    let admins = [Who::Admin(0), Who::Admin(1)];
    let (mut site, _) = Site::proposed();
    let intent = site.ledger.world.intent(site.now, SMALL, FRIEND);
    let cancel = site.tightening(Tighten::Cancel(intent.digest()), &admins);
    for who in [&admins[..1], &admins[1..], &admins] {
        let some = by(&site, &cancel, who);
        site.act(&some);
        assert_eq!(refused(&mut site, &some), Code::UsedAuthority);
    }
    assert_eq!(
        pay(&mut site, &intent).unwrap_err().code,
        Code::IntentCancelled
    );
    for fewer in [&admins[..1], &admins[1..]] {
        let fewer = by(&site, &cancel, fewer);
        assert_eq!(refused(&mut site, &fewer), Code::UsedAuthority);
    }
}

/// One no is as good as another: any of them includes it.
#[test]
fn handed_reject_is_included_by_its_text_under_another_members_signature() {
    let (mut site, _) = Site::proposed();
    let intent = site.ledger.world.intent(site.now, SMALL, FRIEND);
    let reject = site.tightening(Tighten::Reject(intent.digest()), &[Who::Approver(0)]);
    site.hand(1, &reject).unwrap();
    let other = by(&site, &reject, &[Who::Approver(1)]);
    let entry = site.act(&other);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 0));
    let ended = format!("in the journal, entry {entry}");
    assert_eq!(site.ended(1)[0].to_string(), ended);
    let refused = pay(&mut site, &intent).unwrap_err();
    assert_eq!(refused.code, Code::IntentRejected);
}

/// An admin whose four hours are nearly over signs the text of another admin's pause.
#[test]
fn hole_handed_pause_is_not_cut_by_a_signer_whose_hours_are_over() {
    let (old, new) = (Who::Admin(0), Who::Admin(1));
    for with in [&[old][..], &[old, new]] {
        let (mut site, _) = Site::proposed();
        let tenant = site.ledger.world.tenant.id;
        let paused = |site: &Site| {
            let state = site.log.follower.state();
            state.tenant(tenant).unwrap().paused_until
        };
        let pause = |site: &Site, who| {
            let until = site.now.plus(4 * HOUR_MS);
            (
                until,
                site.tightening(Tighten::Pause { vault: None, until }, &[who]),
            )
        };
        let (_, first) = pause(&site, old);
        site.act(&first);
        assert_eq!(site.round(), [Ok(()); 3]);

        site.now = site.now.plus(4 * HOUR_MS - 60_000);
        let (until, wanted) = pause(&site, new);
        for seat in 1..=3 {
            assert_eq!(site.hand(seat, &wanted), Ok(true));
        }
        let cut = by(&site, &wanted, with);
        site.act(&cut);
        site.round();
        site.now = site.now.plus(DUTY_MS);
        if with.len() == 1 {
            assert_eq!(site.cosign(1), PENDING);
            assert!(paused(&site) < until);
            site.act(&wanted);
        }
        assert_eq!(paused(&site), until);
        site.append(Body::Tick).unwrap();
        assert_eq!(site.round(), [Ok(()); 3]);
        assert_eq!(site.owed(1), 0);
        for again in [&first, &cut, &wanted] {
            assert_eq!(refused(&mut site, again), Code::UsedAuthority);
        }

        // The pause is counted, so this admin gains no further hours.
        site.now = site.now.plus(HOUR_MS);
        let (_, further) = pause(&site, new);
        site.act(&further);
        assert!(paused(&site) < until.plus(60_000));
    }
}

/// A witness that holds a text under a clerk's signature is handed it under the initiator's.
#[test]
fn handed_act_is_held_under_all_signatures_that_were_handed() {
    let (mut site, _) = Site::proposed();
    let intent = site.ledger.world.intent(site.now, SMALL, FRIEND);
    let (clerk, initiator) = (Who::Clerk, Who::Initiator);
    let cancel = site.tightening(Tighten::Cancel(intent.digest()), &[clerk]);
    assert_eq!(site.hand(1, &cancel), Ok(true));
    let since = site.now;
    site.now = site.now.plus(1_000);

    // The act is refused as a whole, and what is held stays.
    let good = by(&site, &cancel, &[initiator]);
    let mut forged = good.clone();
    strongroom_world::forge(&mut forged.endorsements[0]);
    assert_eq!(site.hand(1, &forged), Err(Code::BadSignature));
    assert_eq!(site.owed(1), 1);
    assert_eq!(site.hand(1, &good), Ok(true));
    for known in [&cancel, &good, &by(&site, &cancel, &[clerk, initiator])] {
        assert_eq!(site.hand(1, known), Ok(false));
    }
    let held = site.witnesses[0].handed().next().unwrap();
    assert_eq!(held.signed, by(&site, &cancel, &[clerk, initiator]));
    assert_eq!((held.since, site.owed(1)), (since, 1));

    // Under the clerk's signature alone the duty would end here.
    pay(&mut site, &intent).unwrap();
    site.now = site.now.plus(DUTY_MS);
    assert_eq!(site.cosign(1), PENDING);
    let held = site.witnesses[0].handed().next().unwrap().signed.clone();
    site.act(&held);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 0));
}

/// The bound is for each who signed, whenever their signature came.
#[test]
fn a_signature_that_is_added_needs_room_of_its_signer() {
    let (mut site, _) = Site::proposed();
    let cancel = |site: &Site, n: usize, who| {
        let unknown = Digest([u8::try_from(n).unwrap(); 32]);
        site.tightening(Tighten::Cancel(unknown), &[who])
    };
    for n in 0..HANDED_OPEN_MAX {
        let full = cancel(&site, n, Who::Initiator);
        site.hand(1, &full).unwrap();
    }
    let first = cancel(&site, HANDED_OPEN_MAX, Who::Clerk);
    assert_eq!(site.hand(1, &first), Ok(true));
    let more = by(&site, &first, &[Who::Initiator]);
    assert_eq!(site.hand(1, &more), Err(Code::QuotaExceeded));
    let signers = |e: &Endorsement| e.credential;
    let held = site.witnesses[0].handed().last().unwrap();
    let clerk = site.ledger.world.person(Who::Clerk).credential.id;
    let held: Vec<_> = held.signed.endorsements.iter().map(signers).collect();
    assert_eq!(held, [clerk]);
}

/// Too few of its signers were left; the others sign the same text again.
#[test]
fn an_act_that_ended_is_taken_again_when_it_applies_again() {
    let (mut site, _) = Site::proposed();
    let all = [Who::Admin(0), Who::Admin(1), Who::Admin(2)];
    let stop = site.tightening(Tighten::Stop, &all[..2]);
    site.hand(1, &stop).unwrap();
    let gone = site.ledger.world.person(all[0]).credential.id;
    let revoke = site.tightening(Tighten::revoke(gone), &all[1..]);
    site.act(&revoke);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 0));
    assert_eq!(site.ended(1).len(), 1);

    let others = by(&site, &stop, &all[1..]);
    assert_eq!(site.hand(1, &others), Ok(true));
    assert_eq!((site.ended(1).len(), site.owed(1)), (0, 1));
    let entry = site.act(&others);
    site.cosign(1).unwrap();
    let ended = format!("in the journal, entry {entry}");
    assert_eq!(site.ended(1)[0].to_string(), ended);
}
