//! What the approvals service says is approved, and no client signed.

use crate::entries::authorization_on;
use crate::fixture::*;
use crate::refused::tighten;
use strongroom_journal::prospect::{FreshHead, Prospect};
use strongroom_types::{
    Code, Document as _, Intent, PlatformId, Revocable, Signed, SigningCredential, Tighten, UnixMs,
};
use strongroom_wire::{Decided, IntentDecided, Role, TransactionState, topics};
use strongroom_world::{Who, World};

/// What is reserved for a payment is freed by the journal alone, which never says anything of an
/// intent without its initiator's signature, nor of one whose end does not come.
#[test]
fn hole_invented_intent_keeps_no_coins() {
    let forgeries: [fn(&mut IntentDecided, &World); 5] = [
        |decided, world| {
            decided.intent = resigned(decided, |_| {}, &world.person(Who::Stranger).signing());
        },
        |decided, world| {
            let stranger = world.person(Who::Stranger);
            let is_stranger = |intent: &mut Intent| intent.initiator = stranger.credential.id;
            decided.intent = resigned(decided, is_stranger, &stranger.signing());
        },
        |decided, world| {
            let endless = |intent: &mut Intent| intent.expires = UnixMs(u64::MAX);
            decided.intent = resigned(decided, endless, &world.person(Who::Initiator).signing());
        },
        |decided, world| {
            let later = |intent: &mut Intent| {
                intent.created = intent.created.plus(86_400_000);
                intent.expires = intent.created.plus(1);
            };
            decided.intent = resigned(decided, later, &world.person(Who::Initiator).signing());
        },
        |decided, world| {
            let elsewhere = |intent: &mut Intent| intent.platform = PlatformId([9; 16]);
            decided.intent = resigned(decided, elsewhere, &world.person(Who::Initiator).signing());
        },
    ];
    for forge in forgeries {
        let mut service = Service::funded(1);
        let intent = service.intent();
        let mut decision = service.mail().decision(&intent, Decided::Approved);
        forge(&mut decision, service.world());
        let from = (Role::Approvals, topics::INTENT_DECIDED);
        let digest = Intent::digest_of(&decision.intent.text);
        let record = service.mail().seal(from, &digest, &decision);
        let sent = service.send(&[record]);
        assert_eq!(sent.dead_letters().len(), 1);
        assert_eq!(service.count("SELECT COUNT(*) FROM payment"), 0);
        assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 0);

        // The true one finds its coin and its row free, under the very same text too.
        let record = service.mail().again(1).decided(&intent, Decided::Approved);
        let sent = service.send(&[record]);
        assert_eq!(sent.states(), [TransactionState::Signing]);
    }
}

/// The decision's intent with another text, or another signature on the same.
fn resigned(
    decided: &IntentDecided,
    change: impl FnOnce(&mut Intent),
    signer: &SigningCredential,
) -> Signed {
    let mut intent = Intent::parse(&decided.intent.text).unwrap();
    let initiator = intent.initiator;
    change(&mut intent);
    let mut signed = Signed::by(&intent, signer);

    // The signature stands under the name of the one who did not make it.
    if intent.initiator == initiator {
        signed.endorsements[0].credential = initiator;
    }
    signed
}

/// One that a service holds all the same is given up by the witnessed journal, not by its own time.
#[test]
fn hole_intent_that_may_not_live_so_long_has_ended() {
    let mut service = Service::funded(1);
    service.witness();
    let prospect = |service: &Service, intent: &Intent| {
        service.journal.read(|follower| {
            let head = FreshHead::of(follower, service.now).unwrap();
            head.prospect(intent, &intent.digest()).unwrap()
        })
    };
    let mut intent = service.intent();
    assert_eq!(prospect(&service, &intent), Prospect::Open);

    let longest = service.world().genesis.bounds.intent_life_ms;
    intent.expires = intent.created.plus(longest);
    assert_eq!(prospect(&service, &intent), Prospect::Open);
    intent.expires = intent.created.plus(longest + 1);
    let Prospect::Ended(why) = prospect(&service, &intent) else {
        panic!("it ends");
    };
    assert_eq!(why.code, Code::IntentTooLongLived);
}

/// The end of what a revoked initiator asked for is told like any other.
#[test]
fn approved_intent_of_a_revoked_initiator_ends() {
    let mut service = Service::funded(1);
    let intent = service.intent();
    let decided = service.mail().decided(&intent, Decided::Approved);
    let initiator = service.world().person(Who::Initiator).credential.id;
    let revoke = Tighten::Revoke(Revocable::Credential(initiator));
    let admins = service.ledger.admins();
    tighten(&mut service, revoke, &admins);
    let sent = service.send(&[decided]);
    assert!(sent.dead_letters().is_empty());

    let changed = service.live(2 * RESEND_MS).changed();
    assert_eq!(changed.last().unwrap().state, TransactionState::Failed);
    assert_eq!(service.count("SELECT COUNT(*) FROM reservation"), 0);
}

/// Another submitter's attempt took the place of a payment that nothing was built for: no later look
/// says anything else, and so many rows would keep other vaults' payments waiting.
#[test]
fn hole_payment_that_waits_for_nothing_is_looked_at_once_a_day() {
    let mut service = Service::funded(1);
    let first = service.offered();
    let held = service.intent();
    let body = authorization_on(&service.ledger, &held, &first);
    service.append(vec![body]);
    service.approve(&held);
    service.live(OVER_MS);

    let sql = "SELECT version FROM payment WHERE intent = $1";
    let version = |service: &Service| service.number(&held, sql).unwrap();

    let before = version(&service);
    for _ in 0..10 {
        service.live(60_000);
    }
    assert_eq!(version(&service), before);
    service.live(86_400_000);
    assert_eq!(version(&service), before + 1);
}
