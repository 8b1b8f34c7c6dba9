//! Genesis: who takes part in an installation. Unsigned; pinned by hash in every signer's
//! configuration.

mod bounds;

pub use bounds::Bounds;

use crate::entry::ENTRY_BYTES_MAX;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_guard::{G, guard};
use strongroom_types::charter::Board;
use strongroom_types::{
    AssetId, ChainId, Code, Credential, Digest, Name, NodeId, PlatformId, Refusal, UnixMs, User,
    UserId, digest,
};
use strongroom_wire::{NodeKey, Senders, decode, encode};

pub use strongroom_types::Mode;

/// Format version of genesis.
pub const VERSION: u8 = 2;
/// Longest window of a policy, milliseconds: what is forgotten sooner is missing in it.
const RETENTION_LEAST_MS: u64 = strongroom_policy::WINDOW_SECONDS_MAX * 1_000;
/// A quiet journal is cosigned again after this time, milliseconds: four times within the freshness
/// of production.
pub const RECOSIGN_MS: u64 = 15_000;
/// Least freshness in production, milliseconds: 30 s. Cosignatures of a quiet journal are renewed
/// after half of it, and the other half is for their way and for the skew. Tests of development
/// genesis may use less.
const FRESHNESS_LEAST_MS: u64 = 2 * RECOSIGN_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: u64 = 3_600_000;

/// One signer, always also a witness.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SignerSeat {
    /// Index in threshold protocols, from 1.
    pub index: u16,
    /// Sender id on the bus.
    pub node: NodeId,
    /// Ed25519 key of envelopes and ceremony certificates.
    pub signing_key: [u8; 32],
    /// Ed25519 key of cosignatures.
    pub witness_key: [u8; 32],
    /// X-Wing public key.
    pub sealing_key: Vec<u8>,
    /// Place of the machine, for people.
    pub location: Name,
    /// Organisation that runs it, for people.
    pub operator: Name,
    /// Protection of its keys, for people.
    pub hardware: Name,
    /// Digest of its build.
    pub measurement: Digest,
}

/// One independent witness.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct WitnessSeat {
    /// Sender id on the bus.
    pub node: NodeId,
    /// Ed25519 key of envelopes.
    pub signing_key: [u8; 32],
    /// Ed25519 key of cosignatures.
    pub witness_key: [u8; 32],
    /// Organisation that runs it, for people.
    pub operator: Name,
}

/// A chain whose intents this installation accepts.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ChainSeat {
    /// Name of the chain, CAIP-2.
    pub chain: ChainId,
    /// Asset that fees are paid in.
    pub native: AssetId,
    /// Decoder that reads its transactions, e.g. `bitcoin/1`.
    pub decoder: String,
    /// Digest of the network's row in the list of chains of the build that made genesis.
    pub row: Digest,
}

/// Participants of an installation with their keys, and the bounds of every tenant.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Genesis {
    /// Format version, [`VERSION`]. Always the first byte, so that every build can read it.
    pub version: u8,
    /// Id of the installation, which every signed text names.
    pub platform: PlatformId,
    /// Development or production.
    pub mode: Mode,
    /// Time of creation.
    pub created: UnixMs,
    /// Signers, ascending by index.
    pub signers: Vec<SignerSeat>,
    /// Independent witnesses, which hold no shares.
    pub witnesses: Vec<WitnessSeat>,
    /// Users who are platform admins.
    pub admin_users: Vec<User>,
    /// Platform admins' credentials, at least one for each.
    pub admin_credentials: Vec<Credential>,
    /// Platform admins and their quorum.
    pub admins: Board,
    /// One key per service instance with its role.
    pub services: Vec<NodeKey>,
    /// Origin line of checkpoints.
    pub origin: String,
    /// Ed25519 key of the log (signs checkpoints).
    pub log_key: [u8; 32],
    /// Cosignatures that make a head witnessed.
    pub quorum: u32,
    /// Hostile witnesses the quorum bears.
    pub faults: u32,
    /// Chains whose intents are accepted, with their decoders.
    pub chains: Vec<ChainSeat>,
    /// Delays, lives and quotas that bind every tenant.
    pub bounds: Bounds,
}

