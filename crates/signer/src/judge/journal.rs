//! Whether the journal allows this attempt: witnessed, now, and as far as this signer can see.

use super::Judge;
use super::case::{Case, JournalAnswer, found};
use crate::verdict::CheckEnd;
use strongroom_guard::{G, guard};
use strongroom_journal::View;
use strongroom_journal::overlay::Overlay;
use strongroom_journal::share;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Code, Refusal, UnixMs};

/// Most heads beyond the acting one that a request is judged at. Honest witnesses are seconds
/// behind the tip when there are more, at full load; a writer makes thousands that none of them has
/// seen.
pub(crate) const BEYOND_MAX: usize = 256;

impl Judge<'_> {
    /// Size of the newest head that is witnessed and fresh by this signer's clock, and that it may
    /// act under.
    pub(super) fn acting_head(&self, now: UnixMs) -> Result<u64, CheckEnd> {
        let head = self.fresh(now)?;
        self.above_floor(head)?;
        self.near_tip(head)?;
        Ok(head)
    }

    /// Every head beyond the acting one counts, so with too many of them nothing is decided: to
    /// leave one out could be to leave out the stop.
    fn near_tip(&self, head: u64) -> Result<(), CheckEnd> {
        let beyond = self.follower.count_beyond(head);
        if guard(G::BeyondMax, beyond > BEYOND_MAX) {
            let detail = format!("{beyond} heads beyond {head} are not witnessed");
            return Err(CheckEnd::Wait(Refusal::new(Code::NotReady, detail)));
        }
        Ok(())
    }

    fn fresh(&self, now: UnixMs) -> Result<u64, CheckEnd> {
        Ok(self.follower.fresh(now).map_err(head_may_come)?.size)
    }

    fn above_floor(&self, head: u64) -> Result<(), CheckEnd> {
        self.floor.check(head).map_err(head_may_come)
    }
}

/// Cosignatures may still be on their way; a head that went back is an attack, and no wait cures
/// it.
fn head_may_come(refusal: Refusal) -> CheckEnd {
    // Only these two may pass: a wrong clock or a halted replica does not get better by waiting
    // here.
    if matches!(refusal.code, Code::JournalStale | Code::HeadBelowFloor) {
        CheckEnd::Wait(refusal)
    } else {
        CheckEnd::Refuse(refusal)
    }
}

/// The attempt as this signer's tip has it, for the evidence of every later refusal.
pub(super) fn attempt_on_record(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let request = case.request;
    let state = case.judge.follower.state();

    // An attempt that is not found is not refused yet: it may be on its way, and the head decides.
    let record = state.intent(request.tenant, &request.intent)?;
    case.evidence.attempt = record.and_then(|record| {
        let mut attempts = record.attempts.into_iter();
        attempts.find(|attempt| attempt.number == request.attempt)
    });
    Ok(())
}

/// A quorum of witnesses vouched for the head, and recently: cutting this signer off makes it
/// refuse, not sign by an old state.
pub(super) fn fresh_head(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    case.fresh = Some(case.judge.fresh(case.now)?);
    Ok(())
}

/// Neither before the point where this process started, nor before one that it acted under.
pub(super) fn head_not_below_floor(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    // The floor is checked again here, because the follower's own check may change.
    let head = *found(case.fresh.as_ref())?;
    case.judge.above_floor(head)?;
    case.head = Some(head);
    Ok(())
}

/// Few enough states to ask, before any of them is laid out.
pub(super) fn few_heads_beyond(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    case.judge.near_tip(case.head()?)
}

/// Only what the witnessed head allows can be signed. That it does not know the attempt yet is kept
/// for [`attempt_witnessed`]: what the tip forbids is said first.
pub(super) fn allowed_at_head(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let view = case.judge.follower.head_view(case.head()?)?;

    match ask(case, &view)? {
        JournalAnswer::Forbidden(refusal) => return Err(CheckEnd::Refuse(refusal)),
        answer @ (JournalAnswer::Allowed(_) | JournalAnswer::Unknown(_)) => {
            case.at_head = Some(answer)
        }
    }
    Ok(())
}

/// Refusal by the tip, which counts at once: the tip can only forbid here, so it need not be
/// witnessed.
pub(super) fn allowed_at_tip(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let tip = case.judge.follower.state();
    let refused = match ask(case, tip)? {
        JournalAnswer::Allowed(_) => return Ok(()),
        JournalAnswer::Unknown(refusal) => CheckEnd::Wait(refusal),
        JournalAnswer::Forbidden(refusal) => CheckEnd::Refuse(refusal),
    };
    if guard(G::TipCounts, true) {
        Err(refused)
    } else {
        Ok(())
    }
}

