//! FROST beside the libraries that sign with a whole key. Single-threaded.

mod keys;
pub mod policy;

use crate::measure::{median_us, ratio};
use anyhow::Context as _;
use ed25519_dalek::{Signer as _, SigningKey};
use keys::KEY_ID;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hint::black_box;
use strongroom_mpc_core::signing::{KeyShare, PublicKeys, SignatureShare, SigningPackage, Tweak};
use strongroom_mpc_core::{ChildPath, SuiteId};

const ROUNDS: u32 = 300;

/// Time of each step of one party for one signature, microseconds.
struct Costs {
    dkg_per_party: f64,
    commit: f64,
    sign: f64,
    aggregate: f64,
}

/// Time of the same with a library that has the whole key, microseconds.
pub struct Whole {
    pub sign: f64,
    pub verify: f64,
}

pub fn run(large: bool) -> anyhow::Result<Value> {
    let (secp, ed) = (libsecp256k1()?, dalek()?);
    let taproot = (SuiteId::FrostSecp256k1Tr, Tweak::Bip341);
    let mut figures = serde_json::Map::new();
    let plain = |suite| (suite, Tweak::None);
    let mut suites = vec![
        (taproot, 2, 3, &secp),
        (plain(SuiteId::FrostSecp256k1), 2, 3, &secp),
        (plain(SuiteId::FrostEd25519), 2, 3, &ed),
    ];
    if large {
        suites.extend([
            (taproot, 18, 24, &secp),
            (plain(SuiteId::FrostEd25519), 18, 24, &ed),
        ]);
    }
    for ((suite, tweak), t, n, whole) in suites {
        let costs = frost(suite, tweak, t, n)?;
        figures.insert(format!("{} {t}-of-{n}", suite.name()), table(&costs, whole));
    }
    figures.insert(
        "libsecp256k1 schnorr".to_owned(),
        json!({"sign_us": secp.sign, "verify_us": secp.verify}),
    );
    figures.insert(
        "ed25519-dalek".to_owned(),
        json!({"sign_us": ed.sign, "verify_us": ed.verify}),
    );
    figures.insert("policy".to_owned(), policy::run()?);
    Ok(Value::Object(figures))
}

/// Ratios are to the library's `sign` (commit, sign) and `verify` (aggregate, which ends with a
/// verification).
fn table(costs: &Costs, whole: &Whole) -> Value {
    json!({
        "dkg_per_party_us": costs.dkg_per_party,
        "commit_us": costs.commit,
        "sign_us": costs.sign,
        "aggregate_us": costs.aggregate,
        "commit_ratio": ratio(costs.commit, whole.sign),
        "sign_ratio": ratio(costs.sign, whole.sign),
        "aggregate_ratio": ratio(costs.aggregate, whole.verify),
        "signer_per_s": (1e6 / (costs.commit + costs.sign)).round(),
    })
}

/// One suite at one t-of-n, on one address (child keys cached, as for a busy address).
fn frost(suite: SuiteId, tweak: Tweak, t: u16, n: u16) -> anyhow::Result<Costs> {
    let (records, dkg_per_party) = keys::generate(suite, t, n)?;
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut shares = BTreeMap::new();
    for (index, record) in &records {
        shares.insert(*index, KeyShare::open(record, [9; 16])?);
    }
    let public = records
        .values()
        .next()
        .context("no record")?
        .public()
        .clone();
    let mut keys = PublicKeys::open(public)?;
    let mut stock = BTreeMap::new();
    for (index, share) in shares.range_mut(1..=t) {
        let mut prepared = Vec::new();
        for _ in 0..ROUNDS {
            prepared.extend(share.prepare(1, &mut rng)?);
        }
        stock.insert(*index, prepared);
    }
    let mut packages = Vec::new();
    for round in 0..ROUNDS {
        let commitments = stock
            .iter_mut()
            .filter_map(|(index, stock)| Some((*index, stock.pop()?)))
            .collect();
        packages.push(SigningPackage {
            suite,
            key_id: KEY_ID.to_vec(),
            epoch: 1,
            message: [round.to_be_bytes(); 8].concat(),
            commitments,
            path: ChildPath::new([86, 0, 0, 0, 1])?,
            tweak,
        });
    }
    let mut answers: Vec<Vec<SignatureShare>> = vec![Vec::new(); packages.len()];
    for (package, answers) in packages.iter().zip(&mut answers) {
        for (_, share) in shares.range_mut(2..=t) {
            answers.push(share.sign(package)?);
        }
    }
    let one = shares.get_mut(&1).context("no share")?;
    let mut work = packages.iter().zip(&mut answers);
    let sign = median_us(ROUNDS, |_| {
        let (package, answers) = work.next().context("no package")?;
        answers.push(one.sign(package)?);
        Ok(())
    })?;
    let mut work = packages.iter().zip(&answers);
    let aggregate = median_us(ROUNDS, |_| {
        let (package, answers) = work.next().context("no package")?;
        black_box(keys.aggregate(package, answers)?);
        Ok(())
    })?;
    let last = shares.get_mut(&n).context("no share")?;
    let commit = median_us(ROUNDS, |_| {
        black_box(last.prepare(1, &mut rng)?);
        Ok(())
    })?;
    Ok(Costs {
        dkg_per_party,
        commit,
        sign,
        aggregate,
    })
}

fn libsecp256k1() -> anyhow::Result<Whole> {
    let secp = secp256k1::Secp256k1::new();
    let pair = secp256k1::Keypair::from_seckey_slice(&secp, &[3; 32])?;
    let message = secp256k1::Message::from_digest([4; 32]);
    let signature = secp.sign_schnorr_no_aux_rand(&message, &pair);
    let public = pair.x_only_public_key().0;
    let sign = median_us(ROUNDS, |_| {
        black_box(secp.sign_schnorr_no_aux_rand(&message, &pair));
        Ok(())
    })?;
    let verify = median_us(ROUNDS, |_| {
        Ok(secp.verify_schnorr(&signature, &message, &public)?)
    })?;
    Ok(Whole { sign, verify })
}

pub fn dalek() -> anyhow::Result<Whole> {
    let key = SigningKey::from_bytes(&[5; 32]);
    let signature = key.sign(&[6; 32]);
    let sign = median_us(ROUNDS, |_| {
        black_box(key.sign(black_box(&[6; 32])));
        Ok(())
    })?;
    let verify = median_us(ROUNDS, |_| {
        Ok(key.verifying_key().verify_strict(&[6; 32], &signature)?)
    })?;
    Ok(Whole { sign, verify })
}
