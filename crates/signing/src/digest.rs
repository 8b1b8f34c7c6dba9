//! Digests that name a coordinator's message in a signer's answer.

use strongroom_types::{Digest, digest};
use strongroom_wire::{SigningRequest, encode};

const SIGNING_REQUEST: &str = "strongroom/signing-request/v1";
const COORDINATOR_MESSAGE: &str = "strongroom/coordinator-message/v1";

/// Digest of a signing request, over its borsh encoding. Shares and refusals name it.
///
/// It does not cover the envelope, so that the same request, sealed and sent again, has the same
/// digest and is judged once.
#[must_use]
pub fn request_digest(request: &SigningRequest) -> Digest {
    digest(SIGNING_REQUEST, &[&encode(request)])
}

/// Digest of any other message of a coordinator, over the envelope's payload bytes. Refusals name
/// it.
///
/// It takes bytes and not a message, so that a refusal can also name a payload that does not
/// decode.
#[must_use]
pub fn message_digest(payload: &[u8]) -> Digest {
    digest(COORDINATOR_MESSAGE, &[payload])
}
