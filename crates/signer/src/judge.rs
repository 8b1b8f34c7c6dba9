//! The check list before any share. Everything in a request is a claim; nothing of it is believed.
//!
//! The order: local stop, retirement and a stopped replica; a fresh witnessed head that covers
//! where this process started and never goes back; the journal's answer at that head, at the own
//! tip, and at the tip with each handed tightening; the intent and the attempt read back from the
//! own disk; the attempt's digest; the own decoding of the transaction against the intent; what it
//! spends; the operator's rules; the commitments.
//!
//! The client's signature on the intent, the approvals and the policy are *not* checked here: the
//! own replica's `apply` checked them at the entry's position, else the entry would not be in it,
//! and [`share::check`] asks whether all of that is still in force.

use crate::evidence::Evidence;
use crate::fatal::Fatal;
use crate::node::SignerNode;
use crate::rules::Payment;
use strongroom_journal::follower::Follower;
use strongroom_journal::genesis::ChainSeat;
use strongroom_journal::overlay::Overlay;
use strongroom_journal::share::{self, Asked, Grant};
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Delta};
use strongroom_mpc_core::signing::SigningPackage;
use strongroom_ports::chain::{ChainCodec, Inspection, within};
use strongroom_replica::{TenantVaults, vault_key};
use strongroom_signing::packages;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{Attempt, Code, Digest, Document as _, Intent, Refusal, UnixMs};
use strongroom_wire::SigningRequest;

/// Why there is no share.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) refusal: Refusal,
    /// Whether the journal may still bring what is missing.
    pub(crate) hold: bool,
    /// Digest of what was seen.
    pub(crate) evidence: Digest,
    /// The head judged by; 0 when there was none.
    pub(crate) head: u64,
}

/// What may be signed.
pub(crate) struct Allowed {
    pub(crate) head: u64,
    /// Position of the attempt's entry.
    pub(crate) seq: u64,
    pub(crate) epoch: u32,
    pub(crate) packages: Vec<SigningPackage>,
    pub(crate) evidence: Digest,
}

/// How a judgement ends early.
pub(crate) enum Stop {
    /// For good.
    No(Refusal),
    /// The attempt is not covered by a fresh head yet.
    NotYet(Refusal),
    /// The process ends.
    Fatal(Fatal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::No(refusal)
    }
}

impl From<Code> for Stop {
    fn from(code: Code) -> Self {
        Self::No(code.into())
    }
}

impl From<Fatal> for Stop {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

/// Size of the fresh head this signer may act under.
pub(crate) fn fresh(node: &SignerNode, now: UnixMs) -> Result<u64, Stop> {
    let wait = |refusal: Refusal| match refusal.code {
        Code::JournalStale | Code::HeadBelowFloor => Stop::NotYet(refusal),
        _ => Stop::No(refusal),
    };
    let head = node.journal.follower().fresh(now).map_err(wait)?.size;
    node.floor.check(head).map_err(wait)?;
    Ok(head)
}

impl SignerNode {
    /// Judges a signing request.
    pub(crate) fn judge(
        &mut self,
        request: &SigningRequest,
        now: UnixMs,
    ) -> Result<Result<Allowed, Denied>, Fatal> {
        let (mut evidence, mut head) = (Evidence::default(), 0);
        let (refusal, hold) = match self.judge_steps(request, now, &mut evidence, &mut head) {
            Ok((grant, packages)) => {
                let (seq, epoch, evidence) =
                    (grant.attempt.seq, grant.key.epoch, evidence.digest());
                return Ok(Ok(Allowed {
                    head,
                    seq,
                    epoch,
                    packages,
                    evidence,
                }));
            }
            Err(Stop::Fatal(fatal)) => return Err(fatal),
            Err(Stop::No(refusal)) => (refusal, false),
            Err(Stop::NotYet(refusal)) => (refusal, true),
        };
        Ok(Err(Denied {
            refusal,
            hold,
            evidence: evidence.digest(),
            head,
        }))
    }

