//! Batches: applied whole and compared with what the log signed, or taken back.

use super::heads::{HEADS_MAX, Head, KeptHead, head};
use super::{Follower, SplitView};
use crate::apply::apply;
use crate::entry::{Body, Entry, SealedEntry, Witnessed};
use crate::state::{Delta, State};
use std::mem::take;
use strongroom_guard::{G, guard};
use strongroom_tlog::{Checkpoint, Frontier, Hash};
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::{JournalBatch, WitnessCosignature};

/// Is shown each new entry of a batch, and the state that it leaves.
pub type Watch<'a> = &'a mut dyn FnMut(&State, &Entry);

/// Entries put in force without a checkpoint yet.
#[derive(Debug)]
pub(crate) struct Draft {
    frontier: Frontier,
    undo: Delta,
    at: UnixMs,
    pub(crate) applied: Vec<(SealedEntry, Delta)>,
}

/// An entry that is to be applied.
pub(crate) struct NewEntry {
    sealed: SealedEntry,
    entry: Entry,
    leaf: Hash,
}

impl NewEntry {
    /// An entry with its leaf in the tree.
    pub(crate) fn new(sealed: SealedEntry, entry: Entry) -> Self {
        // The leaf covers the whole text and is needed twice: it is hashed once.
        let leaf = sealed.leaf_hash(&entry);
        Self {
            sealed,
            entry,
            leaf,
        }
    }
}

impl Draft {
    /// Position of the next entry.
    pub(crate) const fn seq(&self) -> u64 {
        self.frontier.size()
    }

    /// Journal time so far.
    pub(crate) const fn at(&self) -> UnixMs {
        self.at
    }
}

impl Follower {
    /// Applies a batch: all of it or nothing. Gives what was applied, to be persisted; nothing for
    /// a batch that was applied before.
    ///
    /// # Errors
    /// Refused without consequence: `not_ready` (a gap), and what the log did not sign:
    /// `bad_signature`, `malformed`, `record_too_large`, `unknown_entry`. What it did sign and
    /// cannot be followed, `conflict` for a split view among it, stops the replica for good.
    pub fn append(&mut self, batch: &JournalBatch) -> Result<Vec<(SealedEntry, Delta)>, Refusal> {
        self.append_with(batch, &mut |_, _| {})
    }

