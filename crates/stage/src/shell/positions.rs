//! Positions of a stage in its topics, kept in its own database.

use std::collections::BTreeMap;

use strongroom_ports::bus::{Position, Topic};
use strongroom_ports::db::{Arg, Db, DbError, DbErrorKind, Tx};

use crate::schema;

/// The saved positions; a topic seen for the first time begins at its oldest record.
pub(crate) fn load(
    tx: &mut dyn Tx,
    stage: &str,
    starts: &BTreeMap<Topic, Position>,
) -> Result<BTreeMap<Topic, Position>, DbError> {
    let mut out = BTreeMap::new();
    for (topic, start) in starts {
        // Inserts a position for a topic that is new to this stage; an existing position stays as
        // it is.
        let new = [
            stage.into(),
            topic.as_str().into(),
            (&start.incarnation).into(),
            Arg::u64(start.next)?,
        ];
        tx.execute(schema::NEW_POSITION, &new)?;

        let row = tx
            .query_opt(schema::POSITION, &[stage.into(), topic.as_str().into()])?
            .ok_or_else(|| DbError::new(DbErrorKind::Other, "a position row vanished"))?;
        out.insert(
            topic.clone(),
            Position {
                incarnation: row.array(0)?,
                next: row.u64(1)?,
            },
        );
    }
    Ok(out)
}

/// Moves the rows from `from` to `to`. `false` = another instance has moved one of them.
pub(crate) fn advance(
    tx: &mut dyn Tx,
    stage: &str,
    from: &BTreeMap<Topic, Position>,
    to: &BTreeMap<Topic, Position>,
) -> Result<bool, DbError> {
    for (topic, new) in to {
        // A topic without an old position was not subscribed at the start: this process does not
        // own its position.
        let Some(old) = from.get(topic) else {
            return Ok(false);
        };

        // The write is a compare-and-set: an instance that was fenced after it read must not move a
        // position.
        let args = [
            Arg::u64(new.next)?,
            stage.into(),
            topic.as_str().into(),
            (&old.incarnation).into(),
            Arg::u64(old.next)?,
        ];
        if old != new && tx.execute(schema::ADVANCE, &args)? != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Deletes the positions of a stage, after the bus was replaced by a new, empty one. The stage then
/// begins at the start of each topic. Only an operator's decision may lead to this call; a stage
/// whose positions the bus no longer has stops instead.
///
/// # Errors
/// Errors of the database.
pub fn forget_positions(db: &dyn Db, stage: &str) -> Result<(), DbError> {
    db.migrate(schema::MIGRATIONS)?;

    // Only the positions are deleted. The inbox stays, so that a record that is copied to the new
    // bus is not handled twice.
    let mut tx = db.begin()?;
    tx.execute(
        "DELETE FROM stage_position WHERE stage = $1",
        &[stage.into()],
    )?;
    tx.commit()
}
