//! One payment, step by step.

use crate::stage::TransactionsParts;
use crate::store::{self, Payment, Stand};
use crate::watcher::{Synced, Watcher};
use crate::{facts, reservations};
use std::sync::Arc;
use strongroom_journal::entry::{Authorization, Body};
use strongroom_journal::genesis::Registered;
use strongroom_journal::model::IntentStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_ports::bus::Record;
use strongroom_ports::chain::{
    Broadcast, Built, Effects, Plan, Registry as _, Slot, Standing, VaultKey,
};
use strongroom_ports::db::Tx;
use strongroom_replica::{SharedFollower, TenantVaults};
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, Post, first_half};
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{
    Attempt, AttemptKind, Code, Digest, Document as _, Intent, NodeId, Refusal, UnixMs, digest,
};
use strongroom_wire::{
    IntentDecided, JournalResult, JournalSubmitted, Layer, Outcome, SignerRefusal, SigningFinished,
    SigningRequested, SigningSlot, TransactionChanged, TransactionState, Who, encode, ended_as,
    topics,
};

/// Builds of one intent when anchors turn out to be taken.
const TRIES_MAX: i64 = 5;

type Step = Result<Vec<Record>, StageError>;

/// The service's parts and what it does with them.
pub(crate) struct Flow {
    post: Post,
    journal: Arc<SharedFollower>,
    watcher: Watcher,
    resend_ms: u64,
}

/// A change to tell, without intent and time.
#[derive(Default)]
struct News {
    reason: Option<(Code, String)>,
    refusals: Vec<SignerRefusal>,
    network_id: Option<String>,
    signed: Option<Vec<u8>>,
}

impl Flow {
    pub(crate) fn new(parts: TransactionsParts) -> Self {
        let TransactionsParts {
            post,
            journal,
            codec,
            gateway,
            resend_ms,
        } = parts;
        Self {
            post,
            journal,
            watcher: Watcher::new(codec, gateway),
            resend_ms,
        }
    }

    pub(crate) fn registered(&self) -> Arc<Registered> {
        self.journal.read(|f| Arc::clone(f.state().registered()))
    }

    pub(crate) fn node(&self) -> NodeId {
        self.post.node()
    }

    pub(crate) fn sync(&mut self, tx: &mut dyn Tx) -> Result<(), StageError> {
        self.watcher.sync(tx, &self.journal)
    }

    /// An approved intent: build, offer to the journal, ask the coordinator, all at once.
    pub(crate) fn approved(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        decided: IntentDecided,
        cause: &Cause,
    ) -> Step {
        let intent = Intent::parse(&decided.intent.text)
            .map_err(|e| StageError::poison("the intent does not parse").because(e))?;
        if intent.chain != self.watcher.codec.manifest().chain {
            return Ok(Vec::new());
        }
        let payment = Payment {
            intent: Intent::digest_of(&decided.intent.text),
            signed: decided.intent,
            core: decided.core,
            approvals: decided.approvals,
            attempt: None,
            unsigned: Vec::new(),
            raw: Vec::new(),
            stand: Stand::Signing,
            tries: 0,
            expires: intent.expires,
        };
        if !store::insert(tx, &payment, now)? {
            return Ok(Vec::new());
        }
        self.offer(now, tx, &payment, &intent, cause)
    }

