//! The observer: sees every record and frame as it leaves its process, and tells the properties.

use crate::facts::{Reader, pays, tightening};
use crate::history::{Event, Fact, NonceUse, Share};
use crate::hub::Inner;
use crate::kinds::NodeName;
use crate::plan::{DUTY_MS, FRESHNESS_MS, Plan, SKEW_MS};
use crate::properties::{Checker, Terms, Violation};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_journal::{Body, Entry, SealedEntry};
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_ports::bus::Record;
use strongroom_ports::chain::{ChainCodec as _, NoRegistry, VaultKey};
use strongroom_signer_core::request_digest;
use strongroom_tlog::{Checkpoint, Note};
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{
    Act, ActBody, Digest, Document as _, Intent, Signed, Suite, UnixMs, digest,
};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{
    CoordinatorMessage, Envelope, JournalBatch, NonceCommitment, Payload, Role, SignerMessage,
    SigningRequest, SigningRequested, TransactionChanged, TransactionState, WitnessCosignature,
    decode, open, topics,
};
use strongroom_world::World;

const ANY: [Role; 7] = [
    Role::Api,
    Role::Approvals,
    Role::Transactions,
    Role::Coordinator,
    Role::Writer,
    Role::Signer,
    Role::Witness,
];

pub(crate) struct Observer {
    pub(crate) world: World,
    registered: strongroom_journal::genesis::Registered,
    reader: Reader,
    pub(crate) checker: Checker,
    pub(crate) codec: Arc<BitcoinCodec>,
    pub(crate) vault: Option<VaultKey>,
    /// Every request to sign that anybody made.
    requests: BTreeMap<Digest, SigningRequest>,
    pub(crate) asked: Vec<SigningRequest>,
    /// What the transactions service asked for.
    pub(crate) wanted: Vec<SigningRequested>,
    /// Requests that a signer answered with shares.
    pub(crate) shared: BTreeSet<Digest>,
    /// Commitments that signers published, by roster index.
    pub(crate) commitments: BTreeMap<u16, Vec<NonceCommitment>>,
    /// Network bytes that the transactions service calls signed.
    pub(crate) raw: BTreeMap<Digest, Vec<u8>>,
    pub(crate) entries: u64,
    pub(crate) shares: u64,
    pub(crate) violation: Option<Violation>,
}

/// Digest of a checkpoint body or an entry's bytes, as the history names them.
fn name_of(bytes: &[u8]) -> Digest {
    digest("strongroom/sim-name/v1", &[bytes])
}

fn size_of(body: &str) -> u64 {
    Checkpoint::parse(body).map_or(0, |checkpoint| checkpoint.size())
}

impl Observer {
    pub(crate) fn new(world: World, plan: &Plan) -> Self {
        let charter = world.tenant.charter();
        let (_, policy) = strongroom_policy::Policy::load(&charter.policy).unwrap();
        let terms = Terms {
            quorum: world.genesis.quorum as usize,
            min_signers: usize::from(world.options.min_signers),
            freshness_ms: FRESHNESS_MS,
            skew_ms: SKEW_MS,
            duty_ms: DUTY_MS,
            limit: plan.limit,
            window_ms: plan.window_seconds * 1_000,
            committee_quorum: charter.committee.quorum as usize,
            policy,
            promised: BTreeMap::new(),
        };
        Self {
            registered: strongroom_journal::genesis::Registered::of(&world.genesis),
            reader: Reader::new(world.clone()),
            world,
            checker: Checker::new(terms),
            codec: Arc::new(BitcoinCodec::new(Network::Regtest).unwrap()),
            vault: None,
            requests: BTreeMap::new(),
            asked: Vec::new(),
            wanted: Vec::new(),
            shared: BTreeSet::new(),
            commitments: BTreeMap::new(),
            raw: BTreeMap::new(),
            entries: 0,
            shares: 0,
            violation: None,
        }
    }

    fn tell(&mut self, at_ms: u64, event: &Event) {
        if let Err(violation) = self.checker.observe(at_ms, event) {
            self.violation.get_or_insert(violation);
        }
    }

