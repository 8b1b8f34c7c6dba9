//! One type per id: 16 bytes, shown as a prefix and 32 lower-case hex digits.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;

/// Text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}` followed by 32 lower-case hex digits")]
pub struct NotAnId {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// A random id.
            pub fn random(rng: &mut (impl rand_core::RngCore + ?Sized)) -> Self {
                let mut bytes = [0; 16];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                // The prefix is checked, so that a vault's id in a tenant's place is refused and
                // not read as a tenant.
                text.strip_prefix($prefix).and_then(crate::text::lower_hex).map(Self).ok_or(NotAnId { prefix: $prefix })
            }
        }
    )*};
}

ids! {
    /// One installation of Strongroom, named by its genesis.
    PlatformId "plt_";
    /// A client institution.
    TenantId "tnt_";
    /// A human being known to a tenant.
    UserId "usr_";
    /// One key or passkey of a user.
    CredentialId "crd_";
    /// A set of users.
    GroupId "grp_";
    /// A policy container of a tenant.
    VaultId "vlt_";
    /// A threshold key.
    KeyId "key_";
    /// An entry of a tenant's allow-list.
    AllowListId "alw_";
    /// One act of people, single-use.
    ActId "act_";
    /// One approval, single-use.
    ApprovalNonce "apn_";
    /// An intent in the API: the first 16 bytes of its digest.
    TransactionId "tx_";
    /// One run of a protocol.
    SessionId "ses_";
    /// A service instance or signer as the sender of envelopes.
    NodeId "nod_";
}

/// A vault by its whole name. Those who sign a vault's act choose its id, which is unique within
/// their tenant alone: whatever is kept or allowed by vault is kept and allowed by this.
///
/// Text form: `tnt_…/vlt_…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TenantVault {
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// Its id among the tenant's vaults.
    pub vault: VaultId,
}

/// Text that does not name a vault with its tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a tenant's id, `/` and the id of its vault, as `tnt_…/vlt_…`")]
pub struct NotATenantVault;

impl fmt::Display for TenantVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.vault)
    }
}

impl FromStr for TenantVault {
    type Err = NotATenantVault;

    fn from_str(text: &str) -> Result<Self, NotATenantVault> {
        let (tenant, vault) = text.split_once('/').ok_or(NotATenantVault)?;
        Ok(Self {
            tenant: tenant.parse().map_err(|_| NotATenantVault)?,
            vault: vault.parse().map_err(|_| NotATenantVault)?,
        })
    }
}

impl From<crate::Digest> for TransactionId {
    fn from(intent: crate::Digest) -> Self {
        // Half of the digest is enough for a name in paths and on screens. Signed texts about an
        // intent name its whole digest.
        let mut id = [0; 16];
        id.iter_mut()
            .zip(intent.0)
            .for_each(|(to, from)| *to = from);
        Self(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let vault = VaultId([7; 16]);
        assert_eq!(vault.to_string().parse(), Ok(vault));
        assert!(vault.to_string().parse::<TenantId>().is_err());
        assert!(vault.to_string().to_uppercase().parse::<VaultId>().is_err());
    }

    #[test]
    fn a_vault_is_named_with_its_tenant() {
        let named = TenantVault {
            tenant: TenantId([6; 16]),
            vault: VaultId([7; 16]),
        };
        assert_eq!(named.to_string().parse(), Ok(named));
        let (tenant, vault) = (named.tenant, named.vault);
        let wrong = [
            vault.to_string(),
            format!("{vault}/{tenant}"),
            format!("{tenant}/{vault}/"),
            format!("{tenant} {vault}"),
        ];
        for text in wrong {
            assert_eq!(text.parse::<TenantVault>(), Err(NotATenantVault), "{text}");
        }
    }
}
