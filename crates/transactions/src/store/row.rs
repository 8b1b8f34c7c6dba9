//! Columns of the payment table, from and to states.

use crate::payment::{Assembled, Offered, Payment, PaymentState, PaymentStateName, Waiting};
use std::error::Error;
use strongroom_ports::db::Row;
use strongroom_stage::StageError;
use strongroom_types::{Code, Digest, Document as _, Intent, Signed};
use strongroom_wire::{TransactionState, decode, encode};

/// A row that this service did not write: it must not go on with money it cannot account for.
fn broken(what: impl Into<Box<dyn Error + Send + Sync>>) -> StageError {
    StageError::fatal("the payment table").because(what)
}

/// A payment from the columns of [`super::select`].
pub(super) fn payment(row: &Row) -> Result<Payment, StageError> {
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
    let name =
        PaymentStateName::from_number(row.i64(5)?).ok_or_else(|| broken("an unknown state"))?;

    // Each state reads its own columns and no other: an earlier state's stay behind.
    Ok(match name {
        PaymentStateName::Building => PaymentState::Building(Waiting {
            builds: count(row, 6)?,
            failures: count(row, 7)?,
            reason: reason(row)?,
        }),
        PaymentStateName::Signing => PaymentState::Signing(offered(row)?),
        PaymentStateName::Signed => PaymentState::Signed(assembled(row)?),
        PaymentStateName::Broadcast => PaymentState::Broadcast(assembled(row)?),
        PaymentStateName::TooLate => PaymentState::TooLate(offered(row)?),
        PaymentStateName::Ended => {
            // A state that is not terminal is refused here: it would be shown to clients as
            // progress.
            let end = TransactionState::from_number(row.i64(12)?);
            let end = end.filter(|end| end.is_terminal());
            PaymentState::Ended(end.ok_or_else(|| broken("an unknown end"))?)
        }
        PaymentStateName::Returned => PaymentState::Returned(offered(row)?),
    })
}

fn offered(row: &Row) -> Result<Offered, StageError> {
    // Every offer writes its slots; a row without them reads as one that needs none.
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
        failures: count(row, 7)?,
    })
}

fn assembled(row: &Row) -> Result<Assembled, StageError> {
    // The column counts the failures of the present state.
    let offered = Offered {
        failures: 0,
        ..offered(row)?
    };
    Ok(Assembled {
        offered,
        raw: row.blob(11)?.to_vec(),
        failures: count(row, 7)?,
    })
}

fn reason(row: &Row) -> Result<Option<Code>, StageError> {
    let code = |text| Code::from_text(text).ok_or_else(|| broken("an unknown reason"));
    row.text_opt(13)?.map(code).transpose()
}

fn count(row: &Row, column: usize) -> Result<u32, StageError> {
    u32::try_from(row.i64(column)?).map_err(broken)
}

/// A state as columns. `None`: the state does not say, and the column stays as it is.
#[derive(Default)]
pub(super) struct Columns<'a> {
    /// Number of transactions built so far.
    pub(super) builds: Option<u32>,
    /// Tries in a row that failed.
    pub(super) failures: u32,
    /// Borsh of the attempt.
    pub(super) attempt: Option<Vec<u8>>,
    /// Unsigned transaction in the codec's encoding.
    pub(super) unsigned: Option<&'a [u8]>,
    /// Borsh of the slots.
    pub(super) slots: Option<Vec<u8>>,
    /// Bytes for the network.
    pub(super) raw: Option<&'a [u8]>,
    /// Number of the terminal state.
    pub(super) ended: Option<i64>,
    /// Code that clients are shown while nothing is built.
    pub(super) reason: Option<&'a str>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(state: &'a PaymentState) -> Self {
        match state {
            PaymentState::Building(waiting) => Self {
                builds: Some(waiting.builds),
                failures: waiting.failures,
                reason: waiting.reason.map(Code::as_str),
                ..Self::default()
            },
            PaymentState::Signing(offered)
            | PaymentState::Returned(offered)
            | PaymentState::TooLate(offered) => Self::offered(offered),
            PaymentState::Signed(assembled) | PaymentState::Broadcast(assembled) => Self {
                failures: assembled.failures,
                raw: Some(&assembled.raw),
                ..Self::offered(&assembled.offered)
            },
            PaymentState::Ended(end) => Self {
                ended: Some(i64::from(*end as u8)),
                ..Self::default()
            },
        }
    }

    fn offered(offered: &'a Offered) -> Self {
        Self {
            builds: Some(offered.builds),
            failures: offered.failures,
            attempt: Some(encode(&offered.attempt)),
            unsigned: Some(&offered.unsigned),
            slots: Some(encode(&offered.slots)),
            ..Self::default()
        }
    }
}
