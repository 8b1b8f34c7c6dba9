//! Vaults by a server's word alone, for a build in which nothing asks for their proof.

use crate::client::Client;
use crate::error::ClientError;
use crate::proof::RegisteredVault;
use strongroom_ports::chain::{OwnPath, VaultKey};
use strongroom_types::{KeyId, Name, Suite, TenantVault, UnixMs, Vault};

impl Client {
    /// The vault under whatever key the server names for its address.
    pub(crate) fn told_vault(&self, of: TenantVault) -> Result<RegisteredVault, ClientError> {
        let first = OwnPath {
            change: 0,
            index: 0,
        };
        let told = self.address(of, first)?;
        let chain_code = <[u8; 32]>::try_from(told.chain_code.0);
        let name = "told".parse::<Name>().map_err(ClientError::not_proved)?;

        Ok(RegisteredVault {
            tenant: of.tenant,
            tenant_name: name.clone(),
            vault: Vault {
                id: of.vault,
                name,
                key: KeyId([0; 16]),
                account: told.account,
                tags: Vec::new(),
            },
            key: VaultKey {
                suite: Suite::FrostSecp256k1Tr,
                public_key: told.group_key.0,
                chain_code: chain_code.map_err(|_| ClientError::not_proved("no chain code"))?,
                account: told.account,
            },
            registered_at: UnixMs(0),
            seq: 0,
            witnessed_at_s: 0,
        })
    }
}
