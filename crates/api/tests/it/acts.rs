//! What an act's state says: the journal is the truth, the writer's answer a hint.

use crate::bodies::served;
use crate::fixture::{Served, TENANT};
use strongroom_types::{Act, ActBody, Code, Digest, Document as _, Signed, Tighten};
use strongroom_world::Who;

fn refused() -> Result<u64, (Code, String)> {
    Err((Code::QuorumMissing, "0 of 1".to_owned()))
}

/// An act of the first tenant, offered.
fn offered(served: &Served) -> Signed {
    let body = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
    let act = served.journal.ledger.signed_act(body, &[Who::Admin(0)]);
    offer(served, &act);
    act
}

fn offer(served: &Served, act: &Signed) {
    assert_eq!(served.post(TENANT, "/v1/acts", act).status, 202);
}

fn state(served: &Served, act: &Signed) -> String {
    let path = format!("/v1/acts/{}", Act::digest_of(&act.text));
    let answer = served.get(TENANT, &path).json();
    answer["state"].as_str().unwrap().to_owned()
}

#[test]
fn an_act_that_was_appended_is_in_force_once_the_replica_has_it() {
    let mut served = served();
    let act = offered(&served);
    served.result_of(&act, Ok(9));
    assert_eq!(state(&served, &act), "submitted");
    served.in_force(&act);
    assert_eq!(state(&served, &act), "in_force");
}

/// Its row would be deleted with its time otherwise, and a client told that it never was.
#[test]
fn an_act_that_the_journal_knows_is_shown_beyond_its_time() {
    let mut served = served();
    let act = offered(&served);
    served.result_of(&act, Ok(9));
    served.in_force(&act);
    let (text, _) = act.open::<Act>().unwrap();
    served.at(text.expires.plus(1_000));
    served.step();
    assert_eq!(state(&served, &act), "in_force");
}

/// It was offered twice, and the second time the writer called it used.
#[test]
fn an_act_in_the_journal_is_in_force_whatever_the_writer_answered() {
    let mut served = served();
    let act = offered(&served);
    served.result_of(&act, refused());
    assert_eq!(state(&served, &act), "refused");
    served.in_force(&act);
    assert_eq!(state(&served, &act), "in_force");
}

#[test]
fn a_refused_act_may_be_offered_again() {
    let served = served();
    let act = offered(&served);
    served.result_of(&act, refused());
    served.at(served.now().plus(1));
    offer(&served, &act);
    assert_eq!(state(&served, &act), "submitted");
    served.result_of(&act, refused());
    assert_eq!(state(&served, &act), "refused");
}

/// The writer passes on what it found in documents of others: none of them must stop the API.
#[test]
fn hole_an_answer_with_a_nul_is_shown_without_it() {
    let served = served();
    let act = offered(&served);
    let detail = "unknown member x\0".to_owned();
    served.result_of(&act, Err((Code::Malformed, detail)));

    let path = format!("/v1/acts/{}", Act::digest_of(&act.text));
    let answer = served.get(TENANT, &path).json();
    assert_eq!(answer["state"], "refused");
    let text = answer.to_string();
    assert!(text.contains("unknown member x\u{fffd}"), "{text}");
}

#[test]
fn the_first_answer_to_an_act_counts() {
    let served = served();
    let act = offered(&served);
    served.result_of(&act, Ok(9));
    served.result_of(&act, refused());
    assert_eq!(state(&served, &act), "submitted");
}
