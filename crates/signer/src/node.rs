//! The node: one frame in, some frames out. No thread, no clock, nothing ambient.

use crate::ceremonies::Ceremonies;
use crate::coverage::Coverage;
use crate::early::EarlyMessages;
use crate::fatal::Fatal;
use crate::floor::Floor;
use crate::gap::Gap;
use crate::held::HeldRequests;
use crate::journal::{LocalJournal, fatal};
use crate::judge::{Codecs, Judge};
use crate::keys::KeyRing;
use crate::marks;
use crate::refusals::RefusalBounds;
use crate::rules::LocalRules;
use crate::sealer::Sealer;
use crate::setup::{Identity, NodeSecrets, SignerSetup};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use strongroom_guard::{G, kept};
use strongroom_journal::Delta;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::frame::{FromSigner, ToSigner};

/// A signer, which is always also a witness; or, with a witness's seat in genesis, a witness alone.
pub struct SignerNode {
    pub(crate) identity: Identity,
    pub(crate) journal: LocalJournal,
    pub(crate) sealer: Sealer,
    pub(crate) keys: KeyRing,
    pub(crate) ceremonies: Ceremonies,
    /// Peers' messages of runs that have not begun here yet.
    pub(crate) early: EarlyMessages,
    pub(crate) held: HeldRequests,
    pub(crate) floor: Floor,
    pub(crate) coverage: Coverage,
    pub(crate) codecs: Codecs,
    pub(crate) rules: LocalRules,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) stopped: bool,
    /// Size of the fresh head that was acted upon last; key shares and what waits follow it.
    pub(crate) head_served: Option<u64>,
    /// Questions to the journal: one request in one state, or all key shares at one head.
    pub(crate) asked: u64,
    pub(crate) shared: u64,
    pub(crate) refused: BTreeMap<Code, u64>,
    pub(crate) refusals: RefusalBounds,
    pub(crate) unanswered: u64,
    pub(crate) ignored: u64,
    pub(crate) db: Arc<dyn Db>,
    /// Frames of the call under way. They leave when it succeeds, and never otherwise.
    pub(crate) out: Vec<FromSigner>,
    pub(crate) gap: Gap,
    /// Whether an earlier call failed: this process answers nothing again.
    pub(crate) dead: bool,
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

        // The genesis is checked before anything is read or written: a wrong genesis or folder must
        // leave no trace.
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
            hash: kept!(G::GenesisPin, pinned, instead genesis.hash()),
            sealing,
        };

        // The boot marker decides first whether this disk may still cosign.
        let rng = &mut *entropy.rng();
        strongroom_replica::boot(db.as_ref(), marker.as_mut(), rng).map_err(fatal)?;
        let journal = LocalJournal::open(Arc::clone(&db), genesis, me, &witness)?;

        // Nothing is shared until a fresh head covers this point, so it is taken before any entry
        // arrives.
        let tip = journal.follower();
        let keys = KeyRing::open(Arc::clone(&db), protector, &identity, tip.state(), rng)?;
        let floor = Floor::new(tip.size().max(journal.cosigned()));
        let stopped = marks::stopped_since(db.as_ref())?.is_some();

        Ok(Self {
            sealer: Sealer::new(identity.hash, me, signing, now),
            identity,
            journal,
            keys,
            ceremonies: Ceremonies::default(),
            early: EarlyMessages::default(),
            held: HeldRequests::default(),
            floor,
            coverage: Coverage::default(),
            codecs: by_chain(codecs),
            rules,
            entropy,
            stopped,
            head_served: None,
            asked: 0,
            shared: 0,
            refused: BTreeMap::new(),
            refusals: RefusalBounds::default(),
            unanswered: 0,
            ignored: 0,
            db,
            out: Vec::new(),
            gap: Gap::default(),
            dead: false,
        })
    }

    /// The first frame on each connection: the position of the first entry that the replica needs.
    pub fn hello(&mut self) -> FromSigner {
        self.gap.on_connected();
        FromSigner::Hello {
            next_seq: self.journal.follower().size(),
        }
    }

    /// Whether entries are missing in between and must be asked for now: the shell connects again,
    /// and [`Self::hello`] says from where.
    #[must_use]
    pub const fn has_gap(&self) -> bool {
        self.gap.is_open()
    }

    /// Whether this node never cosigns and shares again, since its disk was put back, cloned or
    /// lost. A cosignature under its key may show so at any time: the shell looks after each frame.
    #[must_use]
    pub const fn is_retired(&self) -> bool {
        self.journal.is_retired()
    }

    /// Reason for which the replica stopped, if it did: the node then follows nothing and refuses
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
        self.check_alive()?;
        let result = match frame {
            ToSigner::Inbox(record) => self.on_coordinator_record(&record, now),
            ToSigner::Batch(record) => self.on_batch(&record, now),
            ToSigner::Cosignature(record) => self.on_cosignature(&record, now),
        };

        self.refuse_late(now);
        self.release(result)
    }

    /// Time has passed: cosigns a quiet journal again, passes handed tightenings on, refuses what
    /// waited too long, ends late ceremonies.
    ///
    /// # Errors
    /// As [`Self::handle`].
    pub fn tick(&mut self, now: UnixMs) -> Result<Vec<FromSigner>, Fatal> {
        self.check_alive()?;
        let cosigned = self.cosign_quiet_journal(now);
        let result = cosigned.and_then(|()| self.pass_on_tightenings(now));
        self.refuse_late(now);
        self.end_late_runs(now);
        self.report_left_out(now);
        self.release(result)
    }

    /// Ends a call: its frames leave only if all of it succeeded. A share whose floor or nonce did
    /// not reach memory and disk as intended must stay inside.
    fn release(&mut self, result: Result<(), Fatal>) -> Result<Vec<FromSigner>, Fatal> {
        // The frames are taken even when the call failed, so that they cannot leave with the next
        // one.
        let out = std::mem::take(&mut self.out);
        self.end_if_fatal(result)?;
        Ok(out)
    }

    /// The judge over this node's state as it is now; `handed` are the tightenings that count
    /// besides it.
    pub(crate) fn judge<'a>(&'a self, handed: &'a [Delta]) -> Judge<'a> {
        Judge {
            identity: &self.identity,
            stopped: self.stopped,
            retired: self.journal.is_retired(),
            follower: self.journal.follower(),
            handed,
            entries: &self.journal,
            floor: &self.floor,
            codecs: &self.codecs,
            rules: &self.rules,
        }
    }

    /// Drops a record that proves nothing. Any party on the bus can send many, so after the first
    /// ones few are logged.
    pub(crate) fn ignore(&mut self, what: &str, refusal: &Refusal) {
        self.ignored += 1;
        if self.ignored <= 100 || self.ignored.is_multiple_of(1_000) {
            tracing::warn!(what, %refusal, ignored = self.ignored, "record ignored");
        }
    }

    pub(crate) fn check_alive(&self) -> Result<(), Fatal> {
        if self.dead {
            return Err(Refusal::new(
                Code::Internal,
                "this process must end: an earlier call failed",
            )
            .into());
        }
        Ok(())
    }

    /// After a fatal error memory and disk may disagree: nothing is answered from it again.
    fn end_if_fatal(&mut self, result: Result<(), Fatal>) -> Result<(), Fatal> {
        // Memory is not patched: the next process rebuilds it from the disk.
        self.dead |= result.is_err();
        result
    }
}

fn by_chain(codecs: Vec<Arc<dyn ChainCodec>>) -> Codecs {
    let codecs = codecs.into_iter();
    codecs
        .map(|codec| (codec.manifest().chain.clone(), codec))
        .collect()
}

impl fmt::Debug for SignerNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerNode({}, ..)", self.identity.node)
    }
}
