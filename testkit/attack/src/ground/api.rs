//! A hostile API, and the proofs that it can make of the journal: true ones, and those that only
//! the log's key vouches for.

use super::coordinator::codec;
use super::{Ground, Kind};
use anyhow::{Context as _, bail};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_client::api::{AddressInfo, AddressProof, EntryWithProof, Hex};
use strongroom_journal::follower::witness_name;
use strongroom_journal::{Body, Entry, SealedEntry};
use strongroom_ports::chain::{ChainCodec as _, OwnPath, VaultKey};
use strongroom_tlog::{
    CosignVerifier, Cosignature, Hash, MemoryTree, Note, Proof, inclusion_proof,
};
use strongroom_types::{Act, ActBody, Digest, Document as _, RegistryRecord, Vault, VaultId};
use strongroom_wire::{JournalBatch, decode};

/// How often the server looks for a connection.
const LOOK: Duration = Duration::from_millis(5);
/// Longest request that is read, bytes: no client of a row sends more.
const REQUEST_MAX: usize = 64 * 1024;

/// A server on loopback that answers each path as the attacker wants.
pub struct HostileApi {
    url: String,
    stop: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl HostileApi {
    fn start(answers: BTreeMap<String, String>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let stop = Arc::new(AtomicBool::new(false));
        let server = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                while !stop.load(Ordering::Relaxed) {
                    match listener.accept() {
                        // A client that goes away is its own affair.
                        Ok((stream, _)) => drop(answer(stream, &answers)),
                        Err(_) => std::thread::sleep(LOOK),
                    }
                }
            }
        });
        Ok(Self {
            url,
            stop,
            server: Some(server),
        })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for HostileApi {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

fn answer(mut stream: TcpStream, answers: &BTreeMap<String, String>) -> anyhow::Result<()> {
    stream.set_nonblocking(false)?;
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut part = [0; 4_096];
        let read = stream.read(&mut part)?;
        request.extend_from_slice(part.get(..read).unwrap_or_default());
        if read == 0 || request.len() > REQUEST_MAX {
            bail!("no whole request");
        }
    }

    let request = String::from_utf8_lossy(&request);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let (status, text) = match answers.get(path) {
        Some(text) => ("200 OK", text.as_str()),
        None => ("404 Not Found", "{}"),
    };
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{text}"
    )?;
    Ok(())
}

/// Answers of an API, by path.
#[derive(Default)]
pub struct Answers(BTreeMap<String, String>);

impl Answers {
    /// The same with an answer to one more path.
    pub fn with(mut self, path: String, answer: &impl Serialize) -> anyhow::Result<Self> {
        self.0.insert(path, serde_json::to_string(answer)?);
        Ok(self)
    }
}

impl Ground {
    /// Starts an API that gives these answers.
    pub fn api(&self, answers: Answers) -> anyhow::Result<HostileApi> {
        for text in answers.0.values() {
            self.keep_hostile(Kind::Answer, text.as_bytes());
        }
        HostileApi::start(answers.0)
    }

    /// An address of a vault under a key, as an API gives it.
    pub fn address_info(
        &self,
        vault: &Vault,
        key: &VaultKey,
        path: OwnPath,
        proof: Option<AddressProof>,
    ) -> anyhow::Result<AddressInfo> {
        Ok(AddressInfo {
            account: key.account,
            address: self.address_of(key, path)?,
            branch: path.change,
            chain: codec()?.manifest().chain.clone().into(),
            chain_code: Hex(key.chain_code.to_vec()),
            group_key: Hex(key.public_key.clone()),
            index: path.index,
            proof,
            transcript: Digest([0; 32]).into(),
            vault: vault.id.into(),
        })
    }

    /// The address of a key, by the shipped codec.
    pub fn address_of(&self, key: &VaultKey, path: OwnPath) -> anyhow::Result<String> {
        let address = codec()?.derive_address(key, path);
        address.map_err(|refusal| anyhow::anyhow!("{refusal}"))
    }

