//! The list of chains from outside.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests: every failed expectation is a failed test"
)]

use std::sync::Arc;
use strongroom_chains::{ChainsError, all, chain, codecs, codecs_with, names, network, seat};
use strongroom_journal::Genesis;
use strongroom_journal::genesis::ChainSeat;
use strongroom_types::{Code, Digest, Suite};
use strongroom_world::{CHAIN, World, WorldOptions};

fn genesis() -> Genesis {
    Arc::unwrap_or_clone(World::new(1, WorldOptions::default()).genesis)
}

#[test]
fn every_codec_of_the_build_has_its_own_chain_and_name_and_a_suite() {
    let all = all().unwrap();
    assert!(!all.is_empty());
    for codec in all {
        let manifest = codec.manifest();
        assert_eq!(manifest.native.chain(), manifest.chain);
        assert!(!manifest.suites.is_empty(), "{}", manifest.network);
        let found = chain(&manifest.chain).unwrap().unwrap();
        assert!(Arc::ptr_eq(&found, codec), "{}", manifest.chain);
        let found = network(manifest.network).unwrap().unwrap();
        assert!(Arc::ptr_eq(&found, codec), "{}", manifest.network);
    }
}

#[test]
fn an_installation_gets_the_codecs_of_its_genesis_and_no_other() {
    let mut genesis = genesis();
    let mainnet = network("mainnet").unwrap().unwrap();
    genesis.chains.push(seat(mainnet.as_ref()));
    let list = codecs(&genesis).unwrap();
    let found: Vec<_> = list
        .known()
        .iter()
        .map(|codec| codec.manifest().network)
        .collect();
    assert_eq!(found, ["regtest", "mainnet"]);
    assert!(list.of(&CHAIN.parse().unwrap()).is_some());
    assert!(list.named("testnet4").is_none());
}

#[test]
fn a_chain_that_this_build_cannot_read_is_named() {
    let mut genesis = genesis();
    genesis.chains[0].chain = "eip155:1".parse().unwrap();
    let list = codecs(&genesis).unwrap();
    assert!(list.known().is_empty());
    assert_eq!(
        list.unknown(),
        std::slice::from_ref(&genesis.chains[0].chain)
    );
    assert!(list.of(&genesis.chains[0].chain).is_none());
}

/// Each part of a seat is compared: a build with other suites for a chain would make other keys.
#[test]
fn a_build_that_reads_a_chain_by_another_row_is_refused() {
    let changes: [fn(&mut ChainSeat); 3] = [
        |seat| seat.row = Digest([7; 32]),
        |seat| seat.decoder = "bitcoin/2".to_owned(),
        |seat| {
            seat.native = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0"
                .parse()
                .unwrap()
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut genesis = genesis();
        change(&mut genesis.chains[0]);
        let Err(ChainsError::Seat(refusal)) = codecs(&genesis) else {
            panic!("case {at}")
        };
        assert_eq!(refusal.code, Code::Unsupported);
        assert!(refusal.detail.contains("run a build"), "{refusal}");
    }
}

#[test]
fn a_second_codec_for_a_chain_of_the_list_is_refused() {
    let again = network("regtest").unwrap().unwrap();
    let refused = codecs_with(&genesis(), vec![again]).unwrap_err();
    assert_eq!(refused, ChainsError::Twice(CHAIN.parse().unwrap()));
}

#[test]
fn names_are_those_of_configuration_files() {
    assert!(names().unwrap().starts_with("mainnet, testnet4, regtest"));
    assert!(network("moonnet").unwrap().is_none());
}

#[test]
fn a_seat_is_what_genesis_has_for_the_chain() {
    let codec = network("regtest").unwrap().unwrap();
    assert_eq!(seat(codec.as_ref()), genesis().chains[0]);
    assert_eq!(codec.manifest().suites, [Suite::FrostSecp256k1Tr]);
}
