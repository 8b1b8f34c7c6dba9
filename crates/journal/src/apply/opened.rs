//! Acts with verified signatures: who signed, and whether a board's quorum is among them.

use super::change::Change;
use crate::entry::Entry;
use crate::genesis::HOUR_MS;
use crate::keyspace as ks;
use crate::model::{CredentialRecord, WaitingItem, WaitingOf};
use crate::state::Lookup;
use std::collections::BTreeSet;
use strongroom_guard::{G, guard, kept};
use strongroom_types::charter::{Board, Charter};
use strongroom_types::{
    Act, ActBody, Code, Credential, CredentialId, Digest, Document as _, Endorsement, Refusal,
    Scope, Signed, Tighten, UnixMs, UserId,
};

/// Longest life of an act, milliseconds: used acts are remembered until it ends.
const ACT_LIFE_MS: u64 = 32 * 24 * HOUR_MS;

/// An act with verified signatures, at the place of the entry that brings it.
pub(super) struct VerifiedAct {
    pub(super) act: Act,
    /// Digest of the act's text: the name under which a release or veto refers to it.
    pub(super) digest: Digest,
    /// Position of the entry.
    pub(super) seq: u64,
    /// Journal time of the entry.
    pub(super) at: UnixMs,
    /// Humans of the scope whose credential signed, of whichever class.
    pub(super) users: BTreeSet<UserId>,
    /// Credentials of these humans that signed, ascending.
    pub(super) signers: Vec<CredentialId>,
    /// Humans of the scope who signed with a credential that counts on a board, once for each such
    /// credential.
    pub(super) people: Vec<UserId>,
    /// The same of the charter that the act carries: no humans of its own scope yet.
    founders: BTreeSet<UserId>,
}

impl VerifiedAct {
    /// Opens the act of an entry: for this scope, and in its time. Every signature on it must
    /// verify, under a credential in force or, for a tightening, under one that was; those count for
    /// nothing.
    pub(super) fn open(
        change: &Change<'_>,
        entry: &Entry,
        signed: &Signed,
    ) -> Result<Self, Refusal> {
        // Place, time and charter cost no signature, so they are asked first.
        let (act, digest) = signed.open::<Act>()?;
        check_scope(change, entry, &act)?;

        // Without the rule, an act is judged where its entry stands.
        #[cfg(mutants)]
        let act = Act {
            scope: kept!(G::ActScope, act.scope, instead entry.scope),
            ..act
        };
        check_life(entry.at, &act)?;
        check_charter_ids(change, &act)?;

        let [mut users, mut founders] = [const { BTreeSet::new() }; 2];
        let (mut people, mut signers, mut lapsed) = (Vec::new(), Vec::new(), Vec::new());
        for (origin, credential) in signers_of(change, &act, signed)? {
            // A charter chooses the ids of its users: one that it calls like a platform admin must
            // not sign for that admin.
            match origin {
                Origin::Charter => founders.extend(credential.board_user()),
                Origin::Scope => {
                    users.extend(credential.user);
                    signers.extend(credential.user.map(|_| credential.id));
                    people.extend(credential.board_user());
                }
                Origin::Lapsed => lapsed.push(credential.id),
            }
        }

        // An act whose signers are all out of force is refused: no one in force made it.
        if let Some(id) = lapsed
            .first()
            .filter(|_| lapsed.len() == signed.endorsements.len())
        {
            return Err(Refusal::new(Code::CredentialRevoked, id));
        }

        Ok(Self {
            act,
            digest,
            seq: entry.seq,
            at: entry.at,
            users,
            signers,
            people,
            founders,
        })
    }

    /// The item that waits until the act's entry is witnessed.
    pub(super) const fn waiting_item(&self, of: WaitingOf) -> WaitingItem {
        WaitingItem {
            seq: self.seq,
            at: self.at,
            of,
        }
    }

    /// Journal time until which its id stays used. From then on it is refused for its time, and a
    /// pause, of which one admin can make many, for that of the pause.
    pub(super) fn used_until(&self) -> UnixMs {
        match &self.act.body {
            ActBody::Tighten(Tighten::Pause { until, .. }) => self.act.expires.min(*until),
            ActBody::Tighten(_)
            | ActBody::CreateTenant { .. }
            | ActBody::Put(_)
            | ActBody::Release(_)
            | ActBody::Resume => self.act.expires,
        }
    }

    /// Requires the board's quorum.
    pub(super) fn need(&self, board: &Board) -> Result<(), Refusal> {
        let met = self.check_quorum(board);

        // The guard is that of loosenings. A tightening needs its signers in any case.
        if self.act.is_tightening() || guard(G::CommitteeSigns, met.is_err()) {
            return met;
        }
        Ok(())
    }

    /// Checks that the board's quorum of its members signed, each counted once however many of
    /// their credentials did.
    pub(super) fn check_quorum(&self, board: &Board) -> Result<(), Refusal> {
        let members = &board.members;
        let signed = kept!(
            G::BoardsCountHumans,
            members.iter().filter(|member| self.people.contains(member)).count(),
            instead self.people.iter().filter(|human| members.contains(human)).count()
        );
        if signed >= board.quorum as usize {
            return Ok(());
        }
        Err(Refusal::new(
            Code::QuorumMissing,
            format!("{signed} of {} signatures", board.quorum),
        ))
    }

