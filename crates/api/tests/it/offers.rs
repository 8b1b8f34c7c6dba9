//! Acts that are offered: which are taken, and for how long they are kept.

use crate::desk::{Desk, code};
use crate::fixture::Journal;
use std::collections::BTreeSet;
use strongroom_api::submit::{self, SubmitError};
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_ports::db::Row;
use strongroom_stage::post::message_id;
use strongroom_types::{Act, ActBody, Code, CredentialId, Digest, Revocable, Signed, Tighten};
use strongroom_wire::{JournalResult, JournalSubmitted, Role, decode, topics};
use strongroom_world::Who;

const DAY_MS: u64 = 86_400_000;

fn ids(records: &[Record]) -> BTreeSet<[u8; 16]> {
    records.iter().map(message_id).collect()
}

/// The writer answers.
fn result(desk: &mut Desk, submission: [u8; 16], result: Result<u64, Code>) {
    let result = JournalResult {
        submission,
        result: result.map_err(|code| (code, String::new())),
    };
    let api = desk.journal.world.service(Role::Api).node;
    desk.says_to(Role::Writer, topics::JOURNAL_RESULTS, Some(api), &result);
}

fn refused(desk: &mut Desk, submission: [u8; 16]) {
    result(desk, submission, Err(Code::QuorumMissing));
}

fn cancel(desk: &Desk, who: &[Who]) -> Signed {
    let body = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
    desk.journal.ledger.signed_act(body, who)
}

/// The same text, signed by these only.
fn signed_also(desk: &Desk, act: &Signed, who: &[Who]) -> Signed {
    let mut also = act.clone();
    also.endorsements.clear();
    for who in who {
        also.endorse::<Act>(&desk.journal.world.person(*who).signing());
    }
    also
}

/// An admin's act that expires in this time.
fn living(desk: &Desk, life_ms: u64) -> Signed {
    let (mut act, _) = cancel(desk, &[Who::Admin(0)]).open::<Act>().unwrap();
    act.expires = desk.now().plus(life_ms);
    desk.journal.world.sign(&act, &[Who::Admin(0)])
}

/// A record's submission and the act in it.
fn opened(desk: &Desk, record: &Record) -> ([u8; 16], Signed) {
    let (_, offered): (_, JournalSubmitted) = desk.journal.world.open(record);
    let Body::Act(act) = decode(&offered.body).unwrap() else {
        panic!("not an act");
    };
    (offered.submission, act)
}

/// What is offered when an act is posted.
fn offer(desk: &Desk, act: &Signed) -> ([u8; 16], Signed) {
    let record = submit::act(&desk.intake, act).unwrap().record.unwrap();
    opened(desk, &record)
}

/// Of each row whether it is done, and its code.
fn rows(desk: &Desk) -> Vec<(bool, String)> {
    let mut tx = desk.intake.db.begin().unwrap();
    let rows = tx.query("SELECT done, code FROM act", &[]).unwrap();
    let row = |row: &Row| (row.bool(0).unwrap(), row.text(1).unwrap().to_owned());
    rows.iter().map(row).collect()
}

/// A refused act may be in order later, or with more signatures: that is another submission, or the
/// writer would answer with what it said before.
#[test]
fn an_act_offered_later_or_with_other_signatures_is_another_submission() {
    let mut desk = Desk::new();
    let act = cancel(&desk, &[Who::Admin(0)]);
    let mut more = act.clone();
    more.endorse::<Act>(&desk.journal.world.person(Who::Admin(1)).signing());
    let mut submissions = BTreeSet::from([offer(&desk, &act).0, offer(&desk, &more).0]);
    for submission in submissions.clone() {
        refused(&mut desk, submission);
    }
    desk.wait(1);
    submissions.insert(offer(&desk, &act).0);
    assert_eq!(submissions.len(), 3);
}

/// Any holder of a bearer key could replace an act by the same text with fewer signatures: the
/// answer to the good one would then find no row, and the other's refusal would be shown.
#[test]
fn hole_act_under_way_keeps_its_signatures() {
    let mut desk = Desk::new();
    let both = cancel(&desk, &[Who::Admin(0), Who::Admin(1)]);
    let mut stripped = both.clone();
    stripped.endorsements.pop();
    let third = signed_also(&desk, &both, &[Who::Approver(0)]);

    let good = offer(&desk, &both);
    for other in [&stripped, &both] {
        desk.wait(1);
        assert_eq!(offer(&desk, other), good, "offered at once, and as it was");
    }
    desk.wait(2_500);
    for record in desk.records(topics::JOURNAL_SUBMITTED) {
        assert_eq!(opened(&desk, &record), good);
    }

    // Signatures that are new join those that are there.
    let (submission, more) = offer(&desk, &third);
    assert_ne!(submission, good.0);
    assert_eq!(more.endorsements.len(), 3);
}

/// One of several signers may have their credential revoked while the others sign: the journal
/// refuses the whole act for its signature.
#[test]
fn hole_act_under_way_loses_signatures_that_verify_no_more() {
    let mut desk = Desk::new();
    let resume = desk
        .journal
        .ledger
        .signed_act(ActBody::Resume, &[Who::Approver(0)]);
    offer(&desk, &resume);
    let revoked = desk.journal.world.person(Who::Approver(0)).credential.id;
    let revoke = ActBody::Tighten(Tighten::Revoke(Revocable::Credential(revoked)));
    let revoke = desk
        .journal
        .ledger
        .signed_act(revoke, &desk.journal.ledger.admins());
    desk.append(Body::Act(revoke));

    let admins = signed_also(&desk, &resume, &[Who::Admin(0)]);
    assert_eq!(offer(&desk, &admins).1, admins);
}

