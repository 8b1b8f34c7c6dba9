//! A good history under construction, for a test to doctor.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_sim::history::{
    Attempted, Authorized, Cosigned, Fact, Loosening, NonceUse, Observation, Released, Share,
};
use strongroom_sim::properties::{Checker, Terms};
use strongroom_types::{CredentialId, Digest, KeyId, Scope, TenantId, UserId, VaultId};

pub(super) const KEY: KeyId = KeyId([9; 16]);

pub(super) const TENANT: TenantId = TenantId([5; 16]);

pub(super) const SCOPE: Scope = Scope::Tenant(TENANT);

pub(super) const VAULT: VaultId = VaultId([4; 16]);

pub(super) const POLICY: Digest = Digest([8; 32]);

pub(super) const APPROVER: CredentialId = CredentialId([7; 16]);

pub(super) const HUMAN: UserId = UserId([6; 16]);

pub(super) fn name(n: u8) -> Digest {
    Digest([n; 32])
}

fn terms() -> Terms {
    Terms {
        quorum: 3,
        min_signers: 2,
        freshness_ms: 25_000,
        skew_ms: 5_000,
        duty_ms: 10_000,
        limit: 1_000,
        window_ms: 60_000,
        committee_quorum: 2,
        policies: BTreeSet::from([POLICY]),
        witnesses: 4,
        hostile: BTreeSet::new(),
        loosen_delay_ms: 20_000,
        platform_delay_ms: 20_000,
        ceremony_life_ms: 40_000,
        attempt_life_ms: 20_000,
        tick_max_ms: 80_000,
        promised: BTreeMap::from([(name(1), vec![("a".to_owned(), 400)])]),
    }
}

pub(super) fn authorized(intent: u8, at_ms: u64) -> Authorized {
    Authorized {
        intent: name(intent),
        tenant: TENANT,
        vaults: vec![VAULT],
        at_ms,
        spend: 600,
        anchor: "anchor:0".into(),
        pays: vec![("a".into(), 400)],
        into: vec![],
        attempts: vec![Attempted {
            number: 1,
            unsigned: name(100 + intent),
            is_cancel: false,
            at_ms,
        }],
        lock_ms: 0,
        credentials: vec![APPROVER],
        users: vec![HUMAN],
        members: vec![HUMAN],
        listed: vec![],
        policy: POLICY,
        key: KEY,
        approved_until_ms: 1_000_000,
        expires_ms: 1_000_000,
    }
}

/// A release by two members of the board, valid for long.
pub(super) fn released(what: Loosening, proposal: Option<Digest>) -> Fact {
    Fact::Released(Box::new(Released {
        what,
        proposal,
        signed: 2,
        expires_ms: 1_000_000,
    }))
}

/// A history under construction: time, and what happened so far.
pub(super) struct Story {
    pub(super) at: u64,
    pub(super) size: u64,
    pub(super) seen: Vec<(u64, Observation)>,
}

impl Story {
    /// Ceremony released and finished, a vault made, every witness cosigned it, signers started.
    fn begun() -> Self {
        let mut story = Self {
            at: 0,
            size: 0,
            seen: Vec::new(),
        };
        (1..=4).for_each(|seat| story.see(Observation::Started { seat }));
        let what = Loosening::Ceremony(KEY, vec![1, 2, 3]);
        story.entry(released(what, None));
        story.entry(released(Loosening::Vault(VAULT), None));
        story.vouched(0);
        story.entry(Fact::Finished(KEY, 3));
        story
    }

    /// Intent 1 authorized and witnessed.
    fn paid() -> Self {
        let mut story = Self::begun();
        story.entry(Fact::Authorized(Box::new(authorized(1, 1_000))));
        story.witnessed();
        story
    }

    pub(super) fn see(&mut self, observation: Observation) {
        self.at += 10;
        self.seen.push((self.at, observation));
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.at += ms;
    }

    pub(super) fn entry(&mut self, fact: Fact) {
        self.entry_of(SCOPE, fact);
    }

    pub(super) fn entry_of(&mut self, scope: Scope, fact: Fact) {
        self.push_entry(scope, self.at, fact);
    }

    /// An entry of a writer whose clock is so far ahead.
    pub(super) fn entry_stamped(&mut self, ahead_ms: u64, fact: Fact) {
        self.push_entry(SCOPE, self.at + ahead_ms, fact);
    }

    fn push_entry(&mut self, scope: Scope, at_ms: u64, fact: Fact) {
        let seq = self.size;
        self.size += 1;
        self.see(Observation::Entry {
            seq,
            bytes: name(seq as u8),
            at_ms,
            scope,
            fact,
        });
        self.see(Observation::Head {
            size: self.size,
            body: name(200 + self.size as u8),
        });
    }

    /// Witnesses vouch for everything so far, by a clock that is so far ahead.
    pub(super) fn vouched(&mut self, ahead_ms: u64) {
        let (size, time_ms) = (self.size, self.at + ahead_ms);
        self.entry(Fact::Witnessed { size, time_ms });
    }

    pub(super) fn cosigned(&mut self, witness: u16, size: u64) {
        self.cosigned_as(witness, size, name(200 + size as u8));
    }

    pub(super) fn cosigned_as(&mut self, witness: u16, size: u64, body: Digest) {
        let dated_ms = self.at;
        self.see(Observation::Cosigned(Cosigned {
            witness,
            size,
            body,
            dated_ms,
        }));
    }

    pub(super) fn witnessed(&mut self) {
        let size = self.size;
        (1..=4).for_each(|witness| self.cosigned(witness, size));
    }

    pub(super) fn share(&self, signer: u16) -> Share {
        Share {
            signer,
            quorum: vec![1, 2],
            head: self.size,
            request: name(50),
            intent: name(1),
            unsigned: name(101),
            conflicts: vec!["anchor:0".into(), "b:1".into()],
            pays: vec![("a".into(), 400)],
            nonces: vec![NonceUse {
                boot: [signer as u8; 16],
                number: 1,
                package: name(60),
                share: vec![signer as u8],
            }],
        }
    }

    pub(super) fn shared(&mut self, share: Share) {
        self.see(Observation::Shared(Box::new(share)));
    }

    /// Both shares of intent 1 in their honest form.
    pub(super) fn signed(&mut self) {
        for signer in [1, 2] {
            let share = self.share(signer);
            self.shared(share);
        }
    }

    fn broken(self) -> Option<&'static str> {
        self.checked(&mut Checker::new(terms()))
    }

    fn checked(&self, checker: &mut Checker) -> Option<&'static str> {
        let broken = |(at, seen): &(u64, Observation)| checker.observe(*at, seen).err();
        self.seen
            .iter()
            .find_map(broken)
            .map(|violation| violation.property.name())
    }

    /// The properties' view of it, which must be a good history.
    pub(super) fn good(&self) -> Checker {
        let mut checker = Checker::new(terms());
        assert_eq!(self.checked(&mut checker), None);
        checker
    }
}

/// Intent 1 authorized and witnessed, and nothing else.
pub(super) fn paid() -> Story {
    Story::paid()
}

pub(super) fn doctored(doctor: impl FnOnce(&mut Story)) -> Option<&'static str> {
    let mut story = Story::paid();
    doctor(&mut story);
    story.broken()
}
