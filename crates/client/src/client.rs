//! A typed call for every endpoint. What can be recomputed is compared before it is given back.

use crate::check::{self, PendingApproval};
use crate::error::ClientError;
use crate::http::Http;
use crate::proof::{self, EntryProof, ProvedVaults, RegisteredVault, Trust, VaultProof};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use strongroom_api_types::{
    ActInfo, ActState, AddressInfo, AddressProof, EntryInfo, EntryWithProof, Page, PendingInfo,
    Receipt, StatusInfo, TenantInfo, TimelineInfo, TransactionInfo, VaultInfo,
};
use strongroom_guard::{G, kept};
use strongroom_journal::Genesis;
use strongroom_ports::chain::{ChainCodec, OwnPath};
use strongroom_types::{
    Act, Approval, Code, Destination, Digest, Document as _, Intent, Refusal, Signed, TenantId,
    TenantVault, TransactionId,
};
use strongroom_wire::TransactionState;

/// Longest wait that one request asks of the server, milliseconds.
const WAIT_MS: u64 = 10_000;
/// Longest wait for a checkpoint to be witnessed that covers a proof's entries, milliseconds.
const PROOF_WAIT_MS: u64 = 10_000;

/// One server with one bearer key.
pub struct Client {
    http: Http,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only the base URL is shown: a bearer key must not reach a log.
        write!(f, "Client({}, ..)", self.http.base())
    }
}

/// An address that was derived here from proved entries.
#[derive(Clone, Debug)]
pub struct ProvedAddress {
    /// The address, in the chain's one canonical form.
    pub address: String,
    /// The vault it belongs to, and what proves it.
    pub registered: RegisteredVault,
    /// Path below the vault's account.
    pub path: OwnPath,
}

/// Status, tenants, acts, vaults.
impl Client {
    /// A client of the server at `url` (`http://127.0.0.1:PORT`) with an API key. Connects when it
    /// is used.
    #[must_use]
    pub fn new(url: &str, bearer: &str) -> Self {
        Self {
            http: Http::new(url, bearer),
        }
    }

    /// Size and freshness of the server's replica.
    ///
    /// # Errors
    /// See [`ClientError`]; so for every call.
    pub fn status(&self) -> Result<StatusInfo, ClientError> {
        self.http.get("/v1/status")
    }

    /// Offers a signed act to the journal; gives its digest, recomputed.
    pub fn submit_act(&self, signed: &Signed) -> Result<Digest, ClientError> {
        let digest = Act::digest_of(&signed.text);

        // A receipt for another text would make the caller wait for an act that is not theirs.
        let receipt: Receipt = self.http.post("/v1/acts", signed)?;
        check::same("digest", &receipt.digest, &digest.into())?;
        Ok(digest)
    }

    /// The state of an act ([`ActState`]), with a reason when it was refused. Waits up to `wait_ms`
    /// while it is on its way.
    pub fn act(&self, digest: &Digest, wait_ms: u64) -> Result<ActInfo, ClientError> {
        let act: ActInfo = self
            .http
            .get(&format!("/v1/acts/{digest}?wait_ms={wait_ms}"))?;
        check::same("digest", &act.digest, &(*digest).into())?;
        Ok(act)
    }

    /// Waits until an act is in force, or has become a proposal; says which.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the journal's reason, also for an act that is void or ended;
    /// [`ClientError::TooLong`].
    pub fn wait_act(&self, digest: &Digest, within: Duration) -> Result<ActState, ClientError> {
        let mut left = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        loop {
            // The library has no clock: each wait counts in full, even when the server answers
            // early. That bounds the number of requests whatever the server does.
            let wait = left.min(WAIT_MS);
            let act = self.act(digest, wait)?;
            match act.state {
                ActState::InForce | ActState::Proposed => return Ok(act.state),
                ActState::Refused => return Err(refusal_of(act)),
                ActState::Void => return Err(without_effect("void")),
                ActState::Ended => return Err(without_effect("ended")),
                ActState::Submitted if left == 0 => {
                    return Err(ClientError::TooLong(format!("act {digest} is submitted")));
                }
                ActState::Released if left == 0 => {
                    return Err(ClientError::TooLong(format!("act {digest} is released")));
                }
                ActState::Submitted | ActState::Released => {
                    left = left.saturating_sub(wait.max(1));
                }
            }
        }
    }

