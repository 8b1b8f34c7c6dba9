//! Entries and addresses proved against the pinned genesis, without trusting any server.
//!
//! An entry is proved by its inclusion under a checkpoint that the log signed and a quorum of
//! witnesses cosigned; a witness cosigns only what it replayed. On top of that the chain of
//! signatures is followed from genesis: the platform's admins created the tenant, its admins
//! countersigned their charter, the tenant's admins created the vault, and all n signers certified
//! the key. Such a proof says **registered at**, never "in force now".

use crate::error::ClientError;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_guard::{G, guard};
use strongroom_journal::follower::witness_name;
use strongroom_journal::{Body, Entry, Finished, Genesis, SealedEntry};
use strongroom_mpc_core::{PublicKeyRecord, SuiteId};
use strongroom_ports::chain::{Registry, VaultKey};
use strongroom_tlog::cosignature::TIME_S_MAX;
use strongroom_tlog::tlog_proof::Proven;
use strongroom_tlog::{CosignVerifier, LogPolicy, NoteVerifier, Proof};
use strongroom_types::ceremony::{certificate_digest, key_name};
use strongroom_types::charter::Board;
use strongroom_types::proof;
use strongroom_types::signed::verify_digest;
use strongroom_types::{
    Act, ActBody, Charter, Credential, CredentialId, Digest, Name, RegistryRecord, Scope, Signed,
    Suite, TenantId, TenantVault, UnixMs, Vault, VaultId,
};

/// Keys and quorum of log and witnesses, taken from the pinned genesis and from nowhere else.
#[derive(Clone, Debug)]
pub struct Trust<'a> {
    genesis: &'a Genesis,
    policy: LogPolicy,
}

/// An entry with its proof, as the API hands it out; nothing is verified yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryProof {
    /// Borsh of the sealed entry.
    pub sealed: Vec<u8>,
    /// C2SP tlog-proof text.
    pub proof: String,
}

/// An entry that is in the witnessed journal.
#[derive(Clone, Debug)]
pub struct ProvedEntry {
    /// Full entry, decoded from the sealed bytes.
    pub entry: Entry,
    /// The witnessed checkpoint, with the time since which it is witnessed.
    pub proven: Proven,
}

impl<'a> Trust<'a> {
    /// The trust that a pinned genesis ([`Genesis::pinned`]) gives.
    ///
    /// # Errors
    /// A key of genesis that cannot be used.
    pub fn new(genesis: &'a Genesis) -> Result<Self, ClientError> {
        let witness = |(node, key): (_, [u8; 32])| CosignVerifier::new(&witness_name(node), &key);
        let witnesses = genesis
            .witness_keys()
            .map(witness)
            .collect::<Result<_, _>>();

        let policy = LogPolicy {
            origin: genesis.origin.clone(),
            log: NoteVerifier::new(&genesis.origin, &genesis.log_key)
                .map_err(ClientError::not_proved)?,
            witnesses: witnesses.map_err(ClientError::not_proved)?,
            quorum: genesis.quorum,
        };
        Ok(Self { genesis, policy })
    }

    /// The genesis whose keys are trusted.
    #[must_use]
    pub const fn genesis(&self) -> &Genesis {
        self.genesis
    }

    /// Verifies that an entry is in the witnessed journal. The times of cosignatures are reported,
    /// not judged: a registration does not expire.
    ///
    /// # Errors
    /// [`ClientError::NotProved`].
    pub fn entry(&self, proof: &EntryProof) -> Result<ProvedEntry, ClientError> {
        let sealed: SealedEntry = strongroom_wire::decode(&proof.sealed)?;
        let entry = sealed.open()?;

        // The position is in the tree and in the entry. A caller reports `seq`; it must be the
        // place that the proof is about.
        let read = Proof::parse(&proof.proof).map_err(ClientError::not_proved)?;
        if read.index != entry.seq {
            return Err(ClientError::not_proved(format!(
                "entry {} under index {}",
                entry.seq, read.index
            )));
        }

        // The leaf is made from the entry that was opened, never taken from the server: a leaf of
        // another entry under a valid proof proves nothing about this one. This library has no
        // clock, so every time that the format allows is accepted.
        let leaf = sealed.leaf_hash(&entry);
        let proven = read
            .verify(leaf, &self.policy, TIME_S_MAX)
            .map_err(ClientError::not_proved)?;
        Ok(ProvedEntry { entry, proven })
    }