    fn judge_steps(
        &mut self,
        request: &SigningRequest,
        now: UnixMs,
        evidence: &mut Evidence,
        head: &mut u64,
    ) -> Result<(Grant, Vec<SigningPackage>), Stop> {
        self.may_act()?;
        let signer = self.identity.index()?;
        let SigningRequest {
            tenant,
            intent,
            attempt,
            ..
        } = *request;
        let asked = Asked {
            tenant,
            intent,
            attempt,
            signer,
            now,
        };
        let known = self.journal.follower().state().intent(tenant, &intent)?;
        evidence.attempt = known.and_then(|known| {
            known
                .attempts
                .into_iter()
                .find(|record| record.number == attempt)
        });
        *head = fresh(self, now)?;
        let handed = self.journal.handed(now);
        let grant = journal_allows(self.journal.follower(), *head, &handed, &asked)?;
        let packages = self.transaction(request, &grant, now, *head, evidence)?;
        Ok((grant, packages))
    }

    /// Nothing local forbids acting at all.
    pub(crate) fn may_act(&self) -> Result<(), Refusal> {
        if self.stopped {
            return Err(Code::StoppedLocally.into());
        }
        if self.journal.is_retired() {
            return Err(Code::SignerRetired.into());
        }
        self.journal
            .follower()
            .halted()
            .cloned()
            .map_or(Ok(()), Err)
    }

    /// The transaction does what the intent says, for the attempt that the journal has.
    fn transaction(
        &self,
        request: &SigningRequest,
        grant: &Grant,
        now: UnixMs,
        head: u64,
        evidence: &mut Evidence,
    ) -> Result<Vec<SigningPackage>, Stop> {
        let follower = self.journal.follower();
        if request.key != grant.vault.vault.key {
            let detail = format!(
                "{} is signed for by {}",
                grant.vault.vault.id, grant.vault.vault.key
            );
            return Err(Refusal::new(Code::PackageInvalid, detail).into());
        }
        let (intent, attempt) = self.read_back(grant, request.intent)?;
        if unsigned_digest(&request.unsigned) != grant.attempt.unsigned_digest {
            return Err(Code::AttemptDigestMismatch.into());
        }
        let (codec, seat) = self.codec(grant)?;
        let vault_key = vault_key(&grant.key, grant.vault.vault.account)
            .ok_or_else(|| Refusal::new(Code::UnknownKey, "the ceremony is not finished"))?;
        let view = follower.head_view(head)?;
        let vaults = TenantVaults::new(&view, request.tenant);
        let inspection =
            evidence
                .inspection
                .insert(codec.inspect(&request.unsigned, &vault_key, &vaults)?);
        let expected = evidence.expected.insert(codec.expected(&intent, &vaults)?);
        within(
            expected,
            grant.attempt.kind,
            inspection,
            grant.attempt.fee_max,
        )?;
        spends(inspection, &attempt, grant)?;
        let at = now.max(follower.tip().at);
        let (tenant, kind, native) = (request.tenant, grant.attempt.kind, &seat.native);
        let payment = Payment {
            tenant,
            intent: &intent,
            kind,
            native,
            at,
        };
        self.rules.check(follower.state(), &payment)?;
        Ok(packages(request, &inspection.slots, &grant.key)?)
    }

    /// Intent and attempt as the own log holds them. The state names the intent by digest and has
    /// the attempt's digest, kind and fee, so a row edited by hand is noticed.
    fn read_back(&self, grant: &Grant, digest: Digest) -> Result<(Intent, Attempt), Stop> {
        let corrupt = |what: &str| Stop::No(Refusal::new(Code::StoreCorrupt, what));
        let Body::Authorized(authorized) = self.journal.entry(grant.record.seq)?.body else {
            return Err(corrupt("the intent's entry is no authorization"));
        };
        if Intent::digest_of(&authorized.intent.text) != digest {
            return Err(corrupt("the intent's entry holds another intent"));
        }
        let intent = Intent::parse(&authorized.intent.text).map_err(Refusal::from)?;
        let attempt = if grant.attempt.seq == grant.record.seq {
            authorized.attempt
        } else {
            match self.journal.entry(grant.attempt.seq)?.body {
                Body::Attempt(attempt) => attempt,
                _ => return Err(corrupt("the attempt's entry is no attempt")),
            }
        };
        let record = &grant.attempt;
        let same = attempt.intent == digest
            && attempt.number == record.number
            && attempt.kind == record.kind
            && attempt.unsigned_digest == record.unsigned_digest
            && attempt.fee_max == record.fee_max;
        if same {
            Ok((intent, attempt))
        } else {
            Err(corrupt("the attempt's entry is another attempt"))
        }
    }

