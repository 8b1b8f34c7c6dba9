//! FROST beside libsecp256k1 and ed25519-dalek in one run, one JSON line of median microseconds:
//! `cargo run --release -p strongroom-mpc-core --example bench_core`. Single-threaded; t-of-n from key generation on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use ed25519_dalek::{Signer as _, SigningKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;
use std::time::Instant;
use strongroom_mpc_core::dkg::*;
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_mpc_core::signing::*;
use strongroom_mpc_core::{ChildPath, KeyShareRecord, SuiteId};

const ROUNDS: u32 = 300;

/// Median over [`ROUNDS`] runs in microseconds, one decimal.
fn median_us(mut run: impl FnMut(u32)) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let start = Instant::now();
            run(round);
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2] * 10.0).round() / 10.0
}

/// A whole key generation in this process; yields the records and the time per party.
fn generate(suite: SuiteId, t: u16, n: u16) -> (BTreeMap<u16, KeyShareRecord>, f64) {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (mut sealing, mut keys, mut roster) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for index in 1..=n {
        let secret = SealingSecret::generate(&mut rng);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let sealing_key = secret.public_key().unwrap();
        roster.push(RosterMember { index, signing_key: key.verifying_key().to_bytes(), sealing_key });
        sealing.insert(index, secret);
        keys.insert(index, key);
    }
    let parameters = DkgParameters {
        suite,
        session: [1; 32],
        genesis: [2; 32],
        key_id: b"bench".to_vec(),
        epoch: 1,
        min_signers: t,
        roster,
    };
    let start = Instant::now();
    let (mut sessions, mut records) = (BTreeMap::new(), BTreeMap::new());
    let mut queue: VecDeque<(u16, DkgInput)> = VecDeque::new();
    let mut spread = |me: u16, effects: Vec<DkgEffect>, queue: &mut VecDeque<(u16, DkgInput)>| {
        for effect in effects {
            match effect {
                DkgEffect::Broadcast(bytes) => (1..=n).filter(|to| *to != me).for_each(|to| {
                    queue.push_back((to, DkgInput::Received { from: me, bytes: bytes.clone() }));
                }),
                DkgEffect::Send { to, bytes } => {
                    queue.push_back((to, DkgInput::Received { from: me, bytes }))
                }
                DkgEffect::Persist(record) => {
                    records.insert(me, *record);
                    queue.push_back((me, DkgInput::Persisted));
                }
                DkgEffect::Done { transcript } => {
                    let signature = keys[&me].sign(&certificate_digest(&transcript)).to_bytes();
                    (1..=n).for_each(|to| {
                        queue.push_back((to, DkgInput::Certificate { from: me, signature }));
                    });
                }
                DkgEffect::Finished(_) | DkgEffect::Ignored(_) => {}
            }
        }
    };
    for (index, secret) in sealing {
        let (session, effects) = DkgSession::start(parameters.clone(), index, secret, &mut rng).unwrap();
        sessions.insert(index, session);
        spread(index, effects, &mut queue);
    }
    while let Some((to, input)) = queue.pop_front() {
        let effects = sessions.get_mut(&to).unwrap().step(input, &mut rng).unwrap();
        spread(to, effects, &mut queue);
    }
    let per_party_us = start.elapsed().as_secs_f64() * 1e6 / f64::from(n);
    (records, (per_party_us * 10.0).round() / 10.0)
}

/// One suite at one t-of-n, on one address (child keys cached, as for a busy address).
fn frost(suite: SuiteId, t: u16, n: u16, tweak: Tweak) -> String {
    let (records, dkg_us) = generate(suite, t, n);
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut shares: BTreeMap<u16, KeyShare> =
        records.iter().map(|(index, record)| (*index, KeyShare::open(record, [9; 16]).unwrap())).collect();
    let mut keys = PublicKeys::open(records[&1].public().clone()).unwrap();
    let commit_us = median_us(|_| {
        black_box(shares.get_mut(&n).unwrap().prepare(1, &mut rng).unwrap());
    });
    let packages: Vec<SigningPackage> = (0..ROUNDS)
        .map(|round| SigningPackage {
            suite,
            key_id: b"bench".to_vec(),
            epoch: 1,
            message: [round as u8; 32].to_vec(),
            commitments: (1..=t)
                .map(|index| (index, shares.get_mut(&index).unwrap().prepare(1, &mut rng).unwrap().remove(0)))
                .collect(),
            path: ChildPath::new([86, 0, 0, 0, 1]).unwrap(),
            tweak,
        })
        .collect();
    let mut answers: Vec<Vec<SignatureShare>> = packages
        .iter()
        .map(|package| (2..=t).map(|index| shares.get_mut(&index).unwrap().sign(package).unwrap()).collect())
        .collect();
    let one = shares.get_mut(&1).unwrap();
    let sign_us = median_us(|round| {
        let share = one.sign(&packages[round as usize]).unwrap();
        answers[round as usize].push(share);
    });
    let aggregate_us = median_us(|round| {
        black_box(keys.aggregate(&packages[round as usize], &answers[round as usize]).unwrap());
    });
    let name = suite.name();
    format!(
        "\"{name} {t}-of-{n}\":{{\"dkg_per_party_us\":{dkg_us},\"commit_us\":{commit_us},\"sign_us\":{sign_us},\
         \"aggregate_us\":{aggregate_us}}}"
    )
}

fn references() -> String {
    let secp = secp256k1::Secp256k1::new();
    let pair = secp256k1::Keypair::from_seckey_slice(&secp, &[3; 32]).unwrap();
    let message = secp256k1::Message::from_digest([4; 32]);
    let signature = secp.sign_schnorr_no_aux_rand(&message, &pair);
    let public = pair.x_only_public_key().0;
    let secp_sign = median_us(|_| {
        black_box(secp.sign_schnorr_no_aux_rand(&message, &pair));
    });
    let secp_verify = median_us(|_| secp.verify_schnorr(&signature, &message, &public).unwrap());
    let key = SigningKey::from_bytes(&[5; 32]);
    let signature = key.sign(&[6; 32]);
    let ed_sign = median_us(|_| {
        black_box(key.sign(&[6; 32]));
    });
    let ed_verify = median_us(|_| key.verifying_key().verify_strict(&[6; 32], &signature).unwrap());
    format!(
        "\"libsecp256k1 schnorr\":{{\"sign_us\":{secp_sign},\"verify_us\":{secp_verify}}},\
         \"ed25519-dalek\":{{\"sign_us\":{ed_sign},\"verify_us\":{ed_verify}}}"
    )
}

fn main() {
    let lines = [
        frost(SuiteId::FrostSecp256k1Tr, 2, 3, Tweak::Bip341),
        frost(SuiteId::FrostSecp256k1, 2, 3, Tweak::None),
        frost(SuiteId::FrostEd25519, 2, 3, Tweak::None),
        frost(SuiteId::FrostSecp256k1Tr, 18, 24, Tweak::Bip341),
        references(),
    ];
    println!("{{{}}}", lines.join(","));
}