    /// As [`Self::append`]; `watch` is shown each new entry and the state that it leaves. A batch
    /// that is refused in the end stops this replica, so nothing that was shown is taken back.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_with(
        &mut self,
        batch: &JournalBatch,
        watch: Watch<'_>,
    ) -> Result<Vec<(SealedEntry, Delta)>, Refusal> {
        self.check_not_halted()?;
        let (checkpoint, body) = self.log.open_note(&batch.note)?;

        // The log signed this note; entries that it does not end are another sender's invention.
        let end = batch.first_seq.checked_add(batch.entries.len() as u64);
        if batch.entries.is_empty() || end != Some(checkpoint.size()) {
            return Err(Refusal::new(
                Code::Malformed,
                "the checkpoint is not of these entries",
            ));
        }

        // A gap says nothing against the log: records arrive late, and the link sends them again.
        if batch.first_seq > self.size() {
            let detail = format!(
                "entries from {} on, but only {} are here",
                batch.first_seq,
                self.size()
            );
            return Err(Refusal::new(Code::NotReady, detail));
        }

        // The log is the author of the note: one that cannot be followed stops this replica.
        if checkpoint.size() <= self.size() {
            let known = self.check_known(checkpoint.size(), &body, &batch.note);
            return self.halt_on(known.map(|()| Vec::new()));
        }

        // From here on the log is the author of the entries, too.
        let entries = self.signed_entries(batch, checkpoint.root())?;
        let result = self.extend(entries, &body, watch);
        self.halt_on(result)
    }

    /// The new entries of a batch, opened, if they are those that the log signed.
    ///
    /// The record is the writer's by its key on the bus, and the note may be an old one: with other
    /// entries beside it a batch proves nothing against the log, and one that stopped this replica
    /// would stop it at each start, before the true batch behind it.
    fn signed_entries(&self, batch: &JournalBatch, root: Hash) -> Result<Vec<NewEntry>, Refusal> {
        // Entries before our tip are covered by the root, since our own tree is below it.
        let known = usize::try_from(self.size() - batch.first_seq).unwrap_or(usize::MAX);
        let mut frontier = self.frontier.clone();
        let mut entries = Vec::new();
        for bytes in batch.entries.iter().skip(known) {
            let sealed: SealedEntry = strongroom_wire::decode(bytes)?;
            let entry = sealed.open()?;
            let new = NewEntry::new(sealed, entry);
            frontier.append(new.leaf);
            entries.push(new);
        }

        if frontier.root() != root {
            let detail = format!(
                "at size {}: the entries are not those that the log signed",
                frontier.size()
            );
            return Err(Refusal::new(Code::Malformed, detail));
        }
        Ok(entries)
    }

    /// Checks a checkpoint at or below the tip: it must be the one followed, as far as that is
    /// still kept. Another one is proof that the log signed two histories.
    fn check_known(&mut self, size: u64, body: &str, note: &str) -> Result<(), Refusal> {
        let Some(ours) = self.head(size).map(|head| head.body.clone()) else {
            return Ok(());
        };
        if guard(G::OneTreePerSize, ours != body) {
            return Err(self.split_view(ours, note));
        }

        // Without the rule, what the log signed last is the tree.
        #[cfg(mutants)]
        if size == self.size() {
            self.set_tip(body);
        }
        Ok(())
    }

    fn extend(
        &mut self,
        entries: Vec<NewEntry>,
        body: &str,
        watch: Watch<'_>,
    ) -> Result<Vec<(SealedEntry, Delta)>, Refusal> {
        let mut draft = self.draft();
        let apply_all = || {
            for new in entries {
                let entry = self.enter(&mut draft, new)?;
                watch(&self.state, &entry);
            }

            // The signed body covers tree and state root: a build with another `apply`, or a writer
            // that lies about either, is noticed here and not at the next payment.
            let head = head(&self.state, &draft.frontier, draft.at)?;
            if guard(G::StateRoot, head.body != body) {
                let detail = format!(
                    "at size {}: the state differs from the one the log signed",
                    head.size
                );
                return Err(Refusal::new(Code::Conflict, detail));
            }

            // Without the rule, the state goes by the name of what the log signed.
            #[cfg(mutants)]
            let head = Head {
                body: body.to_owned(),
                ..head
            };
            Ok(head)
        };

        match apply_all() {
            Ok(head) => Ok(self.close(&mut draft, head)),
            Err(refusal) => {
                self.undo(&draft);
                Err(refusal)
            }
        }
    }

    /// Starts a batch.
    pub(crate) fn draft(&self) -> Draft {
        let (undo, at) = (Delta::default(), self.tip.at);
        Draft {
            frontier: self.frontier.clone(),
            undo,
            at,
            applied: Vec::new(),
        }
    }

    /// Applies the next entry of a batch to the state, and gives it back.
    pub(crate) fn enter(&mut self, draft: &mut Draft, new: NewEntry) -> Result<Entry, Refusal> {
        let NewEntry {
            sealed,
            entry,
            leaf,
        } = new;
        if entry.seq != draft.frontier.size() {
            return Err(Refusal::new(
                Code::Malformed,
                format!(
                    "entry {} where {} belongs",
                    entry.seq,
                    draft.frontier.size()
                ),
            ));
        }

        // The cosignatures of a `witnessed` entry are looked at after the rules, which demand k
        // distinct ones: a hostile writer could have a thousand false ones verified here.
        let delta = apply(&self.state, &entry)?;
        if let Body::Witnessed(witnessed) = &entry.body {
            self.check_witnessed(witnessed)?;
        }

        self.state.commit_after(&delta, &mut draft.undo);
        draft.frontier.append(leaf);
        draft.at = entry.at;
        draft.applied.push((sealed, delta));
        Ok(entry)
    }

    /// The checkpoint of a `witnessed` entry against the head of that size, where it is still kept.
    fn check_witnessed(&mut self, witnessed: &Witnessed) -> Result<(), Refusal> {
        let size = Checkpoint::parse(&witnessed.checkpoint).map(|checkpoint| checkpoint.size());
        let ours = size.ok().and_then(|size| self.head(size));
        let Some(ours) = ours.filter(|ours| ours.body != witnessed.checkpoint) else {
            return Ok(());
        };
        let ours = ours.body.clone();
        Err(self.contradiction(&ours, witnessed))
    }

    /// Two bodies with k cosignatures never exist while at most f witnesses are hostile: another
    /// one is evidence against k of them.
    fn contradiction(&mut self, ours: &str, witnessed: &Witnessed) -> Refusal {
        // Only a cosignature that its witness has really made is evidence.
        let theirs = witnessed.cosignatures.iter();
        let proved = theirs.filter(|theirs| self.is_signed(&witnessed.checkpoint, theirs));
        for theirs in proved.copied().collect::<Vec<_>>() {
            self.insert_evidence(SplitView::Witness {
                node: theirs.witness,
                ours: ours.to_owned(),
                cosignature: WitnessCosignature {
                    body: witnessed.checkpoint.clone(),
                    time_s: theirs.time_s,
                    signature: theirs.signature,
                },
            });
        }

        let ours = ours.replace('\n', " ");
        let detail = format!("witnesses vouch for another tree than {ours}");
        Refusal::new(Code::Conflict, detail)
    }

    /// Stops this replica: a `witnessed` entry is over another tree than `ours` of that size. For
    /// callers that store bodies of heads which are no longer kept here.
    pub fn witnessed_elsewhere(&mut self, ours: &str, witnessed: &Witnessed) -> Refusal {
        let refusal = self.contradiction(ours, witnessed);
        self.halt(refusal.clone());
        refusal
    }

    /// The head that a batch leads to.
    pub(crate) fn head_of(&self, draft: &Draft) -> Result<Head, Refusal> {
        head(&self.state, &draft.frontier, draft.at)
    }

    /// Ends a batch at its head; the draft is then that of the next batch.
    pub(crate) fn close(&mut self, draft: &mut Draft, head: Head) -> Vec<(SealedEntry, Delta)> {
        self.frontier = draft.frontier.clone();
        self.tip = head.clone();
        self.steps.push_back(KeptHead {
            head,
            undo: take(&mut draft.undo),
        });
        if self.steps.len() > HEADS_MAX {
            self.steps.pop_front();
        }
        self.forget_vouched();
        self.count_pending();
        take(&mut draft.applied)
    }

    /// Takes a batch back.
    pub(crate) fn undo(&mut self, draft: &Draft) {
        self.state.commit(&draft.undo);
    }
}
