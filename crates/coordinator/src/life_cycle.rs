//! The error of both life cycles for an event that their state does not take.

use strongroom_stage::StageError;
use strongroom_stage::life_cycle::IllegalTransition;

/// No record leads here: a handler first looks whether the record fits. It is an error of ours, and
/// with its memory in doubt the stage stops rather than guess.
pub(crate) fn illegal(error: IllegalTransition) -> StageError {
    StageError::fatal("a life cycle of the coordinator").because(error)
}
