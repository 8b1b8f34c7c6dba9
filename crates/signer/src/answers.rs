//! Answers to a coordinator: sealed, and counted.

use crate::held::Asker;
use crate::node::SignerNode;
use crate::verdict::Denied;
use strongroom_types::{Refusal, SessionId, UnixMs};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{SignerMessage, SignerRefusal};

/// Longest detail of a refusal in characters: some repeat what they were given.
const DETAIL_MAX: usize = 512;

impl SignerNode {
    /// The signed refusal. Its evidence can be computed again from the request and the journal.
    pub(crate) fn send_refusal(&mut self, asker: &Asker, denied: Denied, now: UnixMs) {
        let Denied {
            refusal: Refusal { code, detail },
            evidence,
            head,
        } = denied;
        tracing::warn!(%code, detail, request = %asker.request, %evidence, head, "refused");
        *self.refused.entry(code).or_default() += 1;

        let refusal = SignerRefusal {
            session: SessionId(asker.session),
            request: asker.request,
            code,
            detail: shortened(detail),
            evidence,
            head,
            at: now,
        };
        self.send_answer(asker, &SignerMessage::Refused(refusal), now);
    }

    pub(crate) fn send_answer(&mut self, asker: &Asker, message: &SignerMessage, now: UnixMs) {
        let sealed = self.sealer.answer(asker.node, asker.session, message, now);
        self.out.push(FromSigner::Outbox(sealed));
    }
}

fn shortened(detail: String) -> String {
    // By characters: cut inside of one, it would not be text any more.
    if detail.len() <= DETAIL_MAX {
        detail
    } else {
        detail.chars().take(DETAIL_MAX).collect()
    }
}