    /// A tenant: name, scope version (what its next act must name), keys, policy.
    pub fn tenant(&self, tenant: TenantId) -> Result<TenantInfo, ClientError> {
        let info: TenantInfo = self.http.get(&format!("/v1/tenants/{tenant}"))?;
        check::same("id", &info.id, &tenant.into())?;
        Ok(info)
    }

    /// Vaults of a tenant.
    pub fn vaults(&self, tenant: TenantId) -> Result<Page<VaultInfo>, ClientError> {
        self.http.get(&format!("/v1/vaults?tenant={tenant}"))
    }

    /// Vaults of the tenant that the bearer key belongs to.
    pub fn own_vaults(&self) -> Result<Page<VaultInfo>, ClientError> {
        self.http.get("/v1/vaults")
    }

    /// An address as the server gives it, with its proof. Use [`Self::proved_address`] before
    /// paying to it.
    pub fn address(&self, of: TenantVault, path: OwnPath) -> Result<AddressInfo, ClientError> {
        let TenantVault { tenant, vault } = of;
        let OwnPath { change, index } = path;
        self.http.get(&format!(
            "/v1/vaults/{vault}/addresses/{change}-{index}?tenant={tenant}&wait_ms={PROOF_WAIT_MS}"
        ))
    }

    /// An address derived here from entries proved against the pinned genesis, and equal to the
    /// server's.
    ///
    /// # Errors
    /// [`ClientError::NotProved`] when a link of the proof does not hold; [`ClientError::Untrue`]
    /// when the server's address is another one.
    pub fn proved_address(
        &self,
        genesis: &Genesis,
        codec: &dyn ChainCodec,
        of: TenantVault,
        path: OwnPath,
    ) -> Result<ProvedAddress, ClientError> {
        let answer = self.address(of, path)?;
        let registered = prove_vault(genesis, of, answer.proof)?;

        let address = codec.derive_address(&registered.key, path)?;

        // The derived address would do. A server that shows another one is broken or hostile, and
        // the caller must know it before using it for anything else.
        check::same(
            "chain",
            &answer.chain,
            &codec.manifest().chain.clone().into(),
        )?;
        check::same("address", &answer.address, &address)?;
        Ok(ProvedAddress {
            address,
            registered,
            path,
        })
    }

    /// A vault proved against the pinned genesis.
    ///
    /// # Errors
    /// As [`Self::proved_address`].
    pub fn proved_vault(
        &self,
        genesis: &Genesis,
        vault: TenantVault,
    ) -> Result<RegisteredVault, ClientError> {
        let first = OwnPath {
            change: 0,
            index: 0,
        };
        prove_vault(genesis, vault, self.address(vault, first)?.proof)
    }
}

fn prove_vault(
    genesis: &Genesis,
    vault: TenantVault,
    proof: Option<AddressProof>,
) -> Result<RegisteredVault, ClientError> {
    // Without a proof nothing binds the address to the pinned genesis: an address alone is never
    // shown as proved.
    let proof = proof.ok_or_else(|| ClientError::not_proved("not witnessed yet; try again"))?;

    let part = |part: EntryWithProof| EntryProof {
        sealed: part.sealed.0,
        proof: part.proof,
    };

    let proof = VaultProof {
        tenant: part(proof.tenant),
        key: part(proof.key),
        vault: part(proof.vault),
    };
    proof::vault(&Trust::new(genesis)?, vault, &proof)
}

