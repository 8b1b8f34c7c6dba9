//! Submissions as the writer reads them.

use strongroom_guard::{G, guard};
use strongroom_journal::Body;
use strongroom_journal::writer::Offer;
use strongroom_ports::bus::Delivered;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, open_record};
use strongroom_types::{Code, NodeId, Refusal, UnixMs};
use strongroom_wire::{JournalSubmitted, Role, Senders, decode};

/// Roles that submit anything at all: a record of any other is poison.
const SUBMITTERS: [Role; 5] = [
    Role::Api,
    Role::Transactions,
    Role::Coordinator,
    Role::Signer,
    Role::Witness,
];

/// A submission whose sender is known, so that an answer is owed either way.
pub(crate) enum Submitted {
    /// A body that may be offered to `apply`.
    Offered(Submission, Box<Offer>),
    /// A body that does not decode, is late, or is of a kind that its sender may not submit.
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
    let role = role.ok_or_else(|| StageError::poison("the sender is not registered"))?;

    // A body that is late or does not decode is refused by name: its sender waits for an answer.
    let scope = submitted.scope;
    let offer = envelope
        .in_time(now)
        .and_then(|()| decode(&submitted.body))
        .and_then(|body| check_submitter(role, body))
        .map(|body| Box::new(Offer { scope, body }));
    Ok(match offer {
        Ok(offer) => Submitted::Offered(submission, offer),
        Err(refusal) => Submitted::Refused(submission, refusal),
    })
}

/// Roles whose keys may submit a body; the test of this table is `tests/it/submitters.rs`.
///
/// An attempt carries no signature at all. If all services could submit attempts, one stolen key
/// would be enough to end each payment by a record, which supersedes the attempt that signers are
/// asked for, or is in the journal before it.
const fn submitters(body: &Body) -> &'static [Role] {
    match body {
        // No service submits these: it would pin another genesis, or move journal time.
        Body::Genesis(_) | Body::Tick => &[],
        // The writer makes it from the cosignatures that it holds itself.
        Body::Witnessed(_) => &[],
        Body::Act(_) => &[Role::Api, Role::Signer, Role::Witness],
        Body::Authorized(_) | Body::Attempt(_) => &[Role::Transactions],
        Body::Finished(_) => &[Role::Coordinator],
    }
}

fn check_submitter(role: Role, body: Body) -> Result<Body, Refusal> {
    if guard(G::Submitter, !submitters(&body).contains(&role)) {
        let detail = "the writer does not take this from that sender";
        return Err(Refusal::new(Code::Unsupported, detail));
    }

    // The link of signers and witnesses carries what was handed to them, and must not be a way for
    // loosenings around the services.
    let is_witness = matches!(role, Role::Signer | Role::Witness);
    if guard(G::Submitter, is_witness && !body.is_tightening()) {
        let detail = "a witness passes on tightenings only";
        return Err(Refusal::new(Code::Unsupported, detail));
    }
    Ok(body)
}