    fn offer(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        payment: &Payment,
        intent: &Intent,
        cause: &Cause,
    ) -> Step {
        let cause = &Cause {
            session: first_half(payment.intent),
            ..cause.clone()
        };
        let built = match self.build(tx, intent) {
            Ok(built) => built,
            Err(Attempted::Refused(why)) => {
                return self.end(now, tx, payment, why, Vec::new(), cause);
            }
            Err(Attempted::Broken(error)) => return Err(error),
        };
        if !reservations::reserve(tx, intent.vault, &payment.intent, &built.conflicts)? {
            return Err(StageError::transient("another payment took a coin first"));
        }
        let attempt = Attempt {
            intent: payment.intent,
            number: 1,
            kind: AttemptKind::Pay,
            anchor: built.anchor,
            conflict_keys: built.conflicts,
            unsigned_digest: unsigned_digest(&built.unsigned),
            fee_max: built.fee,
        };
        store::built(tx, &payment.intent, &attempt, &built.unsigned, now)?;
        let body = Body::Authorized(Box::new(Authorization {
            intent: payment.signed.clone(),
            core: payment.core.clone(),
            approvals: payment.approvals.clone(),
            attempt: attempt.clone(),
        }));
        let submission = submission(&payment.intent, &attempt);
        let body = JournalSubmitted {
            submission,
            body: encode(&body),
        };
        let marks = cause.marks.clone().with(Layer::Transactions, now.0 * 1000);
        let cause = Cause {
            marks,
            ..cause.clone()
        };
        let journal = (topics::JOURNAL_SUBMITTED, intent.tenant.0.as_slice());
        let mut records = vec![self.post.record(now, journal, None, &body, &cause)?];
        let asked = Asked {
            attempt: &attempt,
            unsigned: &built.unsigned,
            slots: built.slots,
        };
        records.push(self.ask(now, intent, asked, &cause)?);
        records.push(self.tell(
            now,
            intent,
            &payment.intent,
            TransactionState::Signing,
            News::default(),
            &cause,
        )?);
        Ok(records)
    }

    /// Builds from the facts table. When it does not suffice, the network is asked once more:
    /// perhaps a deposit has arrived since the last look.
    fn build(&mut self, tx: &mut dyn Tx, intent: &Intent) -> Result<Built, Attempted> {
        let (vault, effects) = self.resolve(intent)?;
        let return_to = facts::next_change(tx, intent.vault)?
            .ok_or_else(|| Refusal::new(Code::QuotaExceeded, "no change address is left"))
            .map_err(Attempted::Refused)?;
        let plan = Plan {
            kind: AttemptKind::Pay,
            effects: &effects,
            vault: &vault,
            anchor: None,
            previous: None,
            // The journal keeps the other half for a replacement.
            fee_max: intent.fee_max.half(),
            return_to,
        };

        if let FromTable::Built(built) = self.build_from_table(tx, intent, &plan)? {
            return Ok(built);
        }
        if let Synced::Unavailable(error) = self.watcher.sync_vault(tx, intent.vault, &vault)? {
            return Err(StageError::transient("the chain node")
                .because(error)
                .into());
        }
        match self.build_from_table(tx, intent, &plan)? {
            FromTable::Built(built) => Ok(built),
            FromTable::TooLittle(refusal) => Err(Attempted::Refused(refusal)),
            FromTable::NothingKnown => {
                Err(StageError::transient("the chain's head and fees are not known").into())
            }
        }
    }

    fn build_from_table(
        &self,
        tx: &mut dyn Tx,
        intent: &Intent,
        plan: &Plan<'_>,
    ) -> Result<FromTable, Attempted> {
        let Some(known) = facts::known(tx, intent.vault)? else {
            return Ok(FromTable::NothingKnown);
        };
        let codec = &self.watcher.codec;
        let view = codec.view(&known.facts());
        match view.and_then(|view| codec.build(plan, &view)) {
            Ok(built) => Ok(FromTable::Built(built)),
            Err(refusal) if refusal.code == Code::InsufficientBalance => {
                Ok(FromTable::TooLittle(refusal))
            }
            Err(refusal) => Err(Attempted::Refused(refusal)),
        }
    }

    fn resolve(&self, intent: &Intent) -> Result<(VaultKey, Effects), Attempted> {
        self.journal.read(|f| {
            let vaults = TenantVaults::new(f.state(), intent.tenant);
            let vault = vaults.vault_key(intent.vault).ok_or_else(|| {
                Attempted::Refused(Refusal::new(Code::UnknownVault, intent.vault))
            })?;
            let effects = self
                .watcher
                .codec
                .expected(intent, &vaults)
                .map_err(Attempted::Refused)?;
            Ok((vault, effects))
        })
    }