/// A stop and its resume may both lie beyond the head. The stop counts until the resume is
/// witnessed, so the state after each batch up to the tip is asked. Inside a batch none is: what was
/// forbidden there is allowed at its end only by a `witnessed` entry, for which a quorum vouches.
pub(super) fn allowed_in_between(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    for view in case.judge.follower.views_between(case.head()?) {
        let (rule, refusal) = match ask(case, &view)? {
            JournalAnswer::Allowed(_) => continue,
            JournalAnswer::Forbidden(refusal) => (G::BetweenCounts, refusal),
            // The head knew the attempt, and nothing takes one out again: a later view that does
            // not know it is not to be trusted.
            JournalAnswer::Unknown(refusal) => (G::AttemptWitnessed, refusal),
        };
        if guard(rule, true) {
            return Err(CheckEnd::Refuse(refusal));
        }
    }
    Ok(())
}

/// A tightening that was handed over binds before the writer has ordered it. Each is laid over the
/// tip alone: one must not undo another.
pub(super) fn allowed_under_tightenings(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    for delta in case.judge.handed {
        let view = Overlay::new(case.judge.follower.state()).with(delta);
        let why = match ask(case, &view)? {
            JournalAnswer::Allowed(_) => continue,
            JournalAnswer::Unknown(why) | JournalAnswer::Forbidden(why) => why,
        };
        if guard(G::HandedCounts, true) {
            return Err(Refusal::new(Code::TighteningPending, why).into());
        }
    }
    Ok(())
}

/// The attempt's entry is below the witnessed head.
pub(super) fn attempt_witnessed(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let grant = match found(case.at_head.as_ref())? {
        JournalAnswer::Allowed(grant) => grant.clone(),
        JournalAnswer::Unknown(refusal) | JournalAnswer::Forbidden(refusal) => {
            // Without the rule, what this signer's own log says is enough.
            #[cfg(mutants)]
            if !guard(G::AttemptWitnessed, true) {
                return grant_of_tip(case);
            }
            return Err(CheckEnd::Wait(refusal.clone()));
        }
    };

    // The head's own view says so already; a view with one entry too many would be caught here.
    let covered = is_covered(grant.attempt.seq, case.head()?);
    if guard(G::AttemptWitnessed, !covered) {
        return Err(CheckEnd::Wait(Code::AttemptUnknown.into()));
    }
    case.grant = Some(grant);
    Ok(())
}

/// Takes what this signer's log says of the attempt.
#[cfg(mutants)]
fn grant_of_tip(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let tip = case.judge.follower.state();
    if let JournalAnswer::Allowed(grant) = ask(case, tip)? {
        case.grant = Some(grant);
    }
    Ok(())
}

/// Whether the entry at position `seq` is among the first `head` entries.
const fn is_covered(seq: u64, head: u64) -> bool {
    seq < head
}

/// The journal's answer in one view of its state.
fn ask(case: &mut Case<'_>, view: &dyn View) -> Result<JournalAnswer, CheckEnd> {
    case.questions += 1;
    let asked = found(case.asked.as_ref())?;
    let checked = share::check(view, case.judge.follower.genesis(), asked);
    Ok(match checked {
        Ok(grant) => JournalAnswer::Allowed(Box::new(grant)),
        Err(refusal) => not_allowed(refusal),
    })
}

/// The journal's no. Only an attempt that a view does not have may still come there: whatever else a
/// view says against it forbids it.
fn not_allowed(refusal: Refusal) -> JournalAnswer {
    if refusal.code == Code::AttemptUnknown {
        JournalAnswer::Unknown(refusal)
    } else {
        JournalAnswer::Forbidden(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckEnd, JournalAnswer, head_may_come, is_covered, not_allowed};
    use strongroom_types::Code;

    /// Each code, and what becomes of a request when the follower says it of the head, and when a
    /// view says it of the attempt. A code that waits by mistake keeps a request open that is
    /// forbidden.
    #[test]
    fn every_code_waits_or_refuses_as_reviewed() {
        let mut table = format!("{:<29}{:<13}{:<8}view\n", "code", "cure", "head");
        for code in Code::ALL {
            let head = match head_may_come((*code).into()) {
                CheckEnd::Wait(_) => "wait",
                CheckEnd::Refuse(_) => "refuse",
                CheckEnd::Fatal(_) => "fatal",
            };
            let view = match not_allowed((*code).into()) {
                JournalAnswer::Allowed(_) => "allowed",
                JournalAnswer::Unknown(_) => "unknown",
                JournalAnswer::Forbidden(_) => "forbidden",
            };
            let (name, cure) = (code.as_str(), code.cure().name());
            table += &format!("{name:<29}{cure:<13}{head:<8}{view}\n");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(path, &table);
    }

    #[test]
    fn an_entry_is_covered_only_by_a_head_larger_than_its_position() {
        assert!(is_covered(4, 5));
        assert!(!is_covered(5, 5));
    }
}
