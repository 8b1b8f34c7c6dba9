//! The node: one frame in, some frames out. No thread, no clock, nothing ambient.

use crate::ceremony::Ceremonies;
use crate::coverage::Coverage;
use crate::fatal::Fatal;
use crate::floor::Floor;
use crate::held::Held;
use crate::journal::{OwnJournal, fatal};
use crate::keys::KeyRing;
use crate::marks;
use crate::outbox::Outbox;
use crate::rules::LocalRules;
use crate::setup::{Identity, NodeSecrets, SignerSetup};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_types::json::Json;
use strongroom_types::{ChainId, Code, Refusal, Signed, UnixMs};
use strongroom_wire::frame::{AdminReply, AdminRequest, FromSigner, ToSigner};
use strongroom_wire::{JournalBatch, Role, WitnessCosignature, open};

/// A signer, which is always also a witness; or, with a witness's seat in genesis, a witness alone.
pub struct SignerNode {
    pub(crate) identity: Identity,
    pub(crate) journal: OwnJournal,
    pub(crate) outbox: Outbox,
    pub(crate) keys: KeyRing,
    pub(crate) ceremonies: Ceremonies,
    pub(crate) held: Held,
    pub(crate) floor: Floor,
    pub(crate) coverage: Coverage,
    pub(crate) codecs: BTreeMap<ChainId, Arc<dyn ChainCodec>>,
    pub(crate) rules: LocalRules,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) stopped: bool,
    pub(crate) shared: u64,
    pub(crate) refused: BTreeMap<Code, u64>,
    pub(crate) ignored: u64,
    pub(crate) db: Arc<dyn Db>,
    gap: bool,
    dead: bool,
}

impl SignerNode {
    /// Opens a node on its own disk.
    ///
    /// A node whose disk was put back opens *retired*: it follows and refuses, and never cosigns or
    /// shares again.
    ///
    /// # Errors
    /// `genesis_mismatch`, `invalid_reference` (not in genesis, or with other keys),
    /// `store_corrupt`, `store_newer`, `disk_full`; database errors.
    pub fn open(setup: SignerSetup) -> Result<Self, Fatal> {
        let SignerSetup {
            genesis,
            pinned,
            me,
            secrets,
            db,
            protector,
            codecs,
            entropy,
            rules,
            mut marker,
            now,
        } = setup;
        let (index, genesis) = Identity::find(&genesis, pinned, me, &secrets)?;
        let NodeSecrets {
            signing,
            witness,
            sealing,
        } = secrets;
        let identity = Identity {
            node: me,
            index,
            genesis: Arc::clone(&genesis),
            hash: pinned,
            sealing,
        };
        let rng = &mut *entropy.rng();
        strongroom_replica::boot(db.as_ref(), marker.as_mut(), rng).map_err(fatal)?;
        let journal = OwnJournal::open(Arc::clone(&db), genesis, me, &witness)?;
        let tip = journal.follower();
        let keys = KeyRing::open(Arc::clone(&db), protector, &identity, tip.state(), rng)?;
        let floor = Floor::new(tip.size().max(journal.cosigned()));
        let stopped = marks::stopped_since(db.as_ref())?.is_some();
        let codecs = codecs
            .into_iter()
            .map(|codec| (codec.manifest().chain.clone(), codec))
            .collect();
        Ok(Self {
            outbox: Outbox::new(pinned, me, signing, now),
            identity,
            journal,
            keys,
            ceremonies: Ceremonies::default(),
            held: Held::default(),
            floor,
            coverage: Coverage::default(),
            codecs,
            rules,
            entropy,
            stopped,
            shared: 0,
            refused: BTreeMap::new(),
            ignored: 0,
            db,
            gap: false,
            dead: false,
        })
    }

    /// The first frame on each connection: what the replica needs next.
    pub fn hello(&mut self) -> FromSigner {
        self.gap = false;
        FromSigner::Hello {
            next_seq: self.journal.follower().size(),
        }
    }

    /// Whether entries were missing in between: the shell connects anew, and [`Self::hello`] says
    /// from where.
    #[must_use]
    pub const fn has_gap(&self) -> bool {
        self.gap
    }

    /// Whether the own key never cosigns and shares again, since the disk was put back, cloned or
    /// lost.
    #[must_use]
    pub const fn is_retired(&self) -> bool {
        self.journal.is_retired()
    }

    /// Why the replica stopped, if it did: the node follows nothing any more and refuses
    /// everything.
    #[must_use]
    pub const fn halted(&self) -> Option<&Refusal> {
        self.journal.follower().halted()
    }

    /// Takes one frame; the answers are to be sent in order. Everything that an answer says is on
    /// disk.
    ///
    /// # Errors
    /// The process must end: nothing of this frame was released, and every later call fails too.
    pub fn handle(&mut self, frame: ToSigner, now: UnixMs) -> Result<Vec<FromSigner>, Fatal> {
        self.alive()?;
        let mut out = Vec::new();
        let result = match frame {
            ToSigner::Inbox(record) => self.inbox(&record, now, &mut out),
            ToSigner::Batch(record) => self.batch(&record, now, &mut out),
            ToSigner::Cosignature(record) => self.cosignature(&record, now, &mut out),
        };
        let result = result.map(|()| self.refuse_late(now, &mut out));
        self.live_or_die(result).map(|()| out)
    }

    /// Time has passed: cosigns a quiet journal again, refuses what waited too long, ends late
    /// ceremonies.
    ///
    /// # Errors
    /// As [`Self::handle`].
    pub fn tick(&mut self, now: UnixMs) -> Result<Vec<FromSigner>, Fatal> {
        self.alive()?;
        let mut out = Vec::new();
        let result = self.quiet(now, &mut out);
        self.refuse_late(now, &mut out);
        self.end_late_runs(now, &mut out);
        self.live_or_die(result).map(|()| out)
    }

