//! Acts with verified signatures: who signed, and whether a board's quorum is among them.

use super::change::Change;
use crate::keyspace as ks;
use crate::model::CredentialRecord;
use crate::state::Lookup as _;
use std::collections::BTreeSet;
use strongroom_types::charter::{Board, Charter};
use strongroom_types::{
    Act, ActBody, Code, Credential, CredentialId, Digest, Refusal, Scope, Signed, UserId,
};

/// An act with verified signatures.
pub(super) struct VerifiedAct {
    pub(super) act: Act,
    /// Digest of the act's text: the name under which a release or veto refers to it.
    pub(super) digest: Digest,
    /// Credentials that count on a board.
    pub(super) signers: BTreeSet<CredentialId>,
    /// Humans of all credentials that signed.
    pub(super) users: BTreeSet<UserId>,
}

impl VerifiedAct {
    /// Verifies an act: every signature on it must verify under a credential in force.
    pub(super) fn verify(
        change: &Change<'_>,
        (act, digest): (Act, Digest),
        signed: &Signed,
    ) -> Result<Self, Refusal> {
        check_charter_ids(change, &act)?;

        // One false signature refuses the whole act: it was not made by the people it names.
        let (mut signers, mut users) = (BTreeSet::new(), BTreeSet::new());
        for endorsement in &signed.endorsements {
            let credential = credential(change, &act, endorsement.credential)?;
            if !change.verify(&credential, &digest, &endorsement.proof) {
                return Err(Refusal::new(Code::BadSignature, endorsement.credential));
            }
            // A board is people: what a program or a feed signs does not count on it.
            if credential.board_user().is_some() {
                signers.insert(credential.id);
            }
            users.extend(credential.user);
        }

        Ok(Self {
            act,
            digest,
            signers,
            users,
        })
    }

    /// Requires the board's quorum of its members.
    pub(super) fn need(&self, board: &Board) -> Result<(), Refusal> {
        let signed = board
            .members
            .iter()
            .filter(|member| self.signers.contains(member))
            .count();
        if signed >= board.quorum as usize {
            return Ok(());
        }
        Err(Refusal::new(
            Code::QuorumMissing,
            format!("{signed} of {} signatures", board.quorum),
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
        if change.has(&ks::platform_credential(credential.id)) {
            return Err(Refusal::new(Code::AlreadyExists, credential.id));
        }
    }
    Ok(())
}

/// The credential in force under which a signature of the act must verify.
fn credential(change: &Change<'_>, act: &Act, id: CredentialId) -> Result<Credential, Refusal> {
    let chartered = charter_of(act).and_then(|charter| {
        charter
            .credentials
            .iter()
            .find(|credential| credential.id == id)
    });
    if let Some(credential) = chartered {
        return Ok(credential.clone());
    }

    match act.scope {
        Scope::Tenant(tenant) => change
            .credential(tenant, id)
            .map(|record| record.credential),
        Scope::Platform => {
            let record: Option<CredentialRecord> = change.record(&ks::platform_credential(id))?;
            record
                .map(|record| record.credential)
                .ok_or_else(|| Refusal::new(Code::UnknownCredential, id))
        }
    }
}
