//! Messages of a key generation, as a member of the roster receives them from a hostile one, and
//! published results.

use super::{SEEDS, Target, same, with_choice};
use crate::generate;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng as _};
use std::sync::OnceLock;
use strongroom_mpc_core::SuiteId;
use strongroom_mpc_core::dkg::{
    DkgEffect, DkgInput, DkgOutcome, DkgParameters, DkgSession, RosterMember, verify_outcome,
};
use strongroom_mpc_core::seal::SealingSecret;

/// Suites, in the order in which an input chooses them.
const SUITES: [SuiteId; 3] = [
    SuiteId::FrostSecp256k1Tr,
    SuiteId::FrostSecp256k1,
    SuiteId::FrostEd25519,
];
/// Messages of the peer that the session may have before the input: none, round 1, round 1 and the
/// echo.
const STAGES: usize = 3;
const ME: u16 = 1;
const PEER: u16 = 2;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "ceremony_message",
            run: message,
            seeds: |_| seeds(),
        },
        Target {
            name: "ceremony_outcome",
            run: outcome,
            seeds: outcomes,
        },
    ]
}

fn secret(index: u16) -> SealingSecret {
    let [low, high] = index.to_le_bytes();
    SealingSecret::from_bytes(&[low ^ high; 32])
}

/// The same parameters each time; making the roster's keys is most of the cost of one input.
fn parameters(suite: SuiteId) -> Option<&'static DkgParameters> {
    static PARAMETERS: OnceLock<Vec<DkgParameters>> = OnceLock::new();
    let all = PARAMETERS.get_or_init(|| SUITES.into_iter().filter_map(made).collect());
    all.iter().find(|parameters| parameters.suite == suite)
}

fn made(suite: SuiteId) -> Option<DkgParameters> {
    let member = |index: u16| {
        let [low, high] = index.to_le_bytes();
        Some(RosterMember {
            index,
            signing_key: [low ^ high; 32],
            sealing_key: secret(index).public_key().ok()?,
        })
    };
    Some(DkgParameters {
        suite,
        session: [1; 32],
        genesis: [2; 32],
        key_id: b"tenant/key".to_vec(),
        epoch: 1,
        min_signers: 2,
        roster: [ME, PEER].map(member).into_iter().collect::<Option<_>>()?,
    })
}

/// A member's session before any message, with the message that it sends first. The same each time.
fn session(suite: SuiteId, me: u16) -> Option<(DkgSession, Vec<DkgEffect>, ChaCha20Rng)> {
    let mut rng = ChaCha20Rng::seed_from_u64(me.into());
    let parameters = parameters(suite)?.clone();
    let (session, effects) = DkgSession::start(parameters, me, secret(me), &mut rng).ok()?;
    Some((session, effects, rng))
}

fn sent(effects: Vec<DkgEffect>, into: &mut Vec<Vec<u8>>) {
    into.extend(effects.into_iter().filter_map(|effect| match effect {
        DkgEffect::Broadcast(bytes) | DkgEffect::Send { bytes, .. } => Some(bytes),
        DkgEffect::Persist(_)
        | DkgEffect::Done { .. }
        | DkgEffect::Finished(_)
        | DkgEffect::Ignored(_) => None,
    }));
}

/// Everything that the honest peer sends to the first member: round 1, echo, sealed share.
fn honest(suite: SuiteId) -> Option<Vec<Vec<u8>>> {
    let (mut mine, first, mut my_rng) = session(suite, ME)?;
    let (mut theirs, peers, mut rng) = session(suite, PEER)?;
    let (mut to_peer, mut to_me) = (Vec::new(), Vec::new());
    sent(first, &mut to_peer);
    sent(peers, &mut to_me);

    // Each round's messages go both ways before the next one.
    for round in 0..STAGES {
        let (mine_now, theirs_now) = (to_me.get(round)?.clone(), to_peer.get(round)?.clone());
        let received = |from, bytes| DkgInput::Received { from, bytes };
        let effects = mine.step(received(PEER, mine_now), &mut my_rng).ok()?;
        sent(effects, &mut to_peer);
        let effects = theirs.step(received(ME, theirs_now), &mut rng).ok()?;
        sent(effects, &mut to_me);
        if round + 1 == STAGES {
            break;
        }
    }
    Some(to_me)
}

fn peers(suite: usize) -> &'static [Vec<u8>] {
    static PEERS: OnceLock<Vec<Vec<Vec<u8>>>> = OnceLock::new();
    let all = PEERS.get_or_init(|| {
        SUITES
            .map(|suite| honest(suite).unwrap_or_default())
            .to_vec()
    });
    all.get(suite).map(Vec::as_slice).unwrap_or_default()
}

/// The first byte chooses the suite and what the peer has sent before. A message that is taken is
/// known from then on: the same bytes a second time change nothing.
fn message(data: &[u8]) -> bool {
    let Some((choice, bytes)) = data.split_first() else {
        return false;
    };
    let choice = usize::from(*choice);
    let (number, stage) = (choice / STAGES, choice % STAGES);
    let started = SUITES.get(number).and_then(|suite| session(*suite, ME));
    let Some((mut session, _, mut rng)) = started else {
        return false;
    };

    let from = PEER;
    for bytes in peers(number).iter().take(stage).cloned() {
        let honest = session.step(DkgInput::Received { from, bytes }, &mut rng);
        assert!(honest.is_ok(), "an honest message");
    }

    let received = || DkgInput::Received {
        from,
        bytes: bytes.to_vec(),
    };
    match session.step(received(), &mut rng) {
        // A sender that proves its own fault was understood.
        Err(fault) => fault.culprits() == [from],
        Ok(effects) if is_ignored(&effects) => false,
        Ok(_) => {
            let again = session.step(received(), &mut rng);
            assert!(
                again.is_ok_and(|effects| is_ignored(&effects)),
                "a message that counts twice"
            );
            true
        }
    }
}

fn is_ignored(effects: &[DkgEffect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, DkgEffect::Ignored(_)))
}

/// Every message of the peer, at each stage at which it is taken.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for number in 0..SUITES.len() {
        for (stage, bytes) in peers(number).iter().enumerate() {
            let seed = with_choice(number * STAGES + stage.min(STAGES - 1), bytes);
            seeds.extend(Some(seed).filter(|seed| message(seed)));
        }
    }
    seeds
}

/// An outcome proves nothing by itself: no one certified one of this roster.
fn outcome(data: &[u8]) -> bool {
    let Ok(outcome) = DkgOutcome::from_bytes(data) else {
        return false;
    };
    for suite in SUITES {
        let certified = parameters(suite)
            .is_some_and(|parameters| verify_outcome(parameters, &outcome).is_ok());
        assert!(!certified, "a ceremony that no one certified");
    }
    same(&outcome.to_bytes(), data)
}

fn outcomes(rng: &mut dyn RngCore) -> Vec<Vec<u8>> {
    let made = (0..SEEDS).filter_map(|_| generate::value::<DkgOutcome>(rng));
    made.map(|outcome| outcome.to_bytes())
        .filter(|bytes| outcome(bytes))
        .collect()
}
