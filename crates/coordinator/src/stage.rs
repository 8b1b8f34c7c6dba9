//! The stage: signing requests and signers' answers in, signatures out.

use crate::ceremony::{Ceremony, Certificate, CertifiedResult};
use crate::inbox::{Inbox, SignerRecord, routes};
use crate::quorum::{Chooser, SignerIndex};
use crate::run::{Run, RunName};
use crate::stock::{KeyName, Stock};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_journal::Genesis;
use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::signing::PublicKeys;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_stage::inbox::Routes;
use strongroom_stage::post::{Cause, Post};
use strongroom_stage::{Stage, StageError};
use strongroom_types::{KeyId, NodeId, TenantId, UnixMs};
use strongroom_wire::SignerMessage;

/// Interval between ticks, milliseconds; bounds how late a silent quorum is noticed.
const TICK_MS: u64 = 20;
/// Every so many ticks stock and ceremonies are looked after: it reads every key of the journal.
pub(crate) const UPKEEP_TICKS: u64 = 5;

/// Waits of the coordinator, all in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A quorum that has not answered after this time is replaced.
    pub try_ms: u64,
    /// A run ends without a result after this time; its requester asks again.
    pub run_ms: u64,
    /// Pause before asking again after a refusal that may pass.
    pub again_ms: u64,
    /// Nonce commitments kept per signer and key, at least 2 and at most 256: seconds of full load.
    pub stock: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            try_ms: 1_500,
            run_ms: 30_000,
            again_ms: 200,
            stock: 256,
        }
    }
}

/// State machine of the coordinator: stock, runs and ceremonies in memory, no tables.
pub struct CoordinatorStage {
    pub(crate) post: Post,
    pub(crate) journal: Arc<SharedFollower>,
    routes: Routes<Inbox>,
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) pace: Pace,
    pub(crate) stock: Stock,
    pub(crate) chooser: Chooser,
    /// Public sides of keys, opened once.
    pub(crate) keys: BTreeMap<KeyName, PublicKeys>,
    pub(crate) runs: BTreeMap<RunName, Run>,
    pub(crate) ceremonies: BTreeMap<KeyName, Ceremony>,
    pub(crate) ticks: u64,
}

/// Records to publish.
pub(crate) type Records = Result<Vec<Record>, StageError>;

/// Time, sender and cause of a signer's answer.
#[derive(Clone, Copy)]
pub(crate) struct SignerContext<'a> {
    pub(crate) now: UnixMs,
    /// The sender, proven by its envelope.
    pub(crate) signer: SignerIndex,
    pub(crate) cause: &'a Cause,
}

impl CoordinatorStage {
    /// The coordinator under its identity, reading its replica.
    #[must_use]
    pub fn new(post: Post, journal: Arc<SharedFollower>, pace: Pace) -> Self {
        let genesis = journal.read(|f| Arc::clone(f.genesis()));
        Self {
            post,
            routes: routes(&genesis),
            journal,
            genesis,
            pace,
            stock: Stock::new(pace.stock),
            chooser: Chooser::default(),
            keys: BTreeMap::new(),
            runs: BTreeMap::new(),
            ceremonies: BTreeMap::new(),
            ticks: 0,
        }
    }

    /// A key that is in force.
    pub(crate) fn key(&self, tenant: TenantId, key: KeyId) -> Option<KeyRecord> {
        // A revoked key gets no share from any honest signer: asking would only spend nonces.
        self.journal
            .read(|f| f.state().threshold_key(tenant, key))
            .ok()
            .filter(|key| !key.revoked)
    }

    /// Whether a signer's answer is to this coordinator, and still of use.
    fn is_for_us(&self, now: UnixMs, to: Option<NodeId>, record: &SignerRecord) -> bool {
        // With two coordinators, the commitments that a signer made for the other one would be
        // offered twice, and its nonces refused.
        let is_to_us = to == Some(self.post.node());

        // An old record that the bus repeats would empty the signer's shelf, as commitments of a new
        // boot do. The deadline is by the signer's clock, which may be behind this one by the skew.
        let skew_ms = self.genesis.bounds.skew_ms;
        let is_in_time = now < record.cause.deadline.plus(skew_ms);

        if !is_to_us || !is_in_time {
            let signer = record.signer.0;
            tracing::debug!(
                signer,
                is_to_us,
                is_in_time,
                "a signer's answer was dropped"
            );
        }
        is_to_us && is_in_time
    }

    fn on_signer_message(&mut self, now: UnixMs, record: SignerRecord) -> Records {
        let SignerRecord {
            signer,
            message,
            cause,
            sealed,
        } = record;

        // Even a refusal shows that the signer is alive: the next quorum may contain it again.
        self.chooser.set_responsive(signer);
        let from = SignerContext {
            now,
            signer,
            cause: &cause,
        };

        match message {
            SignerMessage::Commitments {
                tenant,
                key,
                commitments,
            } => self.on_commitments(from, (tenant, key), commitments),
            SignerMessage::Shares {
                request,
                shares,
                covered_us,
                ..
            } => self.on_shares(from, request, shares, covered_us),
            SignerMessage::Refused(refusal) => self.on_refusal(from, refusal),
            SignerMessage::Ceremony(message) => self.on_ceremony_message(from, &message, sealed),
            SignerMessage::Certificate {
                tenant,
                key,
                signature,
                public,
                transcript,
            } => {
                let certificate = Certificate {
                    signature,
                    result: CertifiedResult { transcript, public },
                };
                self.on_certificate(from, (tenant, key), certificate)
            }
        }
    }
}

impl Stage for CoordinatorStage {
    fn name(&self) -> &'static str {
        "coordinator"
    }

    fn topics(&self) -> Vec<Topic> {
        self.routes.topics()
    }

    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    /// Opens the whole batch before anything is done, so that a poison record leaves memory as it
    /// was.
    fn handle(&mut self, now_ms: u64, _: &mut dyn Tx, batch: &[Delivered]) -> Records {
        let now = UnixMs(now_ms);
        let senders = self.journal.read(|f| Arc::clone(f.state().registered()));
        let opened: Vec<_> = batch
            .iter()
            .map(|delivered| self.routes.open(delivered, senders.as_ref()))
            .collect::<Result<_, _>>()?;

        // Records are handled in the order of delivery: commitments of a signer's last boot must
        // not come after those of its new one, which they would empty.
        let mut records = Vec::new();
        for (opened, delivered) in opened.into_iter().zip(batch) {
            records.extend(match opened.record {
                Inbox::SigningRequested(request) => {
                    self.on_signing_requested(now, request, opened.cause)?
                }
                Inbox::FromSigner(signer, message) => {
                    let record = SignerRecord {
                        signer,
                        message,
                        cause: opened.cause,
                        sealed: delivered.record.payload.clone(),
                    };
                    if self.is_for_us(now, opened.to, &record) {
                        self.on_signer_message(now, record)?
                    } else {
                        Vec::new()
                    }
                }
            });
        }
        Ok(records)
    }

    fn tick(&mut self, now_ms: u64, _: &mut dyn Tx) -> Records {
        self.on_tick(UnixMs(now_ms))
    }

    fn tick_every_ms(&self) -> u64 {
        TICK_MS
    }

    // Runs live for seconds and ceremonies are in the journal: what a crash loses is asked again.
    fn stateless(&self) -> bool {
        true
    }
}
