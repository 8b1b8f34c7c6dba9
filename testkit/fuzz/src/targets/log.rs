//! The texts of the transparency log: checkpoints, notes, cosignatures, keys, proofs, tiles.

use super::{Target, same};
use rand_core::RngCore;
use std::sync::OnceLock;
use strongroom_tlog::cosignature::TIME_S_MAX;
use strongroom_tlog::note::NoteSignature;
use strongroom_tlog::tile::{entry_bundle, parse_bundle, parse_hash_tile};
use strongroom_tlog::{
    Checkpoint, CosignKey, CosignVerifier, Cosignature, Hash, LogPolicy, MemoryTree, Note,
    NoteSigner, NoteVerifier, Proof, cosign, inclusion_proof, leaf_hash, sign_note,
};

const ORIGIN: &str = "strongroom.example/journal";
const WIDTH: u16 = 3;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "checkpoint",
            run: checkpoint,
            seeds: |_| texts([body()]),
        },
        Target {
            name: "note",
            run: note,
            seeds: |_| texts([signed()]),
        },
        Target {
            name: "note_signature",
            run: signature_line,
            seeds: |_| texts([line()]),
        },
        Target {
            name: "cosignature",
            run: cosignature,
            seeds: |_| texts([cosigned().map(|c| c.to_line())]),
        },
        Target {
            name: "note_key",
            run: note_key,
            seeds: |_| texts([note_signer().map(|s| s.verifier().to_vkey())]),
        },
        Target {
            name: "witness_key",
            run: witness_key,
            seeds: |_| texts([cosign_key().map(|k| k.verifier().to_vkey())]),
        },
        Target {
            name: "tlog_proof",
            run: proof,
            seeds: |_| texts([proven(0), proven(3)]),
        },
        Target {
            name: "witnessed_proof",
            run: witnessed_proof,
            seeds: |_| texts([witnessed().map(|known| known.text.clone())]),
        },
        Target {
            name: "hash_tile",
            run: hash_tile,
            seeds: random_tiles,
        },
        Target {
            name: "entry_bundle",
            run: bundle,
            seeds: |_| bundles(),
        },
    ]
}

fn texts<const N: usize>(of: [Option<String>; N]) -> Vec<Vec<u8>> {
    of.into_iter().flatten().map(String::into_bytes).collect()
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

fn checkpoint(data: &[u8]) -> bool {
    text(data)
        .and_then(|t| Checkpoint::parse(t).ok())
        .is_some_and(|c| same(c.to_body().as_bytes(), data))
}

fn note(data: &[u8]) -> bool {
    text(data)
        .and_then(|t| Note::parse(t).ok())
        .is_some_and(|n| same(n.to_text().as_bytes(), data))
}

fn signature_line(data: &[u8]) -> bool {
    text(data)
        .and_then(|t| NoteSignature::parse_line(t).ok())
        .is_some_and(|s| same(s.to_line().as_bytes(), data))
}

fn cosignature(data: &[u8]) -> bool {
    text(data)
        .and_then(|t| Cosignature::parse_line(t).ok())
        .is_some_and(|c| same(c.to_line().as_bytes(), data))
}

fn note_key(data: &[u8]) -> bool {
    text(data)
        .and_then(|t| NoteVerifier::parse(t).ok())
        .is_some_and(|k| same(k.to_vkey().as_bytes(), data))
}

fn witness_key(data: &[u8]) -> bool {
    text(data)
        .and_then(|t| CosignVerifier::parse(t).ok())
        .is_some_and(|k| same(k.to_vkey().as_bytes(), data))
}

fn proof(data: &[u8]) -> bool {
    text(data)
        .and_then(|t| Proof::parse(t).ok())
        .is_some_and(|p| same(p.to_text().as_bytes(), data))
}

/// An entry of a log, and the only proof of it that log and witness ever gave.
struct Witnessed {
    policy: LogPolicy,
    leaf: Hash,
    proof: Proof,
    text: String,
}

fn witnessed() -> Option<&'static Witnessed> {
    static WITNESSED: OnceLock<Option<Witnessed>> = OnceLock::new();
    WITNESSED.get_or_init(prove).as_ref()
}

