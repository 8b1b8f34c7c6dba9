//! `apply`, as far as time concerns it: `None` is a refusal.

use super::FAR;
use super::entry::{Body, Entry};
use super::setup::TimeModel;
use super::view::{Item, View, WaitingRelease};

impl TimeModel {
    /// The view after `entry`, which follows the log of `view`.
    pub(super) fn apply(&self, view: &View, entry: Entry) -> Option<View> {
        // Stamps never decrease; that they do not run ahead is for the witnesses to check.
        if entry.at < view.at {
            return None;
        }

        let mut next = View {
            at: entry.at,
            size: view.size + 1,
            ..*view
        };
        let item = Item {
            position: view.size,
            witnessed_at: None,
            at: entry.at,
        };
        match entry.body {
            Body::Tick => {}
            Body::Propose => {
                if view.proposal.is_some() || view.in_force.is_some() {
                    return None;
                }
                next.proposal = Some(item);
                next.version += 1;
            }
            Body::Veto => {
                if !self.veto_applies(view) {
                    return None;
                }
                next.proposal = None;
                next.waiting = None;
                next.is_vetoed = true;
                next.version += 1;
                next.tightened = item.position;
            }
            Body::Stop => {
                next.version += 1;
                next.tightened = item.position;
            }
            Body::Release { expiry, version } => {
                self.apply_release(&mut next, item, expiry, version)?;
            }
            Body::Pay => {
                if view.payment.is_some() {
                    return None;
                }
                next.payment = Some(item);
                next.attempt_at = entry.at;
            }
            Body::PayAgain => {
                view.payment?;
                next.attempt_at = entry.at;
                next.attempts_more += 1;
            }
            Body::Witnessed { size, time } => {
                let is_larger = size > view.covered && size <= view.size;
                if !is_larger || (self.rules.times_bounded && time > entry.at + self.skew) {
                    return None;
                }
                self.apply_witnessed(&mut next, size, time)?;
            }
        }
        Some(next)
    }

    /// May the proposal be vetoed?
    pub(super) fn veto_applies(&self, view: &View) -> bool {
        view.proposal.is_some() && (self.rules.veto_while_waiting || view.waiting.is_none())
    }

    /// The moment from which a proposal's delay counts; `None` while it has not begun.
    pub(super) fn delay_start(&self, proposal: &Item) -> Option<u8> {
        if self.rules.delay_from_witnessed {
            proposal.witnessed_at
        } else {
            Some(proposal.at)
        }
    }

    /// The moment from which a payment's lock counts; `None` while it has not begun.
    pub(super) fn lock_start(&self, payment: &Item) -> Option<u8> {
        if self.rules.lock_from_witnessed {
            payment.witnessed_at
        } else {
            Some(payment.at)
        }
    }

    /// The view of a log.
    pub(super) fn view(&self, log: &[Entry]) -> View {
        self.views(log)
            .last()
            .map_or_else(View::default, |(_, view)| view)
    }

    /// The view of each prefix but the empty one, with its size.
    pub(super) fn views(&self, log: &[Entry]) -> impl Iterator<Item = (usize, View)> {
        let after = |view: &mut View, entry: &Entry| {
            *view = self.appended(view, *entry);
            Some((usize::from(view.size), *view))
        };
        log.iter().scan(View::default(), after)
    }

    #[expect(
        clippy::expect_used,
        reason = "a log that `apply` refuses is a defect of this model: the run must not go on"
    )]
    fn appended(&self, view: &View, entry: Entry) -> View {
        let next = self.apply(view, entry);
        next.expect("only what `apply` takes is appended")
    }

    fn apply_release(&self, next: &mut View, item: Item, expiry: u8, version: u8) -> Option<()> {
        let proposal = next.proposal?;
        let start = self.delay_start(&proposal)?;
        let is_again = next.waiting.is_some() || (expiry != FAR && next.is_release_used);
        let is_early = item.at < start + self.delay;
        if is_again || version != next.version || item.at >= expiry || is_early {
            return None;
        }

        next.is_release_used |= expiry != FAR;
        next.version += 1;
        next.waiting = Some(WaitingRelease {
            position: item.position,
            version: next.version,
            expiry,
            at: item.at,
        });
        if !self.rules.release_waits {
            next.set_in_force()?;
        }
        Some(())
    }

    /// Everything that waits below `size` gets its time; the release is judged again.
    fn apply_witnessed(&self, next: &mut View, size: u8, time: u8) -> Option<()> {
        next.covered = size;
        let items = [&mut next.proposal, &mut next.payment];
        items
            .into_iter()
            .flatten()
            .for_each(|item| item.on_witnessed(size, time));

        let Some(release) = next.waiting.filter(|release| release.position < size) else {
            return Some(());
        };
        let is_in_time =
            !self.rules.expiry_by_witnessed || time <= release.expiry.saturating_add(self.skew);
        let is_current = !self.rules.version_kept || release.version == next.version;
        if is_in_time && is_current {
            next.set_in_force()?;
        } else if self.rules.failed_is_void {
            // Its id stays used and the proposal stays open: the committee releases again.
            next.waiting = None;
        } else {
            return None;
        }
        Some(())
    }
}
