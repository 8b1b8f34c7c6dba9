//! A no that the writer drops, delays, or meets with another decision.

use super::{again, refused_again, share, share_at};
use crate::{LARGE, MEDIUM, TWO, ready, ready_under};
use strongroom_journal::overlay::Overlay;
use strongroom_journal::share::{ShareRequest, check};
use strongroom_journal::witness::{Witness, WitnessMemory};
use strongroom_types::{
    ActBody, AttemptKind, Code, Digest, Document as _, Intent, NodeId, Refusal, RegistryRecord,
    Tighten,
};
use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, Log, PolicyOptions, Who};

/// The writer holds a no back until a change of the policy alters the decision, and takes another
/// approver's yes to the new one.
#[test]
fn hole_a_no_made_before_the_policy_changed_still_counts() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    let no = ActBody::Tighten(Tighten::Reject(intent.digest()));
    let withheld = ledger.signed_act(no, &[Who::Approver(2)]);

    let raised = ledger.world.tenant.policy(&PolicyOptions {
        time_lock_seconds: 60,
        ..PolicyOptions::default()
    });
    let put = ActBody::Put(RegistryRecord::Policy(raised.to_text()));
    ledger.act(put, &ledger.committee()).unwrap();
    let yes = ledger.authorization(&intent, &TWO[..1]).into_body();
    assert_eq!(
        ledger.refused(yes.clone()),
        None,
        "without the no it passes"
    );

    let body = strongroom_journal::Body::Act(withheld);
    ledger.push(body, ledger.now).unwrap();
    assert_eq!(ledger.refused(yes), Some(Code::IntentRejected));
}

/// During a lock an approver who sees what was authorized can stop it.
#[test]
fn hole_an_approvers_no_stops_what_is_authorized_and_locked() {
    let mut ledger = ready_under(PolicyOptions {
        time_lock_seconds: 60,
        ..PolicyOptions::default()
    });
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    ledger.authorize(&intent, &TWO).unwrap();
    ledger.witness();
    let mut control = ledger.clone();
    control.wait(60_000);
    assert_eq!(share(&control, &intent), None);
    ledger.wait(30_000);
    ledger
        .tighten(Tighten::Reject(intent.digest()), &[Who::Approver(2)])
        .unwrap();

    ledger.wait(30_000);
    assert_eq!(share(&ledger, &intent), Some(Code::IntentRejected));
    let rejected = Some(Code::IntentRejected);
    assert_eq!(refused_again(&ledger, &intent), rejected);
    again(&mut ledger, &intent, AttemptKind::Cancel).unwrap();
    assert_eq!(share_at(&ledger, &intent, 2, ledger.now), None);
}

fn witness_of(log: &Log, ledger: &Ledger) -> (NodeId, Witness) {
    let seat = &ledger.world.witnesses[0];
    let seed = seat.witness.to_bytes();
    let memory = WitnessMemory::default();
    let witness = Witness::new(&log.follower, seat.node, &seed, memory).unwrap();
    (seat.node, witness)
}

/// The writer never appends a no; it is handed to a witness like every other tightening.
#[test]
fn hole_a_no_that_the_writer_drops_is_handed_to_witnesses() {
    let mut ledger = ready();
    let intent: Intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    let log = Log::of(&ledger);
    let (_, mut witness) = witness_of(&log, &ledger);

    let no = ActBody::Tighten(Tighten::Reject(intent.digest()));
    let no = ledger.signed_act(no, &[Who::Approver(2)]);
    witness
        .hand(&log.follower, &no, ledger.now)
        .unwrap()
        .unwrap();

    // No share leaves at once, because the signer lays what was handed over its tip.
    let asked = ShareRequest {
        tenant: ledger.world.tenant.id,
        intent: intent.digest(),
        attempt: 1,
        signer: 1,
        now: ledger.now,
    };
    let deltas: Vec<_> = witness.handed_overlay(&log.follower, ledger.now).collect();
    let view = Overlay::new(log.follower.state()).with(deltas[0]);
    let refused = check(&view, &ledger.world.genesis, &asked).unwrap_err();
    assert_eq!(refused.code, Code::IntentRejected);

    // No head without it is cosigned, after the time in which an honest writer appends it.
    let bounds = &ledger.world.genesis.bounds;
    let late = ledger.now.plus(bounds.duty_ms + 1);
    let cosigned = witness.cosign(&log.follower, late, |_, _| Ok::<(), Refusal>(()));
    assert_eq!(cosigned.unwrap_err().code, Code::TighteningPending);

    // The duty ends with the intent: nothing is left to stop.
    let over = witness
        .handed_overlay(&log.follower, intent.expires)
        .count();
    assert_eq!(over, 0);
}

/// A digest of another text costs a record and ends no payment.
#[test]
fn a_no_to_an_unknown_digest_touches_no_other_intent() {
    let mut ledger = ready();
    let intent = ledger.world.intent(ledger.now, MEDIUM, FRIEND);
    ledger
        .tighten(Tighten::Reject(Digest([9; 32])), &[Who::Approver(2)])
        .unwrap();
    ledger.authorize(&intent, &TWO[..1]).unwrap();
    assert_eq!(share(&ledger, &intent), None);
}
