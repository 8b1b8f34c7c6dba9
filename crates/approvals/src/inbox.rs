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
    /// A client asks for a payment.
    Submitted(ParsedText<Intent>),
    /// A person answers.
    Answered(ParsedText<Approval>),
    /// The journal decided otherwise than the answers assumed; why.
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
        // The only place where these texts are parsed: handlers and tables hold the result.
        let (document, digest) = signed.open::<D>()?;
        Ok(Self {
            signed,
            document,
            digest,
        })
    }
}

/// Which topics the service reads, and whom it believes there.
pub(crate) fn routes() -> Routes<Inbox> {
    Routes::new([
        Route::new(
            topics::INTENT_SUBMITTED,
            &[Role::Api],
            |payload: IntentSubmitted| Ok(Inbox::Submitted(parsed(payload.intent)?)),
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