    /// Requires that the act was made upon the version in force, also where a minimum is enough for
    /// the rest of it.
    pub(super) fn need_exact_version(&self, current: u64) -> Result<(), Refusal> {
        if !guard(G::ScopeVersion, self.act.version != current) {
            return Ok(());
        }
        let detail = format!(
            "made for version {}, the scope is at {current}",
            self.act.version
        );
        Err(Refusal::new(Code::WrongScopeVersion, detail))
    }

    /// Requires one human of the scope, by whichever credential: what anyone may sign is charged to
    /// a person.
    pub(super) fn need_human(&self) -> Result<(), Refusal> {
        if !self.signers.is_empty() {
            return Ok(());
        }
        let detail = "no signer is a person's credential";
        Err(Refusal::new(Code::WrongCredentialClass, detail))
    }

    /// Requires every member of a board of the charter.
    pub(super) fn need_founders(&self, board: &Board) -> Result<(), Refusal> {
        // Each of them, not a quorum: who did not sign would be named an admin without their word.
        if board.members.iter().all(|m| self.founders.contains(m)) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::QuorumMissing,
            "every admin of the charter must sign",
        ))
    }

    /// Requires one member of the board.
    pub(super) fn need_one(&self, board: &Board) -> Result<(), Refusal> {
        self.need(&Board {
            members: board.members.clone(),
            quorum: 1,
        })
    }
}

/// An act made for another installation or tenant must not count here, even if the same people hold
/// the same keys there.
fn check_scope(change: &Change<'_>, entry: &Entry, act: &Act) -> Result<(), Refusal> {
    let is_here = act.platform == change.state().genesis().platform && act.scope == entry.scope;
    if guard(G::ActScope, !is_here) {
        return Err(Code::WrongScope.into());
    }
    Ok(())
}

/// An old enrolment, resume or release that was never used must not come back years later; the
/// longest life bounds how long used acts are kept.
fn check_life(at: UnixMs, act: &Act) -> Result<(), Refusal> {
    let is_over = guard(G::ActExpiry, at >= act.expires);
    if !is_over && act.expires.since(at) <= ACT_LIFE_MS {
        return Ok(());
    }
    let detail = format!("expires {}", act.expires);
    Err(Refusal::new(Code::AuthorityExpired, detail))
}

/// Registry in which a signature's credential stands.
enum Origin {
    /// That of the act's scope.
    Scope,
    /// The charter that the act carries.
    Charter,
    /// That of the act's scope, no longer in force.
    Lapsed,
}

/// The charter of an act that creates a tenant: its credentials countersign with the act itself.
fn charter_of(act: &Act) -> Option<&Charter> {
    match &act.body {
        ActBody::CreateTenant { charter, .. } => Some(charter),
        ActBody::Put(_) | ActBody::Release(_) | ActBody::Resume | ActBody::Tighten(_) => None,
    }
}

/// Refuses a charter that names a platform admin's credential: with a key of its own under that id
/// it could sign as that admin.
fn check_charter_ids(change: &Change<'_>, act: &Act) -> Result<(), Refusal> {
    let credentials = charter_of(act)
        .into_iter()
        .flat_map(|charter| &charter.credentials);
    for credential in credentials {
        if change.has(&ks::credential(Scope::Platform, credential.id)) {
            return Err(Refusal::new(Code::AlreadyExists, credential.id));
        }
    }
    Ok(())
}

/// An act in its time at `at`, all of whose signatures verify at this state: what a service may take
/// for the journal. Whether they are enough is for the entry that brings it.
///
/// # Errors
/// The reason that [`apply`](super::apply()) would give.
pub fn signed_act(
    state: &impl Lookup,
    signed: &Signed,
    at: UnixMs,
) -> Result<(Act, Digest), Refusal> {
    let (act, digest) = signed.open::<Act>()?;
    check_life(at, &act)?;
    signers_of(state, &act, signed)?;
    Ok((act, digest))
}

/// The credentials that signed an act. One false signature refuses the whole act: it was not made by
/// the people it names.
fn signers_of(
    state: &impl Lookup,
    act: &Act,
    signed: &Signed,
) -> Result<Vec<(Origin, Credential)>, Refusal> {
    let digest = Act::digest_of(&signed.text);
    let signer = |endorsement: &Endorsement| {
        let (origin, credential) = credential(state, act, endorsement.credential)?;
        let is_signed = state.verify(&credential, &digest, &endorsement.proof);
        if guard(G::ActSignatures, !is_signed) {
            return Err(Refusal::new(Code::BadSignature, endorsement.credential));
        }
        Ok((origin, credential))
    };
    signed.endorsements.iter().map(signer).collect()
}

/// The credential under which a signature of the act must verify.
fn credential(
    state: &impl Lookup,
    act: &Act,
    id: CredentialId,
) -> Result<(Origin, Credential), Refusal> {
    let chartered = charter_of(act).and_then(|charter| {
        charter
            .credentials
            .iter()
            .find(|credential| credential.id == id)
    });
    // The charter's first: its credentials are in no registry before this act.
    if let Some(credential) = chartered {
        return Ok((Origin::Charter, credential.clone()));
    }

    match state.credential(act.scope, id) {
        Ok(found) => Ok((Origin::Scope, found.credential)),
        // One of several signers must not take a withheld tightening along when their credential is
        // revoked, by their own act or because it was stolen. The others decide whether it stands.
        Err(refusal) if refusal.code == Code::CredentialRevoked && act.is_tightening() => {
            let stored: Option<CredentialRecord> = state.record(&ks::credential(act.scope, id))?;
            let stored = stored.ok_or(refusal)?;
            Ok((Origin::Lapsed, stored.credential))
        }
        Err(refusal) => Err(refusal),
    }
}