fn prove() -> Option<Witnessed> {
    let leaves = [b"a", b"b", b"c"].map(|entry| leaf_hash(entry));
    let leaf = *leaves.get(1)?;
    let tree: MemoryTree = leaves.into_iter().collect();
    let root = tree.root_at(tree.size())?;
    let checkpoint = Checkpoint::with_state(ORIGIN, tree.size(), root, leaf_hash(b"state")).ok()?;
    let body = checkpoint.to_body();

    let mut note = Note::parse(&sign_note(&body, &note_signer()?).ok()?).ok()?;
    let cosignature = cosign(&body, 1_700_000_000, &cosign_key()?).ok()?;
    note.add(cosignature.to_note_signature()).ok()?;
    let proof = Proof {
        extra: Vec::new(),
        index: 1,
        hashes: inclusion_proof(&tree, 1, tree.size()).ok()?,
        checkpoint: note,
    };
    Some(Witnessed {
        policy: LogPolicy {
            origin: ORIGIN.to_owned(),
            log: note_signer()?.verifier().clone(),
            witnesses: vec![cosign_key()?.verifier().clone()],
            quorum: 1,
        },
        leaf,
        text: proof.to_text(),
        proof,
    })
}

/// A proof that verifies is the one that was given. Only what no one signed may differ: the extra
/// data, and lines of signatures by other keys.
fn witnessed_proof(data: &[u8]) -> bool {
    let read = text(data).and_then(|text| Proof::parse(text).ok());
    let (Some(read), Some(known)) = (read, witnessed()) else {
        return false;
    };
    if read.verify(known.leaf, &known.policy, TIME_S_MAX).is_err() {
        return false;
    }
    assert_eq!(read.index, known.proof.index, "a forged proof");
    assert_eq!(read.hashes, known.proof.hashes, "a forged proof");
    same(
        read.checkpoint.body().as_bytes(),
        known.proof.checkpoint.body().as_bytes(),
    )
}

fn hash_tile(data: &[u8]) -> bool {
    parse_hash_tile(data, WIDTH)
        .is_ok_and(|hashes| same(&hashes.iter().flat_map(|h| h.0).collect::<Vec<u8>>(), data))
}

fn bundle(data: &[u8]) -> bool {
    parse_bundle(data, WIDTH)
        .is_ok_and(|entries| entry_bundle(&entries).is_ok_and(|again| same(&again, data)))
}

fn note_signer() -> Option<NoteSigner> {
    NoteSigner::new(ORIGIN, &[5; 32]).ok()
}

fn cosign_key() -> Option<CosignKey> {
    CosignKey::new("witness.example", &[6; 32]).ok()
}

fn body() -> Option<String> {
    let root = leaf_hash(b"entry");
    Checkpoint::with_state(ORIGIN, 1, root, leaf_hash(b"state"))
        .ok()
        .map(|c| c.to_body())
}

fn signed() -> Option<String> {
    sign_note(&body()?, &note_signer()?).ok()
}

fn line() -> Option<String> {
    Note::parse(&signed()?)
        .ok()?
        .signatures()
        .first()
        .map(NoteSignature::to_line)
}

fn cosigned() -> Option<Cosignature> {
    cosign(&body()?, 1_700_000_000, &cosign_key()?).ok()
}

fn proven(extra: usize) -> Option<String> {
    let hashes: Vec<Hash> = vec![leaf_hash(b"a"), leaf_hash(b"b")];
    Some(
        Proof {
            extra: vec![1; extra],
            index: 0,
            hashes,
            checkpoint: Note::parse(&signed()?).ok()?,
        }
        .to_text(),
    )
}

fn random_tiles(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    let mut bytes = vec![0; usize::from(WIDTH) * 32];
    rng.fill_bytes(&mut bytes);
    vec![bytes]
}

fn bundles() -> Vec<Vec<u8>> {
    let entries: [&[u8]; 3] = [b"", b"entry", &[0xff; 300]];
    entry_bundle(&entries).into_iter().collect()
}
