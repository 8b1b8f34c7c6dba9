//! The records this service consumes, parsed once.

use strongroom_stage::inbox::{Route, Routes};
use strongroom_types::{
    Approval, Code, Digest, Document, Intent, Refusal, Signed, signed::SignedError,
};
use strongroom_wire::{
    ApprovalSubmitted, IntentReturned, IntentSubmitted, Role, TransactionChanged, topics,
};

/// A record of any of the service's topics.
pub(crate) enum Inbox {
    /// A client asks for a payment, which the API took by a journal of this size.
    Submitted(ParsedText<Intent>, u64),
    /// A person answers.
    Answered(ParsedText<Approval>),
    /// The journal has another decision than the answers assumed; the code says which rule refused.
    Returned(ParsedText<Intent>, Code),
    /// A payment has another state.
    Changed(TransactionChanged),
}

/// A signed text with what it says. Its signatures are not verified yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ParsedText<D> {
    /// Text and signatures, as they were received.
    pub(crate) signed: Signed,
    /// The text, parsed.
    pub(crate) document: D,
    /// Digest of the text.
    pub(crate) digest: Digest,
}

impl<D: Document> TryFrom<Signed> for ParsedText<D> {
    type Error = SignedError;

    fn try_from(signed: Signed) -> Result<Self, SignedError> {
        // These texts are parsed here and nowhere else: handlers and tables hold the result.
        let (document, digest) = signed.open::<D>()?;
        Ok(Self {
            signed,
            document,
            digest,
        })
    }
}

/// Topics that the service reads, each with the role that it believes there.
pub(crate) fn routes() -> Routes<Inbox> {
    Routes::new([
        Route::new(
            topics::INTENT_SUBMITTED,
            &[Role::Api],
            |payload: IntentSubmitted| Ok(Inbox::Submitted(parsed(payload.intent)?, payload.size)),
        ),
        Route::new(
            topics::APPROVAL_SUBMITTED,
            &[Role::Api],
            |payload: ApprovalSubmitted| Ok(Inbox::Answered(parsed(payload.approval)?)),
        ),
        Route::new(
            topics::INTENT_RETURNED,
            &[Role::Transactions],
            |payload: IntentReturned| Ok(Inbox::Returned(parsed(payload.intent)?, payload.code)),
        ),
        Route::new(
            topics::TRANSACTION_CHANGED,
            &[Role::Transactions],
            |payload| Ok(Inbox::Changed(payload)),
        ),
    ])
}

fn parsed<D: Document>(signed: Signed) -> Result<ParsedText<D>, Refusal> {
    ParsedText::try_from(signed).map_err(|error| Refusal::new(Code::Malformed, error))
}