    /// Verifies a checkpoint note with its cosignatures; gives its size and since when it is
    /// witnessed.
    ///
    /// # Errors
    /// [`ClientError::NotProved`].
    pub fn checkpoint(&self, note: &str) -> Result<(u64, u64), ClientError> {
        use strongroom_tlog::{
            Checkpoint, Cosignature, valid_cosignatures, verify_note, witnessed_at,
        };

        let signed = verify_note(note, std::slice::from_ref(&self.policy.log))
            .map_err(ClientError::not_proved)?;
        let checkpoint = Checkpoint::parse(&signed.body).map_err(ClientError::not_proved)?;

        // The log's key may sign for several origins; a head of another journal says nothing here.
        if checkpoint.origin() != self.policy.origin {
            return Err(ClientError::not_proved("a checkpoint of another log"));
        }

        // Signatures of unknown keys are ignored (C2SP signed-note), so that a note may gain lines.
        let lines = signed
            .others
            .iter()
            .filter_map(|line| Cosignature::from_note_signature(line).ok());
        let lines: Vec<Cosignature> = lines.collect();

        // The log alone could show this client a tree that no signer has seen.
        let valid = valid_cosignatures(&signed.body, &lines, &self.policy.witnesses, TIME_S_MAX);
        let at = witnessed_at(self.policy.quorum, &valid);
        if guard(G::ClientWitnessed, at.is_none()) {
            return Err(ClientError::not_proved("too few witnesses cosigned"));
        }
        Ok((checkpoint.size(), at.unwrap_or_default()))
    }
}

/// The three entries that prove a vault: those that made its tenant, its key and itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VaultProof {
    /// The act that created the tenant, with its charter.
    pub tenant: EntryProof,
    /// The end of the key's ceremony.
    pub key: EntryProof,
    /// The act that created the vault.
    pub vault: EntryProof,
}

/// A vault that was proved to be registered.
#[derive(Clone, Debug)]
pub struct RegisteredVault {
    /// Tenant that the vault belongs to.
    pub tenant: TenantId,
    /// The tenant's name by its charter.
    pub tenant_name: Name,
    /// The vault as registered.
    pub vault: Vault,
    /// Group key, chain code and account that its addresses derive from.
    pub key: VaultKey,
    /// Journal time of the vault's entry.
    pub registered_at: UnixMs,
    /// Position of the vault's entry.
    pub seq: u64,
    /// Time since which the oldest-witnessed of the three checkpoints has its quorum, Unix seconds.
    pub witnessed_at_s: u64,
}

/// Proves a vault from genesis on.
///
/// `wanted` names the tenant as the caller knows it, never as a server says: another tenant may
/// have registered a vault under the same id, and its proof holds as well.
///
/// # Errors
/// [`ClientError::NotProved`] naming the first link that does not hold.
pub fn vault(
    trust: &Trust<'_>,
    wanted: TenantVault,
    proof: &VaultProof,
) -> Result<RegisteredVault, ClientError> {
    let parts = [&proof.tenant, &proof.key, &proof.vault].map(|part| trust.entry(part));
    let [created, finished, registered] = parts;
    let (created, finished, registered) = (created?, finished?, registered?);

    // The links are checked in this order, because each is judged by the keys that the one before
    // it proved.
    let (tenant, charter) = charter(trust.genesis, &created.entry)?;
    let vault = vault_record(trust.genesis, &registered.entry, tenant, &charter)?;

    // A server may answer with the perfectly valid proof of a vault that someone else controls.
    let proved = TenantVault {
        tenant,
        vault: vault.id,
    };
    if guard(G::ProvedVault, proved != wanted) {
        return Err(ClientError::not_proved(format!(
            "the entry is about {proved}, not {wanted}"
        )));
    }

    let key = group_key(trust.genesis, &finished.entry, tenant, &vault)?;

    // Each part may stand under a checkpoint of its own. The vault as a whole is not known to be
    // witnessed more recently than the oldest of them.
    let times = [&created, &finished, &registered].map(|entry| entry.proven.witnessed_at_s);
    Ok(RegisteredVault {
        tenant,
        tenant_name: charter.name,
        vault,
        key,
        registered_at: registered.entry.at,
        seq: registered.entry.seq,
        witnessed_at_s: times.into_iter().min().unwrap_or_default(),
    })
}

