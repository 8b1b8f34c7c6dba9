//! From an approved intent to an offered transaction.

use crate::after_refusal::AfterBuild;
use crate::facts::{self, FactsAge, OwnedFacts};
use crate::payment::{Payment, PaymentEvent, PaymentState, Proposal};
use crate::publish::Announcement;
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store;
use strongroom_journal::prospect::{FreshHead, Prospect, held};
use strongroom_journal::state::Lookup as _;
use strongroom_ports::bus::Record;
use strongroom_ports::chain::{Built, Effects, OwnPath, Plan, Registry as _, Slot, VaultKey};
use strongroom_replica::TenantVaults;
use strongroom_stage::StageError;
use strongroom_stage::post::Cause;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{Attempt, AttemptKind, Code, MinorUnits, Refusal};
use strongroom_wire::{Layer, SigningRequest, SigningSlot, Who};

/// Result of a build.
enum BuildOutcome {
    /// A transaction, and the change address that it may use; neither its coins nor the address are
    /// reserved yet.
    Built(Built, OwnPath),
    /// Nothing, and what follows from it.
    Refused(AfterBuild, Refusal),
}

impl BuildOutcome {
    fn later(code: Code, detail: &str) -> Self {
        Self::Refused(AfterBuild::Postpone, Refusal::new(code, detail))
    }
}

impl TransactionsStage {
    /// Builds a payment's transaction, reserves its coins and sends it to journal and coordinator;
    /// or leaves or ends the payment.
    pub(crate) fn offer(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        age: FactsAge,
    ) -> Result<Vec<Record>, StageError> {
        let (built, return_to) = match self.build(step, &payment, age)? {
            BuildOutcome::Built(built, return_to) => (built, return_to),
            BuildOutcome::Refused(after, why) => return self.on_unbuilt(step, payment, after, why),
        };

        // Two payments on one coin would exclude each other on the chain. The loser waits: if the
        // whole database transaction failed instead, every payment beside it would be held up.
        if !reserve(step, &payment, &built, return_to)? {
            reservations::release(step.tx, &payment.digest)?;
            let why = Refusal::new(Code::Conflict, "another payment took a coin first");
            return postpone(step, payment, &why);
        }

        let event = PaymentEvent::Offer(proposal(&payment, built));
        let payment = store::set_state(step, payment, event)?;

        // The first build counts for the timeline, which says where a payment's time went.
        let marks = step.cause.marks.clone();
        step.cause = Cause {
            marks: marks.with(Layer::Transactions, step.now.micros()),
            ..step.cause.clone()
        };

        let mut records = self.publish_offer(step, &payment)?;
        records.push(self.publish_changed(step, &payment, Announcement::default())?);
        Ok(records)
    }

    fn build(
        &self,
        step: &mut Step<'_>,
        payment: &Payment,
        age: FactsAge,
    ) -> Result<BuildOutcome, StageError> {
        let (vault, signers, effects) = match self.resolve(payment) {
            Ok(resolved) => resolved,
            Err(refusal) => {
                let after = AfterBuild::of_intent(refusal.code);
                return Ok(BuildOutcome::Refused(after, refusal));
            }
        };

        // A build never asks the network: a silent node must not hold up decisions of other vaults.
        let Some(mut known) = facts::known(step.tx, payment.intent.paying_vault(), step.now)?
        else {
            let why = "nothing is known of the chain yet";
            return Ok(BuildOutcome::later(Code::NotReady, why));
        };

        // The journal is asked too, because this service has no reservations of another submitter's
        // attempts.
        self.journal.read(|follower| {
            known.leave_out(|coin| {
                // A coin whose record cannot be read is left out, too.
                let held = held(follower.state(), &payment.intent, coin);
                held.map_or(true, |held| {
                    held.is_some_and(|held| held.keeps_from(&payment.digest, step.now))
                })
            });
        });

        let return_to = facts::next_change(step.tx, payment.intent.paying_vault())?;
        let plan = Plan {
            kind: AttemptKind::Pay,
            effects: &effects,
            vault: &vault,
            anchor: None,
            previous: None,
            // The journal keeps the other half for a replacement when fees rise.
            fee_max: payment.intent.fee_max.half(),
            slots_max: SigningRequest::slots_max(signers),
            return_to,
        };

        // The codec reads its own view strictly, so that absurd rows give a refusal, not a
        // transaction. A refusal of either is about what a node said: nothing ends with it.
        let view = self.codec.view(&known.facts());
        let built = view.and_then(|view| self.build_on(&plan, &view, &known));
        Ok(match built {
            Ok(built) => BuildOutcome::Built(built, return_to),
            Err(refusal) => BuildOutcome::Refused(AfterBuild::of_facts(refusal.code, age), refusal),
        })
    }

    /// Builds on an anchor that the journal takes.
    fn build_on(&self, plan: &Plan<'_>, view: &[u8], known: &OwnedFacts) -> Result<Built, Refusal> {
        let built = self.codec.build(plan, view)?;
        if !known.is_held(&built.anchor) {
            return Ok(built);
        }

        // The anchor of another intent is an input like any other: false attempts that name the
        // vault's coins must not take them out of use.
        let mut free = built.conflicts.iter().filter(|key| !known.is_held(key));
        if let Some(anchor) = free.next().cloned() {
            return Ok(Built { anchor, ..built });
        }

        // With one more coin, as its anchor, the payment has a conflict key of its own.
        let Some(anchor) = known.free_anchor() else {
            let why = "the journal holds every coin as the anchor of another intent";
            return Err(Refusal::new(Code::AnchorTaken, why));
        };
        let anchor = Some(anchor);
        self.codec.build(&Plan { anchor, ..*plan }, view)
    }

