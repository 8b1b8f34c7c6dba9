//! The proof of an address: the entries that made its tenant, its key and its vault.

use super::rows::MirrorFact;
use super::{Look, MirrorEntry, rows};
use crate::problem::Problem;
use strongroom_api_types::{AddressProof, EntryWithProof, Hex};
use strongroom_journal::entry::Leaf;
use strongroom_types::{KeyId, TenantId, VaultId};
use strongroom_wire::decode;

/// A vault with its tenant and key: the three things that its proof is about.
#[derive(Clone, Copy)]
pub(crate) struct VaultName {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
    pub(crate) vault: VaultId,
}

impl Look<'_> {
    /// The proof of a vault's addresses; none while a part is not witnessed.
    pub(crate) fn address_proof(
        &mut self,
        name: VaultName,
    ) -> Result<Option<AddressProof>, Problem> {
        let VaultName { tenant, key, vault } = name;
        let tenant_row = self.proved(&MirrorFact::tenant(tenant))?;
        let key_row = self.proved(&MirrorFact::key(tenant, key))?;
        let vault_row = self.proved(&MirrorFact::vault(tenant, vault))?;
        let (Some(tenant), Some(key), Some(vault)) = (tenant_row, key_row, vault_row) else {
            return Ok(None);
        };

        let registered_at = decode::<Leaf>(&vault.entry.leaf)?.at;
        Ok(Some(AddressProof {
            key: key.into(),
            registered_at_ms: registered_at.0,
            tenant: tenant.into(),
            vault: vault.into(),
        }))
    }

    /// The entry that made something, with its proof; none while it is not witnessed.
    fn proved(&mut self, fact: &MirrorFact) -> Result<Option<ProvedRow>, Problem> {
        let Some(seq) = rows::fact(self.tx.as_mut(), fact)? else {
            return Ok(None);
        };

        // `entries` begins at the next row there is: that of another position must not pass for it.
        let entry = rows::entries(self.tx.as_mut(), seq, 1)?
            .pop()
            .filter(|entry| entry.seq == seq);

        let Some(proof) = self.proof(seq)? else {
            return Ok(None);
        };
        Ok(entry.map(|entry| ProvedRow { entry, proof }))
    }
}

/// An entry's row with the proof that the entry is in the witnessed journal.
struct ProvedRow {
    entry: MirrorEntry,
    proof: String,
}

impl From<ProvedRow> for EntryWithProof {
    fn from(row: ProvedRow) -> Self {
        Self {
            proof: row.proof,
            sealed: Hex(row.entry.sealed),
            seq: row.entry.seq,
        }
    }
}
