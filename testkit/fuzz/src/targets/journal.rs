//! The journal's own records, genesis, and what a replica keeps of the log's tree.

use super::services::{record, record_seeds};
use super::{Target, same};
use strongroom_journal::entry::Leaf;
use strongroom_journal::{Body, Entry, Genesis, SealedEntry};
use strongroom_tlog::{Cosignature, Frontier};
use strongroom_wire::{decode, encode};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "journal_entry",
            run: record::<Entry>,
            seeds: record_seeds::<Entry>,
        },
        Target {
            name: "journal_body",
            run: record::<Body>,
            seeds: record_seeds::<Body>,
        },
        Target {
            name: "journal_leaf",
            run: record::<Leaf>,
            seeds: record_seeds::<Leaf>,
        },
        Target {
            name: "journal_sealed_entry",
            run: sealed_entry,
            seeds: record_seeds::<SealedEntry>,
        },
        Target {
            name: "tree_frontier",
            run: record::<Frontier>,
            seeds: record_seeds::<Frontier>,
        },
        Target {
            name: "cosignature_record",
            run: record::<Cosignature>,
            seeds: record_seeds::<Cosignature>,
        },
        Target {
            name: "genesis",
            run: genesis,
            seeds: record_seeds::<Genesis>,
        },
    ]
}

/// The inner entry is opened too: it is a decoder behind a decoder.
fn sealed_entry(data: &[u8]) -> bool {
    let Ok(sealed) = decode::<SealedEntry>(data) else {
        return false;
    };
    if let Ok(entry) = sealed.open() {
        same(&SealedEntry::new(&entry, sealed.salt).entry, &sealed.entry);
    }
    same(&encode(&sealed), data)
}

/// Any genesis that decodes has its rules checked, whatever they say.
fn genesis(data: &[u8]) -> bool {
    let Ok(genesis) = decode::<Genesis>(data) else {
        return false;
    };
    let _ = Genesis::pinned(data, genesis.hash());
    same(&genesis.to_bytes(), data)
}
