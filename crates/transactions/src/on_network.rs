//! The chain's network: signed transactions go out, blocks are looked for.

use crate::payment::{Assembled, PaymentEvent, PaymentState, PaymentStateName};
use crate::publish::Announcement;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store;
use strongroom_ports::bus::Record;
use strongroom_ports::chain::{Broadcast, Standing};
use strongroom_stage::StageError;
use strongroom_types::{Code, Digest, Refusal};

/// Unanswered questions to a node, or refused broadcasts, in one tick at most. Each may last as long
/// as the node's time limit, and a tick holds the database.
const SILENT_MAX: usize = 4;

impl TransactionsStage {
    /// Offers signed transactions to the network. One that no node takes waits longer after each
    /// try and comes after the others.
    pub(crate) fn broadcast_signed(
        &mut self,
        step: &mut Step<'_>,
    ) -> Result<Vec<Record>, StageError> {
        self.node.begin_job();
        let (mut records, mut failures) = (Vec::new(), 0);
        for payment in store::due(step, PaymentStateName::Signed, step.now)? {
            // The rest is first at the next tick: what was offered is due later, or done.
            if !self.node.has_time() {
                break;
            }
            let PaymentState::Signed(assembled) = &payment.state else {
                continue;
            };
            let (event, news) = self.broadcast(&payment.digest, assembled);
            let is_taken = event == PaymentEvent::NodeAccepted;

            // Each answer is written by itself: what one node does to one transaction changes no
            // other payment.
            let mut step = step.of_payment(&payment);
            let payment = store::set_state(&mut step, payment, event)?;
            if let Some(announcement) = news {
                records.push(self.publish_changed(&step, &payment, announcement)?);
            }

            failures += usize::from(!is_taken);
            if failures == SILENT_MAX {
                break;
            }
        }
        Ok(records)
    }

    /// One try to broadcast a transaction, and the announcement of its answer; silence of the node
    /// is not announced.
    fn broadcast(
        &mut self,
        intent: &Digest,
        assembled: &Assembled,
    ) -> (PaymentEvent, Option<Announcement>) {
        let taken = (PaymentEvent::NodeAccepted, Some(Announcement::default()));
        match self.node.broadcast(&assembled.raw) {
            // A node that knows the transaction already is a success: an earlier answer was lost on
            // its way, or another holder of the signed transaction was faster.
            Ok(Broadcast::Accepted | Broadcast::AlreadyKnown) => taken,
            // A node refuses to relay a transaction that is mined and whose outputs are spent. On
            // the chain it is a success all the same.
            Ok(Broadcast::Rejected(_)) if self.is_on_chain(&assembled.raw) => taken,
            // A rejection is shown and ends nothing: who has the signed transaction can broadcast
            // it elsewhere, and a client that is told of an end signs another payment.
            Ok(Broadcast::Rejected(why)) => {
                let news = Announcement::of(Refusal::new(Code::NetworkRejected, why));
                (PaymentEvent::NodeRejected, Some(news))
            }
            Err(error) => {
                // This is logged once per silence, not once per try.
                if assembled.failures == 0 {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(%intent, error, "not broadcast yet");
                }
                (PaymentEvent::NodeSilent, None)
            }
        }
    }

    fn is_on_chain(&mut self, raw: &[u8]) -> bool {
        self.standing(raw)
            .is_ok_and(|standing| matches!(standing, Standing::Confirmed(_)))
    }

    /// Looks whether broadcast transactions are in a block, one page per call, so that thousands
    /// of unconfirmed ones hold up nothing and each has its turn.
    pub(crate) fn confirm_broadcast(
        &mut self,
        step: &mut Step<'_>,
    ) -> Result<Vec<Record>, StageError> {
        let page = store::after(step.tx, PaymentStateName::Broadcast, &self.confirm_after)?;

        // A page that is not full was the last one: the next call starts from the front.
        let whole = page.len() == store::PAGE_ROWS as usize;
        let begun_after = std::mem::take(&mut self.confirm_after);

        self.node.begin_job();
        let (mut records, mut silent) = (Vec::new(), 0);
        let mut last = begun_after;
        for payment in page {
            // The next call goes on after the last one that was asked about.
            if !self.node.has_time() {
                self.confirm_after = last;
                break;
            }
            last = payment.digest;
            let PaymentState::Broadcast(assembled) = &payment.state else {
                continue;
            };
            if whole {
                self.confirm_after = payment.digest;
            }

            match self.standing(&assembled.raw) {
                Ok(Standing::Confirmed(_)) => {
                    let mut step = step.of_payment(&payment);
                    let payment = store::set_state(&mut step, payment, PaymentEvent::Confirm)?;
                    records.push(self.publish_changed(&step, &payment, Announcement::default())?);
                }
                // A transaction that the node does not know has not ended: nodes forget
                // transactions that wait too long, and anyone who has this one can bring it back.
                Ok(Standing::Unknown | Standing::Pending) => {}
                Err(error) => {
                    tracing::debug!(intent = %payment.digest, error, "no answer about a block");
                    silent += 1;
                    // The next call goes on after this payment: the same few must not use up the
                    // bound each time.
                    if silent == SILENT_MAX {
                        self.confirm_after = payment.digest;
                        break;
                    }
                }
            }
        }
        Ok(records)
    }

    fn standing(
        &mut self,
        raw: &[u8],
    ) -> Result<Standing, Box<dyn std::error::Error + Send + Sync>> {
        let id = self.codec.transaction_id(raw)?;
        Ok(self.node.standing(&id)?)
    }
}
