//! A hostile writer: the shipped stage with the log's own key, which is told another time than its
//! clock's and given what it likes, when it likes.
//!
//! It can do what `apply` takes under any stamp that witnesses take, and nothing else: what it
//! appends is appended by the shipped code. Submissions that it does not want yet stay on their
//! topic; cosignatures that it keeps back are lost when its process dies, and given again.

use super::HostileParts;
use crate::kinds::Hostile;
use crate::plan::SKEW_MS;
use crate::reading::Opener;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_journal::{Body, SealedEntry};
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_stage::{Stage, StageError};
use strongroom_tlog::{CosignKey, cosign};
use strongroom_types::{Act, ActBody, Document as _, NodeId, UnixMs};
use strongroom_wire::{Envelope, JournalBatch, WitnessCosignature, decode, topics};
use strongroom_world::{Letter, Sender, World, delivered};
use strongroom_writer::BoundedWriter;

/// How far it stamps ahead of its own clock: no further than some honest witness takes.
const AHEAD_MS: u64 = SKEW_MS - 1_000;
/// Between two looks at what it keeps back, milliseconds: well within the second that cosignatures
/// are dated by.
const LOOK_MS: u64 = 200;
/// Seat of the witness whose key it has where one is hostile.
pub(crate) const LIAR: u16 = 4;

/// What it does now.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    /// Every conduct in force; none when it is honest.
    pub(super) does: BTreeSet<Hostile>,
    /// Seconds from now for which the hostile witness vouches.
    pub(super) lie_s: i64,
    /// Milliseconds from one old stamp to the next.
    pub(super) step_ms: u64,
}

impl Orders {
    fn has(&self, what: Hostile) -> bool {
        self.does.contains(&what)
    }
}

/// The shipped writer in hostile hands.
pub(crate) struct HostileWriter {
    honest: BoundedWriter,
    parts: HostileParts,
    world: World,
    opener: Opener,
    /// Cosignatures that it has not looked at yet.
    cosigned: Vec<Delivered>,
}

/// A cosignature as it arrived.
struct Vouched {
    delivered: Delivered,
    witness: NodeId,
    cosignature: WitnessCosignature,
}

impl HostileWriter {
    pub(crate) fn new(honest: BoundedWriter, parts: HostileParts, world: World) -> Self {
        let opener = parts.opener.clone();
        Self {
            honest,
            parts,
            world,
            opener,
            cosigned: Vec::new(),
        }
    }

    /// The stamp that it gives now.
    fn stamp(&self, orders: &Orders, now: u64) -> u64 {
        let newest = self.honest.follower().map_or(now, |f| f.tip().at.0);

        // A stamp before the last entry's is refused by every replica, so that is the oldest one.
        if orders.has(Hostile::BackDate) && newest + orders.step_ms < now {
            newest + orders.step_ms
        } else if orders.has(Hostile::RunAhead) {
            now + AHEAD_MS
        } else {
            now
        }
    }

    fn on_stamped(&self, stamp: u64, now: u64) {
        // Within a second an old stamp is what any writer under load gives.
        if stamp + 1_000 < now {
            self.parts.did(Hostile::BackDate);
        } else if stamp > now {
            self.parts.did(Hostile::RunAhead);
        }
    }

    /// Appends each submission by itself, under its stamp.
    fn append(
        &mut self,
        orders: &Orders,
        now: u64,
        (tx, submitted): (&mut dyn Tx, &[Delivered]),
    ) -> Result<Vec<Record>, StageError> {
        // One by one, since `Move::Spread` gives each its own stamp.
        let mut records = Vec::new();
        for submission in submitted {
            let stamp = self.stamp(orders, now);
            let made =
                self.honest
                    .unbounded()
                    .handle(stamp, tx, std::slice::from_ref(submission))?;
            if made.iter().any(is_batch) {
                self.on_stamped(stamp, now);
            }

            records.extend(made);
        }
        Ok(records)
    }

    /// Looks at cosignatures, of its choice, and so makes the `witnessed` entry that they allow.
    fn vouch(
        &mut self,
        orders: &Orders,
        now: u64,
        tx: &mut dyn Tx,
    ) -> Result<Vec<Record>, StageError> {
        if self.cosigned.is_empty() || orders.has(Hostile::GoQuiet) {
            return Ok(Vec::new());
        }
        if orders.has(Hostile::HoldWitnessed) {
            self.parts.did(Hostile::HoldWitnessed);
            return Ok(Vec::new());
        }

        let taken = std::mem::take(&mut self.cosigned);
        let opened = taken.into_iter().filter_map(|d| self.open(d));
        let mut chosen: Vec<Vouched> = opened.collect();
        if orders.has(Hostile::LateCosignatures) {
            chosen = newest_of_each(chosen);
            self.parts.did(Hostile::LateCosignatures);
        }
        if orders.has(Hostile::LyingWitness) {
            chosen = self.with_lies(chosen, orders.lie_s, now);
        }

        // No earlier than its cosignatures are dated: else they are too far ahead of the entry.
        let dates = chosen.iter().map(|v| v.cosignature.time_s * 1_000);
        let least = dates.filter(|at| *at <= now + SKEW_MS).max().unwrap_or(0);
        let stamp = self.stamp(orders, now).max(least.saturating_sub(SKEW_MS));

        let chosen: Vec<Delivered> = chosen.into_iter().map(|v| v.delivered).collect();
        let made = self.honest.unbounded().handle(stamp, tx, &chosen)?;
        if made.iter().any(is_batch) {
            self.on_stamped(stamp, now);
        }
        Ok(made)
    }

