//! Messages of a key generation as they travel.

use super::IgnoredReason;
use crate::encoding::{decode, encode};
use crate::seal::Sealed;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_guard::{G, guard};

/// Longest accepted message in bytes; 64 commitments and a proof fit in 3 KiB.
const MESSAGE_LEN_MAX: usize = 8 * 1024;
/// Longest message of round 1 in bytes: 64 commitments of 33 bytes, a proof, and the encoding
/// around them.
pub const ROUND1_LEN_MAX: usize = 3 * 1024;
const VERSION: u8 = 1;

/// One message: header and the body of its round.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Message {
    version: u8,
    session: [u8; 32],
    context: [u8; 32],
    body: MessageBody,
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum MessageBody {
    Round1(Round1),
    Echo([u8; 32]),
    Round2(Round2),
}

/// Broadcast body: frost's package and the commitment to the chain-code contribution.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Round1 {
    /// Round-1 package in frost's own encoding: coefficient commitments and proof of knowledge.
    pub package: Vec<u8>,
    /// Commitment to this party's part of the chain code, 32 bytes.
    pub chain_code_commitment: [u8; 32],
}

/// Private body: the recipient and the sealed share. The recipient is not sealed, so that a
/// misrouted message is ignored and not counted as its sender's fault.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Round2 {
    /// Roster index of the recipient.
    pub to: u16,
    /// Secret share and part of the chain code, 64 bytes, sealed to the recipient's X-Wing key.
    pub sealed: Sealed,
}

impl Message {
    pub(super) fn encode(session: [u8; 32], context: [u8; 32], body: MessageBody) -> Vec<u8> {
        encode(&Self {
            version: VERSION,
            session,
            context,
            body,
        })
    }

    /// Decodes a message of this session and returns its body.
    pub(super) fn decode(
        bytes: &[u8],
        session: &[u8; 32],
        context: &[u8; 32],
    ) -> Result<MessageBody, IgnoredReason> {
        let message: Self = decode(bytes, MESSAGE_LEN_MAX).map_err(|_| IgnoredReason::Malformed)?;

        if message.version != VERSION {
            return Err(IgnoredReason::Malformed);
        }

        // A message of another ceremony, replayed here, must not count as equivocation of its
        // sender.
        let is_other_session = message.session != *session;
        if guard(G::Session, is_other_session) {
            return Err(IgnoredReason::OtherSession);
        }
        // Signers who were given different rosters or thresholds must never finish a key together.
        if !is_other_session && message.context != *context {
            return Err(IgnoredReason::OtherParameters);
        }

        Ok(message.body)
    }
}