    fn ask(
        &mut self,
        now: UnixMs,
        intent: &Intent,
        asked: Asked<'_>,
        cause: &Cause,
    ) -> Result<Record, StageError> {
        let key = self.journal.read(|f| {
            f.state()
                .vault(intent.tenant, intent.vault)
                .map(|v| v.vault.key)
        });
        let key =
            key.map_err(|e| StageError::transient("the vault is not in the replica").because(e))?;
        let slot = |slot: Slot| SigningSlot {
            path: slot.path,
            tweak: slot.tweak,
            message: slot.message,
        };
        let request = SigningRequested {
            tenant: intent.tenant,
            vault: intent.vault,
            key,
            attempt: asked.attempt.clone(),
            unsigned: asked.unsigned.to_vec(),
            slots: asked.slots.into_iter().map(slot).collect(),
        };
        self.post.record(
            now,
            (topics::SIGNING_REQUESTED, &key.0),
            None,
            &request,
            cause,
        )
    }

    /// The signatures that a stored transaction needs.
    fn slots(&self, intent: &Intent, unsigned: &[u8]) -> Result<Vec<Slot>, StageError> {
        let inspection = self.journal.read(|f| {
            let vaults = TenantVaults::new(f.state(), intent.tenant);
            let vault = vaults.vault_key(intent.vault)?;
            Some(self.watcher.codec.inspect(unsigned, &vault, &vaults))
        });
        let inspection =
            inspection.ok_or_else(|| StageError::transient("the vault's key is not there"))?;
        let inspection = inspection
            .map_err(|e| StageError::fatal("what this service built or stored").because(e))?;
        Ok(inspection.slots)
    }

    /// The writer's answer: a hint that an anchor is taken, the decision changed, or the journal
    /// refuses.
    pub(crate) fn journal_said(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        result: &JournalResult,
        cause: &Cause,
    ) -> Step {
        let Err((code, detail)) = &result.result else {
            return Ok(Vec::new());
        };
        let current = |payment: &Payment| {
            let ours = payment
                .attempt
                .as_ref()
                .map(|attempt| submission(&payment.intent, attempt));
            payment.stand == Stand::Signing && ours == Some(result.submission)
        };
        let Some(payment) = store::by_session(tx, &cause.session)?.filter(current) else {
            return Ok(Vec::new());
        };
        let intent = Intent::parse(&payment.signed.text)
            .map_err(|e| StageError::fatal("a stored intent").because(e))?;
        let refusal = Refusal::new(*code, detail);
        match code {
            // Already in: the answer to a submission that arrived twice.
            Code::IntentAlreadyAuthorized => Ok(Vec::new()),
            Code::AnchorTaken if payment.tries < TRIES_MAX => {
                reservations::give_back(tx, &payment.intent, None)?;
                if let Some(attempt) = &payment.attempt {
                    reservations::retire(tx, intent.vault, &attempt.anchor)?;
                }
                self.offer(now, tx, &payment, &intent, cause)
            }
            Code::DecisionChanged => {
                reservations::give_back(tx, &payment.intent, None)?;
                store::forget(tx, &payment.intent)?;
                let news = News {
                    reason: Some((refusal.code, refusal.detail)),
                    ..News::default()
                };
                let state = TransactionState::PendingApproval;
                Ok(vec![self.tell(
                    now,
                    &intent,
                    &payment.intent,
                    state,
                    news,
                    cause,
                )?])
            }
            _ => {
                reservations::give_back(tx, &payment.intent, None)?;
                self.end(now, tx, &payment, refusal, Vec::new(), cause)
            }
        }
    }

