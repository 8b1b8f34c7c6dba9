//! The orderer: gives submissions their place and time, and signs the checkpoint after each batch.
//!
//! It may be hostile for all that the replicas care: it can delay, it cannot forge, reorder or
//! fork. What `apply` refuses is never appended. No clock, no I/O, no randomness of its own.

use crate::entry::{Body, ENTRY_BYTES_MAX, Entry, SealedEntry, VERSION};
use crate::follower::{Draft, Follower, NewEntry};
use crate::genesis::Genesis;
use crate::state::Delta;
use crate::witness::ENTRY_AGE_MAX_MS;
use rand_core::CryptoRngCore;
use strongroom_guard::{G, guard};
use strongroom_tlog::{NoteSigner, sign_note};
use strongroom_types::{Code, Refusal, Scope, UnixMs, digest};
use strongroom_wire::{JournalBatch, encode};

/// Largest encoded batch: a record is at most 256 KiB, the rest is for its envelope.
pub const BATCH_BYTES_MAX: usize = 248 * 1024;
/// Room in a batch for its position, the entry count and the signed checkpoint.
const BATCH_FRAME_BYTES: usize = 2048;
/// Bytes that a batch holds for an entry beside the entry: two lengths and the salt.
const SEAL_BYTES: usize = 4 + 4 + 32;
// Every entry must fit a batch: a larger one would be published in a record that every replica
// refuses.
const _: () = assert!(ENTRY_BYTES_MAX + SEAL_BYTES <= BATCH_BYTES_MAX - BATCH_FRAME_BYTES);
/// An unwitnessed tip this old gets a tick: half of what witnesses accept, so that it reaches them
/// in time.
pub const TICK_AFTER_MS: u64 = ENTRY_AGE_MAX_MS / 2;

/// Longest time for which submissions wait for a quorum over one head, milliseconds.
pub const HOLD_MAX_MS: u64 = 2_000;

/// A body offered to the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Scope that its sender names. `apply` refuses a body that is about another one.
    pub scope: Scope,
    /// Content of the entry.
    pub body: Body,
}

impl Offer {
    /// The entry that says only that time has passed.
    #[must_use]
    pub const fn tick() -> Self {
        Self {
            scope: Scope::Platform,
            body: Body::Tick,
        }
    }
}

/// One batch with what it changes, for persistence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderedBatch {
    /// Record that is published.
    pub batch: JournalBatch,
    /// Entries with the changes they made.
    pub applied: Vec<(SealedEntry, Delta)>,
}

/// Batches and answers of one call of [`Orderer::order`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ordered {
    /// New batches, in order; none when everything was refused.
    pub batches: Vec<OrderedBatch>,
    /// Per submission: its position, or why it was refused.
    pub results: Vec<Result<u64, Refusal>>,
}

/// The log's signing key at work.
#[derive(Debug)]
pub struct Orderer {
    key: NoteSigner,
}

impl Orderer {
    /// The orderer of a genesis. `seed` is the Ed25519 seed of its log key.
    ///
    /// # Errors
    /// `invalid_reference` when the seed is not that of genesis' log key.
    pub fn new(genesis: &Genesis, seed: &[u8; 32]) -> Result<Self, Refusal> {
        let key = NoteSigner::new(&genesis.origin, seed)
            .map_err(|e| Refusal::new(Code::InvalidReference, e))?;
        if *key.verifier().public_key() != genesis.log_key {
            return Err(Refusal::new(
                Code::InvalidReference,
                "this is not the log key of genesis",
            ));
        }
        Ok(Self { key })
    }

    /// Orders submissions on top of the follower's tip, entry 0 first if it is not there yet. The
    /// follower then stands at the last of the new batches; the caller persists them before they
    /// are published, and rebuilds the follower should that fail.
    ///
    /// # Errors
    /// Whatever stopped the follower. A refused submission is a result, not an error.
    pub fn order(
        &self,
        follower: &mut Follower,
        now: UnixMs,
        offers: &[Offer],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Ordered, Refusal> {
        if let Some(halted) = follower.halted() {
            return Err(halted.clone());
        }

        let mut run = OrderingRun {
            orderer: self,
            draft: follower.draft(),
            follower,
            now,
            ordered: Ordered::default(),
            bytes: 0,
        };

        // Entry 0 pins this journal to its genesis; nothing is valid before it.
        if run.follower.size() == 0 {
            let body = Body::Genesis(run.follower.genesis().hash());
            let scope = Scope::Platform;
            run.append(&Offer { scope, body }, rng)?;
        }

        let mut early = Vec::new();
        for (n, offer) in offers.iter().enumerate() {
            let result = run.append(offer, rng);
            if result
                .as_ref()
                .is_err_and(|refusal| is_early(offer, refusal))
            {
                early.push((n, run.draft.seq()));
            }
            run.ordered.results.push(result);
        }

        // Tightenings are offered before what they are about, a proposal sent just before its veto.
        for (n, seq) in early {
            if let (true, Some(offer)) = (run.draft.seq() > seq, offers.get(n)) {
                let result = run.append(offer, rng);
                run.ordered.results.splice(n..=n, [result]);
            }
        }

        run.close()?;
        Ok(run.ordered)
    }

    /// Whether a [`Body::Tick`] is due: the tip is not witnessed and so old that witnesses will
    /// soon refuse it, or so old that readers will soon call the journal stale.
    #[must_use]
    pub fn tick_due(follower: &Follower, now: UnixMs) -> bool {
        let tip = follower.tip();
        let age_ms = now.since(tip.at);
        let is_unwitnessed = tip.size > follower.witnessed();
        let quiet_ms = follower.genesis().bounds.tick_max_ms / 2;
        (is_unwitnessed && age_ms >= TICK_AFTER_MS) || age_ms >= quiet_ms
    }

    /// The [`Body::Witnessed`] entry that is due: something waits, and a quorum has cosigned one
    /// head that covers it.
    #[must_use]
    pub fn witnessed_due(follower: &Follower) -> Option<Offer> {
        follower.vouched().map(|witnessed| Offer {
            scope: Scope::Platform,
            body: Body::Witnessed(witnessed),
        })
    }

    /// Whether submissions wait: the tip leaves something waiting, and witnesses that replay at
    /// different speeds cosign one text only if none comes after it. Not for longer than
    /// [`HOLD_MAX_MS`], since a witness may be waiting for a submission itself, a handed tightening
    /// that it will not cosign without.
    #[must_use]
    pub fn holds(follower: &Follower, now: UnixMs) -> bool {
        let tip = follower.tip();
        tip.waiting_since.is_some() && now.since(tip.at) < HOLD_MAX_MS
    }
}

/// Whether an offer is a tightening of something that an entry of the same round may bring.
fn is_early(offer: &Offer, refusal: &Refusal) -> bool {
    is_missing(refusal.code) && offer.body.is_tightening()
}

/// Whether a refusal says that what a tightening is about is not there (yet).
const fn is_missing(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownProposal | Code::UnknownTenant | Code::UnknownCredential
    )
}

