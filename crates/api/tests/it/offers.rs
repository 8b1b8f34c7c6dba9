//! Acts that are offered: which are taken, and for how long they are kept.

use crate::desk::Desk;
use std::collections::BTreeSet;
use strongroom_api::submit::{self, SubmitError};
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_stage::post::message_id;
use strongroom_types::{Act, ActBody, Code, CredentialId, Digest, Tighten};
use strongroom_wire::{JournalResult, JournalSubmitted, Role, decode, topics};
use strongroom_world::Who;

fn ids(records: &[Record]) -> BTreeSet<[u8; 16]> {
    records.iter().map(message_id).collect()
}

fn refused(desk: &mut Desk, submission: [u8; 16]) {
    let result = JournalResult {
        submission,
        result: Err((Code::QuorumMissing, String::new())),
    };
    let api = desk.journal.world.service(Role::Api).node;
    desk.says_to(Role::Writer, topics::JOURNAL_RESULTS, Some(api), &result);
}

/// A refused act may be in order later, or with more signatures: that is another submission, or the
/// writer would answer with what it said before.
#[test]
fn an_act_offered_later_or_with_other_signatures_is_another_submission() {
    let mut desk = Desk::new();
    let body = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
    let act = desk.journal.ledger.signed_act(body, &[Who::Admin(0)]);
    let mut more = act.clone();
    more.endorse::<Act>(&desk.journal.world.person(Who::Admin(1)).signing());
    let offer = |desk: &Desk, act| {
        let record = submit::act(&desk.intake, act).unwrap().record.unwrap();
        let (_, offered): (_, JournalSubmitted) = desk.journal.world.open(&record);
        offered.submission
    };
    let mut submissions = BTreeSet::from([offer(&desk, &act), offer(&desk, &more)]);
    for submission in submissions.clone() {
        refused(&mut desk, submission);
    }
    desk.wait(1);
    submissions.insert(offer(&desk, &act));
    assert_eq!(submissions.len(), 3);
}

/// Any holder of a bearer key could replace an act by the same text with fewer signatures: the
/// answer to the good one would then find no row, and the other's refusal would be shown.
#[test]
fn hole_act_under_way_keeps_its_signatures() {
    let mut desk = Desk::new();
    let act = |desk: &Desk, who: &[Who]| {
        let body = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
        desk.journal.ledger.signed_act(body, who)
    };
    let both = act(&desk, &[Who::Admin(0), Who::Admin(1)]);
    let mut stripped = both.clone();
    stripped.endorsements.pop();
    let mut third = stripped.clone();
    third.endorsements.clear();
    third.endorse::<Act>(&desk.journal.world.person(Who::Approver(0)).signing());

    let good = submit::act(&desk.intake, &both).unwrap().record.unwrap();
    for other in [&stripped, &both] {
        desk.wait(1);
        assert!(submit::act(&desk.intake, other).unwrap().record.is_none());
    }
    desk.wait(2_500);
    let sent = desk.records(topics::JOURNAL_SUBMITTED);
    assert_eq!(ids(&sent), BTreeSet::from([message_id(&good)]));

    // Signatures that are new join those that are there.
    let more = submit::act(&desk.intake, &third).unwrap().record.unwrap();
    let (_, more): (_, JournalSubmitted) = desk.journal.world.open(&more);
    let Body::Act(more) = decode(&more.body).unwrap() else {
        panic!("not an act");
    };
    assert_eq!(more.endorsements.len(), 3);
}

#[test]
fn hole_act_with_a_signature_that_does_not_verify_is_not_taken() {
    let desk = Desk::new();
    let body = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
    let good = desk.journal.ledger.signed_act(body, &[Who::Admin(0)]);
    let mut forged = good.clone();
    strongroom_world::forge(&mut forged.endorsements[0]);
    let mut strange = good;
    strange.endorsements[0].credential = CredentialId([9; 16]);
    for (act, code) in [
        (forged, Code::BadSignature),
        (strange, Code::UnknownCredential),
    ] {
        let Err(SubmitError::Refused(refusal)) = submit::act(&desk.intake, &act) else {
            panic!("taken");
        };
        assert_eq!(refusal.code, code);
    }
    assert_eq!(acts(&desk), 0);
}

fn acts(desk: &Desk) -> i64 {
    let mut tx = desk.intake.db.begin().unwrap();
    let row = tx.query_opt("SELECT COUNT(*) FROM act", &[]).unwrap();
    row.unwrap().i64(0).unwrap()
}

/// The table would only grow: each act is of up to 64 KiB.
#[test]
fn answered_acts_are_forgotten_with_their_time() {
    let mut desk = Desk::new();
    let body = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
    let act = desk.journal.ledger.signed_act(body, &[Who::Admin(0)]);
    let (text, _) = act.open::<Act>().unwrap();
    let record = submit::act(&desk.intake, &act).unwrap().record.unwrap();
    let (_, offered): (_, JournalSubmitted) = desk.journal.world.open(&record);
    desk.wait(text.expires.0 - desk.now().0 + 1_000);
    assert_eq!(acts(&desk), 1, "without an answer");

    refused(&mut desk, offered.submission);
    desk.wait(1_000);
    assert_eq!(acts(&desk), 0);
}
