//! The codec behind the port.

use crate::form::{self, Form};
use crate::probe::ProbeCodec;
use crate::{address, build, view};
use std::sync::Arc;
use strongroom_mpc_core::SuiteId;
use strongroom_mpc_core::verify::verify_signature;
use strongroom_ports::chain::{
    AddressFacts, Authority, AuthorityKind, Built, ChainCodec, Effects, Expiry, Fact, Facts,
    Inspection, Manifest, Move, OwnPath, Plan, Registry, Slot, VaultKey,
};
use strongroom_types::caip::NotACaip;
use strongroom_types::{Code, Destination, Intent, MinorUnits, Refusal, Suite, Tweak, digest};

/// Where payments to another vault of the tenant go.
const RECEIVE: OwnPath = OwnPath {
    change: 0,
    index: 0,
};

/// The codecs of this crate, as the list of chains takes them.
///
/// # Errors
/// Never in practice: the ids are CAIP ids, which a test shows.
pub fn codecs() -> Result<Vec<Arc<dyn ChainCodec>>, NotACaip> {
    Ok(vec![Arc::new(ProbeCodec::new()?)])
}

impl ProbeCodec {
    fn inspection(&self, form: &Form, vault: &VaultKey) -> Result<Inspection, Refusal> {
        let native = &self.manifest.native;
        let mut moves = Vec::with_capacity(form.pays.len());
        for pay in &form.pays {
            let to = address::of_key(&pay.to);
            moves.push(Move::exact(native.clone(), to, pay.amount));
        }
        moves.sort();
        let right = |key: [u8; 32]| Authority {
            kind: AuthorityKind::Delegation,
            subject: native.to_string(),
            to: address::of_key(&key),
            at_most: None,
        };
        let slot = Slot {
            suite: Suite::FrostEd25519,
            path: address::full_path(vault, form.path),
            tweak: Tweak::None,
            message: form.message()?,
        };
        let opaque = if form.call.is_empty() {
            Vec::new()
        } else {
            vec![format!("{} bytes of a call", form.call.len())]
        };
        Ok(Inspection {
            moves,
            authorities: form.grant.map(right).into_iter().collect(),
            opaque,
            returned: MinorUnits::ZERO,
            fee: form.fee,
            conflicts: vec![form.conflict_key()],
            expiry: Some(Expiry::Height(form.valid_until)),
            slots: vec![slot],
        })
    }
}

impl ChainCodec for ProbeCodec {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn parse_address(&self, text: &str) -> Result<AddressFacts, Refusal> {
        address::parse(text).map(|_| AddressFacts { kind: "account" })
    }

    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal> {
        address::own_key(vault, path).map(|key| address::of_key(&key))
    }

    fn expected(&self, intent: &Intent, registry: &dyn Registry) -> Result<Effects, Refusal> {
        if intent.chain != self.manifest.chain {
            return Err(Refusal::new(Code::UnknownChain, &intent.chain));
        }
        let mut moves = Vec::with_capacity(intent.transfers().len());
        for transfer in intent.transfers() {
            let to = match &transfer.destination {
                Destination::Address(text) => text.clone(),
                Destination::Vault(vault) => {
                    let key = registry.vault_key(*vault).ok_or(Code::UnknownVault)?;
                    self.derive_address(&key, RECEIVE)?
                }
            };
            moves.push(Move::exact(transfer.asset.clone(), to, transfer.amount));
        }
        let effects = Effects::of_moves(moves);
        build::pays(self, &effects)?;
        Ok(effects)
    }

    fn check_fact(&self, fact: &Fact) -> Result<(), Refusal> {
        view::check_fact(&self.manifest.native, fact)
    }

    fn view(&self, facts: &Facts<'_>) -> Result<Vec<u8>, Refusal> {
        view::make(facts)
    }

    fn build(&self, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal> {
        build::build(self, plan, view)
    }

    fn inspect(
        &self,
        unsigned: &[u8],
        vault: &VaultKey,
        _registry: &dyn Registry,
    ) -> Result<Inspection, Refusal> {
        self.inspection(&self.read(unsigned, vault)?, vault)
    }

    fn assemble(
        &self,
        unsigned: &[u8],
        signatures: &[Vec<u8>],
        vault: &VaultKey,
    ) -> Result<Vec<u8>, Refusal> {
        let form = self.read(unsigned, vault)?;
        let wrong = || Refusal::new(Code::BadSignature, "one valid Ed25519 signature is needed");
        let [signature] = signatures else {
            return Err(wrong());
        };
        let message = form.message()?;
        if !verify_signature(SuiteId::FrostEd25519, &form.sender, &message, signature) {
            return Err(wrong());
        }
        let signature = signature.as_slice().try_into().map_err(|_| wrong())?;
        Ok(form::signed(unsigned, signature))
    }

    fn verify_signed(
        &self,
        unsigned: &[u8],
        signed: &[u8],
        vault: &VaultKey,
    ) -> Result<String, Refusal> {
        let (_, signature) = form::split(signed)?;
        if self.assemble(unsigned, &[signature.to_vec()], vault)? != signed {
            let detail = "the signed bytes are another transaction";
            return Err(Refusal::new(Code::AttemptDigestMismatch, detail));
        }
        self.transaction_id(signed)
    }

    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal> {
        let (unsigned, _) = form::split(signed)?;
        Form::decode(unsigned)?;
        Ok(digest("chain-probe/transaction-id/v1", &[unsigned]).to_string())
    }
}
