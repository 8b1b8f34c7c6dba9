//! The intent: a client's signed request. It never changes, and everything later binds to its
//! digest.

use crate::amount::MinorUnits;
use crate::caip::{AssetId, ChainId};
use crate::document::Document;
use crate::fields::{Fields, FormError};
use crate::id::{CredentialId, PlatformId, TenantId, TenantVault, VaultId};
use crate::json::Json;
use crate::text::Name;
use crate::time::UnixMs;
use borsh::{BorshDeserialize, BorshSerialize};

/// Largest number of transfers in one intent. Its text is bounded too
/// ([`crate::json::TEXT_BYTES_MAX`]), so with long addresses and memos fewer fit.
pub const TRANSFERS_MAX: usize = 500;

/// Recipient of a transfer, as the client names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Destination {
    /// An address literal, which must re-encode to itself. One of the tenant's own addresses, given
    /// literally, counts as unknown.
    Address(String),
    /// Another vault of the same tenant (its receive address 0).
    Vault(VaultId),
}

/// One payment of an intent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Asset on the intent's chain, CAIP-19.
    pub asset: AssetId,
    /// Address or vault that is paid.
    pub destination: Destination,
    /// Amount in base units; never zero.
    pub amount: MinorUnits,
    /// A note of the client, which is not written to the chain.
    pub memo: Option<Name>,
}

/// Kind of intent. There is one kind as yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IntentKind {
    /// Payments on one chain, 1 to [`TRANSFERS_MAX`].
    Transfer(Vec<Transfer>),
}

/// A client's signed request for payments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// Installation in which it counts; another one refuses it.
    pub platform: PlatformId,
    /// Tenant whose vault pays.
    pub tenant: TenantId,
    /// Vault that pays.
    pub vault: VaultId,
    /// Credential that signs this text.
    pub initiator: CredentialId,
    /// Id that the client chose, unique in the tenant. The journal remembers it after `expires` for
    /// the retention that genesis sets.
    pub external_id: Name,
    /// Time at which the client made the intent, by the client's clock.
    pub created: UnixMs,
    /// Time from which on no share is released.
    pub expires: UnixMs,
    /// Chain of every transfer, CAIP-2.
    pub chain: ChainId,
    /// Kind of the intent, with its content.
    pub kind: IntentKind,
    /// Largest fee over all attempts of the intent, base units of the chain's native asset.
    pub fee_max: MinorUnits,
    /// Largest number of attempts, the first included.
    pub attempts_max: u64,
    /// Purpose of the payment, in the client's words.
    pub purpose: Option<Name>,
}

impl Transfer {
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        // If both members are present, `address` is left over, and refused as unknown.
        let destination = f.object("destination", |d| match d.parse_opt("vault")? {
            Some(vault) => Ok(Destination::Vault(vault)),
            None => d.address("address").map(Destination::Address),
        })?;

        let amount: MinorUnits = f.parse("amount")?;
        // A transfer of zero is refused: no limit would count it, and it would still add a
        // recipient to the transaction.
        if amount.is_zero() {
            return Err(FormError::invalid("amount", "must not be 0"));
        }
        Ok(Self {
            asset: f.parse("asset")?,
            destination,
            amount,
            memo: f.parse_opt("memo")?,
        })
    }

    fn write(&self) -> Json<'_> {
        let destination = match &self.destination {
            Destination::Address(address) => Json::object([("address", Json::str(address))]),
            Destination::Vault(vault) => Json::object([("vault", Json::text(vault))]),
        };

        let mut members = vec![
            ("amount", Json::text(self.amount)),
            ("asset", Json::str(self.asset.as_str())),
            ("destination", destination),
        ];
        members.extend(
            self.memo
                .iter()
                .map(|memo| ("memo", Json::str(memo.as_str()))),
        );

        Json::object(members)
    }
}

impl Intent {
    /// The vault that pays.
    #[must_use]
    pub const fn paying_vault(&self) -> TenantVault {
        TenantVault {
            tenant: self.tenant,
            vault: self.vault,
        }
    }

    /// Sum of all transfers; `None` when it does not fit 256 bits.
    #[must_use]
    pub fn total(&self) -> Option<MinorUnits> {
        let IntentKind::Transfer(transfers) = &self.kind;
        transfers
            .iter()
            .try_fold(MinorUnits::ZERO, |sum, t| sum.checked_add(t.amount))
    }

    /// Payments, in the order in which the client named them.
    #[must_use]
    pub fn transfers(&self) -> &[Transfer] {
        let IntentKind::Transfer(transfers) = &self.kind;
        transfers
    }

    fn check(self) -> Result<Self, FormError> {
        if self.expires <= self.created {
            return Err(FormError::invalid("expires", "must be after `created`"));
        }

        // The first transaction is an attempt too, so at least one must be allowed.
        if self.attempts_max == 0 {
            return Err(FormError::invalid("attempts_max", "must not be 0"));
        }

        if self.transfers().is_empty() {
            return Err(FormError::invalid("transfers", "must not be empty"));
        }

        // The codec of `chain` reads the whole intent and shows its effects, so an asset of another
        // chain is refused.
        let one_chain = self
            .transfers()
            .iter()
            .all(|t| t.asset.chain() == self.chain);
        if !one_chain {
            return Err(FormError::invalid(
                "transfers",
                "every asset must be on the intent's chain",
            ));
        }
        // Limits count the sum of transfers and fee. A sum that wrapped around would pass every
        // limit.
        if self
            .total()
            .and_then(|sum| sum.checked_add(self.fee_max))
            .is_none()
        {
            return Err(FormError::invalid("transfers", "the sum exceeds 256 bits"));
        }

        Ok(self)
    }
}

impl Document for Intent {
    const TYPE: &'static str = "strongroom/intent/v2";

    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let kind = f.text("kind")?;
        if kind != "transfer" {
            return Err(FormError::invalid("kind", "expected `transfer`"));
        }

        let intent = Self {
            platform: f.parse("platform")?,
            tenant: f.parse("tenant")?,
            vault: f.parse("vault")?,
            initiator: f.parse("initiator")?,
            external_id: f.parse("external_id")?,
            created: f.parse("created")?,
            expires: f.parse("expires")?,
            chain: f.parse("chain")?,
            kind: IntentKind::Transfer(f.objects("transfers", TRANSFERS_MAX, Transfer::read)?),
            fee_max: f.parse("fee_max")?,
            attempts_max: f.number("attempts_max")?,
            purpose: f.parse_opt("purpose")?,
        };

        intent.check()
    }

    fn write(&self) -> Vec<(&'static str, Json<'_>)> {
        let mut members = vec![
            ("attempts_max", Json::text(self.attempts_max)),
            ("chain", Json::str(self.chain.as_str())),
            ("created", Json::text(self.created)),
            ("expires", Json::text(self.expires)),
            ("external_id", Json::str(self.external_id.as_str())),
            ("fee_max", Json::text(self.fee_max)),
            ("initiator", Json::text(self.initiator)),
            ("kind", Json::str("transfer")),
            ("platform", Json::text(self.platform)),
            ("tenant", Json::text(self.tenant)),
            (
                "transfers",
                Json::List(self.transfers().iter().map(Transfer::write).collect()),
            ),
            ("vault", Json::text(self.vault)),
        ];

        members.extend(
            self.purpose
                .iter()
                .map(|why| ("purpose", Json::str(why.as_str()))),
        );
        members
    }
}
