//! Proof that a record gives about a witness, to a process without a replica.

use crate::fixture::*;
use strongroom_replica::{WitnessStatement, WitnessStatements};
use strongroom_types::Code;
use strongroom_wire::{Role, WitnessCosignature, topics};
use strongroom_world::{Letter, Sender};

#[test]
fn a_statement_is_the_witnesss_own_about_this_log_under_the_records_date() {
    let mut log = log();
    log.tick(START);
    let body = log.follower.tip().body.clone();
    let statements = WitnessStatements::new(&genesis()).unwrap();
    let open = |from, cosignature: &WitnessCosignature| {
        let topic = topics::cosignatures(node(1));
        let record = world().record(from, Letter::new(&topic, at(5_000)), cosignature);
        statements.open(&record.payload).map_err(|e| e.code)
    };

    // The witness sends the same cosignature again. The record's date shows that it still knows no
    // newer head.
    let old = cosignature(1, &body, START);
    let expected = WitnessStatement {
        witness: node(1),
        made: at(5_000),
        size: 2,
        body: body.clone(),
    };
    assert_eq!(open(Sender::Seat(1), &old), Ok(expected));

    assert_eq!(
        open(Sender::Seat(2), &old),
        Err(Code::BadSignature),
        "another witness's word"
    );
    assert_eq!(
        open(Sender::Service(Role::Writer), &old),
        Err(Code::UnknownSender),
        "the writer is not a witness"
    );

    let elsewhere = body.replace(&genesis().origin, "other.example/journal");
    assert_ne!(elsewhere, body);
    assert_eq!(
        open(Sender::Seat(1), &cosignature(1, &elsewhere, START)),
        Err(Code::Malformed),
        "one key in two logs"
    );
}
