//! Ceremonies with one hostile roster member or a hostile relay.

mod delivery;
mod rounds;

use crate::cluster::*;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use strongroom_mpc_core::SuiteId;
use strongroom_mpc_core::dkg::*;

const LIAR: u16 = 1;

#[derive(Clone, BorshSerialize, BorshDeserialize)]
struct Round1(Vec<u8>, [u8; 32]);

/// Runs a ceremony in which signer 1's messages are rewritten. Its echoes agree with the messages
/// that the others got.
fn with_liar(
    t: u16,
    n: u16,
    mut rewrite: impl FnMut(&Cluster, u16, Message) -> Message,
) -> Cluster {
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, t, n, 21);
    let mut told: BTreeMap<u16, Round1> = BTreeMap::new();
    cluster.run_with(|cluster, delivery| {
        let mut message = Message::read(delivery.bytes);
        if delivery.from == LIAR {
            message = rewrite(cluster, delivery.to, message);
            if let Body::Echo(hash) = &mut message.body {
                let all = borsh::to_vec(&told).unwrap();
                *hash = digest(
                    "strongroom/dkg-round-1/v1",
                    &[&cluster.parameters.context(), &all],
                );
            }
        }
        if let Body::Round1 {
            package,
            chain_code_commitment,
        } = &message.body
            && (delivery.from == LIAR || delivery.to != LIAR)
        {
            told.insert(
                delivery.from,
                Round1(package.clone(), *chain_code_commitment),
            );
        }
        vec![message.write()]
    });
    cluster
}

/// Asserts that no signer finished a key, and that every honest signer with a fault names exactly
/// the liar.
fn assert_blamed(cluster: &Cluster, expected: &DkgFault) {
    assert!(cluster.outcomes.is_empty());
    let honest: Vec<_> = cluster
        .faults
        .iter()
        .filter(|(index, _)| **index != LIAR)
        .collect();
    assert!(!honest.is_empty());
    for (index, fault) in honest {
        assert_eq!(
            (fault, fault.culprits()),
            (expected, vec![LIAR]),
            "at signer {index}"
        );
    }
}

/// The first message that a signer has in the queue.
fn first_from(cluster: &Cluster, signer: u16) -> Vec<u8> {
    let mut queue = cluster.queue.iter();
    queue.find(|(from, ..)| *from == signer).unwrap().2.clone()
}

#[test]
fn a_faithful_rewriter_still_gets_a_key() {
    let cluster = with_liar(2, 3, |_, _, message| message);
    assert_eq!(cluster.outcomes.len(), 3);
}
