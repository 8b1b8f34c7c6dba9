//! What must be in the folder of a defended run, read back from it.

use super::names;
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use strongroom_client::verify::{Report, verify_dir_pinned};
use strongroom_journal::Genesis;
use strongroom_wire::{Envelope, SignerMessage};

/// Looks for the three pieces of a defended run: the honest signature, what the attacker brought,
/// and the refusal of just that.
///
/// # Errors
/// The piece that is missing; a refusal that answers nothing of what was brought.
pub fn complete(dir: &Path) -> anyhow::Result<()> {
    let transactions = lines(dir, "transactions.jsonl")?;
    let signed = transactions.first().and_then(|line| line.get("signed"));
    let signed = signed.and_then(Value::as_str).unwrap_or_default();
    ensure!(
        !signed.is_empty(),
        "the evidence lacks the honest signature (transactions.jsonl)"
    );

    let records = lines(dir, "hostile.jsonl")?;
    ensure!(
        !records.is_empty(),
        "the evidence lacks the hostile record (hostile.jsonl)"
    );

    let refusals = lines(dir, "refusals.jsonl")?;
    let run = std::fs::read(dir.join("run.json")).context("run.json")?;
    let run: Value = serde_json::from_slice(&run)?;
    let unsigned = run.get("unsigned").and_then(Value::as_array);
    ensure!(
        !refusals.is_empty() || unsigned.is_some_and(|codes| !codes.is_empty()),
        "the evidence lacks the refusal (refusals.jsonl)"
    );

    let mut brought = BTreeSet::new();
    for record in &records {
        if record.get("bytes").is_some() {
            brought.extend(names(&bytes(record, "bytes")?));
        }
    }
    for refusal in &refusals {
        let sealed = bytes(refusal, "envelope")?;
        let message = Envelope::unverified(&sealed).and_then(|envelope| envelope.payload());
        let message =
            message.map_err(|refusal| anyhow::anyhow!("a refusal's record: {refusal}"))?;
        let SignerMessage::Refused(refused) = message else {
            anyhow::bail!("refusals.jsonl has a record that refuses nothing")
        };
        // A signer that refused something else was not asked for what the row attacks.
        ensure!(
            brought.contains(&refused.request),
            "a refusal ({}) answers no hostile record: the attack never reached its guard",
            refused.code
        );
    }
    Ok(())
}

/// Recomputes a folder as `strongroom verify` does, under the genesis that the run pinned.
///
/// # Errors
/// A folder that does not recompute, in whole or in part.
pub fn recomputes(dir: &Path, genesis: &Genesis) -> anyhow::Result<Report> {
    let codecs = strongroom_chains::codecs(genesis)?;
    let report = verify_dir_pinned(dir, genesis.hash(), codecs.known())?;
    ensure!(
        report.problems.is_empty(),
        "the evidence does not recompute: {}",
        report.problems.join("; ")
    );

    let refusals = u64::try_from(lines(dir, "refusals.jsonl")?.len())?;
    ensure!(
        report.signed > 0 && report.refused_tampered == refusals,
        "of the evidence {} signatures and {} of {refusals} refusals count",
        report.signed,
        report.refused_tampered
    );
    Ok(report)
}

fn lines(dir: &Path, file: &str) -> anyhow::Result<Vec<Value>> {
    let path = dir.join(file);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let values = text.lines().map(serde_json::from_str);
    values
        .collect::<Result<_, _>>()
        .with_context(|| file.to_owned())
}