    fn quiet(&mut self, now: UnixMs, out: &mut Vec<FromSigner>) -> Result<(), Fatal> {
        if let Some(cosignature) = self.journal.cosign(now)? {
            self.publish(&cosignature, now, out);
            self.journal_moved(now, out)?;
        }
        Ok(())
    }

    /// A request of the operator.
    pub fn admin(&mut self, request: AdminRequest, now: UnixMs) -> AdminReply {
        match request {
            AdminRequest::Status => AdminReply::Status(self.status(now)),
            AdminRequest::Stop => self.stop(now),
            AdminRequest::Hand(json) => self.hand(json.trim(), now),
        }
    }

    /// Stops at once, and for every later start too.
    fn stop(&mut self, now: UnixMs) -> AdminReply {
        self.stopped = true;
        tracing::warn!("stopped by the operator");
        match marks::stop_local(self.db.as_ref(), now) {
            Ok(()) => AdminReply::Done,
            Err(error) => {
                self.dead = true;
                AdminReply::Refused(format!(
                    "{}: stopped, but not on disk: {error}",
                    error.code()
                ))
            }
        }
    }

    fn hand(&mut self, json: &str, now: UnixMs) -> AdminReply {
        if let Err(error) = self.alive() {
            return AdminReply::Refused(format!("{}: {error}", error.code()));
        }
        let signed = match read_signed(json) {
            Ok(signed) => signed,
            Err(refusal) => return AdminReply::Refused(refusal.to_string()),
        };
        let result = self.journal.hand(&signed, now);
        match self.live_or_die(result) {
            Ok(Ok(())) => AdminReply::Done,
            Ok(Err(refusal)) => AdminReply::Refused(refusal.to_string()),
            Err(error) => AdminReply::Refused(format!("{}: {error}", error.code())),
        }
    }

    /// A batch of entries. Its deadline plays no part: an entry is true for ever.
    fn batch(
        &mut self,
        record: &[u8],
        now: UnixMs,
        out: &mut Vec<FromSigner>,
    ) -> Result<(), Fatal> {
        let registered = Arc::clone(self.journal.follower().state().registered());
        let opened = open(record, registered.as_ref(), &[Role::Writer]);
        let batch: JournalBatch = match opened.and_then(|envelope| envelope.payload()) {
            Ok(batch) => batch,
            Err(refusal) => {
                self.ignore("batch", &refusal);
                return Ok(());
            }
        };
        let appended = self.journal.append(&batch, now)?;
        if let Err(refusal) = appended.result {
            self.gap |= refusal.code == Code::NotReady;
            self.ignore("batch", &refusal);
        }
        if let Some(cosignature) = appended.cosignature {
            self.publish(&cosignature, now, out);
        }
        self.journal_moved(now, out)
    }

    /// A witness's cosignature, from that witness itself.
    fn cosignature(
        &mut self,
        record: &[u8],
        now: UnixMs,
        out: &mut Vec<FromSigner>,
    ) -> Result<(), Fatal> {
        let registered = Arc::clone(self.journal.follower().state().registered());
        let opened = open(record, registered.as_ref(), &[Role::Signer, Role::Witness]);
        let heard = opened.and_then(|envelope| {
            let cosignature: WitnessCosignature = envelope.payload()?;
            Ok((envelope.from, cosignature))
        });
        let (witness, cosignature) = match heard {
            Ok(heard) => heard,
            Err(refusal) => {
                self.ignore("cosignature", &refusal);
                return Ok(());
            }
        };
        if let Err(refusal) = self.journal.hear(witness, &cosignature, now)? {
            self.ignore("cosignature", &refusal);
        }
        self.journal_moved(now, out)
    }

    /// There may be a new fresh head: shares come into use, and what waited is judged again.
    fn journal_moved(&mut self, now: UnixMs, out: &mut Vec<FromSigner>) -> Result<(), Fatal> {
        let follower = self.journal.follower();
        if let Ok(head) = follower.fresh(now) {
            let size = head.size;
            self.coverage.note(size, now);
            let view = follower.head_view(size)?;
            for name in self.keys.activate(&view, &mut *self.entropy.rng())? {
                self.ceremonies.end(name);
            }
        }
        self.judge_held(now, out)
    }

    fn publish(
        &mut self,
        cosignature: &WitnessCosignature,
        now: UnixMs,
        out: &mut Vec<FromSigner>,
    ) {
        out.push(FromSigner::Cosignature(self.outbox.seal(
            None,
            [0; 16],
            cosignature,
            now,
        )));
    }

    /// A record that proves nothing. Anybody on the bus can send many: after the first ones few are
    /// logged.
    pub(crate) fn ignore(&mut self, what: &str, refusal: &Refusal) {
        self.ignored += 1;
        if self.ignored <= 100 || self.ignored.is_multiple_of(1_000) {
            tracing::warn!(what, %refusal, ignored = self.ignored, "record ignored");
        }
    }

    fn alive(&self) -> Result<(), Fatal> {
        if self.dead {
            return Err(Refusal::new(
                Code::Internal,
                "this process must end: an earlier call failed",
            )
            .into());
        }
        Ok(())
    }

    fn live_or_die<T>(&mut self, result: Result<T, Fatal>) -> Result<T, Fatal> {
        self.dead |= result.is_err();
        result
    }
}

impl fmt::Debug for SignerNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerNode({}, ..)", self.identity.node)
    }
}

fn read_signed(json: &str) -> Result<Signed, Refusal> {
    let json = Json::parse(json).map_err(|e| Refusal::new(Code::Malformed, e))?;
    Signed::from_json(json).map_err(|e| Refusal::new(Code::Malformed, e))
}