    /// Orders what it likes of a batch.
    fn order(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        let orders = self.parts.orders();
        let is_submission = |d: &Delivered| d.topic.as_str() == topics::JOURNAL_SUBMITTED;
        let (submitted, cosigned): (Vec<_>, Vec<_>) =
            batch.iter().cloned().partition(is_submission);
        self.cosigned.extend(cosigned);

        // Honest again: what was kept back is given at once, as if it had just arrived.
        if orders.does.is_empty() {
            let mut all = std::mem::take(&mut self.cosigned);
            all.extend(submitted);
            return self.honest.handle(now_ms, tx, &all);
        }

        let mut records = self.vouch(&orders, now_ms, tx)?;
        records.extend(self.append(&orders, now_ms, (tx, &submitted))?);
        Ok(records)
    }

    fn open(&self, delivered: Delivered) -> Option<Vouched> {
        let payload = &delivered.record.payload;
        let (envelope, cosignature) = self.opener.open::<WitnessCosignature>(payload)?;
        Some(Vouched {
            delivered,
            witness: envelope.from,
            cosignature,
        })
    }

    /// Beside the honest witnesses' words the hostile one's over the same heads, each time with so
    /// few honest ones that its own is needed.
    fn with_lies(&self, chosen: Vec<Vouched>, lie_s: i64, now: u64) -> Vec<Vouched> {
        let liar = self.world.seat(LIAR);
        let key = CosignKey::new(&liar.node.to_string(), &liar.witness.to_bytes()).unwrap();

        // Were there a quorum of honest ones, the writer would never come to use the liar's.
        let honest_max = self.world.genesis.quorum as usize - 1;
        let mut by_body: BTreeMap<String, Vec<Vouched>> = BTreeMap::new();
        for vouched in chosen {
            let of_body = by_body.entry(vouched.cosignature.body.clone()).or_default();
            if vouched.witness != liar.node && of_body.len() < honest_max {
                of_body.push(vouched);
            }
        }

        let time_s = (now / 1_000).saturating_add_signed(lie_s).max(1);
        for (body, honest) in &mut by_body {
            let signed = cosign(body, time_s, &key).unwrap();
            let cosignature = WitnessCosignature {
                body: body.clone(),
                time_s,
                signature: signed.signature,
            };
            let topic = topics::cosignatures(liar.node);
            let letter = Letter::new(&topic, UnixMs(now));
            let record = self.world.record(Sender::Seat(LIAR), letter, &cosignature);
            honest.push(Vouched {
                delivered: delivered(record, 0),
                witness: liar.node,
                cosignature,
            });
            self.parts.did(Hostile::LyingWitness);
        }
        by_body.into_values().flatten().collect()
    }
}

/// Of each witness the word that it gave last.
fn newest_of_each(vouched: Vec<Vouched>) -> Vec<Vouched> {
    let mut newest: BTreeMap<NodeId, Vouched> = BTreeMap::new();
    for one in vouched {
        newest.insert(one.witness, one);
    }
    newest.into_values().collect()
}

fn is_batch(record: &Record) -> bool {
    record.topic.as_str() == topics::JOURNAL_ENTRIES
}

/// Whether entries release a proposal.
fn releases((_, batch): (Arc<Envelope>, JournalBatch)) -> bool {
    batch.entries.iter().any(|bytes| {
        let sealed: SealedEntry = decode(bytes).unwrap();
        match sealed.open().unwrap().body {
            Body::Act(signed) => {
                matches!(Act::parse(&signed.text).unwrap().body, ActBody::Release(_))
            }
            _ => false,
        }
    })
}

impl Stage for HostileWriter {
    fn name(&self) -> &'static str {
        self.honest.name()
    }

    fn topics(&self) -> Vec<Topic> {
        self.honest.topics()
    }

    fn migrations(&self) -> &'static [Migration] {
        self.honest.migrations()
    }

    fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), StageError> {
        self.honest.reload(tx)
    }

    fn handle(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        let records = self.order(now_ms, tx, batch)?;

        // The hold begins when the release is in its log: before, it would keep back the
        // `witnessed` entry of the proposal, and there would be no release.
        let has_release = |record: &Record| self.opener.open(&record.payload).is_some_and(releases);
        if self.parts.awaits_release() && records.iter().filter(|r| is_batch(r)).any(has_release) {
            self.parts.on_released();
        }
        Ok(records)
    }

    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let orders = self.parts.orders();
        let mut records = Vec::new();
        if !self.cosigned.is_empty() {
            records = if orders.does.is_empty() {
                let kept = std::mem::take(&mut self.cosigned);
                self.honest.handle(now_ms, tx, &kept)?
            } else {
                self.vouch(&orders, now_ms, tx)?
            };
        }

        if !orders.has(Hostile::GoQuiet) {
            // A tick would be young, and nothing after it can be old: none is due by the newest
            // stamp.
            let newest = self.honest.follower().map_or(now_ms, |f| f.tip().at.0);
            let is_spread = orders.step_ms > 0;
            let stamp = if is_spread { newest } else { now_ms };
            let ticked = if orders.does.is_empty() {
                self.honest.tick(stamp, tx)
            } else {
                self.honest.unbounded().tick(stamp, tx)
            };
            records.extend(ticked?);
        }
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        LOOK_MS
    }

    /// What it does not take stays on its topic.
    fn takes(&self, now_ms: u64, topic: &Topic) -> bool {
        let orders = self.parts.orders();
        let is_submission = topic.as_str() == topics::JOURNAL_SUBMITTED;
        if is_submission && orders.has(Hostile::GoQuiet) {
            self.parts.did(Hostile::GoQuiet);
            return false;
        }
        !orders.does.is_empty() || self.honest.takes(now_ms, topic)
    }
}