    /// The coordinator's result: a false one costs liveness only, for the signature is verified
    /// here.
    pub(crate) fn finished(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        finished: SigningFinished,
        cause: &Cause,
    ) -> Step {
        let found = store::find(tx, &finished.intent)?;
        let Some(payment) = found.filter(|payment| payment.stand == Stand::Signing) else {
            return Ok(Vec::new());
        };
        let intent = Intent::parse(&payment.signed.text)
            .map_err(|e| StageError::fatal("a stored intent").because(e))?;
        let signatures = match finished.outcome {
            Outcome::Signed(signatures) => signatures,
            Outcome::Failed(refusals) => {
                let first = refusals.first().map(|r| Refusal::new(r.code, &r.detail));
                let why = first.unwrap_or_else(|| Code::SigningFailed.into());
                let anchor = payment
                    .attempt
                    .as_ref()
                    .map(|attempt| attempt.anchor.clone());
                reservations::give_back(tx, &payment.intent, anchor.as_ref())?;
                return self.end(now, tx, &payment, why, refusals, cause);
            }
        };
        let codec = Arc::clone(&self.watcher.codec);
        let assembled = self
            .resolve(&intent)
            .ok()
            .and_then(|(vault, _)| codec.assemble(&payment.unsigned, &signatures, &vault).ok())
            .and_then(|raw| codec.transaction_id(&raw).ok().map(|id| (raw, id)));
        let Some((raw, network_id)) = assembled else {
            return Err(StageError::poison("the signatures do not verify"));
        };
        store::signed(tx, &payment.intent, &raw, now)?;
        reservations::set_used(tx, &payment.intent)?;
        let marks = cause.marks.clone().with(Layer::Assembled, now.0 * 1000);
        let cause = Cause {
            marks,
            ..cause.clone()
        };
        let news = News {
            network_id: Some(network_id),
            signed: Some(raw),
            ..News::default()
        };
        Ok(vec![self.tell(
            now,
            &intent,
            &payment.intent,
            TransactionState::Signed,
            news,
            &cause,
        )?])
    }

