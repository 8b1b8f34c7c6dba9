//! The people of the demo: who they are, and what they sign.

use anyhow::Context as _;
use strongroom_host::SystemClock;
use strongroom_journal::Genesis;
use strongroom_ports::host::{Clock as _, Entropy};
use strongroom_types::charter::{Board, Charter};
use strongroom_types::credential::PublicKey;
use strongroom_types::{
    Act, ActBody, ActId, Approval, ApprovalNonce, AssetId, Credential, CredentialClass,
    CredentialId, Destination, Digest, Document as _, Group, GroupId, Intent, IntentKind, KeyId,
    Name, PlatformId, Scope, Signed, SigningCredential, TenantId, TenantVault, Transfer, UnixMs,
    User, UserId, VaultId, digest,
};

const HOUR_MS: u64 = 3_600_000;

/// One person or program with its key.
pub struct Person {
    /// User id, also of the person whose program it is.
    pub user: UserId,
    /// Shown name.
    pub name: &'static str,
    class: CredentialClass,
    /// Signing key with its credential's id.
    pub key: SigningCredential,
    /// The key's seed, to be written into a key file.
    pub seed: [u8; 32],
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({}, ..)", self.name)
    }
}

impl Person {
    fn new(name: &'static str, class: CredentialClass, entropy: &dyn Entropy) -> Self {
        let mut rng = entropy.rng();
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);

        // The seed is kept: the demo leaves key files behind, for people to go on with.
        let key = SigningCredential::new(CredentialId::random(rng.as_mut()), &seed);
        Self {
            user: UserId::random(rng.as_mut()),
            name,
            class,
            key,
            seed,
        }
    }

    /// Public part of the key, as the registry holds it.
    #[must_use]
    pub fn credential(&self) -> Credential {
        Credential {
            id: self.key.id,
            user: Some(self.user),
            class: self.class,
            key: PublicKey::Ed25519(self.key.public_key()),
            web: None,
        }
    }

    fn registered(&self) -> anyhow::Result<User> {
        Ok(User {
            id: self.user,
            name: self.name.parse()?,
        })
    }
}

/// All people and programs of the demo, and the ids of what they own.
#[derive(Debug)]
pub struct People {
    /// Platform admin.
    pub operator: Person,
    /// Tenant admin and committee.
    pub admin: Person,
    /// The client's program.
    pub initiator: Person,
    /// Approver.
    pub alice: Person,
    /// Approver.
    pub bob: Person,
    /// The installation.
    pub platform: PlatformId,
    /// The tenant.
    pub tenant: TenantId,
    /// The approvers' group.
    pub approvers: GroupId,
    /// The threshold key.
    pub key: KeyId,
    /// The vault.
    pub vault: VaultId,
    asset: AssetId,
}

impl People {
    /// The vault with its tenant, as its owners know it.
    #[must_use]
    pub fn vault_name(&self) -> TenantVault {
        let (tenant, vault) = (self.tenant, self.vault);
        TenantVault { tenant, vault }
    }

    /// Fresh keys and ids for a platform on one chain.
    pub fn new(platform: PlatformId, asset: AssetId, entropy: &dyn Entropy) -> Self {
        let mut rng = entropy.rng();
        let person = |name, class| Person::new(name, class, entropy);
        Self {
            operator: person("operator", CredentialClass::Key),
            admin: person("admin", CredentialClass::Key),
            initiator: person("initiator", CredentialClass::Program),
            alice: person("alice", CredentialClass::Key),
            bob: person("bob", CredentialClass::Key),
            platform,
            tenant: TenantId::random(rng.as_mut()),
            approvers: GroupId::random(rng.as_mut()),
            key: KeyId::random(rng.as_mut()),
            vault: VaultId::random(rng.as_mut()),
            asset,
        }
    }

