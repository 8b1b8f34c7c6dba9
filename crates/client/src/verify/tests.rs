#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
use super::*;
use crate::fixture::{Deviation, Journal, cosigned};
use std::fs::write;
use strongroom_journal::{Body, Entry, SealedEntry};
use strongroom_tlog::{Checkpoint, Hash, MemoryTree, NoteSigner, sign_note};
use strongroom_types::{
    Code, ConflictKey, Destination, Intent, IntentKind, Scope, Transfer, UnixMs,
};
use strongroom_wire::{JournalBatch, encode};
use strongroom_world::{Log, STRANGER};

/// Writes a folder and verifies it.
fn verified(journal: &Journal, lines: &[Value], refusals: &[Value]) -> Report {
    verified_by(journal, &journal.codecs(), lines, refusals)
}

fn verified_by(
    journal: &Journal,
    codecs: &[Arc<dyn ChainCodec>],
    lines: &[Value],
    refusals: &[Value],
) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write(path("genesis.bin"), journal.world.genesis.to_bytes()).unwrap();
    write(
        path("genesis.hash"),
        format!("{}\n", journal.world.genesis.hash()),
    )
    .unwrap();
    write(path("journal.bin"), encode(&journal.batches)).unwrap();
    write(path("cosignatures.bin"), encode(&journal.cosignatures)).unwrap();
    let text = |lines: &[Value]| {
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    write(path("transactions.jsonl"), text(lines)).unwrap();
    write(path("refusals.jsonl"), text(refusals)).unwrap();
    verify_dir(dir.path(), codecs).unwrap()
}

fn problem(report: &Report, wanted: &str) {
    assert!(
        report.problems.iter().any(|found| found.contains(wanted)),
        "{wanted}: {:?}",
        report.problems
    );
}

fn refusal(journal: &Journal, signer: u16, code: Code) -> Value {
    json!({"variant": "test", "signer": signer, "code": code.as_str(),
           "envelope": hex::encode(journal.refusal(signer, code))})
}

#[test]
fn an_honest_folder_has_no_problems() {
    let journal = Journal::get();
    let refusals = [
        refusal(&journal, 1, Code::EffectsMismatch),
        refusal(&journal, 2, Code::EffectsMismatch),
    ];
    let report = verified(&journal, &[journal.line()], &refusals);
    assert_eq!(report.problems, Vec::<String>::new());
    let entries = journal.entries.len() as u64;
    assert_eq!((report.entries, report.witnessed), (entries, entries));
    assert_eq!(
        (report.authorized, report.attempts, report.rejected),
        (1, 1, 0)
    );
    assert_eq!((report.signed, report.refused_tampered), (1, 2));
    let line: Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(
        (
            line["signed"].as_u64(),
            line["problems"].as_array().map(Vec::len)
        ),
        (Some(1), Some(0))
    );

    // Scripts read these names; the figures come to them when something was measured.
    let members: Vec<_> = line.as_object().unwrap().keys().collect();
    let names =
        "attempts authorized entries head problems refused_tampered rejected signed witnessed";
    assert_eq!(members, names.split(' ').collect::<Vec<_>>());
}

#[test]
fn a_transaction_on_a_chain_without_codec_is_a_problem_and_never_counted() {
    let journal = Journal::get();
    let mainnet = strongroom_chains::network("mainnet").unwrap().unwrap();
    for codecs in [vec![], vec![mainnet]] {
        let report = verified_by(&journal, &codecs, &[journal.line()], &[]);
        problem(&report, "unknown_chain");
        assert_eq!(report.signed, 0);
    }
}

#[test]
fn another_pinned_genesis_is_refused() {
    let journal = Journal::get();
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path().join("genesis.bin"),
        journal.world.genesis.to_bytes(),
    )
    .unwrap();
    let error = verify_dir_pinned(dir.path(), Digest([1; 32]), &journal.codecs()).unwrap_err();
    let text = crate::with_causes(&error);
    assert!(text.contains("genesis_mismatch"), "{text}");
}

#[test]
fn a_cut_reordered_or_changed_journal_is_a_problem() {
    let good = Journal::get();
    let mut cut = good.clone();
    cut.batches.pop();
    problem(&verified(&cut, &[], &[]), "the file is cut off");

    let mut gap = good.clone();
    gap.batches.remove(2);
    problem(&verified(&gap, &[], &[]), "where 2 belong");

    let mut changed = good.clone();
    *changed.batches[3].entries[0].last_mut().unwrap() ^= 1;
    problem(&verified(&changed, &[], &[]), "journal after entry 3");

    let mut unsigned = good.clone();
    unsigned.batches[3].note = unsigned.batches[2].note.clone();
    problem(&verified(&unsigned, &[], &[]), "journal after entry 3");

    let other = Journal::of(2);
    let mut foreign = good.clone();
    foreign.batches = other.batches;
    problem(&verified(&foreign, &[], &[]), "journal after entry 0");
}

