//! The observer: sees every record and frame as it leaves its process, and hands what it means to
//! the properties. It never touches what it sees.

mod facts;
mod shares;
mod vaults;

use crate::clock::Time;
use crate::event::Event;
use crate::history::{Cosigned, Fact, Observation, Tightening};
use crate::hostile::HostileParts;
use crate::kinds::{NodeName, Situation};
use crate::plan::{DUTY_MS, FRESHNESS_MS, Plan, SKEW_MS};
use crate::properties::{Checker, Property, Terms, Violation};
use crate::reading::Opener;
use crate::trace::Trace;
use facts::{Reader, tightening};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_journal::SealedEntry;
use strongroom_ports::bus::Record;
use strongroom_signing::request_digest;
use strongroom_tlog::{Checkpoint, Note};
use strongroom_types::{
    Act, ActBody, Digest, Document as _, Intent, Scope, Signed, UnixMs, digest,
};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{
    CoordinatorMessage, JournalBatch, SignerMessage, SigningRequest, SigningRequested,
    TransactionChanged, TransactionState, WitnessCosignature, decode, topics,
};
use strongroom_world::{Tenant, World};

struct State {
    reader: Reader,
    checker: Checker,
    codec: BitcoinCodec,
    /// Every request to sign that was made, honest or not.
    requests: BTreeMap<Digest, SigningRequest>,
    /// What the transactions service asked to have signed.
    wanted: Vec<SigningRequested>,
    /// Network bytes that the transactions service calls signed, by intent.
    raw: BTreeMap<Digest, Vec<u8>>,
    entries: u64,
    shares: u64,
    violation: Option<Violation>,
}

/// A handle to the observer of a seed.
#[derive(Clone)]
pub(crate) struct Observer {
    state: Arc<Mutex<State>>,
    opener: Opener,
    time: Time,
    trace: Trace,
    /// Asked what the writer was told, so that a summary does not take chance for an attack.
    hostile: HostileParts,
}

/// Name of a checkpoint body or of an entry's bytes in the history.
fn name_of(bytes: &[u8]) -> Digest {
    digest("strongroom/sim-name/v1", &[bytes])
}

fn size_of(body: &str) -> u64 {
    Checkpoint::parse(body).map_or(0, |checkpoint| checkpoint.size())
}

fn terms(world: &World, tenants: &[Tenant], plan: &Plan) -> Terms {
    let charter = world.tenant.charter();
    let policy = |tenant: &Tenant| {
        let (_, policy) = strongroom_policy::Policy::load(&tenant.charter().policy).unwrap();
        policy
    };
    Terms {
        quorum: world.genesis.quorum as usize,
        min_signers: usize::from(world.options.min_signers),
        freshness_ms: FRESHNESS_MS,
        skew_ms: SKEW_MS,
        duty_ms: DUTY_MS,
        limit: plan.limit,
        window_ms: plan.window_seconds * 1_000,
        committee_quorum: charter.committee.quorum as usize,
        policies: tenants.iter().map(policy).collect(),
        witnesses: world.seats(),
        hostile: plan.faulty_seats(),
        loosen_delay_ms: charter.loosen_delay_ms,
        platform_delay_ms: world.genesis.bounds.platform_delay_ms,
        ceremony_life_ms: world.genesis.bounds.ceremony_life_ms,
        attempt_life_ms: world.genesis.bounds.attempt_life_ms,
        tick_max_ms: world.genesis.bounds.tick_max_ms,
        promised: BTreeMap::new(),
    }
}