struct OrderingRun<'a> {
    orderer: &'a Orderer,
    follower: &'a mut Follower,
    draft: Draft,
    now: UnixMs,
    ordered: Ordered,
    /// Encoded size of the open batch's entries.
    bytes: usize,
}

impl OrderingRun<'_> {
    /// Appends a submission to the open batch.
    fn append(&mut self, offer: &Offer, rng: &mut dyn CryptoRngCore) -> Result<u64, Refusal> {
        let seq = self.draft.seq();
        let (at, salt) = if seq == 0 {
            first_time_and_salt(self.follower.genesis())
        } else {
            // The entry gets a random salt: the public leaf must not let a reader guess a tenant's
            // entry by trying texts.
            let mut salt = [0; 32];
            rng.fill_bytes(&mut salt);
            (self.draft.at().max(self.now), salt)
        };
        let entry = Entry {
            version: VERSION,
            seq,
            at,
            // The scope is the one that the sender names: the state may no longer hold the record
            // that a body is about, so that no search among the tenants would find it.
            scope: offer.scope,
            body: offer.body.clone(),
        };

        let sealed = SealedEntry::new(&entry, salt);

        // A replica halts on a larger entry, so one submission must not be able to append it.
        if guard(G::RecordSize, sealed.entry.len() > ENTRY_BYTES_MAX) {
            return Err(Refusal::new(
                Code::RecordTooLarge,
                format!("entry of {} bytes", sealed.entry.len()),
            ));
        }

        let bytes = sealed.entry.len() + SEAL_BYTES;
        if self.bytes + bytes > BATCH_BYTES_MAX - BATCH_FRAME_BYTES {
            self.close()?;
        }

        // A batch that was just closed and leaves something waiting must be cosigned before the
        // next one.
        let follows = !self.ordered.batches.is_empty();
        if follows && self.follower.tip().waiting_since.is_some() {
            let detail = "the batch is full, and the next one waits for the witnesses";
            return Err(Refusal::new(Code::NotReady, detail));
        }

        let new = NewEntry::new(sealed, entry);
        self.follower.enter(&mut self.draft, new)?;
        self.bytes += bytes;
        Ok(seq)
    }

    /// Signs the open batch, if there is anything in it.
    fn close(&mut self) -> Result<(), Refusal> {
        if self.draft.applied.is_empty() {
            return Ok(());
        }
        let head = self.follower.head_of(&self.draft)?;
        let note = sign_note(&head.body, &self.orderer.key)
            .map_err(|e| Refusal::new(Code::Internal, e))?;

        let first_seq = self.follower.size();
        let applied = self.follower.close(&mut self.draft, head);
        let entries = applied.iter().map(|(sealed, _)| encode(sealed)).collect();
        self.ordered.batches.push(OrderedBatch {
            batch: JournalBatch {
                first_seq,
                entries,
                note,
            },
            applied,
        });

        self.bytes = 0;
        Ok(())
    }
}

/// Time and salt of entry 0. Both follow from genesis: a writer with an empty database cannot know
/// whether it is the first one, so two first starts must make the same bytes. Genesis is public to
/// all replicas; its hash needs no secret salt.
fn first_time_and_salt(genesis: &Genesis) -> (UnixMs, [u8; 32]) {
    let salt = digest("strongroom/journal-entry-0/v1", &[&genesis.hash().0]);
    (genesis.created, salt.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each code, and whether a tightening that is refused with it is offered a second time in its
    /// round.
    #[test]
    fn every_code_is_final_or_early_as_reviewed() {
        let mut table = format!("{:<29}{:<13}tightening\n", "code", "cure");
        for code in Code::ALL {
            let (name, cure) = (code.as_str(), code.cure().name());
            let step = if is_missing(*code) {
                "again"
            } else {
                "refused"
            };
            table += &format!("{name:<29}{cure:<13}{step}\n");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(path, &table);
    }
}
