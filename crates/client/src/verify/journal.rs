//! The journal: replayed from entry 0, and compared with what the witnesses vouch for.

use super::Report;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_journal::follower::{Follower, witness_name};
use strongroom_journal::{Body, Genesis, SealedEntry};
use strongroom_tlog::{Checkpoint, CosignVerifier, Cosignature, verify_cosignature};
use strongroom_types::{
    Act, ActBody, Attempt, Digest, Document as _, Intent, NodeId, Refusal, TenantId, Tighten,
};
use strongroom_wire::{JournalBatch, WitnessCosignature};

/// A payment as the journal has it.
pub(super) struct Authorized {
    pub(super) intent: Intent,
    pub(super) text: String,
    pub(super) attempts: Vec<Attempt>,
}

/// The journal after its last witnessed entry, and every payment in it.
pub(super) struct Replayed {
    pub(super) follower: Follower,
    pub(super) payments: BTreeMap<Digest, Authorized>,
    /// Checkpoint bodies of every head by size, those that no quorum witnessed included.
    pub(super) bodies: BTreeMap<u64, String>,
}

/// The batches of a folder, which follow one another.
#[derive(Clone, Copy)]
pub(super) struct Batches<'a> {
    /// `journal.bin`: witnessed to the last entry.
    pub(super) journal: &'a [JournalBatch],
    /// `unwitnessed.bin`: the batches behind it, of which no quorum knows.
    pub(super) beyond: &'a [JournalBatch],
}

impl<'a> Batches<'a> {
    /// All of them, in their order.
    pub(super) fn all(self) -> impl Iterator<Item = &'a JournalBatch> {
        self.journal.iter().chain(self.beyond)
    }
}

impl Replayed {
    pub(super) fn tenant_of(&self, intent: &Digest) -> Option<TenantId> {
        self.payments
            .get(intent)
            .map(|payment| payment.intent.tenant)
    }
}

/// Applies every batch. A batch that does not follow ends the replay and is a problem.
pub(super) fn replay(
    genesis: Arc<Genesis>,
    batches: Batches<'_>,
    cosignatures: &[(NodeId, WitnessCosignature)],
    report: &mut Report,
) -> Result<Replayed, Refusal> {
    let follower = Follower::new(genesis)?;
    let mut replayed = Replayed {
        follower,
        payments: BTreeMap::new(),
        bodies: BTreeMap::new(),
    };
    for batch in batches.journal {
        // The follower passes over a batch that it has applied before. In a file, a second copy or
        // a gap means that it is not the journal it claims to be.
        if batch.first_seq != replayed.follower.size() {
            report.problem(format!(
                "journal: entries from {} where {} belong",
                batch.first_seq,
                replayed.follower.size()
            ));
            break;
        }
        match replayed.follower.append(batch) {
            Ok(applied) => applied
                .iter()
                .for_each(|(sealed, _)| replayed.count(sealed, report)),
            Err(refusal) => {
                report.problem(format!(
                    "journal after entry {}: {refusal}",
                    replayed.follower.size()
                ));
                break;
            }
        }

        let tip = replayed.follower.tip();
        replayed.bodies.insert(tip.size, tip.body.clone());
    }

    let tip = replayed.follower.tip();
    report.entries = tip.size;
    report.head = format!("{} {}", tip.root, tip.state_root);

    if tip.size == 0 {
        report.problem("journal: no entry");
    }

    // Nothing of these batches counts: what they hold is not in the report, and no transaction may
    // rest on it. They are here because signers were shown them.
    if !batches.beyond.is_empty() {
        replayed.add_beyond(batches, report)?;
    }

    // The file must be witnessed to its last entry: what follows the last witnessed head may exist
    // in this copy only. A quorum beyond it means that the folder hides witnessed entries.
    let (genesis, bodies) = (replayed.follower.genesis(), &replayed.bodies);
    report.witnessed = witnessed(genesis, bodies, cosignatures, report);
    if report.witnessed != report.entries {
        report.problem(format!(
            "witnessed are {} of {} entries",
            report.witnessed, report.entries
        ));
    }
    Ok(replayed)
}

impl Replayed {
    /// Applies the batches behind the journal to a follower of their own, for their heads.
    fn add_beyond(&mut self, batches: Batches<'_>, report: &mut Report) -> Result<(), Refusal> {
        let mut follower = Follower::new(Arc::clone(self.follower.genesis()))?;
        for batch in batches.all() {
            // What is wrong inside the journal is reported already.
            let is_beyond = batch.first_seq >= report.entries;
            let follows = batch.first_seq == follower.size();
            let taken = follower.append(batch);
            if is_beyond && !(follows && taken.is_ok()) {
                let from = batch.first_seq;
                report.problem(format!("unwitnessed entries from {from} do not follow"));
                break;
            }

            let tip = follower.tip();
            self.bodies.insert(tip.size, tip.body.clone());
        }
        report.unwitnessed = follower.size().saturating_sub(report.entries);
        Ok(())
    }

