//! The writer's stage.

use crate::clocks::WitnessClocks;
use crate::error::StartError;
use crate::ready::ReadyStart;
use crate::submitted::{Submission, Submitted, read_submission};
use crate::turns::in_turn;
use std::sync::Arc;
use strongroom_guard::{G, guard};
use strongroom_journal::Genesis;
use strongroom_journal::follower::Follower;
use strongroom_journal::writer::{Offer, Orderer};
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::Tx;
use strongroom_ports::host::Entropy;
use strongroom_replica::{Incoming, Replica, ReplicaError, journal_topics, open_incoming};
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, Post};
use strongroom_types::{Code, NodeId, Refusal, UnixMs, digest};
use strongroom_wire::{JournalBatch, JournalResult, WitnessCosignature, topics};

/// How long an answer may be acted upon. It is only a hint; the entries are the truth.
const ANSWER_LIFE_MS: u64 = 60_000;
/// Entries stay true (the largest time every store can hold).
const FOR_EVER: UnixMs = UnixMs(i64::MAX as u64);

/// Per submission: its position, or why it was refused.
type Positions = Vec<Result<u64, Refusal>>;

/// A cosignature out of its record.
pub(crate) struct HeardCosignature<'a> {
    topic: &'a Topic,
    witness: NodeId,
    /// The witness's statement, not verified yet.
    cosignature: WitnessCosignature,
}

/// A round's records, with the times that they are judged by.
pub(crate) struct Round<'a> {
    pub(crate) batch: &'a [Delivered],
    /// The cosignatures of the batch.
    pub(crate) cosigned: Vec<HeardCosignature<'a>>,
    /// This machine's clock when they arrived.
    pub(crate) arrived: UnixMs,
    /// Stamp of what is ordered.
    pub(crate) stamp: UnixMs,
}

/// Role `journal`: may delay, cannot forge, reorder or fork.
pub struct Writer {
    genesis: Arc<Genesis>,
    topics: Vec<Topic>,
    orderer: Orderer,
    post: Post,
    entropy: Arc<dyn Entropy>,
    replica: Option<Replica>,
    pub(crate) clocks: WitnessClocks,
    /// Code of the refusal of its own last `witnessed` offer; none when it was taken.
    own_refused: Option<Code>,
}

impl Writer {
    /// A writer of a start that was found ready: a database that is behind would give published
    /// positions a second time, and a clock that the witnesses' answers do not bear out could stop
    /// the journal. Its replica is loaded by the shell. `log_seed` is the Ed25519 seed of genesis'
    /// log key, `post` its identity on the bus.
    ///
    /// # Errors
    /// `invalid_reference` when the seed is not that of the log key.
    pub fn new(
        ready: ReadyStart,
        log_seed: &[u8; 32],
        post: Post,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Refusal> {
        let ReadyStart { genesis, clocks } = ready;
        let orderer = Orderer::new(&genesis, log_seed)?;
        let invalid = |e| Refusal::new(Code::InvalidReference, e);

        // The entries topic is not consumed: it is this stage's own output, and its database has
        // it.
        let mut consumed = journal_topics(&genesis).map_err(invalid)?;
        consumed.retain(|topic| topic.as_str() != topics::JOURNAL_ENTRIES);
        consumed.insert(0, Topic::new(topics::JOURNAL_SUBMITTED).map_err(invalid)?);

        Ok(Self {
            genesis,
            clocks,
            topics: consumed,
            orderer,
            post,
            entropy,
            replica: None,
            own_refused: None,
        })
    }

    /// Its replica, once loaded.
    #[must_use]
    pub fn follower(&self) -> Option<&Follower> {
        self.replica.as_ref().map(Replica::follower)
    }

    fn replica(&mut self) -> Result<&mut Replica, StageError> {
        self.replica.as_mut().ok_or_else(not_loaded)
    }

    /// Orders offers; gives the records of the new batches, and each offer's position or refusal.
    fn order(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        offers: &[Offer],
    ) -> Result<(Vec<Record>, Positions), StageError> {
        let mut rng = self.entropy.rng();
        let replica = self.replica.as_mut().ok_or_else(not_loaded)?;
        let ordered = replica
            .order(tx, &self.orderer, now, offers, &mut *rng)
            .map_err(stage_error)?;

        // The records are made in the transaction that stored the entries: these are published with
        // their commit or not at all.
        let batches = ordered.batches.iter();
        let records = batches.map(|ordered| batch_record(&mut self.post, now, &ordered.batch));
        Ok((records.collect::<Result<_, _>>()?, ordered.results))
    }

    /// Opens what witnesses sent, and takes note of their clocks.
    ///
    /// # Errors
    /// Poison, for a record that does not open.
    pub(crate) fn hear<'a>(
        &mut self,
        batch: &'a [Delivered],
    ) -> Result<Vec<HeardCosignature<'a>>, StageError> {
        let registered = Arc::clone(self.replica()?.follower().state().registered());

