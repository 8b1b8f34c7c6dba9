//! Hostile parts: each holds its service's own valid key and uses it.
//!
//! They know what crosses the wire ([`tap`]), change what their service sends ([`tamper`]), and
//! send records of their own ([`acts`]).

mod acts;
mod tamper;
mod tap;

use crate::clock::Time;
use crate::event::Event;
use crate::kinds::{Hostile, NodeName};
use crate::plan::Plan;
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

struct State {
    world: World,
    active: BTreeSet<Hostile>,
    rng: ChaCha20Rng,
    tap: Tap,
    /// Changed transactions by the digest of the honest ones.
    changed: BTreeMap<Digest, Vec<u8>>,
    /// Until then the writer leaves tightenings out; 0 before it began.
    withhold_until: u64,
    /// Records and requests made so far.
    number: u64,
    /// Whether hostile parts have stopped.
    is_over: bool,
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
    pub(crate) fn new(world: &World, plan: &Plan, time: Time, trace: Trace) -> Self {
        let state = State {
            world: world.clone(),
            active: plan.hostile.clone(),
            rng: world.seed.rng("hostile", 0),
            tap: Tap::default(),
            changed: BTreeMap::new(),
            withhold_until: 0,
            number: 0,
            is_over: false,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            opener: Opener::new(&world.genesis),
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
        if state.withhold_until == 0 {
            state.withhold_until = now + ms;
            self.trace.log(Event::Hostile(Hostile::WithholdTightening));
        }
        now < state.withhold_until
    }

    /// Whether a hostile writer leaves a submission out: a tightening, once it began to.
    pub(crate) fn withholds(&self, record: &Record) -> bool {
        let state = self.state();
        if state.is_over || state.withhold_until == 0 {
            return false;
        }
        let submitted = self.opener.open::<JournalSubmitted>(&record.payload);
        let body = submitted.and_then(|(_, submitted)| decode::<Body>(&submitted.body).ok());
        match body {
            Some(Body::Act(signed)) => {
                Act::parse(&signed.text).is_ok_and(|act| act.is_tightening())
            }
            _ => false,
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

impl State {
    fn does(&self, what: Hostile) -> bool {
        !self.is_over && self.active.contains(&what)
    }

    fn key(&self, role: Role) -> (NodeId, SigningKey) {
        let service = self.world.service(role);
        (service.node, service.signing.clone())
    }
}