    /// The true proof of a vault: its three entries under the newest witnessed head.
    pub fn vault_proof(&self, vault: VaultId) -> anyhow::Result<AddressProof> {
        let act = |body: &Body, wanted: &dyn Fn(&ActBody) -> bool| match body {
            Body::Act(signed) => Act::parse(&signed.text).is_ok_and(|act| wanted(&act.body)),
            _ => false,
        };
        let creates = |body: &ActBody| matches!(body, ActBody::CreateTenant { .. });
        let puts = |body: &ActBody| matches!(body, ActBody::Put(RegistryRecord::Vault(put)) if put.id == vault);
        let key = self.world.tenant.key;
        let ends = |body: &Body| matches!(body, Body::Finished(end) if end.key == key);
        Ok(AddressProof {
            tenant: self.entry_proof(&|body| act(body, &creates))?,
            key: self.entry_proof(&ends)?,
            vault: self.entry_proof(&|body| act(body, &puts))?,
            registered_at_ms: 0,
        })
    }

    /// The first entry with such a body, proved under the newest head and the witnesses' own words.
    fn entry_proof(&self, wanted: &dyn Fn(&Body) -> bool) -> anyhow::Result<EntryWithProof> {
        let entries = self.entries()?;
        let found = entries.iter().find(|(_, entry)| wanted(&entry.body));
        let (sealed, entry) = found.context("no such entry")?;
        let newest = self.log.batches.last().context("no batch")?;
        let mut note = Note::parse(&newest.note)?;
        let body = self.log.follower.tip().body.clone();
        let mut told = BTreeMap::new();
        for (seat, word) in self.cosignatures.iter().filter(|(_, w)| w.body == body) {
            told.insert(*seat, word);
        }
        for (seat, word) in told {
            let node = self.world.seat(seat).node;
            let mut keys = self.world.genesis.witness_keys();
            let key = keys.find(|(of, _)| *of == node).context("a witness")?.1;
            let key = CosignVerifier::new(&witness_name(node), &key)?;
            let cosignature = Cosignature {
                name: key.name().to_owned(),
                key_id: key.key_id(),
                time_s: word.time_s,
                signature: word.signature,
            };
            note.add(cosignature.to_note_signature())?;
        }
        let leaves = entries
            .iter()
            .map(|(sealed, entry)| sealed.leaf_hash(entry));
        proved(leaves.collect(), (sealed, entry), note)
    }

    /// The entry of a batch that no witness has seen, under the checkpoint that the log's key
    /// signed for it.
    pub fn unwitnessed_proof(&self, batch: &JournalBatch) -> anyhow::Result<EntryWithProof> {
        let (sealed, entry) = opened(batch.entries.first().context("an entry")?)?;
        let entries = self.entries()?;
        let leaves = entries
            .iter()
            .map(|(sealed, entry)| sealed.leaf_hash(entry));
        let leaves = leaves.chain([sealed.leaf_hash(&entry)]).collect();
        proved(leaves, (&sealed, &entry), Note::parse(&batch.note)?)
    }

    /// The journal's entries, opened.
    pub(super) fn entries(&self) -> anyhow::Result<Vec<(SealedEntry, Entry)>> {
        let batches = self.log.batches.iter();
        let sealed = batches.flat_map(|batch| &batch.entries);
        sealed.map(|bytes| opened(bytes)).collect()
    }
}

fn opened(bytes: &[u8]) -> anyhow::Result<(SealedEntry, Entry)> {
    let sealed: SealedEntry = decode(bytes).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    let entry = sealed.open();
    Ok((sealed, entry.map_err(|r| anyhow::anyhow!("an entry: {r}"))?))
}

fn proved(
    leaves: Vec<Hash>,
    (sealed, entry): (&SealedEntry, &Entry),
    checkpoint: Note,
) -> anyhow::Result<EntryWithProof> {
    let tree: MemoryTree = leaves.into_iter().collect();
    let proof = Proof {
        extra: Vec::new(),
        index: entry.seq,
        hashes: inclusion_proof(&tree, entry.seq, tree.size())?,
        checkpoint,
    };
    Ok(EntryWithProof {
        proof: proof.to_text(),
        sealed: Hex(strongroom_wire::encode(sealed)),
        seq: entry.seq,
    })
}
