//! A whole small journal for tests: tenant, key, vault, one payment signed by two shares,
//! witnessed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use crate::proof::{EntryProof, VaultProof};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use strongroom_journal::follower::witness_name;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Entry, SealedEntry};
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_mpc_core::signing::{KeyShare, PublicKeys};
use strongroom_ports::chain::{
    Built, ChainCodec, Facts, Holding, OwnCoin, OwnPath, Plan, Registry as _, VaultKey,
};
use strongroom_replica::TenantVaults;
use strongroom_signing::{aggregate, commitment_to_wire, packages};
use strongroom_tlog::{CosignKey, MemoryTree, Note, Proof, cosign, inclusion_proof};
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{
    ActBody, Attempt, AttemptKind, Code, ConflictKey, Digest, Document as _, Intent, NodeId,
    RegistryRecord, SessionId, Signed, UnixMs,
};
use strongroom_wire::envelope::Heading;
use strongroom_wire::{
    JournalBatch, SignerMessage, SignerRefusal, SigningRequest, WitnessCosignature, decode, seal,
};
use strongroom_world::{Ceremony, FRIEND, Ledger, Log, World, WorldOptions};

/// A signed payment.
#[derive(Clone)]
pub(crate) struct Payment {
    pub(crate) intent: Signed,
    pub(crate) unsigned: Vec<u8>,
    pub(crate) signed: Vec<u8>,
}

/// Differences between the signed transaction and what the journal says of it. No honest signer
/// would sign one, and a verifier must not rely on that.
#[derive(Clone, Copy)]
pub(crate) struct Deviation {
    /// Changes the intent that the transaction is built for; the authorized one stays as it is.
    pub(crate) built_for: fn(&mut Intent),
    /// Changes the attempt that the journal names for the transaction.
    pub(crate) attempt: fn(&mut Attempt),
}

impl Deviation {
    /// The transaction is the one that the journal says.
    pub(crate) const NONE: Self = Self {
        built_for: |_| {},
        attempt: |_| {},
    };
}

/// What inclusion costs, satoshi per 1 000 virtual bytes, as the codec reads it.
const FEE_RATE: u64 = 2_000;

/// The journal of one world.
#[derive(Clone)]
pub(crate) struct Journal {
    pub(crate) world: World,
    pub(crate) codec: Arc<dyn ChainCodec>,
    pub(crate) batches: Vec<JournalBatch>,
    pub(crate) cosignatures: Vec<(NodeId, WitnessCosignature)>,
    pub(crate) entries: Vec<(SealedEntry, Entry)>,
    pub(crate) payment: Payment,
}

impl Journal {
    /// The codec as a verifier takes it.
    pub(crate) fn codecs(&self) -> Vec<Arc<dyn ChainCodec>> {
        vec![self.codec.clone()]
    }

    /// The same journal each time.
    pub(crate) fn get() -> Self {
        static ONCE: OnceLock<Journal> = OnceLock::new();
        ONCE.get_or_init(|| Self::of(1)).clone()
    }

    pub(crate) fn of(seed: u64) -> Self {
        Self::with(seed, Deviation::NONE)
    }

    /// A journal whose payment deviates from its intent.
    pub(crate) fn with(seed: u64, deviation: Deviation) -> Self {
        let codec = strongroom_chains::network("regtest").unwrap().unwrap();
        let (mut ledger, ceremony) =
            Ledger::ready_with_shares(World::new(seed, WorldOptions::default()));
        let payment = pay(&mut ledger, ceremony, codec.as_ref(), deviation);
        // A second vault, so that there is a wrong one.
        let second = strongroom_types::Vault {
            id: strongroom_types::VaultId([9; 16]),
            account: 1,
            ..ledger.world.tenant.first_vault()
        };
        ledger
            .act_in_force(
                ActBody::Put(RegistryRecord::Vault(second)),
                &ledger.admins(),
            )
            .unwrap();
        let world = ledger.world.clone();
        let log = Log::of(&ledger);
        let mut cosignatures = Vec::new();
        for (batch, entry) in log.batches.iter().zip(&ledger.entries) {
            let note = Note::parse(&batch.note).unwrap();
            cosignatures.extend(cosigned(&world, note.body(), entry.at));
        }
        let open = |bytes: &Vec<u8>| {
            let sealed: SealedEntry = decode(bytes).unwrap();
            let entry = sealed.open().unwrap();
            (sealed, entry)
        };
        let entries = log
            .batches
            .iter()
            .flat_map(|batch| &batch.entries)
            .map(open)
            .collect();
        Self {
            world,
            codec,
            batches: log.batches,
            cosignatures,
            entries,
            payment,
        }
    }

