//! The stage: intents and answers in, decisions out.

use crate::assign::assign;
use crate::schema::MIGRATIONS;
use crate::store::{self, Pending};
use std::sync::Arc;
use strongroom_journal::apply::{Ballot, check_for_any_group, evaluate, initiator};
use strongroom_journal::entry::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_stage::post::{Cause, Post, first_half, open_record};
use strongroom_stage::{Stage, StageError};
use strongroom_types::{
    Answer, Approval, Code, DecisionCore, Digest, Document as _, Intent, Refusal, Signed, UnixMs,
};
use strongroom_wire::{
    ApprovalSubmitted, Decided, IntentDecided, IntentSubmitted, JournalSubmitted, Layer, Role,
    TransactionChanged, TransactionState, encode, topics,
};

/// The approvals service.
pub struct ApprovalsStage {
    post: Post,
    journal: Arc<SharedFollower>,
    /// Where the walk through what waits has come to.
    walked: Digest,
}

impl ApprovalsStage {
    /// The service under its identity, reading its replica.
    #[must_use]
    pub fn new(post: Post, journal: Arc<SharedFollower>) -> Self {
        Self {
            post,
            journal,
            walked: Digest::default(),
        }
    }

    fn submitted(&mut self, now: UnixMs, tx: &mut dyn Tx, signed: Signed, cause: &Cause) -> Step {
        let Ok((intent, digest)) = signed.open::<Intent>() else {
            return Err(StageError::poison("the intent does not parse"));
        };
        let evaluated = self
            .journal
            .read(|f| evaluate(f.state(), f.state(), &signed, now).map(|e| e.decision));
        let cause = Cause {
            session: first_half(digest),
            ..cause.clone()
        };
        let (core, decided) = match evaluated {
            Err(Refusal { code, detail }) => (String::new(), Decided::Refused(code, detail)),
            Ok(decision) => match decision.block {
                Some(Refusal { code, detail }) => {
                    (decision.core.to_text(), Decided::Refused(code, detail))
                }
                None if decision.core.groups.is_empty() => {
                    (decision.core.to_text(), Decided::Approved)
                }
                None => (decision.core.to_text(), Decided::Pending),
            },
        };
        if decided == Decided::Pending {
            store::put(tx, &digest, &signed, &core, false, intent.expires)?;
        }
        self.decided(
            now,
            IntentDecided {
                intent: signed,
                core,
                approvals: Vec::new(),
                decided,
            },
            &intent,
            &cause,
        )
    }

    fn decided(
        &mut self,
        now: UnixMs,
        decided: IntentDecided,
        intent: &Intent,
        cause: &Cause,
    ) -> Step {
        let marks = cause.marks.clone().with(Layer::Policy, now.0 * 1000);
        let cause = Cause {
            marks,
            deadline: cause.deadline.max(intent.expires),
            ..cause.clone()
        };
        let record = self.post.record(
            now,
            (topics::INTENT_DECIDED, &intent.vault.0),
            None,
            &decided,
            &cause,
        )?;
        Ok(vec![record])
    }

    fn answered(&mut self, now: UnixMs, tx: &mut dyn Tx, signed: &Signed, cause: &Cause) -> Step {
        let opened = signed.open::<Approval>();
        let (approval, digest) =
            opened.map_err(|e| StageError::poison("the approval does not parse").because(e))?;
        let Some(pending) = store::find(tx, &approval.intent)?.filter(|p| !p.done) else {
            return Err(StageError::poison(format!(
                "no pending intent {}",
                approval.intent
            )));
        };
        let (intent, core) = parts(&pending)?;
        let checked = self.check(&intent, &pending, &core, signed, &approval, now);
        let relied = checked
            .map_err(|refusal| StageError::poison("the approval is refused").because(refusal))?;
        if approval.answer == Answer::No {
            return self.rejected(now, tx, pending, &intent, signed, cause);
        }
        store::add_yes(tx, &pending.intent, &digest, relied, signed)?;
        self.complete(now, tx, pending, &intent, &core, cause)
    }

    /// The same checks `apply` makes; gives the human behind.
    fn check(
        &self,
        intent: &Intent,
        pending: &Pending,
        core: &DecisionCore,
        signed: &Signed,
        approval: &Approval,
        now: UnixMs,
    ) -> Result<strongroom_types::UserId, Refusal> {
        self.journal.read(|f| {
            let state = f.state();
            let who = initiator(state, intent, &pending.signed, &pending.intent)?;
            let ballot = Ballot {
                platform: intent.platform,
                tenant: intent.tenant,
                intent: pending.intent,
                initiator: who.user,
                core,
                at: now,
            };
            let verified = check_for_any_group(state, &ballot, signed, approval)?;
            Ok(verified.relied.user)
        })
    }

    /// Approved once every group has its number.
    fn complete(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        pending: Pending,
        intent: &Intent,
        core: &DecisionCore,
        cause: &Cause,
    ) -> Step {
        let yeses = store::yeses(tx, &pending.intent)?;
        let people: Vec<_> = yeses.iter().map(|yes| yes.person).collect();
        let seats = self.journal.read(|f| {
            assign(core, &people, |group, user| {
                f.state()
                    .in_group(intent.tenant, group, user)
                    .unwrap_or(false)
            })
        });
        let Some(seats) = seats else {
            return Ok(Vec::new());
        };
        let approvals = seats
            .iter()
            .filter_map(|seat| yeses.get(*seat))
            .map(|yes| yes.signed.clone())
            .collect();
        store::mark_done(tx, &pending.intent)?;
        let decided = IntentDecided {
            intent: pending.signed,
            core: pending.core,
            approvals,
            decided: Decided::Approved,
        };
        let cause = Cause {
            session: first_half(pending.intent),
            ..cause.clone()
        };
        self.decided(now, decided, intent, &cause)
    }