        let mut cosigned = Vec::new();
        for delivered in batch.iter().filter(|delivered| !is_submission(delivered)) {
            // An error, for the shell to forget the record's id: the true record may have the same.
            let incoming = open_incoming(&delivered.record.payload, registered.as_ref()).map_err(
                |refusal| StageError::poison("the record does not open").because(refusal),
            )?;

            match incoming {
                Incoming::Cosignature {
                    witness,
                    made,
                    cosignature,
                } => {
                    // Also when it does not count: the envelope is signed, and the time is what is
                    // new.
                    self.clocks.hear(witness, made);
                    cosigned.push(HeardCosignature {
                        topic: &delivered.topic,
                        witness,
                        cosignature,
                    });
                }
                Incoming::Batch(_) => {
                    tracing::warn!(topic = %delivered.topic, "entries of no witness were skipped");
                }
            }
        }
        Ok(cosigned)
    }

    /// Takes in a cosignature: when the witnesses go quiet a tick is due, and when they know more
    /// than this database, it was put back.
    fn on_cosignature(
        &mut self,
        arrived: UnixMs,
        cosigned: &HeardCosignature<'_>,
    ) -> Result<(), StageError> {
        let faults = self.genesis.faults as usize;
        let replica = self.replica.as_mut().ok_or_else(not_loaded)?;
        let follower = replica.follower_mut();

        // A cosignature that does not verify is skipped: it proves nothing, and a hostile witness
        // can send many.
        let counted = follower.cosignature(cosigned.witness, &cosigned.cosignature, arrived);
        if let Err(refusal) = counted {
            tracing::warn!(topic = %cosigned.topic, %refusal, "a cosignature was skipped");
        }

        // More witnesses than may lie know entries that this database lacks: it was put back, and
        // what it orders next would fork the journal.
        let witnesses = follower.witnesses_elsewhere();
        if guard(G::WriterStart, witnesses > faults) {
            let put_back = StartError::WitnessesAhead { witnesses };
            return Err(StageError::fatal("nothing more is appended").because(put_back));
        }
        Ok(())
    }

    /// The newest batch once more, as at a start: its bytes are known, and witnesses answer it.
    pub(crate) fn newest_again(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
    ) -> Result<Option<Record>, StageError> {
        let tip = Replica::stored_tip(tx).map_err(stage_error)?;
        tip.map(|tip| batch_record(&mut self.post, now, &tip.batch))
            .transpose()
    }

    /// The entry by which a quorum vouches for what waits, once its cosignatures are here.
    fn witnessed_due(&mut self) -> Result<Option<Offer>, StageError> {
        Ok(Orderer::witnessed_due(self.replica()?.follower()))
    }

    /// Logs the journal's refusal of this writer's own `witnessed` offer: waiting items then go on
    /// waiting, and no submission's answer would say why.
    fn on_own_result(&mut self, result: Result<u64, Refusal>) {
        let Err(refusal) = result else {
            self.own_refused = None;
            return;
        };

        // The refusal is logged once per code, because the entry is offered again with every round.
        if self.own_refused.replace(refusal.code) != Some(refusal.code) {
            tracing::warn!(%refusal, "what the witnesses vouch for was not taken");
        }
    }

    fn answer(
        &mut self,
        now: UnixMs,
        submission: &Submission,
        result: Result<u64, Refusal>,
    ) -> Result<Record, StageError> {
        let result = result.map_err(|refusal| (refusal.code, refusal.detail));
        let payload = JournalResult {
            submission: submission.id,
            result,
        };

        let cause = submission.cause.clone().until(now.plus(ANSWER_LIFE_MS));
        let from = submission.from;
        self.post.record(
            now,
            (topics::JOURNAL_RESULTS, &from.0),
            Some(from),
            &payload,
            &cause,
        )
    }
}

/// The work of a stage, for [`BoundedWriter`](crate::BoundedWriter) alone: a role cannot run a writer
/// without the bound.
impl Writer {
    pub(crate) fn topics(&self) -> Vec<Topic> {
        self.topics.clone()
    }

