//! Artefacts: everything the demo claims, written so that another process can recompute it.

use anyhow::Context as _;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use strongroom_client::api::TimelineInfo;
use strongroom_ports::bus::{Bus, Topic};
use strongroom_ports::db::Db;
use strongroom_replica::Replica;
use strongroom_types::{NodeId, Signed};
use strongroom_wire::{JournalBatch, SignerRefusal, WitnessCosignature, topics};

/// What a client measured of one transfer.
pub struct Timing {
    /// Client's clock when it sent the `POST`, Unix microseconds.
    pub sent_us: u64,
    /// Client's clock: `POST` to `signed`, microseconds.
    pub total_us: u64,
    /// The API's timeline.
    pub timeline: TimelineInfo,
}

/// A signed transaction, with what it was made from.
pub struct SignedPayment<'a> {
    /// Intent as its client signed it.
    pub intent: &'a Signed,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Unsigned form, in the encoding of the chain's codec.
    pub unsigned: &'a [u8],
    /// Network bytes.
    pub signed: &'a [u8],
}

/// A signer's signed refusal of a tampered request.
pub struct KeptRefusal<'a> {
    /// Name of the attack.
    pub variant: &'a str,
    /// Roster index.
    pub signer: u16,
    /// Code and detail, and the request that it answers.
    pub refusal: &'a SignerRefusal,
    /// The same as the signer signed it.
    pub envelope: &'a [u8],
    /// The writer's batch that stopped the signer, if one did.
    pub stopped_by: Option<&'a JournalBatch>,
}

/// The files of one demo run.
pub struct Artefacts {
    dir: PathBuf,
    transactions: File,
    refusals: File,
    cosignatures: Vec<(NodeId, WitnessCosignature)>,
    /// Tampered requests refused: (variant, signer) pairs.
    pub refused: u64,
    /// Signed transactions.
    pub signed: u64,
}

impl Artefacts {
    /// Fresh files in a folder.
    pub fn create(dir: &Path) -> anyhow::Result<Self> {
        let open = |name: &str| {
            let path = dir.join(name);
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path);
            file.with_context(|| format!("cannot write {}", path.display()))
        };

        Ok(Self {
            transactions: open("transactions.jsonl")?,
            refusals: open("refusals.jsonl")?,
            cosignatures: Vec::new(),
            dir: dir.to_owned(),
            refused: 0,
            signed: 0,
        })
    }

    /// Adds a signed transaction, and what its client measured.
    pub fn transaction(
        &mut self,
        payment: &SignedPayment<'_>,
        timing: Option<&Timing>,
    ) -> anyhow::Result<()> {
        let SignedPayment {
            intent,
            attempt,
            unsigned,
            signed,
        } = payment;

        // The signed text goes in as it is: the verifier computes every digest from it.
        let intent: Value = serde_json::from_str(&intent.to_json().to_text())?;
        let line = json!({
            "intent": intent, "attempt": attempt, "unsigned": hex::encode(unsigned), "signed": hex::encode(signed),
            "sent_us": timing.map(|t| t.sent_us), "total_us": timing.map(|t| t.total_us), "timeline": timing.map(|t| &t.timeline),
        });

        writeln!(self.transactions, "{line}")?;
        self.signed += 1;
        Ok(())
    }

    /// Adds a refusal.
    pub fn refusal(&mut self, kept: &KeptRefusal<'_>) -> anyhow::Result<()> {
        let KeptRefusal {
            variant,
            signer,
            refusal,
            envelope,
            stopped_by,
        } = kept;
        let mut line = json!({"variant": variant, "signer": signer, "code": refusal.code.as_str(),
                              "detail": refusal.detail, "envelope": hex::encode(envelope)});

        // The batch shows that the log's key signed what stopped this signer.
        if let (Some(batch), Some(members)) = (stopped_by, line.as_object_mut()) {
            let batch = hex::encode(strongroom_wire::encode(*batch));
            members.insert("batch".to_owned(), batch.into());
        }

        writeln!(self.refusals, "{line}")?;
        self.refused += 1;
        Ok(())
    }

    /// Counters of commits and fsyncs around the measured transfers.
    pub fn counters(&self, counters: &Value) -> anyhow::Result<()> {
        Ok(std::fs::write(
            self.dir.join("counters.json"),
            counters.to_string(),
        )?)
    }

    /// Reads the witnesses' cosignatures off a bus that is about to go away.
    pub fn collect_cosignatures(
        &mut self,
        bus: &dyn Bus,
        witnesses: &[NodeId],
    ) -> anyhow::Result<()> {
        for node in witnesses {
            let topic = Topic::new(&topics::cosignatures(*node))?;
            let mut position = bus.start(&topic)?;

            // Read to the end in pages; a record that does not decode is left out, since only what
            // verifies counts later.
            loop {
                let found =
                    bus.fetch(&[(topic.clone(), position)], 512, std::time::Duration::ZERO)?;
                let Some(last) = found.last() else { break };
                position.next = last.offset + 1;

                for delivered in &found {
                    let sealed: Result<(Vec<u8>, [u8; 64]), _> =
                        strongroom_wire::decode(&delivered.record.payload);
                    let envelope = sealed.ok().and_then(|(bytes, _)| {
                        strongroom_wire::decode::<strongroom_wire::Envelope>(&bytes).ok()
                    });
                    let cosignature = envelope.and_then(|e| e.payload::<WitnessCosignature>().ok());
                    self.cosignatures.extend(cosignature.map(|c| (*node, c)));
                }
            }
        }
        Ok(())
    }

    /// Writes the whole journal and the cosignatures.
    pub fn journal(&self, db: &dyn Db) -> anyhow::Result<()> {
        let mut tx = db.begin()?;
        let (mut batches, mut size): (Vec<JournalBatch>, u64) = (Vec::new(), 0);
        while let Some(batch) = Replica::batch_after(tx.as_mut(), size)? {
            size = batch.first_seq + batch.entries.len() as u64;
            batches.push(batch);
        }

        std::fs::write(self.dir.join("journal.bin"), borsh::to_vec(&batches)?)?;
        Ok(std::fs::write(
            self.dir.join("cosignatures.bin"),
            borsh::to_vec(&self.cosignatures)?,
        )?)
    }
}
