//! Records that the service sends.

use crate::payment::{Offered, Payment, PaymentState};
use crate::stage::TransactionsStage;
use crate::step::Step;
use strongroom_journal::entry::{Authorization, Body};
use strongroom_journal::state::Lookup as _;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::id_from;
use strongroom_types::{Attempt, Code, Digest, KeyId, Refusal, Scope, digest, printable};
use strongroom_wire::{
    IntentReturned, JournalSubmitted, SignerRefusal, SigningRequested, TransactionChanged, encode,
    topics,
};

/// News for clients beside the new state.
#[derive(Default)]
pub(crate) struct Announcement {
    /// Reason of an end, or what stands against a payment that has not ended.
    pub(crate) reason: Option<Refusal>,
    /// The signers' own words, where they refused.
    pub(crate) refusals: Vec<SignerRefusal>,
    /// The network's name of the signed transaction.
    pub(crate) network_id: Option<String>,
    /// The network bytes.
    pub(crate) signed: Option<Vec<u8>>,
}

impl Announcement {
    /// An announcement with this reason and nothing else.
    pub(crate) fn of(reason: Refusal) -> Self {
        Self {
            reason: Some(reason),
            ..Self::default()
        }
    }
}

/// Name of a submission to the journal: digest over what is submitted, so that the same attempt has
/// the same name after a restart and an answer to an earlier build is told apart.
pub(crate) fn submission_id(intent: &Digest, attempt: &Attempt) -> [u8; 16] {
    id_from(digest(
        "strongroom/submission/v1",
        &[&intent.0, &encode(attempt)],
    ))
}

impl Payment {
    /// The authorization of this payment with an offered attempt, for the journal.
    fn submission(&self, offered: &Offered) -> JournalSubmitted {
        let body = Body::Authorized(Box::new(Authorization {
            intent: self.signed.clone(),
            core: self.core.clone(),
            approvals: self.approvals.clone(),
            attempt: offered.attempt.clone(),
            facts: Vec::new(),
        }));
        JournalSubmitted {
            submission: submission_id(&self.digest, &offered.attempt),
            scope: Scope::Tenant(self.intent.tenant),
            body: encode(&body),
        }
    }

    /// The request for signatures over an offered transaction.
    fn signing_request(&self, offered: &Offered, key: KeyId) -> SigningRequested {
        SigningRequested {
            tenant: self.intent.tenant,
            vault: self.intent.vault,
            key,
            attempt: offered.attempt.clone(),
            unsigned: offered.unsigned.clone(),
            slots: offered.slots.clone(),
        }
    }
}

impl TransactionsStage {
    /// Sends what a payment offers, to the journal and to the coordinator at once: signers hold
    /// their shares until the journal covers the attempt, so neither waits for the other.
    pub(crate) fn publish_offer(
        &mut self,
        step: &Step<'_>,
        payment: &Payment,
    ) -> Result<Vec<Record>, StageError> {
        let PaymentState::Signing(offered) = &payment.state else {
            return Ok(Vec::new());
        };

        // The record's key is the tenant: the journal orders each tenant's entries as they were
        // submitted.
        let to_journal = (
            topics::JOURNAL_SUBMITTED,
            payment.intent.tenant.0.as_slice(),
        );
        let submission = payment.submission(offered);

        let mut records =
            vec![
                self.post
                    .record(step.now, to_journal, None, &submission, &step.cause)?,
            ];

        // The replica of a service that has just started may still be behind: the journal gets its
        // submission all the same, and the next reminder finds the key.
        let Some(key) = self.signing_key(payment) else {
            tracing::warn!(intent = %payment.digest, "no signing request: unknown vault");
            return Ok(records);
        };

        // The record's key is the threshold key: one coordinator instance serves all its payments,
        // with its nonces.
        let request = payment.signing_request(offered, key);
        let to_coordinator = (topics::SIGNING_REQUESTED, key.0.as_slice());
        records.push(
            self.post
                .record(step.now, to_coordinator, None, &request, &step.cause)?,
        );
        Ok(records)
    }

    fn signing_key(&self, payment: &Payment) -> Option<KeyId> {
        let (tenant, vault) = (payment.intent.tenant, payment.intent.vault);
        self.journal
            .read(|f| {
                f.state()
                    .vault(tenant, vault)
                    .map(|record| record.vault.key)
            })
            .ok()
    }

    /// Tells api and approvals the payment's new state.
    pub(crate) fn publish_changed(
        &mut self,
        step: &Step<'_>,
        payment: &Payment,
        announcement: Announcement,
    ) -> Result<Record, StageError> {
        let changed = TransactionChanged {
            intent: payment.digest,
            state: payment.state.shown(),
            reason: announcement.reason.map(bounded),
            refusals: announcement.refusals,
            network_id: announcement.network_id,
            signed: announcement.signed,
            at: step.now,
        };

        // The record's key is the vault: readers see the states of a payment in the order in which
        // they were reached.
        let to = (
            topics::TRANSACTION_CHANGED,
            payment.intent.vault.0.as_slice(),
        );
        self.post
            .record(step.now, to, None, &changed, &step.announcement_cause())
    }

    /// Gives an intent back to the approvals service, which evaluates it again, and tells that its
    /// people have to approve it again.
    pub(crate) fn publish_return(
        &mut self,
        step: &Step<'_>,
        payment: &Payment,
        reason: Refusal,
    ) -> Result<[Record; 2], StageError> {
        let (code, detail) = bounded(reason.clone());

        // The whole intent goes along: approvals may have forgotten it after it was approved.
        let returned = IntentReturned {
            intent: payment.signed.clone(),
            code,
            detail,
        };
        let to = (topics::INTENT_RETURNED, payment.intent.vault.0.as_slice());
        let returned =
            self.post
                .record(step.now, to, None, &returned, &step.announcement_cause())?;
        let changed = self.publish_changed(step, payment, Announcement::of(reason))?;
        Ok([returned, changed])
    }
}

/// A reason whose text fits into every record and table.
fn bounded(reason: Refusal) -> (Code, String) {
    (reason.code, printable(reason.detail))
}
