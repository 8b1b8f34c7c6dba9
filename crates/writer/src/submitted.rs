//! Reading submissions.

use strongroom_journal::Body;
use strongroom_ports::bus::Delivered;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, open_record};
use strongroom_types::{Code, NodeId, Refusal, UnixMs};
use strongroom_wire::{JournalSubmitted, Role, Senders, decode};

/// Who may submit. Nothing unauthenticated is appended.
const SUBMITTERS: [Role; 4] = [
    Role::Api,
    Role::Approvals,
    Role::Transactions,
    Role::Coordinator,
];

/// To whom an answer is owed.
pub(crate) struct Submission {
    pub(crate) id: [u8; 16],
    pub(crate) from: NodeId,
    pub(crate) cause: Cause,
}

/// Opens a submission. A record that no registered submitter signed is poison; anything else gets
/// an answer.
pub(crate) fn read_submission(
    delivered: &Delivered,
    senders: &dyn Senders,
    now: UnixMs,
) -> Result<(Submission, Result<Body, Refusal>), StageError> {
    let (envelope, submitted) = open_record::<JournalSubmitted>(delivered, senders, &SUBMITTERS)?;
    let cause = Cause::of(delivered, &envelope);
    let body = envelope
        .in_time(now)
        .and_then(|()| decode(&submitted.body))
        .and_then(submittable);
    Ok((
        Submission {
            id: submitted.submission,
            from: envelope.from,
            cause,
        },
        body,
    ))
}

/// Entry 0 and ticks are the writer's own.
fn submittable(body: Body) -> Result<Body, Refusal> {
    match body {
        Body::Genesis(_) | Body::Tick => Err(Refusal::new(
            Code::Unsupported,
            "only the writer appends this",
        )),
        Body::Act(_)
        | Body::Authorized(_)
        | Body::Attempt(_)
        | Body::Rejected { .. }
        | Body::Finished(_) => Ok(body),
    }
}