    /// Offers signed transactions to the network.
    pub(crate) fn broadcast(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Step {
        let mut records = Vec::new();
        for payment in store::due(tx, Stand::Signed, now)? {
            let answer = match self.watcher.gateway.broadcast(&payment.raw) {
                Ok(answer) => answer,
                Err(_) => continue,
            };
            let (stand, state, news) = match answer {
                Broadcast::Accepted | Broadcast::AlreadyKnown => (
                    Stand::Broadcast,
                    TransactionState::Broadcasting,
                    News::default(),
                ),
                Broadcast::Rejected(why) => {
                    let reason = Some((Code::Conflict, format!("the network rejected it: {why}")));
                    (
                        Stand::Done,
                        TransactionState::Failed,
                        News {
                            reason,
                            ..News::default()
                        },
                    )
                }
            };
            records.push(self.moved(now, tx, &payment, stand, state, news)?);
        }
        Ok(records)
    }

    /// Looks whether broadcast transactions are in a block.
    pub(crate) fn confirm(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Step {
        let mut records = Vec::new();
        for payment in store::due(tx, Stand::Broadcast, now)? {
            let id = self
                .watcher
                .codec
                .transaction_id(&payment.raw)
                .unwrap_or_default();
            if !matches!(
                self.watcher.gateway.standing(&id),
                Ok(Standing::Confirmed(_))
            ) {
                continue;
            }
            let (stand, state) = (Stand::Done, TransactionState::Completed);
            records.push(self.moved(now, tx, &payment, stand, state, News::default())?);
        }
        Ok(records)
    }

    /// Signing runs without an answer: over when the intent is, asked for again otherwise.
    pub(crate) fn remind(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Step {
        let mut records = Vec::new();
        let before = UnixMs(now.0.saturating_sub(self.resend_ms));
        for payment in store::due(tx, Stand::Signing, before)? {
            let intent = Intent::parse(&payment.signed.text)
                .map_err(|e| StageError::fatal("what this service built or stored").because(e))?;
            let cause = Cause::own(
                &[b"remind", &payment.intent.0, &now.0.to_be_bytes()],
                payment.expires,
            );
            let cause = Cause {
                session: first_half(payment.intent),
                ..cause
            };
            let anchor = payment
                .attempt
                .as_ref()
                .map(|attempt| attempt.anchor.clone());
            if let Some(why) = self.over(&intent, &payment, now) {
                reservations::give_back(tx, &payment.intent, anchor.as_ref())?;
                records.extend(self.end(now, tx, &payment, why, Vec::new(), &cause)?);
                continue;
            }
            store::stands(tx, &payment.intent, Stand::Signing, now)?;
            let Some(attempt) = &payment.attempt else {
                continue;
            };
            let body = Body::Authorized(Box::new(Authorization {
                intent: payment.signed.clone(),
                core: payment.core.clone(),
                approvals: payment.approvals.clone(),
                attempt: attempt.clone(),
            }));
            let body = JournalSubmitted {
                submission: submission(&payment.intent, attempt),
                body: encode(&body),
            };
            let journal = (topics::JOURNAL_SUBMITTED, intent.tenant.0.as_slice());
            records.push(self.post.record(now, journal, None, &body, &cause)?);
            let asked = Asked {
                attempt,
                unsigned: &payment.unsigned,
                slots: self.slots(&intent, &payment.unsigned)?,
            };
            records.push(self.ask(now, &intent, asked, &cause)?);
        }
        Ok(records)
    }

    fn over(&self, intent: &Intent, payment: &Payment, now: UnixMs) -> Option<Refusal> {
        if now >= payment.expires {
            return Some(Code::IntentExpired.into());
        }
        let record = self
            .journal
            .read(|f| f.state().intent(intent.tenant, &payment.intent))
            .ok()??;
        (record.standing == IntentStanding::Cancelled).then(|| Code::IntentCancelled.into())
    }

    fn moved(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        payment: &Payment,
        stand: Stand,
        state: TransactionState,
        news: News,
    ) -> Result<Record, StageError> {
        store::stands(tx, &payment.intent, stand, now)?;
        let intent = Intent::parse(&payment.signed.text)
            .map_err(|e| StageError::fatal("a stored intent").because(e))?;
        let cause = Cause::own(
            &[b"moved", &payment.intent.0, &[state as u8]],
            now.plus(60_000),
        );
        self.tell(now, &intent, &payment.intent, state, news, &cause)
    }

    /// Ends a payment with a reason.
    fn end(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        payment: &Payment,
        why: Refusal,
        refusals: Vec<SignerRefusal>,
        cause: &Cause,
    ) -> Step {
        store::stands(tx, &payment.intent, Stand::Done, now)?;
        let intent = Intent::parse(&payment.signed.text)
            .map_err(|e| StageError::fatal("a stored intent").because(e))?;
        let state = ended_as(why.code, Who::Journal);
        let news = News {
            reason: Some((why.code, why.detail)),
            refusals,
            ..News::default()
        };
        Ok(vec![self.tell(
            now,
            &intent,
            &payment.intent,
            state,
            news,
            cause,
        )?])
    }

    fn tell(
        &mut self,
        now: UnixMs,
        intent: &Intent,
        digest: &Digest,
        state: TransactionState,
        news: News,
        cause: &Cause,
    ) -> Result<Record, StageError> {
        let News {
            reason,
            refusals,
            network_id,
            signed,
        } = news;
        let changed = TransactionChanged {
            intent: *digest,
            state,
            reason,
            refusals,
            network_id,
            signed,
            at: now,
        };
        let cause = cause.clone().until(cause.deadline.max(now.plus(60_000)));
        self.post.record(
            now,
            (topics::TRANSACTION_CHANGED, &intent.vault.0),
            None,
            &changed,
            &cause,
        )
    }
}

/// A transaction that signers are asked for.
struct Asked<'a> {
    attempt: &'a Attempt,
    unsigned: &'a [u8],
    slots: Vec<Slot>,
}

/// What a build from the facts table came to.
enum FromTable {
    Built(Built),
    /// The table does not suffice; the network may know more.
    TooLittle(Refusal),
    /// The network was never asked.
    NothingKnown,
}

/// Why an attempt was not built.
enum Attempted {
    /// With a reason for the client.
    Refused(Refusal),
    /// The service itself has a problem.
    Broken(StageError),
}

impl From<StageError> for Attempted {
    fn from(error: StageError) -> Self {
        Self::Broken(error)
    }
}

/// Names a submission to the journal by what is submitted.
fn submission(intent: &Digest, attempt: &Attempt) -> [u8; 16] {
    first_half(digest(
        "strongroom/submission/v1",
        &[&intent.0, &encode(attempt)],
    ))
}
