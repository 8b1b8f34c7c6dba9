//! Rows of payments: parsed once here, changed only by an event of the life cycle.

use crate::payment::{LIFE_CYCLE, Payment, PaymentEvent, PaymentStateName};
use crate::step::Step;
use row::{Columns, payment};
use strongroom_ports::db::{Arg, DbError, Tx};
use strongroom_stage::StageError;
use strongroom_stage::life_cycle::Transition;
use strongroom_stage::post::session_of;
use strongroom_types::{Digest, UnixMs};
use strongroom_wire::encode;

mod row;
#[cfg(test)]
mod tests;

/// Number of payments that one tick looks at, so that a tick stays short beside new records.
pub(crate) const PAGE_ROWS: u32 = 64;

/// A query for payments: the same columns each time, in the order that [`payment`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT intent, signed, core, approvals, version, state, builds, failures, attempt, \
             unsigned, slots, raw, ended, reason FROM payment WHERE ",
            $rest
        )
    };
}

/// Inserts a new payment; `false` when the intent has one already.
pub(crate) fn insert(step: &mut Step<'_>, payment: &Payment) -> Result<bool, StageError> {
    let sql = "INSERT INTO payment
               (intent, session, signed, core, approvals, state, builds, failures,
                changed_ms, due_ms, version)
               VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $7, 0) ON CONFLICT DO NOTHING";
    let (signed, approvals) = (encode(&payment.signed), encode(&payment.approvals));
    let session = session_of(payment.digest);

    // The first decision stays until its payment is returned, because only then the approvers are
    // asked for another.
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

/// Remembers until `expires` that the end of an intent was told, and forgets those whose time is not
/// after `past`.
pub(crate) fn insert_refused(
    tx: &mut dyn Tx,
    intent: &Digest,
    (expires, past): (UnixMs, UnixMs),
) -> Result<(), DbError> {
    let sql = "DELETE FROM refused WHERE expires <= $1";
    tx.execute(sql, &[Arg::u64(past.0)?])?;
    let sql = "INSERT INTO refused (intent, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[Arg::from(&intent.0), Arg::u64(expires.0)?])
        .map(drop)
}

/// Whether the end of an intent was told before a payment was made of it.
pub(crate) fn was_refused(tx: &mut dyn Tx, intent: &Digest) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM refused WHERE intent = $1";
    let row = tx.query_opt(sql, &[Arg::from(&intent.0)])?;
    Ok(row.is_some())
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
    state: PaymentStateName,
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
    state: PaymentStateName,
    last: &Digest,
) -> Result<Vec<Payment>, StageError> {
    let sql = select!("state = $1 AND intent > $2 ORDER BY intent LIMIT $3");

    // The order is by name and not by time, so that it does not change while the pages are walked
    // through.
    let args = [
        Arg::from(state.number()),
        Arg::from(&last.0),
        Arg::from(PAGE_ROWS),
    ];
    tx.query(sql, &args)?.iter().map(payment).collect()
}

/// Gives a returned payment the decision that its people approved since, and takes it up again. Its
/// attempt stays, so that the journal can hold no other one of it.
pub(crate) fn resume_with(
    step: &mut Step<'_>,
    payment: Payment,
    decided: Payment,
) -> Result<Payment, StageError> {
    let sql = "UPDATE payment SET core = $1, approvals = $2 WHERE intent = $3";
    let approvals = encode(&decided.approvals);
    let args = [
        Arg::from(&decided.core),
        Arg::from(&approvals),
        Arg::from(&payment.digest.0),
    ];
    step.tx.execute(sql, &args)?;

    let payment = Payment {
        core: decided.core,
        approvals: decided.approvals,
        ..payment
    };
    set_state(step, payment, PaymentEvent::Resume)
}

/// Takes a payment through one event of its life cycle and writes its new state.
pub(crate) fn set_state(
    step: &mut Step<'_>,
    payment: Payment,
    event: PaymentEvent,
) -> Result<Payment, StageError> {
    let (from, event_name) = (payment.state.state_name(), event.name());

    // A handler that looked at another state than the row holds is a defect of this program; the
    // payment stays as it was.
    let state = payment.state.apply(event);
    let state = state.map_err(|e| StageError::poison("the payment's life cycle").because(e))?;
    let to = state.state_name();
    let payment = Payment { state, ..payment };

    let written = update(step, &payment, from)?;

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
    let transition = Transition {
        life_cycle: LIFE_CYCLE,
        from: from.name(),
        event: event_name.into(),
        to: to.name(),
    };
    transition.log(&payment.digest);
    Ok(payment)
}

fn update(
    step: &mut Step<'_>,
    payment: &Payment,
    from: PaymentStateName,
) -> Result<u64, StageError> {
    // Columns of an earlier state stay for the operator to read; `state` says which columns count.
    let sql = "UPDATE payment SET
               state = $1, builds = COALESCE($2, builds), failures = $3,
               attempt = COALESCE($4, attempt), unsigned = COALESCE($5, unsigned),
               slots = COALESCE($6, slots), raw = COALESCE($7, raw), ended = $8,
               changed_ms = $9, due_ms = $10, reason = $11, version = version + 1
               WHERE intent = $12 AND state = $13 AND version = $14";
    let columns = Columns::of(&payment.state);

    // The time of the next try is kept in the row, so that a restart does not ask a silent node
    // about everything at once.
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
        Arg::from(columns.reason),
        Arg::from(&payment.digest.0),
        Arg::from(from.number()),
        Arg::from(payment.version),
    ];
    Ok(step.tx.execute(sql, &args)?)
}
