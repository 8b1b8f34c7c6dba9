//! `show-genesis`: what operators compare before they pin it.

use anyhow::Context as _;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use strongroom_journal::{Genesis, Mode};
use strongroom_types::words::grid;

/// Prints a genesis file.
pub fn show(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;

    // Nothing is compared with a hash here: this is the command by which an operator gets the one
    // to pin.
    let genesis = Genesis::from_bytes(&bytes)?;
    genesis.check()?;

    let text = text(&genesis);
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot print")
}

fn text(genesis: &Genesis) -> String {
    // Writing into a string does not fail. Hash and words come first: they cover all that follows.
    let mut text = String::new();
    let _ = writeln!(
        text,
        "hash: {}\n\n{}\n",
        genesis.hash(),
        grid(&genesis.hash())
    );

    let mode = match genesis.mode {
        Mode::Dev => "development",
        Mode::Production => "production",
    };
    let _ = writeln!(
        text,
        "platform: {}\nmode: {mode}\norigin: {}",
        genesis.platform, genesis.origin
    );

    for seat in &genesis.signers {
        let _ = writeln!(
            text,
            "signer {}: {} run by {} at {}, keys in {}",
            seat.index, seat.node, seat.operator, seat.location, seat.hardware
        );
    }

    for seat in &genesis.witnesses {
        let _ = writeln!(text, "witness: {} run by {}", seat.node, seat.operator);
    }
    for chain in &genesis.chains {
        let _ = writeln!(text, "chain: {} read by {}", chain.chain, chain.decoder);
    }

    let witnesses = genesis.witness_count();
    let _ = writeln!(
        text,
        "quorum: {} of {witnesses} witnesses, bearing {} hostile",
        genesis.quorum, genesis.faults
    );

    for weakness in weaknesses(genesis) {
        let _ = writeln!(text, "note: {weakness}");
    }
    text
}

fn weaknesses(genesis: &Genesis) -> Vec<String> {
    let mut notes = Vec::new();
    if genesis.mode == Mode::Dev {
        notes
            .push("development: delays may be short and keys are protected by software".to_owned());
    }

    // k = ⌊(w + f) / 2⌋ + 1 of w must cosign, so w − k may be silent: ⌈(w − f) / 2⌉ − 1.
    let faults = genesis.faults as usize;
    let silent = genesis
        .witness_count()
        .saturating_sub(faults)
        .div_ceil(2)
        .saturating_sub(1);
    notes.push(format!(
        "{silent} silent witnesses are borne; with one more nothing is signed"
    ));

    // Two seats of one operator fall together, by one mistake or one intruder.
    let mut operators: Vec<&str> = genesis
        .signers
        .iter()
        .map(|seat| seat.operator.as_str())
        .collect();
    operators.sort_unstable();
    operators.dedup();
    if operators.len() < genesis.signers.len() {
        notes.push("seats of one operator are one fault".to_owned());
    }
    notes
}