    pub(crate) fn find(&self, wanted: impl Fn(&Body) -> bool) -> u64 {
        self.entries
            .iter()
            .find(|(_, entry)| wanted(&entry.body))
            .unwrap()
            .1
            .seq
    }

    /// Position of the first act that a closure wants.
    pub(crate) fn act(&self, wanted: impl Fn(&ActBody) -> bool) -> u64 {
        let act = |signed: &Signed| strongroom_types::Act::parse(&signed.text).unwrap().body;
        self.find(|body| matches!(body, Body::Act(signed) if wanted(&act(signed))))
    }

    /// The proof of an entry under the last checkpoint, cosigned by the first `witnesses`
    /// witnesses.
    pub(crate) fn proof(&self, seq: u64, witnesses: usize) -> EntryProof {
        let tree: MemoryTree = self
            .entries
            .iter()
            .map(|(sealed, entry)| sealed.leaf_hash(entry))
            .collect();
        let note = self.checkpoint(witnesses);
        let hashes = inclusion_proof(&tree, seq, tree.size()).unwrap();
        let proof = Proof {
            extra: Vec::new(),
            index: seq,
            hashes,
            checkpoint: note,
        }
        .to_text();
        let at = usize::try_from(seq).unwrap();
        EntryProof {
            sealed: strongroom_wire::encode(&self.entries[at].0),
            proof,
        }
    }

    /// The last checkpoint, cosigned by the first `witnesses` witnesses.
    pub(crate) fn checkpoint(&self, witnesses: usize) -> Note {
        self.cosigned_note(&self.batches.last().unwrap().note, witnesses)
    }

    /// A note of the log, cosigned by the first `witnesses` witnesses, whatever it says.
    pub(crate) fn cosigned_note(&self, note: &str, witnesses: usize) -> Note {
        let mut note = Note::parse(note).unwrap();
        for (node, shown) in self.last_cosignatures().into_iter().take(witnesses) {
            let key = CosignKey::new(&witness_name(node), &seed_of(&self.world, node)).unwrap();
            let cosignature = cosign(note.body(), shown.time_s, &key).unwrap();
            note.add(cosignature.to_note_signature()).unwrap();
        }
        note
    }

    fn last_cosignatures(&self) -> Vec<(NodeId, WitnessCosignature)> {
        let count = self.world.genesis.witness_count();
        self.cosignatures[self.cosignatures.len() - count..].to_vec()
    }

    pub(crate) fn vault_proof(&self) -> VaultProof {
        let vault = self.world.tenant.vault;
        VaultProof {
            tenant: self.proof(
                self.act(|body| matches!(body, ActBody::CreateTenant { .. })),
                4,
            ),
            key: self.proof(self.find(|body| matches!(body, Body::Finished(_))), 4),
            vault: self.proof(
                self.act(
                    |body| matches!(body, ActBody::Put(RegistryRecord::Vault(found)) if found.id == vault),
                ),
                4,
            ),
        }
    }

    /// A signer's sealed refusal.
    pub(crate) fn refusal(&self, index: u16, code: Code) -> Vec<u8> {
        let signer = self.world.signer(index);
        let refusal = SignerRefusal {
            session: SessionId([1; 16]),
            request: Digest([2; 32]),
            code,
            detail: "test".into(),
            evidence: Digest([3; 32]),
            head: 1,
            at: UnixMs(1),
        };
        let heading = Heading {
            genesis: self.world.genesis.hash(),
            from: signer.node,
            to: None,
            session: [1; 16],
            cause: [0; 16],
            sequence: 1,
            created: UnixMs(1),
            deadline: UnixMs(2),
        };
        seal(heading, &SignerMessage::Refused(refusal), &signer.signing)
    }

    /// The payment as a line of `transactions.jsonl`.
    pub(crate) fn line(&self) -> serde_json::Value {
        let intent: serde_json::Value =
            serde_json::from_str(&self.payment.intent.to_json().to_text()).unwrap();
        serde_json::json!({
            "intent": intent, "attempt": 1, "unsigned": hex::encode(&self.payment.unsigned),
            "signed": hex::encode(&self.payment.signed),
        })
    }
}

fn seed_of(world: &World, node: NodeId) -> [u8; 32] {
    let mut seats = (1..=world.seats()).map(|n| world.seat(n));
    seats
        .find(|seat| seat.node == node)
        .unwrap()
        .witness
        .to_bytes()
}

/// Cosignatures of every witness over a body, whatever it says.
pub(crate) fn cosigned(world: &World, body: &str, at: UnixMs) -> Vec<(NodeId, WitnessCosignature)> {
    (1..=world.seats())
        .map(|n| (world.seat(n).node, world.cosignature(n, body, at)))
        .collect()
}

