//! `signing.finished`: signatures, or the signers' refusals.

use crate::payment::{Offered, Payment, PaymentEvent, PaymentState};
use crate::publish::Announcement;
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store;
use strongroom_ports::bus::Record;
use strongroom_ports::chain::Registry as _;
use strongroom_replica::TenantVaults;
use strongroom_stage::StageError;
use strongroom_stage::post::Cause;
use strongroom_types::{Code, Refusal};
use strongroom_wire::{Layer, Outcome, SignerRefusal, SigningFinished};

/// Most signers' refusals of one run that are passed on: a roster has no more signers.
const REFUSALS_MAX: usize = 64;

impl TransactionsStage {
    /// Takes the coordinator's result. Signatures are verified here. A failure is what one
    /// coordinator says: it is shown to the client and changes nothing.
    pub(crate) fn on_signing_finished(
        &mut self,
        step: &mut Step<'_>,
        finished: SigningFinished,
    ) -> Result<Vec<Record>, StageError> {
        let Some(payment) = store::find(step.tx, &finished.intent)? else {
            return Ok(Vec::new());
        };
        // The record is late: the payment was signed by an earlier answer, lost its anchor, or has
        // ended.
        let (PaymentState::Signing(offered)
        | PaymentState::Returned(offered)
        | PaymentState::TooLate(offered)) = &payment.state
        else {
            return Ok(Vec::new());
        };
        // Signatures of another attempt do not fit this transaction, and its failure is not ours.
        if finished.attempt != offered.attempt.number {
            return Ok(Vec::new());
        }

        let offered = offered.clone();
        match finished.outcome {
            Outcome::Signed(signatures) => self.assemble(step, payment, &offered, &signatures),
            Outcome::Failed(refusals) => self.fail(step, payment, refusals),
        }
    }

    fn assemble(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        offered: &Offered,
        signatures: &[Vec<u8>],
    ) -> Result<Vec<Record>, StageError> {
        // Keys come from the journal, never from the record: a coordinator could name its own.
        let vault = self.journal.read(|f| {
            TenantVaults::new(f.state(), payment.intent.tenant).vault_key(payment.intent.vault)
        });
        let vault =
            vault.ok_or_else(|| StageError::transient("the vault is not in the replica"))?;

        // A hostile coordinator must not end a payment with signatures that the network refuses:
        // the record goes to the dead letters, and the next reminder asks for signatures again.
        let false_signature =
            |refusal: Refusal| StageError::poison("the signatures do not verify").because(refusal);
        let raw = self
            .codec
            .assemble(&offered.unsigned, signatures, &vault)
            .map_err(false_signature)?;
        // `assemble` verified each signature, and `verify_signed` would do just that once more:
        // only the name of these bytes is missing.
        let network_id = self.codec.transaction_id(&raw).map_err(false_signature)?;

        // From now on the coins are gone whatever becomes of the broadcast: others may hold the
        // signed transaction too.
        reservations::set_used(step.tx, &payment)?;
        let payment = store::set_state(step, payment, PaymentEvent::Assemble(raw.clone()))?;

        let marks = step.cause.marks.clone();
        step.cause = Cause {
            marks: marks.with(Layer::Assembled, step.now.micros()),
            ..step.cause.clone()
        };
        let announcement = Announcement {
            network_id: Some(network_id),
            signed: Some(raw),
            ..Announcement::default()
        };
        Ok(vec![self.publish_changed(step, &payment, announcement)?])
    }

    /// Tells the client why there is no signature yet. It ends nothing: the same coordinator can
    /// collect the shares of an authorized attempt after it has said that there are none, and a
    /// client that was told "failed" would have signed another payment by then.
    fn fail(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        refusals: Vec<SignerRefusal>,
    ) -> Result<Vec<Record>, StageError> {
        // The list is bounded, because the coordinator may send any: what is passed on must fit the
        // announcement.
        let refusals: Vec<SignerRefusal> = refusals
            .into_iter()
            .take(REFUSALS_MAX)
            .map(SignerRefusal::bounded)
            .collect();

        // The first refusal is the reason in the client's list; every signer's own words go along.
        let first = refusals.first().map(|r| Refusal::new(r.code, &r.detail));
        let announcement = Announcement {
            refusals,
            ..Announcement::of(first.unwrap_or_else(|| Code::SigningFailed.into()))
        };
        self.show_refusal(step, payment, announcement)
    }

    /// Says what stands against a payment that may still be signed, and asks again later.
    pub(crate) fn show_refusal(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        announcement: Announcement,
    ) -> Result<Vec<Record>, StageError> {
        let PaymentState::Signing(offered) = &payment.state else {
            return Ok(Vec::new());
        };

        // The refusal is counted once: the same record again must change nothing.
        let payment = if offered.failures == 0 {
            store::set_state(step, payment, PaymentEvent::RefusalReported)?
        } else {
            payment
        };
        Ok(vec![self.publish_changed(step, &payment, announcement)?])
    }
}