/// Act of an entry, with its digest and its signatures, which are not verified yet.
fn act(genesis: &Genesis, entry: &Entry) -> Result<(Act, Digest, Signed), ClientError> {
    let Body::Act(signed) = &entry.body else {
        return Err(ClientError::not_proved(format!(
            "entry {} is not an act",
            entry.seq
        )));
    };

    let (act, digest) = signed.open::<Act>().map_err(ClientError::not_proved)?;

    // People may hold one key for several installations: what they signed for a test must not count
    // here, nor in another tenant than the one they named.
    if act.platform != genesis.platform || act.scope != entry.scope {
        return Err(ClientError::not_proved(
            "the act is for another installation or scope",
        ));
    }
    Ok((act, digest, signed.clone()))
}

/// Checks that at least the board's quorum of humans signed, by their credentials in `credentials`.
fn quorum(
    signed: &Signed,
    digest: &Digest,
    board: &Board,
    credentials: &[Credential],
) -> Result<(), ClientError> {
    // Keys come from genesis or the charter, both proved before; the entry only names credentials.
    let credentials: BTreeMap<CredentialId, &Credential> =
        credentials.iter().map(|c| (c.id, c)).collect();

    // Signatures are counted as the journal counts them: by human, and only by credentials that
    // count on a board.
    let valid = signed.endorsements.iter().filter_map(|endorsement| {
        let credential = credentials.get(&endorsement.credential)?;
        let user = credential.board_user()?;
        let counts =
            board.members.contains(&user) && proof::verify(credential, digest, &endorsement.proof);
        counts.then_some(user)
    });

    // A quorum of zero would be met by no signature at all.
    let found = valid.collect::<BTreeSet<_>>().len();
    if found >= board.quorum as usize && board.quorum > 0 {
        Ok(())
    } else {
        Err(ClientError::not_proved(format!(
            "{found} of {} signatures of the board",
            board.quorum
        )))
    }
}

/// The tenant that an act created: signed by the platform's quorum and by every admin of the
/// charter.
fn charter(genesis: &Genesis, entry: &Entry) -> Result<(TenantId, Charter), ClientError> {
    let (act, digest, signed) = act(genesis, entry)?;
    let ActBody::CreateTenant { tenant, charter } = act.body else {
        return Err(ClientError::not_proved("the act does not create a tenant"));
    };

    // The journal applies `create_tenant` in the platform's scope only.
    if act.scope != Scope::Platform {
        return Err(ClientError::not_proved(
            "a tenant is created in the platform's scope",
        ));
    }

    quorum(
        &signed,
        &digest,
        &genesis.admins,
        &genesis.admin_credentials,
    )?;

    // Every admin of the charter must sign, not a quorum of them: the platform's admins alone could
    // list people beside confederates who then act for the tenant.
    let all = Board {
        members: charter.admins.members.clone(),
        quorum: u32::try_from(charter.admins.members.len()).unwrap_or(u32::MAX),
    };
    quorum(&signed, &digest, &all, &charter.credentials)?;

    Ok((tenant, *charter))
}

