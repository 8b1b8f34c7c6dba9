//! Folders of artefacts, whose author wants a claim believed that does not hold. The first byte of
//! an input chooses the file that the rest stands in for.

use super::{Target, chosen, with_choice};
use std::io;
use std::sync::OnceLock;
use strongroom_client::verify::verify_artefacts;
use strongroom_journal::Genesis;
use strongroom_types::{Code, Digest, NodeId, SessionId, UnixMs};
use strongroom_wire::envelope::Heading;
use strongroom_wire::{SignerMessage, SignerRefusal, WitnessCosignature, encode, seal};
use strongroom_world::small;

const FILES: &[&str] = &[
    "genesis.bin",
    "journal.bin",
    "cosignatures.bin",
    "transactions.jsonl",
    "refusals.jsonl",
    "counters.json",
];
const COUNTERS: &str = r#"{"intents":2,"before":{"commits":{"api":10},"bus_fsyncs":3},"after":{"commits":{"api":16},"bus_fsyncs":9}}"#;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "evidence_file",
        run: file,
        seeds: |_| seeds(),
    }]
}

/// An honest folder: one batch, cosigned by every witness, and one signed refusal.
struct Folder {
    genesis: Digest,
    files: Vec<Vec<u8>>,
}

fn folder() -> &'static Folder {
    static FOLDER: OnceLock<Folder> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let mut log = small::log();
        log.tick(small::START);
        let world = small::world();
        let body = log.follower.tip().body.clone();
        let cosignatures: Vec<(NodeId, WitnessCosignature)> = (1..=world.seats())
            .map(|n| (small::node(n), small::cosignature(n, &body, small::START)))
            .collect();
        Folder {
            genesis: world.genesis.hash(),
            files: vec![
                world.genesis.to_bytes(),
                encode(&log.batches),
                encode(&cosignatures),
                Vec::new(),
                refusal(&world.genesis).into_bytes(),
                COUNTERS.as_bytes().to_vec(),
            ],
        }
    })
}

/// A line of signer 1's refusal.
fn refusal(genesis: &Genesis) -> String {
    let world = small::world();
    let signer = world.signer(1);
    let refusal = SignerRefusal {
        session: SessionId([1; 16]),
        request: Digest([2; 32]),
        code: Code::EffectsMismatch,
        detail: "test".to_owned(),
        evidence: Digest([3; 32]),
        head: 1,
        at: UnixMs(1),
    };
    let heading = Heading {
        genesis: genesis.hash(),
        from: signer.node,
        to: None,
        session: [1; 16],
        cause: [0; 16],
        sequence: 1,
        created: UnixMs(1),
        deadline: UnixMs(2),
    };
    let sealed = seal(heading, &SignerMessage::Refused(refusal), &signer.signing);
    let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{{\"code\":\"effects_mismatch\",\"envelope\":\"{hex}\",\"signer\":1}}\n")
}

/// A verified folder claims no more than what the honest one proves: nothing else was ever signed.
fn file(data: &[u8]) -> bool {
    let Some((name, rest)) = chosen(FILES, data) else {
        return false;
    };
    let folder = folder();
    let files = |wanted: &str| {
        let known = FILES.iter().zip(&folder.files);
        let bytes = known
            .filter(|(file, _)| **file == wanted)
            .map(|(_, bytes)| bytes);
        match bytes.into_iter().next() {
            Some(_) if wanted == *name => Ok(rest.to_vec()),
            Some(bytes) => Ok(bytes.clone()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    };
    let codecs = strongroom_chains::all().unwrap_or_default();
    let Ok(report) = verify_artefacts(&files, folder.genesis, codecs) else {
        return false;
    };

    assert_eq!(report.signed, 0, "a transaction that no one signed");
    assert!(report.refused_tampered <= 1, "a refusal that no one signed");
    assert!(
        report.entries <= 2 && report.witnessed <= report.entries,
        "entries that no log signed"
    );
    let line = serde_json::from_str::<serde_json::Value>(&report.to_json());
    assert!(line.is_ok(), "a summary that is not JSON");
    report.problems.is_empty()
}

fn seeds() -> Vec<Vec<u8>> {
    let numbered = folder().files.iter().enumerate();
    numbered
        .map(|(number, bytes)| with_choice(number, bytes))
        .collect()
}