/// The refusal of an act that the journal took, and that changes nothing any more.
fn without_effect(state: &str) -> ClientError {
    ClientError::Refused {
        status: 422,
        code: state.to_owned(),
        detail: "something came in between, or its time had passed".to_owned(),
    }
}

fn refusal_of(act: ActInfo) -> ClientError {
    // The refusal gets the status that a refused offer has: the answer's own is 200, because asking
    // succeeded.
    let (code, detail) = act
        .reason
        .map(|reason| (reason.code, reason.detail))
        .unwrap_or_default();
    ClientError::Refused {
        status: 422,
        code,
        detail,
    }
}

/// Transactions and approvals.
impl Client {
    /// Sends a signed intent. The answer must repeat exactly this intent, its digest and its words.
    pub fn create_transaction(&self, signed: &Signed) -> Result<TransactionInfo, ClientError> {
        let info = self.http.post("/v1/transactions", signed)?;
        check::echo(&info, signed)?;
        Ok(info)
    }

    /// A transaction; waits up to `wait_ms` until it reaches the state `until` (or has ended).
    pub fn transaction(
        &self,
        id: TransactionId,
        until: Option<TransactionState>,
        wait_ms: u64,
    ) -> Result<TransactionInfo, ClientError> {
        let until = until.map_or_else(String::new, |until| format!("until={}&", until.name()));
        let info: TransactionInfo = self
            .http
            .get(&format!("/v1/transactions/{id}?{until}wait_ms={wait_ms}"))?;

        // The id follows from the intent's digest. Compared with the request as well, it binds the
        // text to what was asked for.
        check::same("id", &info.id, &id.into())?;
        check::transaction(&info)?;
        Ok(info)
    }