/// An automatic payment: authorized with a real transaction, signed by shares 1 and 3.
fn pay(
    ledger: &mut Ledger,
    ceremony: Ceremony,
    codec: &dyn ChainCodec,
    deviation: Deviation,
) -> Payment {
    let intent = ledger.world.intent(ledger.now, 30_000, FRIEND);
    let mut built_for = intent.clone();
    (deviation.built_for)(&mut built_for);
    let (vault_key, built) = build(ledger, &built_for, codec);

    let mut attempt = Attempt {
        intent: intent.digest(),
        number: 1,
        kind: AttemptKind::Pay,
        parent: None,
        anchor: built.anchor.clone(),
        conflict_keys: built.conflicts.clone(),
        unsigned_digest: unsigned_digest(&built.unsigned),
        fee_max: built.fee,
    };
    (deviation.attempt)(&mut attempt);
    let authorization = ledger.authorization_with(&intent, &[], attempt);
    ledger
        .push(Body::Authorized(Box::new(authorization)), ledger.now)
        .unwrap();

    let signatures = sign(ledger, ceremony, intent.digest(), &built);
    let signed = codec
        .assemble(&built.unsigned, &signatures, &vault_key)
        .unwrap();
    Payment {
        intent: ledger.world.signed_intent(&intent),
        unsigned: built.unsigned,
        signed,
    }
}

/// The transaction of an intent, from one coin of its vault.
fn build(ledger: &Ledger, intent: &Intent, codec: &dyn ChainCodec) -> (VaultKey, Built) {
    let vaults = TenantVaults::new(&ledger.state, ledger.world.tenant.id);
    let vault_key = vaults.vault_key(ledger.world.tenant.vault).unwrap();
    let effects = codec.expected(intent, &vaults).unwrap();
    let coin = OwnCoin {
        key: ConflictKey::Coin(format!("{}:0", "11".repeat(32))),
        path: OwnPath {
            change: 0,
            index: 0,
        },
        asset: codec.manifest().native.clone(),
        amount: 1_000_000.into(),
    };

    let facts = Facts {
        height: 100,
        fees: &FEE_RATE.to_le_bytes(),
        holdings: &[Holding::Coin(coin)],
        taken: &[],
    };
    let plan = Plan {
        kind: AttemptKind::Pay,
        effects: &effects,
        vault: &vault_key,
        anchor: None,
        previous: None,
        fee_max: intent.fee_max.half(),
        slots_max: 256,
        return_to: OwnPath {
            change: 1,
            index: 0,
        },
    };
    let built = codec.build(&plan, &codec.view(&facts).unwrap()).unwrap();
    (vault_key, built)
}

/// Signatures of shares 1 and 3, one per slot.
fn sign(ledger: &Ledger, ceremony: Ceremony, intent: Digest, built: &Built) -> Vec<Vec<u8>> {
    let (tenant, key_id) = (ledger.world.tenant.id, ledger.world.tenant.key);
    let key = ledger.state.threshold_key(tenant, key_id).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut shares: Vec<KeyShare> = [1, 3]
        .iter()
        .map(|index| KeyShare::open(&ceremony.shares[index], [*index as u8; 16]).unwrap())
        .collect();
    let public = key.public.as_ref().unwrap();
    let mut keys = PublicKeys::open(PublicKeyRecord::from_bytes(&public.record).unwrap()).unwrap();

    let mut commit = |share: &mut KeyShare| {
        let made = share.prepare(1, &mut rng).unwrap();
        (share.index(), commitment_to_wire(&made[0]))
    };
    let request = SigningRequest {
        session: SessionId([0; 16]),
        tenant,
        intent,
        attempt: 1,
        key: key_id,
        unsigned: built.unsigned.clone(),
        commitments: built
            .slots
            .iter()
            .map(|_| shares.iter_mut().map(&mut commit).collect())
            .collect(),
    };

    let packages = packages(&request, &built.slots, &key).unwrap();
    let shares = shares
        .iter_mut()
        .map(|share| {
            let made = share.sign_all(&packages).unwrap();
            let bytes = made.iter().map(|share| share.share.to_vec()).collect();
            (share.index(), bytes)
        })
        .collect();
    aggregate(&mut keys, &packages, &shares).unwrap()
}

/// A server on loopback that answers every request with these bytes; its URL.
#[expect(
    clippy::disallowed_methods,
    reason = "the server of a test has a thread of its own"
)]
pub(crate) fn raw_server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            // A client that has read enough hangs up.
            let _ = stream.write_all(&answer);
        }
    });
    url
}

/// As [`raw_server`], with a text as the body of a success.
pub(crate) fn server(text: &str) -> String {
    let length = text.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    raw_server(format!("{head}\r\ncontent-length: {length}\r\n\r\n{text}").into_bytes())
}
