//! The committed corpora: what coverage-guided runs have kept, and inputs that once failed.

use super::{root, run};
use std::path::PathBuf;
use strongroom_fuzz::all;
use strongroom_fuzz::campaign::cover::INPUT_BYTES_MAX;
use strongroom_fuzz::campaign::keep::inputs;

/// Largest size of all committed corpora together, bytes.
const CORPORA_BYTES_MAX: usize = 2 * 1024 * 1024;

fn corpora() -> PathBuf {
    root().join("testkit/fuzz/corpus")
}

#[test]
fn every_input_of_a_committed_corpus_keeps_its_targets_rule() {
    let mut bytes_of_all = 0;
    for target in all() {
        let inputs = inputs(&corpora().join(target.name)).unwrap();
        let mut accepted = 0;
        for (path, bytes) in &inputs {
            assert!(bytes.len() <= INPUT_BYTES_MAX, "{}", path.display());
            bytes_of_all += bytes.len();
            accepted += u32::from(run(&target, bytes));
        }
        // A decoder that became stricter than its corpus would make all of it worthless unseen.
        assert!(
            inputs.is_empty() || accepted > 0,
            "target `{}` refuses every input of its corpus",
            target.name
        );
    }
    assert!(bytes_of_all <= CORPORA_BYTES_MAX, "{bytes_of_all} bytes");
}

#[test]
fn every_committed_corpus_is_of_a_target() {
    let Ok(entries) = std::fs::read_dir(corpora()) else {
        return;
    };
    let names: Vec<&str> = all().iter().map(|target| target.name).collect();
    for entry in entries {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == ".gitattributes" || names.contains(&name.as_str()),
            "a corpus of no target: {name}"
        );
    }
}
