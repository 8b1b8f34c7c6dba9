//! The witness's memory in its tables.

use crate::error::ReplicaError;
use crate::rows::{corrupt, head_body};
use crate::schema as sql;
use strongroom_guard::{G, guard};
use strongroom_journal::witness::{Cosigned, EndedAct, HandedAct, WitnessMemory};
use strongroom_ports::db::{Arg, Row, Tx};
use strongroom_types::{Code, Digest, UnixMs};
use strongroom_wire::decode;

/// The memory as it was stored.
pub(crate) fn load(tx: &mut dyn Tx) -> Result<WitnessMemory, ReplicaError> {
    // The first load inserts the row. Later writes only update it, and an update that finds no row
    // would lose what this witness has cosigned.
    let Some((cosigned, retired)) = cosigned(tx)? else {
        tx.execute(sql::NEW_WITNESS, &[false.into()])?;
        return Ok(WitnessMemory::default());
    };

    // A handed act that cannot be decoded is an error: a witness that forgot it would cosign heads
    // that leave the act out.
    let mut handed = Vec::new();
    for act in tx.query(sql::HANDED, &[])? {
        let signed = decode(act.blob(1)?).map_err(|e| corrupt(&format!("handed act: {e}")))?;
        handed.push(HandedAct {
            digest: Digest(act.array(0)?),
            signed,
            since: UnixMs(act.u64(2)?),
        });
    }

    let handed_ended = tx.query(sql::HANDED_ENDED, &[])?;
    let handed_ended = handed_ended
        .iter()
        .map(ended_act)
        .collect::<Result<_, _>>()?;

    Ok(WitnessMemory {
        cosigned,
        retired,
        handed,
        handed_ended,
    })
}

fn ended_act(row: &Row) -> Result<EndedAct, ReplicaError> {
    let code = row.text(2)?;
    Ok(EndedAct {
        digest: Digest(row.array(0)?),
        code: Code::from_text(code).ok_or_else(|| corrupt(&format!("handed act: code {code}")))?,
        entry: row.u64_opt(3)?,
        at: UnixMs(row.u64(1)?),
    })
}

/// Newest cosigned head, and whether the key is retired; `None` before the row exists.
pub(crate) fn cosigned(tx: &mut dyn Tx) -> Result<Option<(Option<Cosigned>, bool)>, ReplicaError> {
    let Some(row) = tx.query_opt(sql::WITNESS, &[])? else {
        return Ok(None);
    };
    let cosigned = Cosigned {
        size: row.u64(0)?,
        body: row.text(1)?.to_owned(),
        time_s: row.u64(2)?,
    };
    Ok(Some((Some(cosigned).filter(|c| c.size > 0), row.bool(3)?)))
}

/// Checks that the newest cosigned head is a head of the stored log of `size` entries: if the log
/// was put back to an earlier size, this witness could cosign a second history.
pub(crate) fn check_line(
    memory: &WitnessMemory,
    tx: &mut dyn Tx,
    size: u64,
) -> Result<(), ReplicaError> {
    let Some(cosigned) = &memory.cosigned else {
        return Ok(());
    };

    let is_other =
        cosigned.size > size || head_body(tx, cosigned.size)?.as_ref() != Some(&cosigned.body);
    if guard(G::OneTreePerSize, is_other) {
        return Err(corrupt("what was cosigned last is not in the stored log").into());
    }
    Ok(())
}

/// Replaces the newest cosigned head, which must be `old` until then.
pub(crate) fn compare_and_set(
    tx: &mut dyn Tx,
    old: Option<&Cosigned>,
    new: &Cosigned,
) -> Result<(), ReplicaError> {
    // The write is a compare-and-set: two processes on one database would otherwise both cosign,
    // each without knowing the other's head.
    let (old_size, old_body) = old.map_or((0, ""), |old| (old.size, old.body.as_str()));
    let row = [
        Arg::u64(new.size)?,
        (&new.body).into(),
        Arg::u64(new.time_s)?,
        Arg::u64(old_size)?,
        old_body.into(),
        false.into(),
    ];

    if tx.execute(sql::COSIGN, &row)? == 1 {
        Ok(())
    } else {
        Err(ReplicaError::Stale)
    }
}