    pub(crate) fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), StageError> {
        match &mut self.replica {
            // This is cheap when memory and tables agree: the whole state is loaded once.
            Some(replica) => replica.reload(tx).map_err(stage_error),
            None => {
                self.replica =
                    Some(Replica::load(tx, Arc::clone(&self.genesis)).map_err(stage_error)?);
                Ok(())
            }
        }
    }

    /// Takes in submissions and cosignatures at a time, which stamps what is ordered.
    ///
    /// # Errors
    /// As every stage.
    pub fn handle(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        let round = Round {
            batch,
            cosigned: self.hear(batch)?,
            arrived: UnixMs(now_ms),
            stamp: UnixMs(now_ms),
        };
        self.handle_round(tx, &round)
    }

    /// Takes in submissions, and cosignatures that were heard.
    pub(crate) fn handle_round(
        &mut self,
        tx: &mut dyn Tx,
        round: &Round<'_>,
    ) -> Result<Vec<Record>, StageError> {
        let stamp = round.stamp;
        let registered = Arc::clone(self.replica()?.follower().state().registered());

        // Submissions of a round are ordered together: one checkpoint and one commit for all of
        // them.
        let mut submitted = Vec::new();
        for delivered in round.batch.iter().filter(|d| is_submission(d)) {
            submitted.push(read_submission(delivered, registered.as_ref(), stamp)?);
        }

        let (mut submissions, mut offers) = (Vec::new(), Vec::new());
        for submitted in in_turn(submitted) {
            match submitted {
                Submitted::Offered(submission, offer) => {
                    submissions.push((submission, None));
                    offers.push(*offer);
                }
                Submitted::Refused(submission, refusal) => {
                    submissions.push((submission, Some(refusal)));
                }
            }
        }

        // Their arrival is dated by this machine's clock and not by the stamp, which lags after a
        // silence until f + 1 witnesses have spoken: the first of them would seem to sign ahead of
        // time, and would not count. A clock that is ahead takes in what one of f may date so, and
        // `apply` does not.
        for cosigned in &round.cosigned {
            self.on_cosignature(round.arrived, cosigned)?;
        }

        // The `witnessed` entry comes first, because it may put in force what the submissions of
        // this round rest on.
        let due = self.witnessed_due()?;
        let is_due = due.is_some();
        let offers: Vec<Offer> = due.into_iter().chain(offers).collect();
        if offers.is_empty() && submissions.is_empty() {
            return Ok(Vec::new());
        }

        // Each submission gets one answer. Results are in the order of the offers, and a refused
        // submission was not offered.
        let (mut records, results) = self.order(stamp, tx, &offers)?;
        let mut results = results.into_iter();
        if let Some(own) = is_due.then(|| results.next()).flatten() {
            self.on_own_result(own);
        }
        for (submission, refused) in &submissions {
            let result = match refused {
                Some(refusal) => Err(refusal.clone()),
                None => results.next().unwrap_or_else(|| Err(Code::Internal.into())),
            };
            records.push(self.answer(stamp, submission, result)?);
        }
        Ok(records)
    }

    /// Appends a tick entry when the tip grows old without being witnessed.
    ///
    /// # Errors
    /// As every stage.
    pub fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let now = UnixMs(now_ms);
        if !Orderer::tick_due(self.replica()?.follower(), now) {
            return Ok(Vec::new());
        }
        Ok(self.order(now, tx, &[Offer::tick()])?.0)
    }

    /// Submissions stay on their topic while the tip waits for a quorum of cosignatures.
    pub(crate) fn takes(&self, now_ms: u64, topic: &Topic) -> bool {
        let holds = |follower| Orderer::holds(follower, UnixMs(now_ms));
        topic.as_str() != topics::JOURNAL_SUBMITTED || !self.follower().is_some_and(holds)
    }
}

/// The record of a batch: the same on every run, message id included.
pub(crate) fn batch_record(
    post: &mut Post,
    now: UnixMs,
    batch: &JournalBatch,
) -> Result<Record, StageError> {
    // The id follows from the checkpoint, so a batch that is published again after a crash is the
    // same record to every consumer.
    let note = digest("strongroom/journal-batch/v1", &[batch.note.as_bytes()]);
    let cause = Cause::own(&[&note.0], FOR_EVER);
    post.record(
        now,
        (topics::JOURNAL_ENTRIES, b"journal"),
        None,
        batch,
        &cause,
    )
}

fn is_submission(delivered: &Delivered) -> bool {
    delivered.topic.as_str() == topics::JOURNAL_SUBMITTED
}

fn not_loaded() -> StageError {
    StageError::fatal("the writer's replica is not loaded")
}

/// A replica that refuses its own writer's work must not go on; a database that is busy may.
fn stage_error(error: ReplicaError) -> StageError {
    let what = "the writer's replica";
    if error.is_transient() {
        StageError::transient(what).because(error)
    } else {
        StageError::fatal(what).because(error)
    }
}