fn bytes(line: &Value, member: &str) -> anyhow::Result<Vec<u8>> {
    let text = line.get(member).and_then(Value::as_str);
    Ok(hex::decode(text.with_context(|| member.to_owned())?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use strongroom_signing::message_digest;
    use strongroom_types::{Code, Digest, SessionId, UnixMs};
    use strongroom_wire::envelope::Heading;
    use strongroom_wire::{CoordinatorMessage, Payload, Role, SignerRefusal, encode, seal};
    use strongroom_world::{ServiceKeys, World, WorldOptions};

    /// The files of a folder, line by line.
    struct Pieces {
        transactions: Vec<Value>,
        records: Vec<Value>,
        refusals: Vec<Value>,
        unsigned: Vec<&'static str>,
    }

    fn sealed<T: Payload>(world: &World, keys: &ServiceKeys, payload: &T) -> String {
        let heading = Heading {
            genesis: world.genesis.hash(),
            from: keys.node,
            to: None,
            session: [0; 16],
            cause: [0; 16],
            sequence: 1,
            created: UnixMs(1),
            deadline: UnixMs(2),
        };
        hex::encode(seal(heading, payload, &keys.signing))
    }

    fn prepare(world: &World, count: u32) -> CoordinatorMessage {
        CoordinatorMessage::Prepare {
            tenant: world.tenant.id,
            key: world.tenant.key,
            count,
        }
    }

    fn good(world: &World) -> Pieces {
        let message = prepare(world, 1);
        let refused = SignerMessage::Refused(SignerRefusal {
            session: SessionId([0; 16]),
            request: message_digest(&encode(&message)),
            code: Code::NotReady,
            detail: String::new(),
            evidence: Digest([0; 32]),
            head: 1,
            at: UnixMs(1),
        });
        let coordinator = world.service(Role::Coordinator);
        let signer = world.signer(1);
        let signer = ServiceKeys {
            role: Role::Signer,
            node: signer.node,
            signing: signer.signing.clone(),
        };
        Pieces {
            transactions: vec![json!({"signed": "00"})],
            records: vec![json!({"kind": "inbox", "bytes": sealed(world, coordinator, &message)})],
            refusals: vec![json!({"envelope": sealed(world, &signer, &refused)})],
            unsigned: Vec::new(),
        }
    }

    fn judged(change: impl FnOnce(&World, &mut Pieces)) -> Result<(), String> {
        let world = World::new(1, WorldOptions::default());
        let mut pieces = good(&world);
        change(&world, &mut pieces);
        let dir = tempfile::tempdir().unwrap();
        for (file, lines) in [
            ("transactions.jsonl", &pieces.transactions),
            ("hostile.jsonl", &pieces.records),
            ("refusals.jsonl", &pieces.refusals),
        ] {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        let run = json!({"unsigned": pieces.unsigned}).to_string();
        std::fs::write(dir.path().join("run.json"), run).unwrap();
        complete(dir.path()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_missing_piece_is_named() {
        assert_eq!(judged(|_, _| {}), Ok(()));
        let unsigned = judged(|_, pieces| {
            pieces.refusals.clear();
            pieces.unsigned.push("conflict");
        });
        assert_eq!(unsigned, Ok(()));

        /// Takes one piece away.
        type Change = fn(&World, &mut Pieces);
        let cases: [(Change, &str); 3] = [
            (|_, pieces| pieces.transactions.clear(), "honest signature"),
            (|_, pieces| pieces.records.clear(), "hostile record"),
            (|_, pieces| pieces.refusals.clear(), "the refusal"),
        ];
        for (change, wanted) in cases {
            let error = judged(change).unwrap_err();
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
    }

    #[test]
    fn a_refusal_of_something_else_is_an_attack_that_never_reached_its_guard() {
        let error = judged(|world, pieces| {
            let other = prepare(world, 2);
            let record = sealed(world, world.service(Role::Coordinator), &other);
            pieces.records = vec![json!({"kind": "inbox", "bytes": record})];
        });
        let error = error.unwrap_err();
        assert!(error.contains("never reached its guard"), "{error}");
    }

    #[test]
    fn a_folder_that_does_not_recompute_fails_its_row() {
        let world = World::new(1, WorldOptions::default());
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("genesis.bin"), world.genesis.to_bytes()).unwrap();
        let error = recomputes(dir.path(), &world.genesis).unwrap_err();
        assert!(format!("{error:#}").contains("journal.bin"), "{error:#}");

        let nothing: [u8; 4] = [0; 4];
        std::fs::write(path("journal.bin"), nothing).unwrap();
        std::fs::write(path("cosignatures.bin"), nothing).unwrap();
        let error = recomputes(dir.path(), &world.genesis).unwrap_err();
        assert!(format!("{error:#}").contains("no entry"), "{error:#}");
    }
}
