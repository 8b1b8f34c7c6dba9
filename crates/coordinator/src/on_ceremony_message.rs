//! A signer's ceremony message: carried to its peers, and not read.

use crate::quorum::SignerIndex;
use crate::stage::{CoordinatorStage, Records, SignerContext};
use strongroom_wire::{CeremonyMessage, CoordinatorMessage};

impl CoordinatorStage {
    /// Forwards the sender's own envelope: peers verify its seal, so nothing can be slipped in
    /// here.
    pub(crate) fn on_ceremony_message(
        &mut self,
        from: SignerContext<'_>,
        message: &CeremonyMessage,
        sealed: Vec<u8>,
    ) -> Records {
        let ceremony = self.ceremonies.get(&(message.tenant, message.key));
        let Some(ceremony) = ceremony.filter(|ceremony| ceremony.is_open()) else {
            return Ok(Vec::new());
        };

        // A sender outside of the roster is ignored: its message would cost each peer the
        // verification of a signature.
        if !ceremony.roster.contains(&from.signer) {
            return Ok(Vec::new());
        }

        // The message does not go back to the sender, and a private one goes to its one recipient:
        // the others could not open it anyway.
        let is_recipient = |peer: &SignerIndex| {
            *peer != from.signer && message.to.is_none_or(|only| only == peer.0)
        };
        let peers: Vec<SignerIndex> = ceremony
            .roster
            .iter()
            .copied()
            .filter(is_recipient)
            .collect();

        let relay = CoordinatorMessage::Relay(sealed);
        self.send_all(from.now, &peers, &relay, from.cause)
    }
}
