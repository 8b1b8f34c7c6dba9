//! No secret type prints its bytes.

use crate::cluster::*;
use strongroom_mpc_core::dkg::DkgEffect;
use strongroom_mpc_core::signing::KeyShare;
use strongroom_mpc_core::{KeyShareRecord, SuiteId};

fn shows(text: &str, secret: &[u8]) -> bool {
    let decimal: Vec<_> = secret.iter().take(4).map(u8::to_string).collect();
    let lower = text.to_lowercase();
    lower.contains(&hex::encode(&secret[..4]))
        || text.replace('\n', "").contains(&decimal.join(", "))
}

#[test]
fn the_search_for_secrets_finds_them() {
    let secret = [200, 201, 202, 203, 204];
    assert!(shows(&format!("{secret:?}"), &secret));
    assert!(shows(&hex::encode(secret), &secret));
    assert!(!shows("KeyShare(..)", &secret));
}

#[test]
fn debug_of_secret_types_shows_no_secret_bytes() {
    let mut cluster = Cluster::new(SuiteId::FrostSecp256k1Tr, 2, 2, 31);
    let seed = cluster.seeds[&1];
    assert!(!shows(
        &format!("{:?} {:#?}", cluster.sealing(1), cluster.sealing(1)),
        &seed
    ));
    assert!(!shows(&format!("{:?}", cluster.sessions[&1]), &seed));
    cluster.run_with(|_, delivery| vec![delivery.bytes.to_vec()]);
    let record = &cluster.records[&1];
    let stored = record.to_secret_bytes();
    let secret = &stored[3..35];
    let chain_code = record.public().chain_code;
    let share = KeyShare::open(record, [0; 16]).unwrap();
    let effect = DkgEffect::Persist(Box::new(
        KeyShareRecord::from_secret_bytes(&stored).unwrap(),
    ));
    for text in [
        format!("{record:?} {record:#?}"),
        format!("{share:?} {share:#?}"),
        format!("{effect:?} {effect:#?}"),
        format!("{:?} {:#?}", record.public(), record.public()),
        format!("{:?}", cluster.outcomes[&1].public),
    ] {
        assert!(
            !shows(&text, secret) && !shows(&text, &chain_code),
            "{text}"
        );
    }
}