/// People who do not count for an act could sign it first, and so many of them that the journal
/// refuses every list that holds the others as well.
#[test]
fn hole_act_under_way_has_room_for_signatures_that_are_posted_now() {
    let desk = Desk::of(Journal::with_approvers(32));
    let full: Vec<Who> = (0..32).map(Who::Approver).collect();
    let full = cancel(&desk, &full);
    let admin = signed_also(&desk, &full, &[Who::Admin(0)]);
    offer(&desk, &full);
    let (_, joined) = offer(&desk, &admin);
    assert_eq!(joined.endorsements.len(), 32);
    assert!(joined.endorsements.contains(&admin.endorsements[0]));
    assert!(joined.open::<Act>().is_ok());
}

/// The writer may be away for longer than an offer lives, and its answer may be lost.
#[test]
fn an_act_is_offered_with_growing_pauses_until_its_time_is_over() {
    let mut desk = Desk::new();
    let act = cancel(&desk, &[Who::Admin(0)]);
    let (text, _) = act.open::<Act>().unwrap();
    let (submission, _) = offer(&desk, &act);
    let mut counts = Vec::new();
    for _ in 0..8 {
        desk.wait(2_500);
        counts.push(desk.records(topics::JOURNAL_SUBMITTED).len());
    }
    assert_eq!(counts, [1, 2, 2, 3, 3, 3, 3, 4], "at 2.5, 5, 10 and 20 s");
    let sent = desk.records(topics::JOURNAL_SUBMITTED);
    assert_eq!(ids(&sent).len(), 4, "the writer handles each");

    // The first ones are late when the writer is back, and say nothing of the next, which does not
    // wait as long as the writer was away.
    result(&mut desk, submission, Err(Code::DeadlineExpired));
    result(&mut desk, submission, Err(Code::DeadlineExpired));
    desk.wait(2_500);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 5);
    desk.wait(2_500);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 5);

    desk.wait(text.expires.since(desk.now()));
    desk.wait(3_600_000);
    assert_eq!(
        desk.records(topics::JOURNAL_SUBMITTED).len(),
        5,
        "its time is over"
    );
    assert_eq!(rows(&desk), [(false, String::new())], "by this clock alone");
    desk.pass(3_600_000);
    desk.tick();
    desk.witness();
    desk.wait(2_500);
    assert_eq!(rows(&desk), [(true, "authority_expired".to_owned())]);
    desk.wait(3_600_000);
    assert_eq!(rows(&desk), [], "the table would only grow");
}

/// A pause of a day would be nothing to an act that lives for a month, and much to its people.
#[test]
fn an_act_is_offered_every_hour_at_least() {
    let mut desk = Desk::new();
    offer(&desk, &living(&desk, 31 * DAY_MS));
    desk.wait(10 * DAY_MS);
    desk.wait(3_602_000);
    desk.wait(3_602_000);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 3);
}

/// A clock that was ahead for a while would keep it from being offered for as long again.
#[test]
fn an_act_is_offered_again_after_a_clock_that_was_ahead_is_set_right() {
    let mut desk = Desk::new();
    let act = cancel(&desk, &[Who::Admin(0)]);
    offer(&desk, &act);
    let now = desk.now();
    desk.wait(600_000);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 1);
    desk.set_clock(now.plus(10_000));
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 2);
    desk.wait(3_000);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 2);
}

/// The answer to an offer that was taken may be lost, too; the writer calls the next one used.
#[test]
fn an_act_that_the_journal_has_is_offered_no_more() {
    let mut desk = Desk::new();
    let act = cancel(&desk, &[Who::Admin(0)]);
    offer(&desk, &act);
    desk.wait(2_500);
    desk.append(Body::Act(act.clone()));
    desk.wait(2_500);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 1);
    assert_eq!(rows(&desk), [(true, String::new())]);

    // Posted again it may do more by now, so it is offered.
    let (submission, _) = offer(&desk, &act);
    desk.wait(2_500);
    assert_eq!(desk.records(topics::JOURNAL_SUBMITTED).len(), 2);
    result(&mut desk, submission, Err(Code::UsedAuthority));
    assert_eq!(rows(&desk), [(true, String::new())], "it is not refused");
}

/// The journal refuses it: its id would have to be remembered for as long.
#[test]
fn hole_act_whose_end_is_too_far_or_over_is_not_taken() {
    let desk = Desk::new();
    for (life_ms, wanted) in [
        (32 * DAY_MS, None),
        (32 * DAY_MS + 1, Some(Code::AuthorityExpired)),
        (0, Some(Code::AuthorityExpired)),
    ] {
        let act = living(&desk, life_ms);
        assert_eq!(code(submit::act(&desk.intake, &act)), wanted, "{life_ms}");
    }
    assert_eq!(acts(&desk), 1);
}

#[test]
fn hole_act_with_a_signature_that_does_not_verify_is_not_taken() {
    let desk = Desk::new();
    let good = cancel(&desk, &[Who::Admin(0)]);
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
    let act = cancel(&desk, &[Who::Admin(0)]);
    let (text, _) = act.open::<Act>().unwrap();
    let (submission, _) = offer(&desk, &act);
    desk.wait(text.expires.0 - desk.now().0 + 1_000);
    assert_eq!(acts(&desk), 1, "without an answer");

    refused(&mut desk, submission);
    desk.wait(1_000);
    assert_eq!(acts(&desk), 0);
}