    /// The decoder of the intent's chain: exactly the one that genesis names, which the approvers
    /// relied on.
    fn codec(&self, grant: &Grant) -> Result<(&dyn ChainCodec, &ChainSeat), Refusal> {
        let chain = &grant.record.chain;
        let unknown = || Refusal::new(Code::UnknownChain, chain);
        let seat = self.identity.genesis.chain(chain).ok_or_else(unknown)?;
        let codec = self.codecs.get(chain).ok_or_else(unknown)?;
        let manifest = codec.manifest();
        if manifest.decoder != seat.decoder || manifest.native != seat.native {
            let detail = format!(
                "genesis wants {}, this build has {}",
                seat.decoder, manifest.decoder
            );
            return Err(Refusal::new(Code::Unsupported, detail));
        }
        Ok((codec.as_ref(), seat))
    }
}

/// The journal's answer: at the head, at every own head beyond it up to the tip, and with each
/// handed tightening. What any of them forbids counts at once (a stop and its resume beyond the
/// head too); what they allow counts only under the head.
fn journal_allows(
    follower: &Follower,
    head: u64,
    handed: &[Delta],
    asked: &Asked,
) -> Result<Grant, Stop> {
    let genesis = follower.genesis();
    let unknown = |refusal: &Refusal| refusal.code == Code::AttemptUnknown;
    let at_head = share::check(&follower.head_view(head)?, genesis, asked);
    if let Err(refusal) = &at_head
        && !unknown(refusal)
    {
        return Err(refusal.clone().into());
    }
    match share::check(follower.state(), genesis, asked) {
        Err(refusal) if unknown(&refusal) => return Err(Stop::NotYet(refusal)),
        Err(refusal) => return Err(refusal.into()),
        Ok(_) => {}
    }
    for size in follower.sizes_beyond(head) {
        match share::check(&follower.head_view(size)?, genesis, asked) {
            Err(refusal) if !unknown(&refusal) => return Err(refusal.into()),
            Ok(_) | Err(_) => {}
        }
    }
    for delta in handed {
        let view = Overlay::new(follower.state()).with(delta);
        share::check(&view, genesis, asked)
            .map_err(|why| Refusal::new(Code::TighteningPending, why))?;
    }
    let grant = at_head.map_err(Stop::NotYet)?;
    if covered(grant.attempt.seq, head) {
        Ok(grant)
    } else {
        Err(Stop::NotYet(Code::AttemptUnknown.into()))
    }
}

/// Whether the entry at `seq` is among the first `head` entries. The head's own view says so
/// already.
const fn covered(seq: u64, head: u64) -> bool {
    seq < head
}

/// It spends exactly what the attempt declared, the intent's anchor among it.
fn spends(inspection: &Inspection, attempt: &Attempt, grant: &Grant) -> Result<(), Refusal> {
    if !inspection.conflicts.contains(&grant.record.anchor) {
        return Err(Refusal::new(Code::AnchorMissing, &grant.record.anchor.0));
    }
    if inspection.conflicts != attempt.conflict_keys {
        return Err(Refusal::new(
            Code::EffectsMismatch,
            "it spends something else than the attempt declared",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::covered;

    #[test]
    fn an_entry_is_covered_only_by_a_head_larger_than_its_position() {
        assert!(covered(4, 5));
        assert!(!covered(5, 5));
    }
}