impl Observer {
    pub(crate) fn new(
        world: &World,
        plan: &Plan,
        ((opener, time, trace), hostile): ((Opener, Time, Trace), HostileParts),
    ) -> Self {
        let others = plan.other.iter().map(|_| world.for_tenant(1).tenant);
        let tenants: Vec<Tenant> = std::iter::once(world.tenant.clone())
            .chain(others)
            .collect();
        let state = State {
            reader: Reader::new(&tenants, &world.genesis),
            checker: Checker::new(terms(world, &tenants, plan)),
            codec: BitcoinCodec::new(Network::Regtest).unwrap(),
            requests: BTreeMap::new(),
            wanted: Vec::new(),
            raw: BTreeMap::new(),
            entries: 0,
            shares: 0,
            violation: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            opener,
            time,
            trace,
            hostile,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record leaves a service or a hostile part.
    pub(crate) fn on_record(&self, record: &Record) {
        let (now, payload) = (self.time.now(), record.payload.as_slice());
        match record.topic.as_str() {
            topics::JOURNAL_ENTRIES => {
                if let Some((_, batch)) = self.opener.open::<JournalBatch>(payload) {
                    let mut state = self.state();
                    let known = state.entries;
                    state.on_batch(now, &batch);
                    let is_new = state.entries > known;
                    let situations = state.checker.take_situations();
                    drop(state);

                    // What a writer publishes again after a start is as old as its first copy.
                    let is_back_dated = is_new && self.hostile.is_back_dating();
                    self.log_situations(situations, is_back_dated);
                }
            }
            topics::SIGNING_REQUESTED => {
                if let Some((_, wanted)) = self.opener.open::<SigningRequested>(payload) {
                    self.state().wanted.push(wanted);
                }
            }
            topics::TRANSACTION_CHANGED => {
                if let Some((_, changed)) = self.opener.open::<TransactionChanged>(payload) {
                    self.on_changed(changed);
                }
            }
            topic if topic.contains(".signer.") && topic.ends_with(".inbox.v1") => {
                if let Some((_, CoordinatorMessage::Sign(request))) = self.opener.open(payload) {
                    let name = request_digest(&request);
                    self.state().requests.insert(name, request);
                }
            }
            _ => {}
        }
    }

    fn on_changed(&self, changed: TransactionChanged) {
        self.check_told(&changed);

        // Shown while a payment waits, and gone when it ends: a case that asks for such a code
        // could not find it in the end states.
        if let (TransactionState::Signing, Some((code, _))) = (changed.state, changed.reason) {
            self.trace.log(Event::RefusalShown(code));
        }
        if let (TransactionState::Signed, Some(raw)) = (changed.state, changed.signed) {
            self.state().raw.insert(changed.intent, raw);
        }
    }

    /// Who has the signed transaction can broadcast it: its client must not sign another.
    fn check_told(&self, changed: &TransactionChanged) {
        let mut state = self.state();
        let is_end = changed.state.is_terminal() && !changed.state.is_signed();
        if is_end && state.raw.contains_key(&changed.intent) {
            state.violation.get_or_insert(Violation {
                property: Property::Told,
                at_ms: self.time.now(),
                detail: format!("{} is told {}", changed.intent, changed.state.name()),
            });
        }
    }

    /// A frame leaves a signer or witness.
    pub(crate) fn on_frame(&self, node: NodeName, frame: &FromSigner) {
        match frame {
            FromSigner::Hello { .. } | FromSigner::Submission(_) => {}
            FromSigner::Cosignature(record) => {
                if let Some((_, cosignature)) = self.opener.open::<WitnessCosignature>(record) {
                    self.on_cosignature(node, &cosignature);
                }
            }
            FromSigner::Outbox(record) => {
                if let Some((_, message)) = self.opener.open::<SignerMessage>(record) {
                    self.on_message(node, message);
                }
            }
        }
    }

    fn on_cosignature(&self, node: NodeName, cosignature: &WitnessCosignature) {
        // Before it is judged: a violation stands right behind the event that made it.
        let size = size_of(&cosignature.body);
        self.trace.log(Event::Cosigned { node, size });
        let cosigned = Observation::Cosigned(Cosigned {
            witness: node.seat(),
            size,
            body: name_of(cosignature.body.as_bytes()),
            dated_ms: cosignature.time_s * 1_000,
        });
        self.state().observe(self.time.now(), &cosigned);
    }

    fn on_message(&self, node: NodeName, message: SignerMessage) {
        match message {
            SignerMessage::Shares {
                request,
                shares,
                head,
                ..
            } => {
                self.trace.log(Event::ShareReleased {
                    node,
                    head,
                    request,
                });

                let answer = shares::Answer {
                    signer: node.seat(),
                    request,
                    shares: &shares,
                    head,
                };
                let mut state = self.state();
                state.on_shares(self.time.now(), &answer);
                let situations = state.checker.take_situations();
                drop(state);
                self.log_situations(situations, false);
            }
            SignerMessage::Refused(refusal) => self.trace.log(Event::Refused {
                node,
                code: refusal.code,
                detail: refusal.detail,
            }),
            SignerMessage::Commitments { .. }
            | SignerMessage::Ceremony(_)
            | SignerMessage::Certificate { .. } => {}
        }
    }

    fn log_situations(&self, situations: Vec<Situation>, is_back_dated: bool) {
        for what in situations {
            let is_chosen = what != Situation::OldStamp || is_back_dated;
            self.trace.log(Event::Situation { what, is_chosen });
        }
    }

    /// A signer or witness starts. `cosigned` is what its disk says that it cosigned last: size, and
    /// time in Unix seconds.
    pub(crate) fn on_start(&self, node: NodeName, cosigned: (u64, u64)) {
        let seat = node.seat();
        let started = Observation::Started { seat };
        let remembered = Observation::Remembered {
            seat,
            size: cosigned.0,
            dated_ms: cosigned.1 * 1_000,
        };
        self.state().observe(self.time.now(), &started);
        self.state().observe(self.time.now(), &remembered);
    }

    /// A signer's or witness's disk was put back.
    pub(crate) fn on_restore(&self, node: NodeName) {
        let restored = Observation::Restored { seat: node.seat() };
        self.state().observe(self.time.now(), &restored);
    }

    /// A witness takes a tightening that was handed to it.
    pub(crate) fn on_handed(&self, node: NodeName, signed: &Signed, own: UnixMs) {
        let act = Act::parse(&signed.text).unwrap();
        if let ActBody::Tighten(what) = &act.body {
            let mut state = self.state();

            // With the human behind each signature, since a revoked human's act is owed no more.
            let signers = signed.endorsements.iter().map(|e| e.credential);
            let handed = Observation::Handed {
                seat: node.seat(),
                scope: act.scope,
                act: Act::digest_of(&signed.text),
                what: tightening(what),
                by: signers.map(|id| (id, state.reader.user(id))).collect(),
                own_ms: own.0,
            };
            state.observe(self.time.now(), &handed);
        }
    }

    /// A signer or witness freezes, or its freeze is lifted.
    pub(crate) fn on_freeze(&self, node: NodeName, is_frozen: bool) {
        let seat = node.seat();
        let seen = if is_frozen {
            Observation::Frozen { seat }
        } else {
            Observation::Unfrozen { seat }
        };
        self.state().observe(self.time.now(), &seen);
    }

    /// Faults and attacks stop.
    pub(crate) fn on_calm(&self) {
        self.state().observe(self.time.now(), &Observation::Calm);
    }

    /// A client signs an intent.
    pub(crate) fn on_intent(&self, intent: &Intent) {
        let mut state = self.state();
        let pays = state.reader.vaults.pays(intent);
        state.checker.promise(intent.digest(), pays);
    }

    /// Whether a stop of a scope, or of the platform, holds at the end of the journal.
    pub(crate) fn is_stopped(&self, scope: Scope) -> bool {
        self.state().checker.is_stopped(scope)
    }

    /// Whether this tightening is in the journal.
    pub(crate) fn is_tightened(&self, what: &Tightening) -> bool {
        self.state().checker.is_tightened(what)
    }

    /// Entries that were published.
    pub(crate) fn entries(&self) -> u64 {
        self.state().entries
    }

    /// Answers with shares that left a signer.
    pub(crate) fn shares(&self) -> u64 {
        self.state().shares
    }

    /// The first property that does not hold.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.state().violation.clone()
    }

    /// Lines for the debugger.
    pub(crate) fn describe(&self) -> Vec<String> {
        let state = self.state();
        vec![
            format!(
                "{} entries, {} requests to sign, {} answers with shares, {} intents signed",
                state.entries,
                state.requests.len(),
                state.shares,
                state.checker.signed().len()
            ),
            match &state.violation {
                None => "every property holds".to_owned(),
                Some(violation) => format!("violated: {violation}"),
            },
        ]
    }
}

impl State {
    fn observe(&mut self, at_ms: u64, observation: &Observation) {
        // The first one is reported: what follows a broken property is often its consequence.
        if let Err(violation) = self.checker.observe(at_ms, observation) {
            self.violation.get_or_insert(violation);
        }
    }

    fn on_batch(&mut self, at_ms: u64, batch: &JournalBatch) {
        for (seq, bytes) in (batch.first_seq..).zip(&batch.entries) {
            let sealed: SealedEntry = decode(bytes).unwrap();
            let entry = sealed.open().unwrap();

            // A batch that is published again has a meaning only once, but its bytes are compared.
            let is_new = seq >= self.entries;
            let fact = if is_new {
                self.entries = seq + 1;
                self.reader.fact(&entry)
            } else {
                Fact::Other
            };

            let published = Observation::Entry {
                seq,
                bytes: name_of(bytes),
                at_ms: entry.at.0,
                scope: entry.scope,
                fact,
            };
            self.observe(at_ms, &published);
        }

        let body = Note::parse(&batch.note).unwrap().body().to_owned();
        let head = Observation::Head {
            size: size_of(&body),
            body: name_of(body.as_bytes()),
        };
        self.observe(at_ms, &head);
    }
}