    fn count(&mut self, sealed: &SealedEntry, report: &mut Report) {
        // `append` has opened it: what does not open never comes here.
        let Ok(entry) = sealed.open() else { return };
        match entry.body {
            Body::Authorized(authorization) => {
                report.authorized += 1;
                report.attempts += 1;

                // `apply` has parsed it: a text that is not an intent never comes here.
                let text = authorization.intent.text;
                if let Ok(intent) = Intent::parse(&text) {
                    let payment = Authorized {
                        intent,
                        attempts: vec![authorization.attempt],
                        text,
                    };
                    self.payments
                        .insert(Intent::digest_of(&payment.text), payment);
                }
            }
            Body::Attempt(further) => {
                report.attempts += 1;
                if let Some(payment) = self.payments.get_mut(&further.attempt.intent) {
                    payment.attempts.push(further.attempt);
                }
            }
            Body::Act(signed) => {
                // Of all acts only the noes are counted in the report.
                let act = Act::parse(&signed.text).map(|act| act.body);
                if let Ok(ActBody::Tighten(Tighten::Reject(_))) = act {
                    report.rejected += 1;
                }
            }
            Body::Genesis(_) | Body::Tick | Body::Finished(_) | Body::Witnessed(_) => {}
        }
    }
}

/// Size of the largest head that a quorum of distinct witnesses cosigned. A cosignature that does
/// not verify, is over another tree, or over more than the file holds, is a problem.
fn witnessed(
    genesis: &Genesis,
    bodies: &BTreeMap<u64, String>,
    cosignatures: &[(NodeId, WitnessCosignature)],
    report: &mut Report,
) -> u64 {
    let keys: BTreeMap<NodeId, CosignVerifier> = genesis
        .witness_keys()
        .filter_map(|(node, key)| {
            Some((node, CosignVerifier::new(&witness_name(node), &key).ok()?))
        })
        .collect();

    let mut largest: BTreeMap<NodeId, u64> = BTreeMap::new();
    // One fault often shows at every head and witness: each kind is reported once.
    let mut reported = BTreeSet::new();
    for (node, cosignature) in cosignatures {
        match cosigned_size(keys.get(node), bodies, cosignature) {
            Ok(size) => {
                let known = largest.entry(*node).or_default();
                *known = size.max(*known);
            }
            Err(what) => {
                if !reported.contains(&what) {
                    report.problem(format!("cosignature of {node}: {what}"));
                    reported.insert(what);
                }
            }
        }
    }

    // A cosignature over a larger head covers every prefix of it.
    let mut sizes: Vec<u64> = largest.into_values().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let place = usize::try_from(genesis.quorum)
        .ok()
        .and_then(|quorum| quorum.checked_sub(1));
    place
        .and_then(|place| sizes.get(place).copied())
        .unwrap_or(0)
}

/// Size of the head that a cosignature is over.
fn cosigned_size(
    key: Option<&CosignVerifier>,
    bodies: &BTreeMap<u64, String>,
    shown: &WitnessCosignature,
) -> Result<u64, Cow<'static, str>> {
    let key = key.ok_or("genesis has no such witness")?;

    // A record has body, time and signature only: the key it must be by is the one in genesis.
    let signed = Cosignature {
        name: key.name().to_owned(),
        key_id: key.key_id(),
        time_s: shown.time_s,
        signature: shown.signature,
    };
    verify_cosignature(&shown.body, &signed, key)
        .map_err(|why| format!("the signature does not verify: {why}"))?;

    let checkpoint =
        Checkpoint::parse(&shown.body).map_err(|why| format!("it is over no checkpoint: {why}"))?;

    // Bodies are compared as a whole: by size alone, a cosignature over another tree would count
    // for this one.
    match bodies.get(&checkpoint.size()) {
        Some(ours) if *ours == shown.body => Ok(checkpoint.size()),
        Some(_) => Err("it is over another tree of the same size: a split view".into()),
        None if bodies
            .last_key_value()
            .is_some_and(|(last, _)| checkpoint.size() > *last) =>
        {
            Err("it is over more entries than the journal file holds: the file is cut off".into())
        }
        None => Err("it is over a head that the journal file does not have".into()),
    }
}
