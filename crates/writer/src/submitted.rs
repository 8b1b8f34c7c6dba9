//! Reading submissions.

use strongroom_journal::Body;
use strongroom_journal::writer::Offer;
use strongroom_ports::bus::Delivered;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, open_record};
use strongroom_types::{Code, NodeId, Refusal, UnixMs};
use strongroom_wire::{JournalSubmitted, Role, Senders, decode};

/// Roles that may submit. Nothing unauthenticated is appended.
const SUBMITTERS: [Role; 6] = [
    Role::Api,
    Role::Approvals,
    Role::Transactions,
    Role::Coordinator,
    // Tightenings that were handed to them.
    Role::Signer,
    Role::Witness,
];

/// A submission whose sender is known, so that an answer is owed either way.
pub(crate) enum Submitted {
    /// A body that may be offered to `apply`.
    Offered(Submission, Box<Offer>),
    /// Not decodable, late, or of a kind that only the writer appends.
    Refused(Submission, Refusal),
}

/// Submitter of a body, to whom the answer goes.
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
) -> Result<Submitted, StageError> {
    let (envelope, submitted) = open_record::<JournalSubmitted>(delivered, senders, &SUBMITTERS)?;
    let submission = Submission {
        id: submitted.submission,
        from: envelope.from,
        cause: Cause::of(delivered, &envelope),
    };

    let role = senders.sender(envelope.from).map(|sender| sender.role);

    // A body that is late or does not decode is refused by name: its sender waits for an answer.
    let scope = submitted.scope;
    let offer = envelope
        .in_time(now)
        .and_then(|()| decode(&submitted.body))
        .and_then(submittable)
        .and_then(|body| check_handed(role, body))
        .map(|body| Box::new(Offer { scope, body }));
    Ok(match offer {
        Ok(offer) => Submitted::Offered(submission, offer),
        Err(refusal) => Submitted::Refused(submission, refusal),
    })
}

/// Entry 0 and ticks are the writer's own: from a service they would pin another genesis or move
/// journal time.
fn submittable(body: Body) -> Result<Body, Refusal> {
    match body {
        Body::Genesis(_) | Body::Tick => Err(Refusal::new(
            Code::Unsupported,
            "only the writer appends this",
        )),
        Body::Act(_)
        | Body::Authorized(_)
        | Body::Attempt(_)
        | Body::Finished(_)
        // Its cosignatures are all the authority it needs.
        | Body::Witnessed(_) => Ok(body),
    }
}

/// Of signers and witnesses tightenings are taken and nothing else: their link carries what was
/// handed to them, and must not be a way for payments around the services.
fn check_handed(role: Option<Role>, body: Body) -> Result<Body, Refusal> {
    let is_witness = matches!(role, Some(Role::Signer | Role::Witness));
    if is_witness && !body.is_tightening() {
        let detail = "a witness passes on tightenings only";
        return Err(Refusal::new(Code::Unsupported, detail));
    }
    Ok(body)
}
