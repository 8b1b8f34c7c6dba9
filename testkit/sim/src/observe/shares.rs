//! Shares and signatures as the observer reads them: by the request they answer, never by what the
//! signer says of it.

use super::{Observer, State};
use crate::history::{NonceUse, Observation, Share};
use crate::properties::{Property, Violation};
use strongroom_chain_bitcoin::Network;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_chain_bitcoin_dev::{DevChain, check_spend};
use strongroom_ports::chain::{ChainCodec as _, NoRegistry};
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{Digest, digest};
use strongroom_wire::{NonceCommitment, SigningRequest};

/// A signer's answer with shares.
pub(super) struct Answer<'a> {
    /// Roster index.
    pub(super) signer: u16,
    /// Digest of the request it answers.
    pub(super) request: Digest,
    /// One share per slot.
    pub(super) shares: &'a [Vec<u8>],
    /// Size of the head it acted under.
    pub(super) head: u64,
}

impl State {
    pub(super) fn on_shares(&mut self, at_ms: u64, answer: &Answer<'_>) {
        let Some(request) = self.requests.get(&answer.request) else {
            let signer = answer.signer;
            self.violation.get_or_insert(Violation {
                property: Property::Authority,
                at_ms,
                detail: format!("signer {signer} answers a request that was never made"),
            });
            return;
        };

        let (conflicts, pays) = self.effects(request);
        let share = Share {
            signer: answer.signer,
            quorum: request
                .commitments
                .iter()
                .flatten()
                .map(|(by, _)| *by)
                .collect(),
            head: answer.head,
            request: answer.request,
            intent: request.intent,
            unsigned: unsigned_digest(&request.unsigned),
            conflicts,
            pays,
            nonces: nonces(request, answer),
        };
        self.shares += 1;
        self.observe(at_ms, &Observation::Shared(Box::new(share)));
    }

    /// Inputs spent and payments made by a request's transaction, sorted; nothing when it does not
    /// decode.
    fn effects(&self, request: &SigningRequest) -> (Vec<String>, Vec<(String, u64)>) {
        let authorized = self.checker.authorized(&request.intent);
        let paying = authorized.and_then(|a| a.vaults.first());
        let vault = paying.and_then(|id| self.reader.vaults.key(*id));

        // Nothing decodes for a vault that no entry made: the share then pays what no intent says,
        // and is reported by property x.
        let Some(vault) = &vault else {
            return Default::default();
        };
        let Ok(seen) = self.codec.inspect(&request.unsigned, vault, &NoRegistry) else {
            return Default::default();
        };

        let conflicts = seen
            .conflicts
            .into_iter()
            .map(|key| key.to_string())
            .collect();
        let pays = seen.moves.into_iter();
        let mut pays: Vec<(String, u64)> = pays
            .map(|paid| (paid.to, paid.at_most.to_u64().unwrap()))
            .collect();

        // Sorted, since neither an intent nor a transaction says in which order it pays.
        pays.sort();
        (conflicts, pays)
    }
}

/// The signer's nonces of a request, each with everything that is signed with it.
fn nonces(request: &SigningRequest, answer: &Answer<'_>) -> Vec<NonceUse> {
    let of_slot = |(index, commitments): (usize, &Vec<(u16, NonceCommitment)>)| {
        let by_signer = |(by, _): &&(u16, NonceCommitment)| *by == answer.signer;
        let (_, own) = commitments.iter().find(by_signer)?;

        // Transaction, slot and all commitments: a nonce that meets two of these gives its key
        // away.
        let fields: [&[u8]; 3] = [
            &request.unsigned,
            &(index as u64).to_be_bytes(),
            &strongroom_wire::encode(commitments),
        ];
        Some(NonceUse {
            boot: own.boot,
            number: own.number,
            package: digest("strongroom/sim-package/v1", &fields),
            share: answer.shares.get(index).cloned().unwrap_or_default(),
        })
    };
    let slots = request.commitments.iter().enumerate();
    slots.filter_map(of_slot).collect()
}

impl Observer {
    /// Everything that is called signed is an authorized attempt with the shares for it, and
    /// Bitcoin Core's interpreter takes it.
    pub(crate) fn check_signed(&self, chain: &DevChain) -> Result<(), Violation> {
        let state = self.state();
        for (intent, raw) in &state.raw {
            state
                .check_raw(chain, intent, raw)
                .map_err(|what| Violation {
                    property: Property::Effects,
                    at_ms: self.time.now(),
                    detail: format!("{intent}: {what}"),
                })?;
        }
        Ok(())
    }
}

impl State {
    fn check_raw(&self, chain: &DevChain, intent: &Digest, raw: &[u8]) -> Result<(), String> {
        let spent = chain.spent_outputs(raw).unwrap().ok_or("unknown inputs")?;
        check_spend(raw, &spent).map_err(|error| error.to_string())?;

        let authorized = self.checker.authorized(intent).ok_or("not authorized")?;
        let name = self.codec.transaction_id(raw).unwrap();
        let is_attempt = |unsigned: &[u8]| {
            let digest = unsigned_digest(unsigned);
            let is_known = authorized
                .attempts
                .iter()
                .any(|known| known.unsigned == digest);
            is_known
                && Unsigned::decode(unsigned, Network::Regtest)
                    .is_ok_and(|form| form.transaction.compute_txid().to_string() == name)
        };

        // The signed bytes are matched to an unsigned form that was asked for: a digest alone could
        // name an attempt whose bytes were never seen.
        let mut wanted = self.wanted.iter();
        if !wanted.any(|wanted| wanted.attempt.intent == *intent && is_attempt(&wanted.unsigned)) {
            return Err(format!("{name} is not an authorized attempt"));
        }

        if self.checker.signed().contains(intent) {
            Ok(())
        } else {
            Err("a signature without the shares for it".to_owned())
        }
    }
}
