//! A whole key generation in this process.

use crate::measure::{tenth, us};
use anyhow::Context as _;
use ed25519_dalek::{Signer as _, SigningKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;
use strongroom_mpc_core::dkg::{
    DkgEffect, DkgInput, DkgParameters, DkgSession, RosterMember, certificate_digest,
};
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_mpc_core::{KeyShareRecord, SuiteId};

/// The name of every key made here.
pub const KEY_ID: &[u8] = b"bench";

struct Parties {
    n: u16,
    keys: BTreeMap<u16, SigningKey>,
    queue: VecDeque<(u16, DkgInput)>,
    records: BTreeMap<u16, KeyShareRecord>,
}

/// Every party's record, and the time per party in microseconds.
pub fn generate(
    suite: SuiteId,
    t: u16,
    n: u16,
) -> anyhow::Result<(BTreeMap<u16, KeyShareRecord>, f64)> {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (mut sealing, mut roster) = (BTreeMap::new(), Vec::new());
    let mut parties = Parties {
        n,
        keys: BTreeMap::new(),
        queue: VecDeque::new(),
        records: BTreeMap::new(),
    };
    for index in 1..=n {
        let secret = SealingSecret::generate(&mut rng);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let (signing_key, sealing_key) = (key.verifying_key().to_bytes(), secret.public_key()?);
        roster.push(RosterMember {
            index,
            signing_key,
            sealing_key,
        });
        sealing.insert(index, secret);
        parties.keys.insert(index, key);
    }
    let parameters = DkgParameters {
        suite,
        session: [1; 32],
        genesis: [2; 32],
        key_id: KEY_ID.to_vec(),
        epoch: 1,
        min_signers: t,
        roster,
    };
    let start = Instant::now();
    let mut sessions = BTreeMap::new();
    for (index, secret) in sealing {
        let (session, effects) = DkgSession::start(parameters.clone(), index, secret, &mut rng)?;
        sessions.insert(index, session);
        parties.spread(index, effects)?;
    }
    while let Some((to, input)) = parties.queue.pop_front() {
        let effects = sessions
            .get_mut(&to)
            .context("no such party")?
            .step(input, &mut rng)?;
        parties.spread(to, effects)?;
    }
    let per_party = tenth(us(start.elapsed()) / f64::from(n));
    Ok((parties.records, per_party))
}

impl Parties {
    fn spread(&mut self, me: u16, effects: Vec<DkgEffect>) -> anyhow::Result<()> {
        for effect in effects {
            match effect {
                DkgEffect::Broadcast(bytes) => {
                    for to in (1..=self.n).filter(|to| *to != me) {
                        self.queue.push_back((
                            to,
                            DkgInput::Received {
                                from: me,
                                bytes: bytes.clone(),
                            },
                        ));
                    }
                }
                DkgEffect::Send { to, bytes } => {
                    self.queue
                        .push_back((to, DkgInput::Received { from: me, bytes }));
                }
                DkgEffect::Persist(record) => {
                    self.records.insert(me, *record);
                    self.queue.push_back((me, DkgInput::Persisted));
                }
                DkgEffect::Done { transcript } => {
                    let key = self.keys.get(&me).context("no such party")?;
                    let signature = key.sign(&certificate_digest(&transcript)).to_bytes();
                    let certificate = |to| {
                        (
                            to,
                            DkgInput::Certificate {
                                from: me,
                                signature,
                            },
                        )
                    };
                    self.queue.extend((1..=self.n).map(certificate));
                }
                DkgEffect::Finished(_) | DkgEffect::Ignored(_) => {}
            }
        }
        Ok(())
    }
}