    /// The vault's key, how many sign with it, and what the intent does, as this service's replica
    /// has them.
    fn resolve(&self, payment: &Payment) -> Result<(VaultKey, usize, Effects), Refusal> {
        let intent = &payment.intent;
        self.journal.read(|f| {
            let vaults = TenantVaults::new(f.state(), intent.tenant);
            // Only the tenant's own vaults are looked up: another tenant's id finds nothing.
            let vault = vaults
                .vault_key(intent.vault)
                .ok_or_else(|| Refusal::new(Code::UnknownVault, intent.vault))?;
            let effects = self.codec.expected(intent, &vaults)?;

            let record = f.state().vault(intent.tenant, intent.vault)?.vault;
            let key = f.state().threshold_key(intent.tenant, record.key)?;
            Ok((vault, usize::from(key.plan.min_signers), effects))
        })
    }

    /// Leaves or ends a payment that nothing could be built for.
    fn on_unbuilt(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        after: AfterBuild,
        why: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        match after {
            AfterBuild::Postpone => postpone(step, payment, &why),
            // The journal holds another submitter's attempt, or one of this service from before its
            // tables were lost, which has spent the very coins that are missing. It may be signed
            // at any time.
            AfterBuild::Show | AfterBuild::End if self.is_in_journal(&payment) => {
                self.wait(step, payment, Code::IntentAlreadyAuthorized.into())
            }
            AfterBuild::Show => self.wait(step, payment, why),
            AfterBuild::End => self.end_unless_held(step, payment, why),
        }
    }

    /// Leaves a payment for a later round and shows why nothing is built: once per reason, so that
    /// the time of the report says since when.
    pub(crate) fn wait(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        why: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        let PaymentState::Building(before) = payment.state else {
            return Ok(Vec::new());
        };
        let payment = store::set_state(step, payment, PaymentEvent::Wait(why.code))?;

        if before.reason == Some(why.code) {
            return Ok(Vec::new());
        }
        let announcement = Announcement::of(why);
        Ok(vec![self.publish_changed(step, &payment, announcement)?])
    }

    /// Ends a payment that nothing was offered of, for what its intent alone can never meet.
    fn end_unless_held(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        why: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        // The tip, which was asked before, may be as old as this service's link to the journal: only
        // a fresh head says that no other submitter had an attempt authorized by now, and a client
        // that is told of an end signs another intent.
        let is_free = self.journal.read(|follower| {
            let head = FreshHead::of(follower, step.now)?;
            let prospect = head.prospect(&payment.intent, &payment.digest)?;
            Ok::<_, Refusal>(prospect == Prospect::Open)
        });
        if is_free.unwrap_or(false) {
            self.end_payment(step, payment, Announcement::of(why), Who::Builder)
        } else {
            self.wait(step, payment, why)
        }
    }

    /// Ends a payment and says why.
    pub(crate) fn end_payment(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        announcement: Announcement,
        by: Who,
    ) -> Result<Vec<Record>, StageError> {
        let code = announcement.reason.as_ref().map(|reason| reason.code);
        let event = PaymentEvent::Refuse(code.unwrap_or(Code::Internal), by);
        let payment = store::set_state(step, payment, event)?;
        Ok(vec![self.publish_changed(step, &payment, announcement)?])
    }
}

/// Reserves what a transaction uses: its coins, and the change address if it has change; `false`
/// when another payment took one of them first.
fn reserve(
    step: &mut Step<'_>,
    payment: &Payment,
    built: &Built,
    return_to: OwnPath,
) -> Result<bool, StageError> {
    if !reservations::reserve(step.tx, payment, &built.conflicts)? {
        return Ok(false);
    }

    // Only what is offered takes a turn: payments that cannot be built would else bring back the
    // addresses of others sooner.
    let has_change = built.returned > MinorUnits::ZERO;
    let vault = payment.intent.paying_vault();
    Ok(!has_change || facts::set_change_given(step.tx, vault, return_to)?)
}

/// Leaves a payment for the next round.
fn postpone(
    step: &mut Step<'_>,
    payment: Payment,
    why: &Refusal,
) -> Result<Vec<Record>, StageError> {
    if let PaymentState::Building(waiting) = &payment.state
        && waiting.failures == 0
    {
        // This is logged once per payment, not once per try.
        tracing::info!(intent = %payment.digest, %why, "not built yet");
    }
    store::set_state(step, payment, PaymentEvent::Postpone)?;
    Ok(Vec::new())
}

fn proposal(payment: &Payment, built: Built) -> Proposal {
    Proposal {
        attempt: Attempt {
            intent: payment.digest,
            // Only an attempt that cannot come is replaced, so every build is attempt 1.
            number: 1,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: built.anchor,
            conflict_keys: built.conflicts,
            unsigned_digest: unsigned_digest(&built.unsigned),
            fee_max: built.fee,
        },
        unsigned: built.unsigned,
        slots: built.slots.into_iter().map(signing_slot).collect(),
    }
}

fn signing_slot(slot: Slot) -> SigningSlot {
    SigningSlot {
        path: slot.path,
        tweak: slot.tweak,
        message: slot.message,
    }
}