    /// ≤ 0.01 BTC automatic, ≤ 1 BTC one approver, else two.
    fn policy(&self, genesis: &Genesis) -> anyhow::Result<String> {
        let group = self.approvers;
        let need = |n: u32| format!(r#"[{{"approvals":"{n}","group":"{group}"}}]"#);
        let rule = |id: &str, lte: Option<u64>, tier: &str, groups: String| {
            let bound = lte.map_or(String::new(), |lte| {
                format!(r#""amount":{{"lte":"{lte}"}}"#)
            });
            format!(
                r#"{{"id":"{id}","match":{{{bound}}},"then":{{"fee_max":"100000","groups":{groups},"ordered":false,"tier":"{tier}","time_lock_seconds":"0"}}}}"#
            )
        };

        // The first match decides, so the rules go from small amounts to the one without a bound.
        let rules = [
            rule("small", Some(1_000_000), "auto", "[]".to_owned()),
            rule("medium", Some(100_000_000), "one_of_n", need(1)),
            rule("large", None, "m_of_n", need(2)),
        ];

        let chain = &genesis.chains.first().context("a chain")?.chain;
        let guard = format!(r#"{{"chains":["{chain}"],"id":"chains","kind":"chains"}}"#);
        let text = format!(
            r#"{{"guards":[{guard}],"rules":[{}],"type":"strongroom/policy/v1"}}"#,
            rules.join(",")
        );

        // Loaded once here: a mistake in this text would show only as a refused charter.
        strongroom_policy::Policy::load(&text)
            .map_err(|refusal| anyhow::anyhow!("demo policy: {refusal}"))?;
        Ok(text)
    }

    /// The charter that the platform's admin and the tenant's admin sign.
    pub fn charter(&self, genesis: &Genesis, delay_ms: u64) -> anyhow::Result<Charter> {
        let people = [&self.admin, &self.initiator, &self.alice, &self.bob];
        let mut members = vec![self.alice.user, self.bob.user];
        members.sort_unstable();

        // One admin and a quorum of one keep the demo short; production has more of both.
        let board = || Board {
            members: vec![self.admin.user],
            quorum: 1,
        };

        Ok(Charter {
            name: "Demo Institution".parse()?,
            admins: board(),
            committee: board(),
            users: people
                .iter()
                .map(|person| person.registered())
                .collect::<Result<_, _>>()?,
            credentials: people.iter().map(|person| person.credential()).collect(),
            groups: vec![Group {
                id: self.approvers,
                name: "approvers".parse()?,
                members,
            }],
            allow_list: Vec::new(),
            policy: self.policy(genesis)?,
            loosen_delay_ms: delay_ms,
            ceremony_delay_ms: delay_ms,
        })
    }

    /// An act of a scope at a version.
    #[must_use]
    pub fn act(&self, scope: Scope, version: u64, body: ActBody, entropy: &dyn Entropy) -> Act {
        let id = ActId::random(entropy.rng().as_mut());
        let expires = now().plus(HOUR_MS);
        Act {
            platform: self.platform,
            scope,
            id,
            version,
            expires,
            body,
        }
    }

    /// The tenant's act, signed by its admin.
    #[must_use]
    pub fn admin_act(&self, version: u64, body: ActBody, entropy: &dyn Entropy) -> Signed {
        Signed::by(
            &self.act(Scope::Tenant(self.tenant), version, body, entropy),
            &self.admin.key,
        )
    }

    /// A transfer, signed by the initiator.
    pub fn intent(
        &self,
        external_id: &str,
        to: &str,
        amount: u64,
        purpose: &str,
    ) -> anyhow::Result<Signed> {
        let created = now();
        let transfer = Transfer {
            asset: self.asset.clone(),
            destination: Destination::Address(to.to_owned()),
            amount: amount.into(),
            memo: None,
        };

        let intent = Intent {
            platform: self.platform,
            tenant: self.tenant,
            vault: self.vault,
            initiator: self.initiator.key.id,
            external_id: external_id.parse::<Name>()?,
            created,
            expires: created.plus(HOUR_MS),
            chain: self.asset.chain(),
            kind: IntentKind::Transfer(vec![transfer]),
            fee_max: 50_000.into(),
            attempts_max: 3,
            purpose: Some(purpose.parse()?),
        };

        Ok(Signed::by(&intent, &self.initiator.key))
    }

    /// A person's yes to a decision.
    #[must_use]
    pub fn approval(
        &self,
        who: &Person,
        intent: Digest,
        core: Digest,
        entropy: &dyn Entropy,
    ) -> Signed {
        let approval = Approval {
            platform: self.platform,
            tenant: self.tenant,
            intent,
            // The decision's digest is signed too: a yes to one tier is not a yes to a laxer one.
            core,
            after: Vec::new(),
            approver: who.key.id,
            rationale: digest(
                "strongroom/rationale/v1",
                &[b"invoice checked against the order"],
            ),
            nonce: ApprovalNonce::random(entropy.rng().as_mut()),
            expires: now().plus(HOUR_MS),
        };
        Signed::by(&approval, &who.key)
    }
}

/// The host's time.
#[must_use]
pub fn now() -> UnixMs {
    UnixMs(SystemClock.now_ms())
}

/// Digest of a signed intent.
#[must_use]
pub fn intent_digest(signed: &Signed) -> Digest {
    Intent::digest_of(&signed.text)
}