#[test]
fn too_few_wrong_or_split_cosignatures_are_a_problem() {
    let good = Journal::get();
    let last = good.cosignatures.len() - 4;
    let mut few = good.clone();
    few.cosignatures.truncate(last + 3);
    assert!(
        verified(&few, &[], &[]).problems.is_empty(),
        "three of four are the quorum"
    );
    few.cosignatures.truncate(last + 2);
    problem(&verified(&few, &[], &[]), "witnessed are");
    // One witness many times is one witness.
    let again = few.cosignatures[last].clone();
    few.cosignatures.extend([again.clone(), again]);
    problem(&verified(&few, &[], &[]), "witnessed are");

    let mut forged = good.clone();
    forged.cosignatures[last].1.signature[0] ^= 1;
    problem(
        &verified(&forged, &[], &[]),
        "does not verify: cosignature is not valid",
    );

    let other = Journal::of(2);
    let mut foreign = good.clone();
    foreign.cosignatures.push(other.cosignatures[0].clone());
    problem(&verified(&foreign, &[], &[]), "no such witness");
}

/// The log shows the file's readers one tree and the witnesses another one of the same size.
#[test]
fn cosignatures_over_another_tree_of_the_same_size_witness_nothing() {
    let mut split = Journal::get();
    let size = split.entries.len() as u64;
    let checkpoint = Checkpoint::with_state(
        &split.world.genesis.origin,
        size,
        Hash([7; 32]),
        Hash([8; 32]),
    );
    let body = checkpoint.unwrap().to_body();
    let at = split.entries.last().unwrap().1.at;
    split.cosignatures = cosigned(&split.world, &body, at);

    let report = verified(&split, &[], &[]);
    problem(&report, "a split view");
    assert_eq!(report.witnessed, 0);
}

#[test]
fn a_transaction_that_is_not_the_attempt_s_is_a_problem() {
    let journal = Journal::get();
    let other = Journal::of(2);
    let with = |name: &str, value: Value| {
        let mut line = journal.line();
        line[name] = value;
        line
    };
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        json!(hex::encode(bytes))
    };
    let (signed, unsigned) = (&journal.payment.signed, &journal.payment.unsigned);
    for (line, wanted) in [
        (
            with("signed", flipped(signed, signed.len() - 10)),
            "bad_signature",
        ),
        (
            with("signed", flipped(signed, signed.len() - 1)),
            "attempt_digest_mismatch",
        ),
        (
            with("signed", flipped(signed, 60)),
            "attempt_digest_mismatch",
        ),
        (with("signed", json!("00")), "malformed"),
        (
            with("unsigned", flipped(unsigned, 40)),
            "attempt_digest_mismatch",
        ),
        (with("attempt", json!(2)), "no such attempt"),
        (
            with("intent", other.line()["intent"].clone()),
            "not authorized",
        ),
        (with("network_id", json!("00")), "not 00"),
        (json!({}), "missing"),
    ] {
        let report = verified(&journal, &[line], &[]);
        problem(&report, wanted);
        assert_eq!(report.signed, 0, "{wanted}");
    }
    let twice = verified(&journal, &[journal.line(), journal.line()], &[]);
    problem(&twice, "there twice");
    assert_eq!(twice.signed, 1);
}

/// Signers that are all hostile sign it, the journal names it, and every signature verifies.
#[test]
fn a_signed_transaction_that_does_other_than_its_intent_says_is_a_problem() {
    fn transfer(intent: &mut Intent) -> &mut Transfer {
        let IntentKind::Transfer(transfers) = &mut intent.kind;
        &mut transfers[0]
    }
    let honest = Deviation::NONE;
    let to_another = Deviation {
        built_for: |intent| transfer(intent).destination = Destination::Address(STRANGER.into()),
        ..honest
    };
    let more = Deviation {
        built_for: |intent| transfer(intent).amount = 30_001.into(),
        ..honest
    };
    let dearer = Deviation {
        attempt: |attempt| attempt.fee_max = attempt.fee_max.half(),
        ..honest
    };
    let another_coin = Deviation {
        attempt: |attempt| {
            attempt.anchor = ConflictKey::Coin(format!("{}:0", "22".repeat(32)));
            attempt.conflict_keys = vec![attempt.anchor.clone()];
        },
        ..honest
    };

    for (deviation, wanted) in [
        (to_another, "is not the approved one"),
        (more, "is not the approved one"),
        (dearer, "fee_cap_exceeded"),
        (another_coin, "other coins than the attempt names"),
    ] {
        let journal = Journal::with(1, deviation);
        let report = verified(&journal, &[journal.line()], &[]);
        problem(&report, wanted);
        assert_eq!((report.problems.len(), report.signed), (1, 0), "{wanted}");
    }
}

