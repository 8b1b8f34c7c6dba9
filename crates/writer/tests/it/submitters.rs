//! Whose key may submit which body.

use crate::fixture::*;
use std::fmt::Write as _;
use strongroom_journal::Body;
use strongroom_journal::entry::FurtherAttempt;
use strongroom_types::{ActBody, AttemptKind, Code};
use strongroom_wire::{JournalResult, JournalSubmitted, Role, encode, topics};
use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, Letter, Sender};

const SENDERS: [(&str, Sender); 7] = [
    ("api", Sender::Service(Role::Api)),
    ("approvals", Sender::Service(Role::Approvals)),
    ("transactions", Sender::Service(Role::Transactions)),
    ("coordinator", Sender::Service(Role::Coordinator)),
    ("writer", Sender::Service(Role::Writer)),
    ("signer", Sender::Seat(1)),
    ("witness", Sender::Seat(4)),
];

/// One body of each kind; acts by whether they tighten.
fn bodies() -> Vec<(&'static str, Body)> {
    let (ledger, ceremony) = Ledger::ready_with_shares(world());
    let intent = ledger.world.intent(ledger.now, 1, FRIEND);
    let authorization = ledger.authorization(&intent, &[]);
    let further = FurtherAttempt {
        attempt: (ledger.world).next_attempt(&authorization.attempt, AttemptKind::Bump, 1),
        facts: Vec::new(),
        reopen: None,
    };
    vec![
        ("genesis", Body::Genesis(genesis().hash())),
        ("tick", Body::Tick),
        ("tightening", Body::Act(stop(1))),
        ("other act", Body::Act(platform_act(2, 1, ActBody::Resume))),
        ("authorized", authorization.into_body()),
        ("attempt", Body::Attempt(Box::new(further))),
        ("finished", ceremony.body()),
        ("witnessed", Body::Witnessed(ledger.witnessed())),
    ]
}

/// What became of a submission: the journal was asked, or the writer answered by itself, or no
/// answer was given at all.
fn fate(writer: &mut Running, sender: Sender, id: u8, body: &Body) -> &'static str {
    let submitted = JournalSubmitted {
        submission: [id; 16],
        scope: strongroom_world::scope_of(body, world().scope()),
        body: encode(body),
    };
    let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
    writer.publish(sender, letter, &submitted);
    writer.settle(START).unwrap();

    let answers = writer.records(topics::JOURNAL_RESULTS);
    let mut answers = answers.iter().map(|record| {
        let result: JournalResult = world().open(record).1;
        result
    });
    match answers.find(|answer| answer.submission == [id; 16]) {
        None => "dead letter",
        Some(JournalResult {
            result: Err((Code::Unsupported, _)),
            ..
        }) => "unsupported",
        Some(_) => "offered",
    }
}

/// An attempt carries no signature: any service's stolen key would otherwise undo, with a record
/// each, the payments that the honest services make.
#[test]
fn hole_each_service_submits_its_own_kinds_of_bodies_and_no_others() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let mut table = String::from("body | sender | what the writer does\n");
    let mut id = 0;
    for (body_name, body) in bodies() {
        for (sender_name, sender) in SENDERS {
            id += 1;
            let fate = fate(&mut writer, sender, id, &body);
            writeln!(table, "{body_name} | {sender_name} | {fate}").unwrap();
        }
    }

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/submitters.txt");
    strongroom_golden::snapshot(path, &table);
}
