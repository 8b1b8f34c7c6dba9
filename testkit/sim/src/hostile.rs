//! Hostile parts: each holds its service's own valid key and uses it.
//!
//! They know what crosses the wire ([`tap`]), change what their service sends ([`tamper`]), send
//! records of their own ([`acts`]), and order entries as they like ([`writer`]).

mod acts;
mod tamper;
mod tap;
mod writer;

use crate::clock::Time;
use crate::event::Event;
use crate::kinds::{Hostile, NodeName};
use crate::plan::{Chaos, Move, Plan};
use crate::reading::Opener;
use crate::trace::Trace;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_types::{Act, Digest, Document as _, NodeId};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{JournalSubmitted, Role, decode};
use strongroom_world::World;
use tap::Tap;
use writer::Orders;
pub(crate) use writer::{HostileWriter, LIAR};

struct State {
    world: World,
    /// Kinds of the plan, whether one acts now or not.
    active: BTreeSet<Hostile>,
    /// Whether the writer is ever hostile.
    has_moves: bool,
    rng: ChaCha20Rng,
    tap: Tap,
    /// Changed transactions by the digest of the honest ones.
    changed: BTreeMap<Digest, Vec<u8>>,
    /// What the writer was told to do, and until when, true time.
    moves: Vec<Conduct>,
    /// How long the writer makes no `witnessed` entry once it has the next release.
    hold_ms: Option<u64>,
    /// Until then the writer leaves tightenings out; 0 before it began.
    withhold_until: u64,
    /// Records and requests made so far.
    number: u64,
    /// Whether hostile parts have stopped.
    is_over: bool,
}

/// One move of the writer.
struct Conduct {
    what: Hostile,
    until: u64,
    /// See [`Move::parts`].
    number: i64,
    /// Whether it had an effect, which is logged once.
    is_logged: bool,
}

/// A handle to the hostile parts of a seed.
#[derive(Clone)]
pub(crate) struct HostileParts {
    state: Arc<Mutex<State>>,
    opener: Opener,
    time: Time,
    trace: Trace,
}

