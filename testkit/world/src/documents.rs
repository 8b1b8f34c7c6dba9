//! Builders of the texts that people sign, and of their signatures.

use crate::parties::Who;
use crate::world::{FRIEND, World, chain, native};
use strongroom_journal::{Authorization, Body};
use strongroom_types::{
    Act, ActBody, ActId, Approval, ApprovalNonce, Attempt, AttemptKind, ConflictKey, DecisionCore,
    Destination, Digest, Document, Endorsement, Intent, IntentKind, MinorUnits, Proof, Scope,
    Signed, Transfer, UnixMs, digest,
};

/// Life of an intent of [`World::intent`], milliseconds.
pub const INTENT_LIFE_MS: u64 = 3_600_000;
/// Fee cap of an intent of [`World::intent`].
pub const FEE_MAX: u64 = 20_000;
/// Life of an act of [`World::act`], milliseconds.
const ACT_LIFE_MS: u64 = 24 * 3_600_000;

impl World {
    /// The tenant's scope.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::Tenant(self.tenant.id)
    }

    /// An act with a fresh id, valid for a day from `at`.
    #[must_use]
    pub fn act(&self, at: UnixMs, scope: Scope, body: ActBody, version: u64) -> Act {
        let id = ActId(self.seed.id("act", self.next()));
        Act {
            platform: self.platform(),
            scope,
            id,
            version,
            expires: at.plus(ACT_LIFE_MS),
            body,
        }
    }

    /// A text signed by each of these people.
    #[must_use]
    pub fn sign<D: Document>(&self, document: &D, who: &[Who]) -> Signed {
        let mut signed = Signed::draft(document);
        who.iter()
            .for_each(|who| signed.endorse::<D>(&self.person(*who).signing()));
        signed
    }

    /// The act that creates the tenant, signed by the platform's admin and every admin of the
    /// charter.
    #[must_use]
    pub fn create_tenant(&self, at: UnixMs) -> Signed {
        let charter = Box::new(self.tenant.charter());
        let body = ActBody::CreateTenant {
            tenant: self.tenant.id,
            charter,
        };
        let mut who = self.tenant.all_admins();
        who.push(Who::PlatformAdmin);
        self.sign(&self.act(at, Scope::Platform, body, 0), &who)
    }

    /// The initiator pays `amount` satoshi from the first vault to an address. Change any field
    /// before signing.
    #[must_use]
    pub fn intent(&self, at: UnixMs, amount: u64, address: &str) -> Intent {
        let transfer = Transfer {
            asset: native(),
            destination: Destination::Address(address.to_owned()),
            amount: amount.into(),
            memo: None,
        };
        Intent {
            platform: self.platform(),
            tenant: self.tenant.id,
            vault: self.tenant.vault,
            initiator: self.person(Who::Initiator).credential.id,
            external_id: format!("order {}", self.next()).parse().unwrap(),
            created: at,
            expires: at.plus(INTENT_LIFE_MS),
            chain: chain(),
            kind: IntentKind::Transfer(vec![transfer]),
            fee_max: FEE_MAX.into(),
            attempts_max: 3,
            purpose: None,
        }
    }

    /// [`World::intent`] with changes.
    #[must_use]
    pub fn intent_with(
        &self,
        at: UnixMs,
        amount: u64,
        address: &str,
        change: impl FnOnce(&mut Intent),
    ) -> Intent {
        let mut intent = self.intent(at, amount, address);
        change(&mut intent);
        intent
    }

    /// A payment to [`FRIEND`] under the external id `name`: made twice, it is the same order again.
    #[must_use]
    pub fn order(&self, at: UnixMs, amount: u64, name: &str) -> Intent {
        self.intent_with(at, amount, FRIEND, |intent| {
            intent.external_id = name.parse().unwrap();
        })
    }

    /// The intent signed by the credential it names, which must be one of the tenant's people.
    #[must_use]
    pub fn signed_intent(&self, intent: &Intent) -> Signed {
        let people = self
            .tenant
            .all_people()
            .into_iter()
            .chain([Who::Stranger])
            .map(|who| self.person(who));
        let signer = people
            .into_iter()
            .find(|person| person.credential.id == intent.initiator);
        Signed::by(
            intent,
            &signer
                .expect("the initiator is one of the tenant's people")
                .signing(),
        )
    }

    /// An approval with a fresh nonce, valid as long as the intent. Change any field before
    /// signing.
    #[must_use]
    pub fn approval(
        &self,
        who: Who,
        intent: &Intent,
        core: &DecisionCore,
        after: &[Digest],
    ) -> Approval {
        Approval {
            platform: self.platform(),
            tenant: self.tenant.id,
            intent: intent.digest(),
            core: core.digest(),
            after: after.to_vec(),
            approver: self.person(who).credential.id,
            rationale: digest("rationale", &[b"as ordered"]),
            nonce: ApprovalNonce(self.seed.id("approval", self.next())),
            expires: intent.expires,
        }
    }

    /// A signed [`World::approval`].
    #[must_use]
    pub fn approve(
        &self,
        who: Who,
        intent: &Intent,
        core: &DecisionCore,
        after: &[Digest],
    ) -> Signed {
        self.sign(&self.approval(who, intent, core, after), &[who])
    }

    /// Attempt 1 of an intent on an anchor of its own, at half of the fee cap.
    #[must_use]
    pub fn attempt(&self, intent: &Intent) -> Attempt {
        let digest = intent.digest();
        let anchor = ConflictKey::Coin(format!("{digest}:0"));
        Attempt {
            intent: digest,
            number: 1,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: anchor.clone(),
            conflict_keys: vec![anchor],
            unsigned_digest: strongroom_types::attempt::unsigned_digest(&digest.0),
            fee_max: intent.fee_max.half(),
        }
    }

    /// The next attempt after `last`, on the same anchor.
    #[must_use]
    pub fn next_attempt(&self, last: &Attempt, kind: AttemptKind, fee_max: u64) -> Attempt {
        let number = last.number + 1;
        let unsigned_digest = digest(
            "next attempt",
            &[&last.unsigned_digest.0, &number.to_be_bytes()],
        );
        Attempt {
            number,
            kind,
            unsigned_digest,
            fee_max: MinorUnits::from(fee_max),
            ..last.clone()
        }
    }

    /// An authorization of these parts.
    #[must_use]
    pub fn authorization(
        &self,
        intent: &Intent,
        core: &DecisionCore,
        approvals: Vec<Signed>,
        attempt: Attempt,
    ) -> Authorization {
        Authorization {
            intent: self.signed_intent(intent),
            core: core.to_text(),
            approvals,
            attempt,
            facts: Vec::new(),
        }
    }
}

/// Makes entries of authorizations.
pub trait AuthorizationExt {
    /// The same as the body of an entry.
    fn into_body(self) -> Body;
}

impl AuthorizationExt for Authorization {
    fn into_body(self) -> Body {
        Body::Authorized(Box::new(self))
    }
}

/// Changes one bit of a signature.
pub fn forge(endorsement: &mut Endorsement) {
    let (Proof::Ed25519(signature) | Proof::P256(signature)) = &mut endorsement.proof else {
        panic!("an assertion has no bytes of its own to change");
    };
    signature[0] ^= 1;
}