impl Genesis {
    /// The exact bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Digest over the bytes, pinned in each signer's configuration.
    #[must_use]
    pub fn hash(&self) -> Digest {
        digest("strongroom/genesis/v1", &[&self.to_bytes()])
    }

    /// Reads genesis bytes strictly. Who takes part is only what a pinned hash says ([`Self::pinned`]).
    ///
    /// # Errors
    /// `unsupported` for another version of the format, `record_too_large`, `malformed`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        // The version is read before the fields, which another version has in another order.
        match bytes.first() {
            Some(version) if *version != VERSION => Err(Refusal::new(
                Code::Unsupported,
                format!("genesis version {version}; this build reads version {VERSION} only"),
            )),
            Some(_) | None => decode(bytes),
        }
    }

    /// Reads genesis bytes strictly, compares with the pinned hash and checks its rules.
    ///
    /// # Errors
    /// `genesis_mismatch` when the hash differs, else what [`Self::from_bytes`] and [`Self::check`]
    /// say.
    pub fn pinned(bytes: &[u8], hash: Digest) -> Result<Self, Refusal> {
        let genesis = Self::from_bytes(bytes)?;

        // One foreign peer key in this file would be a member of every quorum.
        if guard(G::GenesisPin, genesis.hash() != hash) {
            return Err(Code::GenesisMismatch.into());
        }
        genesis.check()?;
        Ok(genesis)
    }

    /// Number of witnesses: every signer, and the independent ones.
    #[must_use]
    pub fn witness_count(&self) -> usize {
        self.signers.len() + self.witnesses.len()
    }

    /// Witnesses by bus id with their cosignature keys, signers first.
    pub fn witness_keys(&self) -> impl Iterator<Item = (NodeId, [u8; 32])> + '_ {
        let signers = self.signers.iter().map(|s| (s.node, s.witness_key));
        signers.chain(self.witnesses.iter().map(|w| (w.node, w.witness_key)))
    }

    /// The signer with this index.
    #[must_use]
    pub fn signer(&self, index: u16) -> Option<&SignerSeat> {
        self.signers.iter().find(|seat| seat.index == index)
    }

    /// The signer with this bus id.
    #[must_use]
    pub fn signer_by_node(&self, node: NodeId) -> Option<&SignerSeat> {
        self.signers.iter().find(|seat| seat.node == node)
    }

    /// The chain's seat, if enabled.
    #[must_use]
    pub fn chain(&self, chain: &ChainId) -> Option<&ChainSeat> {
        self.chains.iter().find(|seat| seat.chain == *chain)
    }

    /// Public keys and roles of all bus ids.
    #[must_use]
    pub fn node_keys(&self) -> Vec<NodeKey> {
        use strongroom_wire::Role::{Signer, Witness};

        let signers = self.signers.iter().map(|s| NodeKey {
            node: s.node,
            role: Signer,
            public_key: s.signing_key,
        });
        let witnesses = self.witnesses.iter().map(|w| NodeKey {
            node: w.node,
            role: Witness,
            public_key: w.signing_key,
        });

        self.services
            .iter()
            .cloned()
            .chain(signers)
            .chain(witnesses)
            .collect()
    }

    /// Checks every rule a genesis must keep.
    ///
    /// # Errors
    /// `quorum_too_small_for_f`, `invalid_reference` (doubled keys or ids, empty lists),
    /// `unsupported` (production minima).
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |detail: &str| Err(Refusal::new(Code::InvalidReference, detail));
        if self.version != VERSION || self.origin.is_empty() || self.chains.is_empty() {
            return refuse("version, origin or chains");
        }

        // Index 0 would be the secret itself in Shamir's scheme (RFC 9591 Appendix C.1).
        let ascending = self.signers.is_sorted_by(|a, b| a.index < b.index);
        let has_zero = guard(G::IndexNonZero, self.signers.iter().any(|s| s.index == 0));
        if self.signers.len() < 2 || !ascending || has_zero {
            return refuse("at least two signers, ascending by index from 1");
        }

        // One key in two seats would be counted as two witnesses, or let a service speak as a
        // signer.
        let nodes = self.node_keys();
        let ids: BTreeSet<_> = nodes.iter().map(|n| n.node).collect();
        let mut keys: BTreeSet<_> = nodes.iter().map(|n| n.public_key).collect();
        let witness_keys: BTreeSet<_> = self.witness_keys().map(|(_, key)| key).collect();
        let distinct = ids.len() == nodes.len()
            && keys.len() == nodes.len()
            && witness_keys.len() == self.witness_count()
            && witness_keys.iter().all(|key| keys.insert(*key))
            && keys.insert(self.log_key);
        if !distinct {
            return refuse("every node id and every key must be used once");
        }

        self.check_admins()?;
        self.check_quorum()?;
        self.check_operators()?;
        self.check_bounds()
    }

    /// In production no operator runs more seats than the quorum bears: one intruder, or one
    /// mistake, at one of them would be more hostile witnesses than f.
    fn check_operators(&self) -> Result<(), Refusal> {
        if self.mode != Mode::Production {
            return Ok(());
        }

        let signers = self.signers.iter().map(|seat| &seat.operator);
        let witnesses = self.witnesses.iter().map(|seat| &seat.operator);
        let mut seats: BTreeMap<String, u32> = BTreeMap::new();
        for operator in signers.chain(witnesses) {
            // Names are compared without case: "Acme" and "ACME" are one company.
            *seats.entry(operator.as_str().to_lowercase()).or_default() += 1;
        }

        match seats.iter().find(|(_, count)| **count > self.faults) {
            Some((operator, count)) => {
                let detail = format!("{operator} runs {count} seats, f = {}", self.faults);
                Err(Refusal::new(Code::Unsupported, detail))
            }
            None => Ok(()),
        }
    }

    /// Checks that every admin is a user with a credential of their own that can sign for the
    /// board.
    fn check_admins(&self) -> Result<(), Refusal> {
        let refuse = |what| Err(Refusal::new(Code::InvalidReference, what));

        // One key under two ids could be two humans.
        let credentials = &self.admin_credentials;
        let users: BTreeSet<UserId> = self.admin_users.iter().map(|user| user.id).collect();
        let ids: BTreeSet<_> = credentials.iter().map(|c| c.id).collect();
        let keys: BTreeSet<_> = credentials.iter().map(|c| c.key).collect();
        if users.len() != self.admin_users.len()
            || ids.len() != credentials.len()
            || guard(G::KeyOnce, keys.len() != credentials.len())
        {
            return refuse("every platform admin, credential and key is named once");
        }

        // Acts of the platform's scope are signed by people alone.
        let mut able: BTreeSet<UserId> = BTreeSet::new();
        for credential in credentials {
            let form = credential.check();
            form.map_err(|e| Refusal::new(Code::InvalidReference, e))?;
            match credential.board_user().filter(|user| users.contains(user)) {
                Some(user) => able.insert(user),
                None => {
                    return refuse("a credential that is not a platform admin's key or passkey");
                }
            };
        }

        // A doubled member would be counted twice; one without credential could never sign.
        let Board { members, quorum } = &self.admins;
        let is_set = members.is_sorted_by(|a, b| a < b);
        let are_able = members.iter().all(|member| able.contains(member));
        if !is_set || !are_able || *quorum == 0 || *quorum as usize > members.len() {
            return refuse("platform admins and their quorum");
        }
        Ok(())
    }

    /// k = ⌊(w + f) / 2⌋ + 1: two quorums of w witnesses then share more than f members, so at
    /// least one honest witness, who never signs two histories. More than half is not enough.
    fn check_quorum(&self) -> Result<(), Refusal> {
        let refuse = |what| Refusal::new(Code::InvalidReference, what);
        let witnesses =
            u16::try_from(self.witness_count()).map_err(|_| refuse("too many witnesses"))?;
        let faults = u16::try_from(self.faults).map_err(|_| refuse("too many faults"))?;

        let wanted = strongroom_tlog::quorum(witnesses, faults);
        let reachable = wanted <= u32::from(witnesses);
        if faults == 0 || !reachable || guard(G::QuorumSize, self.quorum != wanted) {
            let detail =
                format!("{witnesses} witnesses bearing {faults} hostile need a quorum of {wanted}");
            return Err(Refusal::new(Code::QuorumTooSmallForF, detail));
        }
        Ok(())
    }

    fn check_bounds(&self) -> Result<(), Refusal> {
        // Production is a property of this file alone: no flag, variable or build can loosen it.
        let b = &self.bounds;
        let least = Bounds::production();
        let short = b.loosen_delay_ms < least.loosen_delay_ms
            || b.ceremony_delay_ms < least.ceremony_delay_ms
            || b.platform_delay_ms < least.platform_delay_ms
            || b.freshness_ms > least.freshness_ms
            || b.skew_ms > least.skew_ms
            || b.duty_ms > least.duty_ms
            || b.tick_max_ms > least.tick_max_ms
            || b.ceremony_life_ms > least.ceremony_life_ms;
        if self.mode == Mode::Production {
            let looser = |what| Err(Refusal::new(Code::Unsupported, what));
            if short {
                return looser("a bound is looser than the production minimum");
            }
            // A quiet journal's head is stale from the end of its cosignatures' freshness until
            // they are renewed: no signer shares in that time.
            if b.freshness_ms < FRESHNESS_LEAST_MS {
                return looser("freshness is below two rounds of a quiet journal's cosignatures");
            }
            if !b.is_bounded() {
                return looser("a life or quota is above the production maximum");
            }
            // What is forgotten sooner leaves its window, and its external id can be used again.
            if b.retention_ms < RETENTION_LEAST_MS {
                return looser("retention is below the longest window of a policy");
            }
        }

        let contradicts = |what| Err(Refusal::new(Code::InvalidReference, what));
        let positive = [b.attempts_max, b.tightenings_per_minute];
        if positive.contains(&0) || b.attempt_life_ms == 0 || b.ceremony_life_ms == 0 {
            return contradicts("a bound is zero");
        }

        // A cancel leaves two records, its id and the end.
        if b.ended_open_max < 2 {
            return contradicts("ended_open_max is below one cancel");
        }

        // Within the skew a head would be stale at once for a clock that is slow but honest.
        if b.freshness_ms <= b.skew_ms {
            return contradicts("freshness is within the skew");
        }
        // An honest writer ticks at half of it. Until that tick is under a fresh head its peers'
        // clocks and a whole freshness may pass, and it must not be stale by then.
        if b.tick_max_ms < b.tick_max_least_ms() {
            let least = b.tick_max_least_ms();
            let detail = format!(
                "tick_max_ms is {}, at least {least} is needed",
                b.tick_max_ms
            );
            return Err(Refusal::new(Code::InvalidReference, detail));
        }
        // An entry of the full size could never be appended.
        if b.entry_bytes_per_minute < ENTRY_BYTES_MAX as u64 {
            return contradicts("entry_bytes_per_minute is below one entry");
        }
        Ok(())
    }
}

/// Registered senders of a genesis, indexed for the hot path.
#[derive(Clone, Debug)]
pub struct Registered {
    genesis: Digest,
    nodes: std::collections::BTreeMap<NodeId, NodeKey>,
}

impl Registered {
    /// Indexes a genesis.
    #[must_use]
    pub fn of(genesis: &Genesis) -> Self {
        let nodes = genesis
            .node_keys()
            .into_iter()
            .map(|key| (key.node, key))
            .collect();
        Self {
            genesis: genesis.hash(),
            nodes,
        }
    }
}

impl Senders for Registered {
    fn genesis(&self) -> Digest {
        self.genesis
    }

    fn sender(&self, node: NodeId) -> Option<&NodeKey> {
        self.nodes.get(&node)
    }
}
