//! Answers to a coordinator: sealed, and counted.

use crate::held::Asker;
use crate::node::SignerNode;
use crate::refusals::{Cause, LeftOut};
use crate::verdict::JudgedRefusal;
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{SignerMessage, SignerRefusal};

/// Longest detail of a refusal in characters: some repeat what they were given.
const DETAIL_MAX: usize = 512;

impl SignerNode {
    /// The signed refusal. Its evidence can be computed again from the request and the journal.
    pub(crate) fn send_refusal(&mut self, asker: &Asker, judged: JudgedRefusal, now: UnixMs) {
        let JudgedRefusal {
            refusal: Refusal { code, detail },
            evidence,
            head,
        } = judged;
        *self.refused.entry(code).or_default() += 1;

        // A coordinator that is refused without end must fill neither the log nor the outbox.
        // Old records sent again by anyone must not use up what their coordinator is due.
        let cause = if code == Code::DeadlineExpired {
            Cause::OldRecord
        } else {
            Cause::Record
        };
        let allowance = self.refusals.count((asker.node, cause), now);
        if allowance.is_logged {
            tracing::warn!(%code, detail, request = %asker.request, %evidence, head, "refused");
        }
        if !allowance.is_answered {
            self.unanswered += 1;
            return;
        }

        let refusal = SignerRefusal {
            session: asker.session,
            request: asker.request,
            code,
            detail: shortened(detail),
            evidence,
            head,
            at: now,
        };
        self.send_answer(asker, &SignerMessage::Refused(refusal), now);
    }

    /// Says once in a while how many refusals went without answer or line.
    pub(crate) fn report_left_out(&mut self, now: UnixMs) {
        if let Some(LeftOut {
            unanswered,
            unlogged,
        }) = self.refusals.report(now)
        {
            tracing::warn!(unanswered, unlogged, "too many refusals in a second");
        }
    }

    pub(crate) fn send_answer(&mut self, asker: &Asker, message: &SignerMessage, now: UnixMs) {
        let sealed = self.sealer.answer(asker, message, now);
        self.out.push(FromSigner::Outbox(sealed));
    }
}

fn shortened(detail: String) -> String {
    // The cut is between two characters: inside of one, the rest would not be text any more.
    if detail.len() <= DETAIL_MAX {
        detail
    } else {
        detail.chars().take(DETAIL_MAX).collect()
    }
}
