//! One test per flaw, and the sound stage beside them.

use strongroom_matrix::{Case, Matrix};
use strongroom_wire::Role;

use crate::toy::{Flaw, ToyFixture};

fn matrix(flaw: Flaw) -> Matrix<ToyFixture> {
    Matrix::new("toy", move || ToyFixture::new(flaw)).case(
        Case::new("submitted", &[Role::Api], |f: &ToyFixture, _| {
            f.submitted(2)
        })
        .given(|f, _| vec![f.submitted(1)]),
    )
}

/// Every failure is in one of these cells, and each of these cells fails.
fn fails_exactly_in(flaw: Flaw, cells: &[&str]) {
    let failures = matrix(flaw).failures();
    for cell in cells {
        let prefix = format!("submitted / {cell}:");
        assert!(
            failures.iter().any(|why| why.starts_with(&prefix)),
            "{cell} passes: {failures:#?}"
        );
    }
    let other = failures
        .iter()
        .filter(|why| !cells.iter().any(|cell| why.contains(cell)));
    assert_eq!(other.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_sound_stage_passes() {
    matrix(Flaw::None).run();
}

#[test]
fn believing_every_sender_is_found() {
    fails_exactly_in(Flaw::AnySender, &["wrong sender"]);
}

#[test]
fn skipping_what_does_not_open_is_found() {
    // The shell keeps the id of what was skipped, and drops the true record.
    fails_exactly_in(Flaw::SkipsForgeries, &["wrong sender", "after a forgery"]);
}

#[test]
fn memory_that_is_not_in_the_tables_is_found() {
    fails_exactly_in(Flaw::ForgetsAtRestart, &["restart before commit"]);
}

#[test]
fn counting_a_record_twice_is_found() {
    fails_exactly_in(Flaw::NotIdempotent, &["twice"]);
}

#[test]
fn ids_that_differ_between_processes_are_found() {
    fails_exactly_in(Flaw::RandomIds, &["restart before commit"]);
}

#[test]
fn a_record_without_effect_is_found() {
    let failures = matrix(Flaw::Idle).failures();
    assert_eq!(failures, ["submitted / once: the record has no effect"]);
}

#[test]
fn a_topic_without_a_case_is_found() {
    let failures = matrix(Flaw::SecretTopic).failures();
    assert_eq!(failures, ["no case for the topic toy.other.v1"]);
}

#[test]
fn a_kind_without_a_case_is_found() {
    let failures = matrix(Flaw::None)
        .kinds(["submitted", "withdrawn"])
        .failures();
    assert_eq!(failures, ["no case for the kind of record 'withdrawn'"]);
}

#[test]
#[should_panic(expected = "1 records × 7 = 7 cells, 1 failures")]
fn a_failing_matrix_fails_the_test() {
    matrix(Flaw::Idle).run();
}