    /// Transactions, newest first, from a cursor of an earlier answer on.
    pub fn transactions(
        &self,
        tenant: Option<TenantId>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<TransactionInfo>, ClientError> {
        let tenant = tenant.map_or_else(String::new, |tenant| format!("&tenant={tenant}"));
        let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page: Page<TransactionInfo> = self
            .http
            .get(&format!("/v1/transactions?limit={limit}{tenant}{cursor}"))?;

        for info in &page.data {
            check::transaction(info)?;
        }
        Ok(page)
    }

    /// Time that each layer of a transaction's path took.
    pub fn timeline(&self, id: TransactionId) -> Result<TimelineInfo, ClientError> {
        let info: TimelineInfo = self.http.get(&format!("/v1/transactions/{id}/timeline"))?;
        check::same("id", &info.id, &id.into())?;
        Ok(info)
    }

    /// Sends the signed `cancel` of a transaction to the journal; gives the act's digest.
    pub fn cancel(&self, id: TransactionId, signed: &Signed) -> Result<Digest, ClientError> {
        let digest = Act::digest_of(&signed.text);

        let receipt: Receipt = self
            .http
            .post(&format!("/v1/transactions/{id}/cancel"), signed)?;
        check::same("digest", &receipt.digest, &digest.into())?;
        Ok(digest)
    }

    /// Transactions that wait for approval, as the server shows them. Use [`Self::pending`] before
    /// signing.
    pub fn approvals(&self, tenant: Option<TenantId>) -> Result<Page<PendingInfo>, ClientError> {
        let tenant = tenant.map_or_else(String::new, |tenant| format!("?tenant={tenant}"));
        let page: Page<PendingInfo> = self.http.get(&format!("/v1/approvals{tenant}"))?;

        for item in &page.data {
            check::transaction(&item.transaction)?;
        }
        Ok(page)
    }

    /// The subject of an approver's signature: both digests and the effects, recomputed here;
    /// internal destinations are proved.
    pub fn pending(
        &self,
        genesis: &Genesis,
        codecs: &[Arc<dyn ChainCodec>],
        id: TransactionId,
    ) -> Result<PendingApproval, ClientError> {
        let info = self.transaction(id, None, 0)?;
        let intent = check::transaction(&info)?.intent;

        // The codec is chosen by the signed text, not by a member of the answer that the server
        // could set to another chain.
        let reads = |codec: &&Arc<dyn ChainCodec>| codec.manifest().chain == intent.chain;
        let codec = codecs
            .iter()
            .find(reads)
            .ok_or_else(|| Refusal::new(Code::UnknownChain, &intent.chain))?;

        // Effects name addresses. That of an internal destination is derived from proved entries,
        // or the server could have its own address shown under a vault's name.
        let vaults = self.proved_destinations(genesis, &intent)?;
        check::pending(&info, genesis.platform, codec.as_ref(), &vaults)
    }

    /// The vaults that an intent pays, each proved and of the intent's own tenant.
    pub fn proved_destinations(
        &self,
        genesis: &Genesis,
        intent: &Intent,
    ) -> Result<ProvedVaults, ClientError> {
        let mut vaults = ProvedVaults::default();
        for transfer in intent.transfers() {
            if let Destination::Vault(vault) = &transfer.destination {
                // Signers look destinations up within the intent's tenant.
                let wanted = TenantVault {
                    tenant: intent.tenant,
                    vault: *vault,
                };
                vaults.0.push(kept!(
                    G::DestinationProved,
                    self.proved_vault(genesis, wanted)?,
                    instead self.told_vault(wanted)?
                ));
            }
        }
        Ok(vaults)
    }

    /// Sends an approver's signed answer.
    pub fn decide(&self, id: TransactionId, signed: &Signed) -> Result<Digest, ClientError> {
        let digest = Approval::digest_of(&signed.text);

        let receipt: Receipt = self
            .http
            .post(&format!("/v1/approvals/{id}/decisions"), signed)?;
        check::same("digest", &receipt.digest, &digest.into())?;
        Ok(digest)
    }
}

/// Reading the journal.
impl Client {
    /// The newest witnessed checkpoint: a signed note with its cosignatures. [`Trust::checkpoint`]
    /// verifies it.
    pub fn journal_checkpoint(&self) -> Result<String, ClientError> {
        self.http.get_text("/v1/journal/checkpoint")
    }

    /// Entries from a position on: own and platform ones in full, of others the public leaf.
    pub fn journal_entries(&self, from: u64, limit: u32) -> Result<Page<EntryInfo>, ClientError> {
        self.http
            .get(&format!("/v1/journal/entries?from={from}&limit={limit}"))
    }

    /// The proof text (C2SP tlog-proof) of an entry.
    pub fn journal_proof(&self, seq: u64) -> Result<String, ClientError> {
        self.http.get_text(&format!(
            "/v1/journal/entries/{seq}/proof?wait_ms={PROOF_WAIT_MS}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::server;
    use serde_json::json;
    use strongroom_world::{CHAIN, START, World, WorldOptions};

    /// Under a vault's name the server gives an address of its own, and proves nothing.
    #[test]
    fn an_internal_destination_is_taken_from_no_servers_word() {
        let world = World::new(1, WorldOptions::default());
        let vault = world.tenant.vault;
        let mut intent = world.intent(START, 1_000, "");
        let strongroom_types::IntentKind::Transfer(transfers) = &mut intent.kind;
        transfers[0].destination = Destination::Vault(vault);

        let told = json!({
            "account": 0, "address": "the server's own", "branch": 0, "chain": CHAIN,
            "chain_code": "11".repeat(32), "group_key": "02".repeat(33), "index": 0,
            "proof": null, "transcript": "00".repeat(32), "vault": vault.to_string(),
        });
        let client = Client::new(&server(&told.to_string()), "key");
        let proved = client.proved_destinations(&world.genesis, &intent);
        assert!(
            matches!(proved, Err(ClientError::NotProved(_))),
            "the server's word was taken"
        );
    }
}