#[test]
fn a_refusal_that_the_signer_did_not_sign_is_a_problem() {
    let journal = Journal::get();
    let good = refusal(&journal, 1, Code::PathNotOwn);
    let with = |name: &str, value: Value| {
        let mut line = good.clone();
        line[name] = value;
        line
    };
    let mut bytes = journal.refusal(1, Code::PathNotOwn);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let foreign = hex::encode(Journal::of(2).refusal(1, Code::PathNotOwn));
    for (line, wanted) in [
        (with("envelope", json!(hex::encode(bytes))), "line 1"),
        (with("envelope", json!(foreign)), "wrong_genesis"),
        (with("code", json!("effects_mismatch")), "the signer said"),
        (with("signer", json!(2)), "signed by signer 1"),
    ] {
        let report = verified(&journal, &[], &[line]);
        problem(&report, wanted);
        assert_eq!(report.refused_tampered, 0, "{wanted}");
    }
    let twice = verified(&journal, &[], &[good.clone(), good]);
    problem(&twice, "there twice");
    assert_eq!(twice.refused_tampered, 1);
}

/// A batch of a hostile writer behind the journal's last one.
fn forced(journal: &Journal, at: UnixMs, log_seed: &[u8; 32]) -> JournalBatch {
    let seq = journal.entries.len() as u64;
    let entry = Entry {
        version: strongroom_journal::entry::VERSION,
        seq,
        at,
        scope: Scope::Platform,
        body: Body::Tick,
    };
    let sealed = SealedEntry::new(&entry, [7; 32]);

    // The log of these very entries, so that what is wrong with the batch is the rule alone.
    let before = journal.entries.iter();
    let leaves = before.map(|(sealed, entry)| sealed.leaf_hash(entry));
    let tree: MemoryTree = leaves.chain([sealed.leaf_hash(&entry)]).collect();
    let (root, state) = (tree.root_at(seq + 1).unwrap(), Hash([7; 32]));

    let genesis = &journal.world.genesis;
    let checkpoint = Checkpoint::with_state(&genesis.origin, seq + 1, root, state).unwrap();
    let key = NoteSigner::new(&genesis.origin, log_seed).unwrap();
    JournalBatch {
        first_seq: seq,
        entries: vec![encode(&sealed)],
        note: sign_note(&checkpoint.to_body(), &key).unwrap(),
    }
}

#[test]
fn a_batch_that_stopped_signers_is_refused_by_the_journals_rules_for_their_reason() {
    let journal = Journal::get();
    let seed = journal.world.log_key.to_bytes();
    let bad = forced(&journal, UnixMs(0), &seed);
    let line = |code, batch: &JournalBatch| {
        let mut line = refusal(&journal, 1, code);
        line["batch"] = json!(hex::encode(encode(batch)));
        line
    };
    let good = verified(&journal, &[], &[line(Code::TimeWentBack, &bad)]);
    assert_eq!(good.problems, Vec::<String>::new());
    assert_eq!(good.refused_tampered, 1);

    let other_key = forced(&journal, UnixMs(0), &[9; 32]);
    let gap = JournalBatch {
        first_seq: bad.first_seq + 1,
        ..bad.clone()
    };
    let last = journal.batches.last().unwrap();
    for (line, wanted) in [
        (
            line(Code::NotWitnessed, &bad),
            "refused otherwise: time_went_back",
        ),
        (
            line(Code::BadSignature, &other_key),
            "refused otherwise: bad_signature",
        ),
        (line(Code::Malformed, &gap), "refused otherwise: malformed"),
        (
            line(Code::NotWitnessed, last),
            "the journal's rules take the batch",
        ),
    ] {
        let report = verified(&journal, &[], &[line]);
        problem(&report, wanted);
        assert_eq!(report.refused_tampered, 0, "{wanted}");
    }
}

