//! Heads: the journal at the end of each batch that a share may still be judged at.

use super::Follower;
use crate::overlay::Overlay;
use crate::state::{Delta, Lookup as _, State};
use strongroom_tlog::{Checkpoint, Frontier, Hash};
use strongroom_types::{Code, Digest, Refusal, UnixMs};

/// Most heads kept for [`Follower::head_view`]: at full load (some 60 batches a second) more than a
/// minute, which is longer than a head stays fresh. Beyond it the oldest are forgotten, and what
/// they were needed for is refused.
pub const HEADS_MAX: usize = 4096;

/// The journal at the end of one batch: what a checkpoint says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// Root of the RFC 6962 tree of leaves.
    pub root: Hash,
    /// Root of the state's map.
    pub state_root: Digest,
    /// Journal time of the last entry.
    pub at: UnixMs,
    /// Journal time of the oldest item that waits until its entry is witnessed.
    pub waiting_since: Option<UnixMs>,
    /// The checkpoint body: what is signed and cosigned.
    pub body: String,
}

#[derive(Debug)]
pub(super) struct KeptHead {
    pub(super) head: Head,
    /// Change that leads from this head back to the one before.
    pub(super) undo: Delta,
}

impl Follower {
    /// The newest head, witnessed or not.
    #[must_use]
    pub const fn tip(&self) -> &Head {
        &self.tip
    }

    /// The head of this size, if still kept.
    #[must_use]
    pub fn head(&self, size: u64) -> Option<&Head> {
        let at = self
            .steps
            .binary_search_by_key(&size, |step| step.head.size)
            .ok()?;
        self.steps.get(at).map(|step| &step.head)
    }

    /// The state at a kept head.
    ///
    /// # Errors
    /// `head_below_floor` when no head of this size is kept.
    pub fn head_view(&self, size: u64) -> Result<Overlay<'_>, Refusal> {
        if self.head(size).is_none() {
            return Err(Refusal::new(
                Code::HeadBelowFloor,
                format!("no head of size {size} is kept"),
            ));
        }

        // The view is the tip with everything after that head undone, newest first.
        let later = self
            .steps
            .iter()
            .rev()
            .take_while(|step| step.head.size > size);
        Ok(later.fold(Overlay::new(&self.state), |view, step| {
            view.with(&step.undo)
        }))
    }

    /// Number of kept heads beyond this one, the tip's among them.
    #[must_use]
    pub fn count_beyond(&self, size: u64) -> usize {
        let known = self.steps.partition_point(|step| step.head.size <= size);
        self.steps.len() - known
    }

    /// The states at the kept heads between this one and the tip, neither included, newest first.
    pub fn views_between(&self, size: u64) -> impl Iterator<Item = Overlay<'_>> {
        // Each view is the next newer one with one more batch undone. If each were laid from the
        // tip, their layers would grow with the square of their number.
        let beyond = self.steps.iter().rev();
        let beyond = beyond.take_while(move |step| step.head.size > size);
        let mut view = Overlay::new(&self.state);
        let views = beyond.map(move |step| {
            let older = view.clone().with(&step.undo);
            std::mem::replace(&mut view, older)
        });
        views.skip(1)
    }

    /// Forgets the heads before this one.
    pub(super) fn forget_before(&mut self, size: u64) {
        while self.steps.get(1).is_some_and(|next| next.head.size <= size) {
            self.steps.pop_front();
        }
    }
}

pub(super) fn head(state: &State, frontier: &Frontier, at: UnixMs) -> Result<Head, Refusal> {
    let (size, root, state_root) = (frontier.size(), frontier.root(), state.root());
    let checkpoint =
        Checkpoint::with_state(&state.genesis().origin, size, root, Hash(state_root.0));
    let body = checkpoint
        .map_err(|e| Refusal::new(Code::InvalidReference, e))?
        .to_body();
    Ok(Head {
        size,
        root,
        state_root,
        at,
        waiting_since: state.waiting()?.items.first().map(|item| item.at),
        body,
    })
}
