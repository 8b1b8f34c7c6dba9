//! Rows of payments: parsed once here, changed only by an event of the life cycle.

use crate::payment::{Assembled, Offered, PaymentEvent, PaymentState, StateName, Waiting};
use crate::step::Step;
use std::error::Error;
use strongroom_ports::db::{Arg, Row, Tx};
use strongroom_stage::StageError;
use strongroom_stage::post::first_half;
use strongroom_types::{Digest, Document as _, Intent, Refusal, Signed, UnixMs};
use strongroom_wire::{IntentDecided, TransactionState, decode, encode};

/// Payments looked at by one tick at most, so that a tick stays short beside new records.
pub(crate) const PAGE_ROWS: u32 = 64;

/// One payment.
pub(crate) struct Payment {
    /// Digest of the intent's text; the payment's name.
    pub(crate) digest: Digest,
    /// The parsed intent.
    pub(crate) intent: Intent,
    /// Intent text and the client's signature.
    pub(crate) signed: Signed,
    /// Canonical text of the decision core that the approvers signed.
    pub(crate) core: String,
    /// Their approvals.
    pub(crate) approvals: Vec<Signed>,
    /// Where it is.
    pub(crate) state: PaymentState,
    /// Changes written so far.
    pub(crate) version: u32,
}

impl Payment {
    /// A payment for an approved intent.
    ///
    /// # Errors
    /// When the intent's text does not parse.
    pub(crate) fn new(decided: IntentDecided) -> Result<Self, Refusal> {
        Ok(Self {
            digest: Intent::digest_of(&decided.intent.text),
            intent: Intent::parse(&decided.intent.text)?,
            signed: decided.intent,
            core: decided.core,
            approvals: decided.approvals,
            state: PaymentState::Building(Waiting::default()),
            version: 0,
        })
    }
}

/// Every query reads the same columns, in the order of [`payment`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT intent, signed, core, approvals, version, state, builds, failures, attempt, \
             unsigned, slots, raw, ended FROM payment WHERE ",
            $rest
        )
    };
}

/// A row that this service did not write: it must not go on with money it cannot account for.
fn broken(what: impl Into<Box<dyn Error + Send + Sync>>) -> StageError {
    StageError::fatal("the payment table").because(what)
}

fn payment(row: &Row) -> Result<Payment, StageError> {
    let signed: Signed = decode(row.blob(1)?).map_err(broken)?;
    Ok(Payment {
        digest: Digest(row.array(0)?),
        intent: Intent::parse(&signed.text).map_err(broken)?,
        signed,
        core: row.text(2)?.to_owned(),
        approvals: decode(row.blob(3)?).map_err(broken)?,
        state: state(row)?,
        version: count(row, 4)?,
    })
}

fn state(row: &Row) -> Result<PaymentState, StageError> {
    let name = StateName::from_number(row.i64(5)?).ok_or_else(|| broken("an unknown state"))?;
    Ok(match name {
        StateName::Building => PaymentState::Building(Waiting {
            builds: count(row, 6)?,
            failures: count(row, 7)?,
        }),
        StateName::Signing => PaymentState::Signing(offered(row)?),
        StateName::Signed => PaymentState::Signed(assembled(row)?),
        StateName::Broadcast => PaymentState::Broadcast(assembled(row)?),
        StateName::Ended => {
            let end = TransactionState::from_number(row.i64(12)?);
            let end = end.filter(|end| end.is_terminal());
            PaymentState::Ended(end.ok_or_else(|| broken("an unknown end"))?)
        }
        StateName::Returned => return Err(broken("a returned payment has no row")),
    })
}

fn offered(row: &Row) -> Result<Offered, StageError> {
    // What was signed before version 3 of the tables has none, and needs none any more.
    let slots = row.blob_opt(10)?;
    Ok(Offered {
        builds: count(row, 6)?,
        attempt: decode(row.blob(8)?).map_err(broken)?,
        unsigned: row.blob(9)?.to_vec(),
        slots: slots
            .map(decode)
            .transpose()
            .map_err(broken)?
            .unwrap_or_default(),
    })
}

fn assembled(row: &Row) -> Result<Assembled, StageError> {
    Ok(Assembled {
        offered: offered(row)?,
        raw: row.blob(11)?.to_vec(),
        failures: count(row, 7)?,
    })
}

fn count(row: &Row, column: usize) -> Result<u32, StageError> {
    u32::try_from(row.i64(column)?).map_err(broken)
}

/// Inserts a new payment; `false` when the intent has one already.
pub(crate) fn insert(step: &mut Step<'_>, payment: &Payment) -> Result<bool, StageError> {
    let sql = "INSERT INTO payment
               (intent, session, signed, core, approvals, state, builds, failures,
                changed_ms, due_ms, version)
               VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $7, 0) ON CONFLICT DO NOTHING";
    let (signed, approvals) = (encode(&payment.signed), encode(&payment.approvals));
    let session = first_half(payment.digest);
    let args = [
        Arg::from(&payment.digest.0),
        Arg::from(&session),
        Arg::from(&signed),
        Arg::from(&payment.core),
        Arg::from(&approvals),
        Arg::from(payment.state.state_name().number()),
        Arg::u64(step.now.0)?,
    ];
    Ok(step.tx.execute(sql, &args)? == 1)
}

/// The payment of an intent.
pub(crate) fn find(tx: &mut dyn Tx, intent: &Digest) -> Result<Option<Payment>, StageError> {
    let row = tx.query_opt(select!("intent = $1"), &[Arg::from(&intent.0)])?;
    row.as_ref().map(payment).transpose()
}

/// The payment whose records carry this session.
pub(crate) fn find_by_session(
    tx: &mut dyn Tx,
    session: &[u8; 16],
) -> Result<Option<Payment>, StageError> {
    let row = tx.query_opt(select!("session = $1"), &[Arg::from(session)])?;
    row.as_ref().map(payment).transpose()
}