impl HostileParts {
    pub(crate) fn new(
        world: &World,
        plan: &Plan,
        (opener, time, trace): (Opener, Time, Trace),
    ) -> Self {
        let state = State {
            world: world.clone(),
            active: active(plan),
            has_moves: plan.has_moves(),
            rng: world.seed.rng("hostile", 0),
            tap: Tap::default(),
            changed: BTreeMap::new(),
            moves: Vec::new(),
            hold_ms: None,
            withhold_until: 0,
            number: 0,
            is_over: false,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            opener,
            time,
            trace,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// They stop for the rest of the seed.
    pub(crate) fn stop(&self) {
        self.state().is_over = true;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// A record leaves a node: the tap reads it.
    pub(crate) fn on_record(&self, record: &Record) {
        // A plan without hostile parts opens no record for them.
        let mut state = self.state();
        if !state.active.is_empty() {
            state.tap.on_record(&self.opener, record);
        }
    }

    /// A frame leaves a signer.
    pub(crate) fn on_frame(&self, node: NodeName, frame: &FromSigner) {
        let mut state = self.state();
        if !state.active.is_empty() {
            state.tap.on_frame(&self.opener, node.seat(), frame);
        }
    }

    /// A signer starts.
    pub(crate) fn on_start(&self, node: NodeName) {
        self.state().tap.on_start(node.seat());
    }

    /// People try to tighten something: the writer leaves tightenings out from now on, for `ms`.
    /// Whether it does.
    pub(crate) fn withhold(&self, ms: u64) -> bool {
        let now = self.time.now();
        let mut state = self.state();
        if state.is_over {
            return false;
        }

        // Once in a seed: the duty of witnesses is about one stretch of silence, not about many.
        if state.withhold_until == 0 {
            state.withhold_until = now + ms;
            self.trace.log(Event::Hostile(Hostile::WithholdTightening));
        }
        now < state.withhold_until
    }

    /// Whether a hostile writer leaves a submission out: a tightening, once it began to.
    pub(crate) fn withholds(&self, record: &Record) -> bool {
        let state = self.state();
        let is_withholding = state.withhold_until > 0 || state.is_withholding(self.time.now());
        if state.is_over || !is_withholding {
            return false;
        }
        drop(state);

        // By what it is and not by who sent it: whichever way a tightening comes, it stays out.
        let submitted = self.opener.open::<JournalSubmitted>(&record.payload);
        let body = submitted.and_then(|(_, submitted)| decode::<Body>(&submitted.body).ok());
        let is_tightening = match body {
            Some(Body::Act(signed)) => {
                Act::parse(&signed.text).is_ok_and(|act| act.is_tightening())
            }
            _ => false,
        };
        if is_tightening {
            self.did(Hostile::WithholdTightening);
        }
        is_tightening
    }

    /// Whether the writer is ever hostile.
    pub(crate) fn has_moves(&self) -> bool {
        self.state().has_moves
    }

    /// Whether the writer was told to give old stamps now.
    pub(crate) fn is_back_dating(&self) -> bool {
        self.orders().does.contains(&Hostile::BackDate)
    }

    /// Whether the writer was told to leave tightenings out now.
    pub(crate) fn is_withholding(&self) -> bool {
        let state = self.state();
        !state.is_over && state.is_withholding(self.time.now())
    }

    /// People sign a release: once the writer has it in its log, it makes no `witnessed` entry for
    /// `ms`.
    pub(crate) fn hold_release(&self, ms: u64) {
        self.state().hold_ms = Some(ms);
    }

    fn awaits_release(&self) -> bool {
        self.state().hold_ms.is_some()
    }

    /// The writer has a release in its log.
    fn on_released(&self) {
        let hold = self.state().hold_ms.take();
        if let Some(ms) = hold {
            self.order(Move::HoldWitnessed(ms));
        }
    }

    /// The writer is told what to do from now on.
    pub(crate) fn order(&self, what: Move) {
        let now = self.time.now();
        let mut state = self.state();
        if state.is_over {
            return;
        }
        let (kind, ms, number) = what.parts();
        state.moves.push(Conduct {
            what: kind,
            until: now + ms,
            number,
            is_logged: false,
        });
    }

    /// What the writer does now.
    fn orders(&self) -> Orders {
        let now = self.time.now();
        let state = self.state();
        let mut orders = Orders::default();
        if state.is_over {
            return orders;
        }

        // Moves overlap, as in `windows_are_back_dated`: of two of one kind the later one counts.
        for conduct in state.moves.iter().filter(|conduct| now < conduct.until) {
            orders.does.insert(conduct.what);
            match conduct.what {
                Hostile::LyingWitness => orders.lie_s = conduct.number,
                Hostile::BackDate => orders.step_ms = conduct.number.unsigned_abs(),
                _ => {}
            }
        }
        orders
    }

    /// A move of the writer had an effect.
    fn did(&self, what: Hostile) {
        let now = self.time.now();
        let mut state = self.state();

        // Once per move: a conduct at work for seconds has its effect at every turn.
        let is_new = |conduct: &&mut Conduct| {
            conduct.what == what && now < conduct.until && !conduct.is_logged
        };
        if let Some(conduct) = state.moves.iter_mut().find(is_new) {
            conduct.is_logged = true;
            self.trace.log(Event::Hostile(what));
        }
    }

    /// The writer shows a second line to one signer; the fork itself is made at that signer's link.
    pub(crate) fn log_fork(&self) {
        self.trace.log(Event::Hostile(Hostile::ForkedLog));
    }

    /// Lines for the debugger.
    pub(crate) fn describe(&self) -> Vec<String> {
        let state = self.state();
        let active: Vec<&str> = state.active.iter().map(|what| what.name()).collect();
        let over = if state.is_over { ", over" } else { "" };
        vec![
            format!("active: {}{over}", active.join(", ")),
            format!(
                "{} transactions changed, {} records made",
                state.changed.len(),
                state.number
            ),
        ]
    }
}

/// Every kind of a plan, so that the tap listens where one acts.
fn active(plan: &Plan) -> BTreeSet<Hostile> {
    let acts = plan.chaos.iter().filter_map(|(_, chaos)| match chaos {
        Chaos::Act(what) => Some(*what),
        _ => None,
    });
    plan.hostile.iter().copied().chain(acts).collect()
}

impl State {
    fn is_withholding(&self, now: u64) -> bool {
        let withholds = |c: &Conduct| c.what == Hostile::WithholdTightening && now < c.until;
        self.moves.iter().any(withholds)
    }

    fn does(&self, what: Hostile) -> bool {
        !self.is_over && self.active.contains(&what)
    }

    fn key(&self, role: Role) -> (NodeId, SigningKey) {
        let service = self.world.service(role);
        (service.node, service.signing.clone())
    }
}