    /// A no is an entry of the journal and ends the intent.
    fn rejected(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        pending: Pending,
        intent: &Intent,
        approval: &Signed,
        cause: &Cause,
    ) -> Step {
        store::forget(tx, &pending.intent)?;
        let cause = Cause {
            session: first_half(pending.intent),
            ..cause.clone()
        };
        let body = Body::Rejected {
            intent: pending.signed.clone(),
            core: pending.core.clone(),
            approval: approval.clone(),
        };
        let submission = JournalSubmitted {
            submission: first_half(pending.intent),
            body: encode(&body),
        };
        let scope = (topics::JOURNAL_SUBMITTED, intent.tenant.0.as_slice());
        let mut records = vec![self.post.record(now, scope, None, &submission, &cause)?];
        let refused = Decided::Refused(
            Code::IntentRejected,
            Code::IntentRejected.meaning().to_owned(),
        );
        let decided = IntentDecided {
            intent: pending.signed,
            core: pending.core,
            approvals: Vec::new(),
            decided: refused,
        };
        records.extend(self.decided(now, decided, intent, &cause)?);
        Ok(records)
    }

    /// The journal found another decision: the intent returns to pending with the new core and no
    /// approvals.
    fn changed(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        changed: &TransactionChanged,
        cause: &Cause,
    ) -> Step {
        let returned = changed.state == TransactionState::PendingApproval;
        match store::find(tx, &changed.intent)? {
            Some(pending) if returned => self.submitted(now, tx, pending.signed, cause),
            Some(pending) if pending.done && ended(changed.state) => {
                store::forget(tx, &pending.intent)?;
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// What ended meanwhile in the journal.
impl ApprovalsStage {
    /// Walks through what waits, a page a tick: a cancelled or rejected intent waits for nobody.
    fn ended_in_journal(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Step {
        let page = store::waiting(tx, &self.walked)?;
        self.walked = page.last().map_or(Digest::default(), |last| last.intent);
        let mut records = Vec::new();
        for pending in page {
            let judged = self
                .journal
                .read(|f| evaluate(f.state(), f.state(), &pending.signed, now).map(drop));
            let Err(refusal) = judged else { continue };
            if matches!(refusal.code, Code::IntentCancelled | Code::IntentRejected) {
                store::forget(tx, &pending.intent)?;
                records.extend(self.over(now, pending, refusal)?);
            }
        }
        Ok(records)
    }

    /// Says that an intent ended without being approved.
    fn over(&mut self, now: UnixMs, pending: Pending, why: Refusal) -> Step {
        let (intent, _) = parts(&pending)?;
        let cause = Cause::own(&[b"over", &pending.intent.0], now.plus(60_000));
        let decided = IntentDecided {
            intent: pending.signed,
            core: pending.core,
            approvals: Vec::new(),
            decided: Decided::Refused(why.code, why.detail),
        };
        self.decided(now, decided, &intent, &cause)
    }
}

type Step = Result<Vec<Record>, StageError>;

/// Whether the approvers' answers are needed no more.
const fn ended(state: TransactionState) -> bool {
    state.is_signed() || state.is_terminal()
}

fn parts(pending: &Pending) -> Result<(Intent, DecisionCore), StageError> {
    let intent = Intent::parse(&pending.signed.text)
        .map_err(|e| StageError::fatal("a stored intent").because(e))?;
    Ok((intent, pending.decision()?))
}

fn topic(name: &str) -> Option<Topic> {
    Topic::new(name).ok()
}

impl Stage for ApprovalsStage {
    fn name(&self) -> &'static str {
        "approvals"
    }

    fn topics(&self) -> Vec<Topic> {
        [
            topics::INTENT_SUBMITTED,
            topics::APPROVAL_SUBMITTED,
            topics::TRANSACTION_CHANGED,
        ]
        .iter()
        .filter_map(|name| topic(name))
        .collect()
    }

    fn migrations(&self) -> &'static [Migration] {
        MIGRATIONS
    }

    fn handle(&mut self, now_ms: u64, tx: &mut dyn Tx, batch: &[Delivered]) -> Step {
        let now = UnixMs(now_ms);
        let registered = self.journal.read(|f| Arc::clone(f.state().registered()));
        let senders = registered.as_ref();
        let mut records = Vec::new();
        for delivered in batch {
            records.extend(match delivered.topic.as_str() {
                topics::INTENT_SUBMITTED => {
                    let (envelope, payload) =
                        open_record::<IntentSubmitted>(delivered, senders, &[Role::Api])?;
                    self.submitted(now, tx, payload.intent, &Cause::of(delivered, &envelope))?
                }
                topics::APPROVAL_SUBMITTED => {
                    let (envelope, payload) =
                        open_record::<ApprovalSubmitted>(delivered, senders, &[Role::Api])?;
                    self.answered(now, tx, &payload.approval, &Cause::of(delivered, &envelope))?
                }
                _ => {
                    let (envelope, payload) = open_record::<TransactionChanged>(
                        delivered,
                        senders,
                        &[Role::Transactions],
                    )?;
                    self.changed(now, tx, &payload, &Cause::of(delivered, &envelope))?
                }
            });
        }
        Ok(records)
    }

    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Step {
        let now = UnixMs(now_ms);
        let mut records = self.ended_in_journal(now, tx)?;
        for pending in store::expired(tx, now)? {
            store::forget(tx, &pending.intent)?;
            if !pending.done {
                records.extend(self.over(now, pending, Code::IntentExpired.into())?);
            }
        }
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        500
    }
}