    pub(crate) fn read<T: Payload>(&self, payload: &[u8]) -> Option<(Envelope, T)> {
        let envelope = open(payload, &self.registered, &ANY).ok()?;
        let payload = envelope.payload().ok()?;
        Some((envelope, payload))
    }

    fn batch(&mut self, at_ms: u64, batch: &JournalBatch) {
        for (seq, bytes) in (batch.first_seq..).zip(&batch.entries) {
            let sealed: SealedEntry = decode(bytes).unwrap();
            let entry = sealed.open().unwrap();
            if seq >= self.entries {
                let fact = self.fact(&entry);
                self.tell(
                    at_ms,
                    &Event::Entry {
                        seq,
                        bytes: name_of(bytes),
                        fact,
                    },
                );
                self.entries = seq + 1;
            } else {
                self.tell(
                    at_ms,
                    &Event::Entry {
                        seq,
                        bytes: name_of(bytes),
                        fact: Fact::Other,
                    },
                );
            }
        }
        let body = Note::parse(&batch.note).unwrap().body().to_owned();
        self.tell(
            at_ms,
            &Event::Head {
                size: size_of(&body),
                body: name_of(body.as_bytes()),
            },
        );
    }

    fn fact(&mut self, entry: &Entry) -> Fact {
        if let Body::Finished(finished) = &entry.body {
            let public = PublicKeyRecord::from_bytes(&finished.public).unwrap();
            self.vault = Some(VaultKey {
                suite: Suite::FrostSecp256k1Tr,
                public_key: public.group_key,
                chain_code: public.chain_code,
                account: self.world.tenant.first_vault().account,
            });
        }
        self.reader.fact(entry)
    }

    fn asked(&mut self, request: SigningRequest) {
        let name = request_digest(&request);
        if self.requests.insert(name, request.clone()).is_none() {
            self.asked.push(request);
        }
    }

    fn shared(&mut self, at_ms: u64, signer: u16, named: Digest, shares: &[Vec<u8>], head: u64) {
        let Some(request) = self.requests.get(&named) else {
            let detail = format!("signer {signer} answers a request nobody made");
            self.violation.get_or_insert(Violation {
                property: "e",
                at_ms,
                detail,
            });
            return;
        };
        let slot = |(index, commitments): (usize, &Vec<(u16, NonceCommitment)>)| {
            let own = commitments
                .iter()
                .find(|(by, _)| *by == signer)
                .map(|(_, c)| c)?;
            let fields: [&[u8]; 3] = [
                &request.unsigned,
                &(index as u64).to_be_bytes(),
                &strongroom_wire::encode(commitments),
            ];
            let package = digest("strongroom/sim-package/v1", &fields);
            let share = shares.get(index).cloned().unwrap_or_default();
            Some(NonceUse {
                boot: own.boot,
                number: own.number,
                package,
                share,
            })
        };
        let nonces = request
            .commitments
            .iter()
            .enumerate()
            .filter_map(slot)
            .collect();
        let inspection = self.vault.as_ref().and_then(|vault| {
            self.codec
                .inspect(&request.unsigned, vault, &NoRegistry)
                .ok()
        });
        let (conflicts, mut paid): (Vec<String>, Vec<(String, u64)>) = inspection
            .map(|seen| {
                let moves = seen
                    .moves
                    .into_iter()
                    .map(|m| (m.to, m.at_most.to_u64().unwrap()))
                    .collect();
                (seen.conflicts.into_iter().map(|key| key.0).collect(), moves)
            })
            .unwrap_or_default();
        paid.sort();
        let share = Share {
            signer,
            head,
            request: named,
            intent: request.intent,
            unsigned: unsigned_digest(&request.unsigned),
            conflicts,
            pays: paid,
            nonces,
        };
        self.shared.insert(named);
        self.shares += 1;
        self.tell(at_ms, &Event::Shared(Box::new(share)));
    }
}