/// The vault that an act of the tenant's admins created.
fn vault_record(
    genesis: &Genesis,
    entry: &Entry,
    tenant: TenantId,
    charter: &Charter,
) -> Result<Vault, ClientError> {
    let (act, digest, signed) = act(genesis, entry)?;
    let ActBody::Put(RegistryRecord::Vault(vault)) = act.body else {
        return Err(ClientError::not_proved("the act does not create a vault"));
    };

    // The charter's keys judge acts of its own tenant only.
    if act.scope != Scope::Tenant(tenant) {
        return Err(ClientError::not_proved(
            "the vault belongs to another tenant",
        ));
    }

    // The charter's admins and credentials must have signed. Where people were enrolled or put on
    // the board later, a vault can be in force without being proved by these three entries.
    quorum(&signed, &digest, &charter.admins, &charter.credentials)?;

    Ok(vault)
}

/// The key that all its signers certified.
fn group_key(
    genesis: &Genesis,
    entry: &Entry,
    tenant: TenantId,
    vault: &Vault,
) -> Result<VaultKey, ClientError> {
    let Body::Finished(finished) = &entry.body else {
        return Err(ClientError::not_proved(format!(
            "entry {} does not finish a ceremony",
            entry.seq
        )));
    };

    // The result of another ceremony is certified as well, but its coins are another vault's.
    if entry.scope != Scope::Tenant(tenant) || finished.key != vault.key {
        return Err(ClientError::not_proved(
            "the key is not the one of the vault",
        ));
    }

    // Signers certify the public record, not the entry around it. Only the name inside the record
    // ties the group key to this tenant and this key.
    let public = PublicKeyRecord::from_bytes(&finished.public).map_err(ClientError::not_proved)?;
    if public.key_id != key_name(tenant, finished.key) {
        return Err(ClientError::not_proved(
            "the certified key has another name",
        ));
    }

    certificates(genesis, finished, &public)?;

    Ok(VaultKey {
        suite: suite(public.suite)?,
        public_key: public.group_key,
        chain_code: public.chain_code,
        account: vault.account,
    })
}

/// Checks that every signer of the key certified it. Whether suite, t and roster are those that the
/// committee released is judged by the witnesses when they replay the entry.
fn certificates(
    genesis: &Genesis,
    finished: &Finished,
    public: &PublicKeyRecord,
) -> Result<(), ClientError> {
    // All n signers must have certified and not t: one that is missing may hold no share or may
    // have been given another key.
    let indices = finished.certificates.iter().map(|(index, _)| index);
    let is_complete = indices.eq(public.verifying_shares.keys());
    if guard(G::ClientWitnessed, !is_complete) {
        return Err(ClientError::not_proved(
            "not exactly one certificate of every signer of the key",
        ));
    }

    // Each certificate is verified by the signer's key in genesis: the record names indices and no
    // keys.
    let certified = certificate_digest(&finished.transcript, &finished.public);
    for (index, signature) in &finished.certificates {
        let seat = genesis.signer(*index);
        let is_own =
            seat.is_some_and(|seat| verify_digest(&seat.signing_key, &certified, signature));
        if guard(G::ClientWitnessed, !is_own) {
            return Err(ClientError::not_proved(format!(
                "the certificate of signer {index} does not verify"
            )));
        }
    }
    Ok(())
}

fn suite(id: SuiteId) -> Result<Suite, ClientError> {
    // The signing protocol's own mapping is searched backwards: a second one could drift from it.
    let all = [
        Suite::FrostSecp256k1Tr,
        Suite::FrostSecp256k1,
        Suite::FrostEd25519,
    ];

    let found = all.into_iter().find(|suite| SuiteId::from(*suite) == id);
    found.ok_or_else(|| ClientError::not_proved("the key's suite is not known here"))
}

/// Vaults that were proved, for a codec to read internal destinations by.
#[derive(Clone, Debug, Default)]
pub struct ProvedVaults(pub Vec<RegisteredVault>);

impl Registry for ProvedVaults {
    fn vault_key(&self, vault: VaultId) -> Option<VaultKey> {
        self.0
            .iter()
            .find(|known| known.vault.id == vault)
            .map(|known| known.key.clone())
    }
}

#[cfg(test)]
mod tests;