/// Payments in a state whose pause was over at `before`, longest waiting first, one page.
pub(crate) fn due(
    step: &mut Step<'_>,
    state: StateName,
    before: UnixMs,
) -> Result<Vec<Payment>, StageError> {
    // A row from the future is due as well: after a clock that was ahead is set right, a payment
    // would otherwise wait until that time comes again.
    let sql = select!(
        "state = $1 AND (due_ms <= $2 OR changed_ms > $3) ORDER BY due_ms, intent LIMIT $4"
    );
    let args = [
        Arg::from(state.number()),
        Arg::u64(before.0)?,
        Arg::u64(step.now.0)?,
        Arg::from(PAGE_ROWS),
    ];
    step.tx.query(sql, &args)?.iter().map(payment).collect()
}

/// Payments in a state after one of them, by intent, one page.
pub(crate) fn after(
    tx: &mut dyn Tx,
    state: StateName,
    last: &Digest,
) -> Result<Vec<Payment>, StageError> {
    let sql = select!("state = $1 AND intent > $2 ORDER BY intent LIMIT $3");
    let args = [
        Arg::from(state.number()),
        Arg::from(&last.0),
        Arg::from(PAGE_ROWS),
    ];
    tx.query(sql, &args)?.iter().map(payment).collect()
}

/// Takes a payment through one event of its life cycle and writes where it is then.
pub(crate) fn set_state(
    step: &mut Step<'_>,
    payment: Payment,
    event: PaymentEvent,
) -> Result<Payment, StageError> {
    let (from, event_name) = (payment.state.state_name(), event.name());
    let state = payment.state.apply(event);
    let state = state.map_err(|e| StageError::poison("the payment's life cycle").because(e))?;
    let to = state.state_name();
    let payment = Payment { state, ..payment };

    let written = match to {
        StateName::Returned => delete(step, &payment, from)?,
        StateName::Building
        | StateName::Signing
        | StateName::Signed
        | StateName::Broadcast
        | StateName::Ended => update(step, &payment, from)?,
    };
    // Two instances that read the same row must not both act on it: the second one starts again
    // from what the first has written.
    if written != 1 {
        return Err(StageError::transient(
            "the payment was changed by another instance",
        ));
    }

    let payment = Payment {
        version: payment.version.saturating_add(1),
        ..payment
    };
    tracing::debug!(
        target: "strongroom_transactions::payment",
        intent = %payment.digest,
        from = from.name(),
        event = event_name,
        to = to.name(),
        "payment changed"
    );
    Ok(payment)
}

fn delete(step: &mut Step<'_>, payment: &Payment, from: StateName) -> Result<u64, StageError> {
    let sql = "DELETE FROM payment WHERE intent = $1 AND state = $2 AND version = $3";
    let args = [
        Arg::from(&payment.digest.0),
        Arg::from(from.number()),
        Arg::from(payment.version),
    ];
    Ok(step.tx.execute(sql, &args)?)
}

fn update(step: &mut Step<'_>, payment: &Payment, from: StateName) -> Result<u64, StageError> {
    // What an earlier state left behind stays for the operator; `state` says which columns count.
    let sql = "UPDATE payment SET
               state = $1, builds = COALESCE($2, builds), failures = $3,
               attempt = COALESCE($4, attempt), unsigned = COALESCE($5, unsigned),
               slots = COALESCE($6, slots), raw = COALESCE($7, raw), ended = $8,
               changed_ms = $9, due_ms = $10, version = version + 1
               WHERE intent = $11 AND state = $12 AND version = $13";
    let columns = Columns::of(&payment.state);
    let due = step.now.plus(payment.state.pause_ms());
    let args = [
        Arg::from(payment.state.state_name().number()),
        Arg::from(columns.builds),
        Arg::from(columns.failures),
        Arg::from(columns.attempt.as_ref()),
        Arg::from(columns.unsigned),
        Arg::from(columns.slots.as_ref()),
        Arg::from(columns.raw),
        Arg::from(columns.ended),
        Arg::u64(step.now.0)?,
        Arg::u64(due.0)?,
        Arg::from(&payment.digest.0),
        Arg::from(from.number()),
        Arg::from(payment.version),
    ];
    Ok(step.tx.execute(sql, &args)?)
}

/// A state as columns; none: the state does not say.
#[derive(Default)]
struct Columns<'a> {
    builds: Option<u32>,
    failures: u32,
    attempt: Option<Vec<u8>>,
    unsigned: Option<&'a [u8]>,
    slots: Option<Vec<u8>>,
    raw: Option<&'a [u8]>,
    ended: Option<i64>,
}

impl<'a> Columns<'a> {
    fn of(state: &'a PaymentState) -> Self {
        match state {
            PaymentState::Building(waiting) => Self {
                builds: Some(waiting.builds),
                failures: waiting.failures,
                ..Self::default()
            },
            PaymentState::Signing(offered) => Self::offered(offered),
            PaymentState::Signed(assembled) | PaymentState::Broadcast(assembled) => Self {
                failures: assembled.failures,
                raw: Some(&assembled.raw),
                ..Self::offered(&assembled.offered)
            },
            PaymentState::Returned => Self::default(),
            PaymentState::Ended(end) => Self {
                ended: Some(i64::from(*end as u8)),
                ..Self::default()
            },
        }
    }

    fn offered(offered: &'a Offered) -> Self {
        Self {
            builds: Some(offered.builds),
            attempt: Some(encode(&offered.attempt)),
            unsigned: Some(&offered.unsigned),
            slots: Some(encode(&offered.slots)),
            ..Self::default()
        }
    }
}