#[test]
fn a_batch_that_the_rules_take_is_the_other_half_of_a_split_view_or_nothing() {
    let journal = Journal::get();
    let line = |code, batch: &JournalBatch| {
        let mut line = refusal(&journal, 1, code);
        line["batch"] = json!(hex::encode(encode(batch)));
        line
    };

    // The history without its last entry goes on otherwise, under the same log key.
    let batches = &journal.batches[..journal.batches.len() - 1];
    let at = journal.entries.last().unwrap().1.at;
    let other = Log::from_batches(&journal.world, batches).tick(at);
    let good = verified(&journal, &[], &[line(Code::Conflict, &other)]);
    assert_eq!(good.problems, Vec::<String>::new());
    assert_eq!(good.refused_tampered, 1);

    let own = journal.batches.last().unwrap();
    let next = Log::from_batches(&journal.world, &journal.batches).tick(at);
    for (line, wanted) in [
        (line(Code::Conflict, own), "the batch is the journal's own"),
        (
            line(Code::Conflict, &next),
            "no other head of the batch's size",
        ),
        (
            line(Code::NotWitnessed, &other),
            "the journal's rules take the batch",
        ),
    ] {
        let report = verified(&journal, &[], &[line]);
        problem(&report, wanted);
        assert_eq!(report.refused_tampered, 0, "{wanted}");
    }
}

/// Writes a folder whose journal ends before its last `count` batches, which lie beside it.
fn with_beyond(journal: &Journal, count: usize, change: impl FnOnce(&mut Journal)) -> Report {
    let mut cut = journal.clone();
    let beyond = cut.batches.split_off(cut.batches.len() - count);
    let mut shown = Journal {
        batches: beyond,
        ..journal.clone()
    };
    // The quorum has seen nothing of them; one witness has.
    let few = cut.cosignatures.len() - 4 * count + 1;
    shown.cosignatures.truncate(few);
    change(&mut shown);

    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write(path("genesis.bin"), journal.world.genesis.to_bytes()).unwrap();
    write(
        path("genesis.hash"),
        journal.world.genesis.hash().to_string(),
    )
    .unwrap();
    write(path("journal.bin"), encode(&cut.batches)).unwrap();
    write(path("unwitnessed.bin"), encode(&shown.batches)).unwrap();
    write(path("cosignatures.bin"), encode(&shown.cosignatures)).unwrap();
    write(path("transactions.jsonl"), format!("{}\n", journal.line())).unwrap();
    verify_dir(dir.path(), &journal.codecs()).unwrap()
}

#[test]
fn what_no_quorum_witnessed_lies_beside_the_journal_and_counts_for_nothing() {
    let journal = Journal::get();
    let report = with_beyond(&journal, 1, |_| {});
    assert_eq!(report.problems, Vec::<String>::new());
    let entries = journal.entries.len() as u64;
    assert_eq!(
        (report.entries, report.witnessed, report.unwitnessed),
        (entries - 1, entries - 1, 1)
    );
    assert!(report.to_json().contains("\"unwitnessed\":1"));

    // The payment's own entry is behind the end: nothing may be signed for it.
    let all = journal.batches.len();
    let paid = journal.find(|body| matches!(body, Body::Authorized(_)));
    let from = journal.batches.iter().position(|b| b.first_seq == paid);
    let report = with_beyond(&journal, all - from.unwrap(), |_| {});
    problem(&report, "not authorized");
    assert_eq!((report.authorized, report.signed), (0, 0));

    let witnessed = with_beyond(&journal, 1, |shown| {
        shown.cosignatures.clone_from(&journal.cosignatures);
    });
    problem(&witnessed, "witnessed are");
    let other = Journal::of(2);
    let foreign = with_beyond(&journal, 1, |shown| {
        shown.batches = vec![other.batches.last().unwrap().clone()];
    });
    problem(&foreign, "do not follow");
}

#[test]
fn a_line_that_is_not_json_is_a_problem() {
    let journal = Journal::get();
    let mut report = Report::default();
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path().join("x.jsonl"),
        format!("{{}}\nnonsense\n{}\n", journal.line()),
    )
    .unwrap();
    let files = |file: &str| std::fs::read(dir.path().join(file));
    let found = lines(&files, "x.jsonl", &mut report).unwrap();
    assert_eq!(
        found.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        [1, 3]
    );
    problem(&report, "line 2");
}
