//! `signing.finished`: signatures, or the signers' refusals.

use crate::payment::{Offered, PaymentEvent, PaymentState};
use crate::publish::Announcement;
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store::{self, Payment};
use strongroom_ports::bus::Record;
use strongroom_ports::chain::Registry as _;
use strongroom_replica::TenantVaults;
use strongroom_stage::StageError;
use strongroom_stage::post::Cause;
use strongroom_types::{Code, Refusal};
use strongroom_wire::{Layer, Outcome, SignerRefusal, SigningFinished, Who};

impl TransactionsStage {
    /// Takes the coordinator's result. A false one costs liveness only: signatures are verified
    /// here, and a refusal moves no money.
    pub(crate) fn on_signing_finished(
        &mut self,
        step: &mut Step<'_>,
        finished: SigningFinished,
    ) -> Result<Vec<Record>, StageError> {
        let Some(payment) = store::find(step.tx, &finished.intent)? else {
            return Ok(Vec::new());
        };
        // Late: signed by an earlier answer, lost its anchor, or ended by time.
        let PaymentState::Signing(offered) = &payment.state else {
            return Ok(Vec::new());
        };
        // Signatures of another attempt do not fit this transaction, and its failure is not ours.
        if finished.attempt != offered.attempt.number {
            return Ok(Vec::new());
        }

        let offered = offered.clone();
        match finished.outcome {
            Outcome::Signed(signatures) => self.assemble(step, payment, &offered, &signatures),
            Outcome::Failed(refusals) => self.fail(step, payment, &offered, refusals),
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
        // `assemble` verified each signature, and `verify_signed` would do just that once more: only
        // the name of these bytes is missing.
        let network_id = self.codec.transaction_id(&raw).map_err(false_signature)?;

        // From now on the coins are gone whatever becomes of the broadcast: others may hold the
        // signed transaction too.
        reservations::set_used(step.tx, &payment)?;
        let payment = store::set_state(step, payment, PaymentEvent::Assemble(raw.clone()))?;

        let marks = step.cause.marks.clone();
        step.cause = Cause {
            marks: marks.with(Layer::Assembled, step.now.0 * 1000),
            ..step.cause.clone()
        };
        let announcement = Announcement {
            network_id: Some(network_id),
            signed: Some(raw),
            ..Announcement::default()
        };
        Ok(vec![self.publish_changed(step, &payment, announcement)?])
    }

    fn fail(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        offered: &Offered,
        refusals: Vec<SignerRefusal>,
    ) -> Result<Vec<Record>, StageError> {
        // A further attempt needs no signature of people, so until the intent's own time is over for
        // good this one's end ends nothing: the next reminder decides.
        if refusals.iter().any(|refusal| is_of_time(refusal.code)) {
            return Ok(Vec::new());
        }

        // The journal may hold the attempt: its anchor belongs to this intent forever.
        reservations::release_without(step.tx, &payment.digest, &offered.attempt.anchor)?;

        // One reason for the client's list; every signer's own words go along.
        let first = refusals.first().map(|r| Refusal::new(r.code, &r.detail));
        let announcement = Announcement {
            refusals,
            ..Announcement::of(first.unwrap_or_else(|| Code::SigningFailed.into()))
        };
        self.end(step, payment, announcement, Who::Signers)
    }
}

/// Whether signers refuse because a time has passed, each by its own clock.
fn is_of_time(code: Code) -> bool {
    matches!(code, Code::IntentExpired | Code::AttemptTooOld)
}