impl Inner {
    /// A record that leaves a service (or a hostile part).
    pub(crate) fn saw_published(&mut self, _node: NodeName, record: &Record) {
        let (now, topic) = (self.now, record.topic.as_str());
        let observer = &mut self.observer;
        match topic {
            topics::JOURNAL_ENTRIES => {
                if let Some((_, batch)) = observer.read::<JournalBatch>(&record.payload) {
                    observer.batch(now, &batch);
                }
            }
            topics::SIGNING_REQUESTED => {
                if let Some((_, wanted)) = observer.read::<SigningRequested>(&record.payload) {
                    observer.wanted.push(wanted);
                }
            }
            topics::TRANSACTION_CHANGED => {
                if let Some((_, changed)) = observer.read::<TransactionChanged>(&record.payload)
                    && changed.state == TransactionState::Signed
                    && let Some(raw) = changed.signed
                {
                    observer.raw.insert(changed.intent, raw);
                }
            }
            _ if topic.contains(".signer.") && topic.ends_with(".inbox.v1") => {
                if let Some((_, CoordinatorMessage::Sign(request))) = observer.read(&record.payload)
                {
                    observer.asked(request);
                }
            }
            _ => {}
        }
    }

    /// A frame that leaves a signer or witness.
    pub(crate) fn saw_frame(&mut self, node: NodeName, frame: &FromSigner, own: UnixMs) {
        let (now, seat) = (self.now, node.seat());
        match frame {
            FromSigner::Hello { .. } => {}
            FromSigner::Cosignature(record) => {
                if let Some((_, cosignature)) = self.observer.read::<WitnessCosignature>(record) {
                    let (size, body) = (
                        size_of(&cosignature.body),
                        name_of(cosignature.body.as_bytes()),
                    );
                    self.log(&format!("{node} cosigns {size}"));
                    let event = Event::Cosigned {
                        witness: seat,
                        size,
                        body,
                        own_ms: own.0,
                    };
                    self.observer.tell(now, &event);
                }
            }
            FromSigner::Outbox(record) => match self.observer.read::<SignerMessage>(record) {
                Some((
                    _,
                    SignerMessage::Shares {
                        request,
                        shares,
                        head,
                        ..
                    },
                )) => {
                    self.log(&format!("{node} shares under {head} for request {request}"));
                    self.observer.shared(now, seat, request, &shares, head);
                }
                Some((_, SignerMessage::Refused(refusal))) => {
                    self.log(&format!(
                        "{node} refuses: {} ({})",
                        refusal.code, refusal.detail
                    ));
                    *self
                        .counts
                        .refused
                        .entry(refusal.code.to_string())
                        .or_default() += 1;
                }
                Some((_, SignerMessage::Commitments { commitments, .. })) => {
                    self.observer
                        .commitments
                        .entry(seat)
                        .or_default()
                        .extend(commitments);
                }
                Some((_, SignerMessage::Ceremony(_) | SignerMessage::Certificate { .. }))
                | None => {}
            },
        }
    }

    pub(crate) fn saw_start(&mut self, node: NodeName) {
        let now = self.now;
        self.observer
            .tell(now, &Event::Started { seat: node.seat() });
        // A new boot: what was committed to is gone.
        self.observer.commitments.remove(&node.seat());
    }

    pub(crate) fn saw_restore(&mut self, node: NodeName) {
        let now = self.now;
        self.observer
            .tell(now, &Event::Restored { seat: node.seat() });
    }

    pub(crate) fn saw_handed(&mut self, node: NodeName, signed: &Signed, own: UnixMs) {
        let act = Act::parse(&signed.text).unwrap();
        if let ActBody::Tighten(what) = &act.body
            && let Some(what) = tightening(what)
        {
            let event = Event::Handed {
                seat: node.seat(),
                act: Act::digest_of(&signed.text),
                what,
                own_ms: own.0,
            };
            let now = self.now;
            self.observer.tell(now, &event);
        }
    }

    pub(crate) fn saw_intent(&mut self, intent: &Intent) {
        self.observer.checker.promise(intent.digest(), pays(intent));
    }
}
