//! Every record the service consumes, delivered in every way.

use strongroom_approvals::ApprovalsStage;
use strongroom_matrix::{Case, Fixture, Matrix};
use strongroom_ports::bus::Record;
use strongroom_types::UnixMs;
use strongroom_wire::{Role, TransactionState};
use strongroom_world::{AUTO_MAX, Who, World};

use crate::desk::{LARGE, Office};

impl Fixture for Office {
    type Stage = ApprovalsStage;

    fn stage(&self) -> ApprovalsStage {
        Self::stage(self)
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn now(&self) -> UnixMs {
        Self::now(self)
    }

    /// The next tick.
    fn later(&self) -> Vec<UnixMs> {
        vec![Self::now(self).plus(500)]
    }
}

fn submit(office: &Office) -> Record {
    office.submitted(&office.intent(LARGE))
}

fn answer(office: &Office, who: Who) -> Record {
    office.answered(&office.answer(who, &office.intent(LARGE)))
}

/// An intent that waits and has one of its two yeses.
fn half_approved(case: Case<Office>) -> Case<Office> {
    case.given(|f, _| vec![submit(f)])
        .given(|f, _| vec![answer(f, Who::Approver(0))])
}

fn approved(case: Case<Office>) -> Case<Office> {
    half_approved(case).given(|f, _| vec![answer(f, Who::Approver(1))])
}

#[test]
fn every_record_has_its_effects_exactly_once() {
    let api = &[Role::Api];
    let transactions = &[Role::Transactions];
    let mut matrix = Matrix::new("approvals", Office::new)
        .case(Case::new("intent that waits", api, |f, _| submit(f)))
        .case(Case::new("intent that passes", api, |f: &Office, _| {
            f.submitted(&f.intent(AUTO_MAX))
        }))
        .case(
            Case::new("intent that passes, asked again", api, |f: &Office, _| {
                f.submitted_again(&f.intent(AUTO_MAX))
            })
            .given(|f: &Office, _| vec![f.submitted(&f.intent(AUTO_MAX))]),
        )
        .case(
            Case::new("first yes", api, |f, _| answer(f, Who::Approver(0)))
                .given(|f, _| vec![submit(f)]),
        )
        .case(half_approved(Case::new("last yes", api, |f, _| {
            answer(f, Who::Approver(1))
        })))
        .case(
            approved(Case::new(
                "returned intent",
                transactions,
                |f: &Office, _| f.returned(&f.intent(LARGE)),
            ))
            .given(|f, _| {
                f.change_policy();
                Vec::new()
            }),
        );
    for (name, case) in reports() {
        matrix = matrix.case(case).kinds([name]);
    }
    matrix.run();
}

/// One case per state of a payment that its service can report, after the approval.
fn reports() -> impl Iterator<Item = (&'static str, Case<Office>)> {
    TransactionState::ALL.iter().map(|state| {
        let name: &'static str = format!("payment is {}", state.name()).leak();
        let case = approved(Case::new(name, &[Role::Transactions], |f: &Office, _| {
            f.changed(&f.intent(LARGE), *state)
        }));
        let case = match state {
            TransactionState::Received
            | TransactionState::Screening
            | TransactionState::PendingApproval
            | TransactionState::Approved
            | TransactionState::TimeLocked
            | TransactionState::WaitingForFunds
            | TransactionState::Signing => {
                case.without_effect("the journal may still send the intent back")
            }
            TransactionState::Signed
            | TransactionState::Broadcasting
            | TransactionState::Confirming
            | TransactionState::Completed
            | TransactionState::Rejected
            | TransactionState::Blocked
            | TransactionState::Expired
            | TransactionState::Cancelled
            | TransactionState::Failed
            | TransactionState::Replaced => case,
        };
        (name, case)
    })
}
