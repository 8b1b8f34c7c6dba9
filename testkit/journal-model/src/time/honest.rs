//! An honest side that takes over from the adversary: does everything get through?

use super::FAR;
use super::HONEST;
use super::entry::{Body, Entry};
use super::setup::{Act, TimeModel};
use super::state::TimeState;
use super::view::View;
use super::witness::Standing;

impl TimeModel {
    /// After an outage of `gap` from this state, do honest parties get a loosening and a locked
    /// payment through, with waits of the usual length?
    pub(super) fn goes_on(&self, state: &TimeState, gap: u8) -> bool {
        let tips = std::array::from_fn(|seat| state.tip(seat));
        let run = HonestRun {
            model: self,
            view: self.view(&state.log),
            log: state.log.clone(),
            now: state.now + gap,
            tips,
            last: std::array::from_fn(|seat| state.last[seat][tips[seat]]),
            handed: state.handed,
        };
        run.finish().is_some()
    }
}

/// An honest writer and three honest witnesses; the hostile one is silent. `None` in a step is the
/// end: a part refused, or would have to wait for longer than usual.
struct HonestRun<'a> {
    model: &'a TimeModel,
    /// Every entry.
    log: Vec<Entry>,
    /// State that these entries lead to.
    view: View,
    /// True time.
    now: u8,
    /// Size of each witness's tip.
    tips: [usize; HONEST],
    /// Each witness's clock when it last cosigned its tip.
    last: [u8; HONEST],
    /// True time at which each witness was handed the veto; 0 is never.
    handed: [u8; HONEST],
}

impl HonestRun<'_> {
    fn finish(mut self) -> Option<()> {
        self.round()?;
        if self.model.has_act(Act::Loosen) {
            self.loosen()?;
        }
        if self.model.has_act(Act::Pay) {
            self.pay()?;
        }
        Some(())
    }

    fn loosen(&mut self) -> Option<()> {
        if self.view.proposal.is_none() && self.view.in_force.is_none() {
            // The handed veto is forgotten: it was included, and the next proposal is another one.
            self.handed = [0; HONEST];
            self.append(Body::Propose)?;
            self.round()?;
        }

        if self.view.in_force.is_none() {
            let start = self.model.delay_start(&self.view.proposal?)?;
            self.wait(start, self.model.delay)?;
            let version = self.view.version;
            self.append(Body::Release {
                expiry: FAR,
                version,
            })?;
            self.round()?;
            self.view.in_force?;
        }
        Some(())
    }

    fn pay(&mut self) -> Option<()> {
        let Some(payment) = self.view.payment else {
            return Some(());
        };
        let start = self.model.lock_start(&payment)?;
        self.wait(start, self.model.lock)?;
        self.append(Body::PayAgain)?;
        self.round()
    }

    /// A tick leads the batch and handed acts go first; every witness cosigns; a `witnessed` entry
    /// follows.
    fn round(&mut self) -> Option<()> {
        let is_handed = self.handed.iter().any(|handed| *handed > 0);
        if is_handed && self.model.veto_applies(&self.view) {
            self.append(Body::Veto)?;
        }
        self.append(Body::Tick)?;
        self.cosign()?;

        let size = self.log.len() as u8;
        let clocks = self.model.clock_ahead.map(|ahead| self.now + ahead);
        let cosignatures = clocks.into_iter().take(self.model.rules.cosignatures);
        let time = self.model.statistic_of(cosignatures.collect());
        self.append(Body::Witnessed { size, time })?;
        self.cosign()
    }

    fn append(&mut self, body: Body) -> Option<()> {
        let at = self.view.at.max(self.now);
        let entry = Entry { at, body };
        self.view = self.model.apply(&self.view, entry)?;
        self.log.push(entry);
        Some(())
    }

    fn cosign(&mut self) -> Option<()> {
        let size = self.log.len();
        for seat in 0..HONEST {
            let witness = Standing {
                tip: self.tips[seat],
                last: self.last[seat],
                clock: self.now + self.model.clock_ahead[seat],
                now: self.now,
                handed: self.handed[seat],
            };
            if !self.model.cosigns(&self.log, size, &witness) {
                return None;
            }
            self.tips[seat] = size;
            self.last[seat] = witness.clock;
        }
        Some(())
    }

    /// Waits until `length` after `start`, if that is no longer than usual.
    fn wait(&mut self, start: u8, length: u8) -> Option<()> {
        let until = start + length;
        if until > self.now + length + 2 * self.model.skew + 1 {
            return None;
        }
        self.now = self.now.max(until);
        Some(())
    }
}
