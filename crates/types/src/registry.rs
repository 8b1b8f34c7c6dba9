//! What a tenant's registry holds: users, credentials, groups, allow-list entries, policy, vaults,
//! ceremonies.

use crate::caip::ChainId;
use crate::fields::{Fields, FormError};
use crate::id::{AllowListId, CredentialId, GroupId, KeyId, UserId, VaultId};
use crate::json::Json;
use crate::text::Name;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;

/// Most members of one group.
pub const MEMBERS_MAX: usize = 256;
/// Most signers of one roster.
pub const ROSTER_MAX: usize = 64;
/// Account, change and address indices are below this; a higher one could hide change from every
/// scan.
pub const ADDRESS_INDEX_MAX: u32 = 1_000_000;

/// A human being known to the tenant.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Shown name.
    pub name: Name,
}

/// Where the private key of a credential lives. A signature cannot show which program made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum CredentialClass {
    /// A person's key file or hardware key, used through the CLI with its own decoder.
    Key = 0,
    /// A client program's key.
    Program = 1,
}

impl fmt::Display for CredentialClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Program => "program",
        })
    }
}

impl FromStr for CredentialClass {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "key" => Ok(Self::Key),
            "program" => Ok(Self::Program),
            _ => Err("a credential class is key or program"),
        }
    }
}

/// A public key of a user.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Credential {
    /// Id.
    pub id: CredentialId,
    /// Whose.
    pub user: UserId,
    /// What kind.
    pub class: CredentialClass,
    /// Ed25519 public key (text: 64 lower-case hex digits).
    pub public_key: [u8; 32],
}

/// A set of users that approve together.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Group {
    /// Id.
    pub id: GroupId,
    /// Shown name.
    pub name: Name,
    /// Members, ascending, distinct.
    pub members: Vec<UserId>,
}

/// A destination the tenant trusts.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct AllowListEntry {
    /// Id.
    pub id: AllowListId,
    /// On which chain.
    pub chain: ChainId,
    /// The address literal.
    pub address: String,
    /// Shown label.
    pub label: Name,
}

/// A policy container: a key, an account index on it, and a name.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Vault {
    /// Id.
    pub id: VaultId,
    /// Shown name.
    pub name: Name,
    /// The threshold key its addresses derive from.
    pub key: KeyId,
    /// Account index on that key; unique per key.
    pub account: u32,
    /// Labels that policy rules can name.
    pub tags: Vec<Name>,
}

/// The signature scheme of a threshold key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Suite {
    /// FROST(secp256k1, SHA-256) with BIP-340 encoding and BIP-341 tweak.
    FrostSecp256k1Tr = 0,
    /// FROST(secp256k1, SHA-256), RFC 9591.
    FrostSecp256k1 = 1,
    /// FROST(Ed25519, SHA-512), RFC 9591.
    FrostEd25519 = 2,
}

const SUITES: [(Suite, &str); 3] = [
    (Suite::FrostSecp256k1Tr, "frost-secp256k1-tr"),
    (Suite::FrostSecp256k1, "frost-secp256k1"),
    (Suite::FrostEd25519, "frost-ed25519"),
];

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = SUITES
            .iter()
            .find(|(suite, _)| suite == self)
            .map_or("", |(_, text)| text);
        f.write_str(text)
    }
}

impl FromStr for Suite {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = SUITES.iter().find(|(_, name)| *name == text);
        known
            .map(|(suite, _)| *suite)
            .ok_or("a suite is frost-secp256k1-tr, frost-secp256k1 or frost-ed25519")
    }
}

/// A key generation the committee wants. Signers join nothing else.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct CeremonyPlan {
    /// The key that comes into being.
    pub key: KeyId,
    /// The scheme.
    pub suite: Suite,
    /// Signers needed for a signature (t).
    pub min_signers: u16,
    /// Signer indices of the genesis roster, ascending, distinct (n of them).
    pub roster: Vec<u16>,
}

/// One registry record: what `put` sets.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Record {
    /// A user.
    User(User),
    /// A credential.
    Credential(Credential),
    /// A group.
    Group(Group),
    /// A trusted destination.
    AllowList(AllowListEntry),
    /// The tenant's policy: the canonical text of `strongroom/policy/v1`.
    Policy(String),
    /// A vault.
    Vault(Vault),
    /// A key generation.
    Ceremony(CeremonyPlan),
}

impl User {
    /// Reads the members.
    pub fn read(f: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            id: f.parse("id")?,
            name: f.parse("name")?,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("id", Json::text(self.id)),
            ("name", Json::text(&self.name)),
        ]
    }
}

impl Credential {
    /// Reads the members.
    pub fn read(f: &mut Fields) -> Result<Self, FormError> {
        let key = f.text("public_key")?;
        let public_key = crate::text::lower_hex(&key)
            .ok_or_else(|| FormError::invalid("public_key", "expected 64 lower-case hex digits"))?;
        Ok(Self {
            id: f.parse("id")?,
            user: f.parse("user")?,
            class: f.parse("class")?,
            public_key,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("class", Json::text(self.class)),
            ("id", Json::text(self.id)),
            ("public_key", Json::text(hex::encode(self.public_key))),
            ("user", Json::text(self.user)),
        ]
    }
}

impl Group {
    /// Reads the members.
    pub fn read(f: &mut Fields) -> Result<Self, FormError> {
        let members: Vec<UserId> = f.parse_list("members", MEMBERS_MAX)?;
        if !members.is_sorted_by(|a, b| a < b) {
            return Err(FormError::invalid(
                "members",
                "must be ascending and distinct",
            ));
        }
        Ok(Self {
            id: f.parse("id")?,
            name: f.parse("name")?,
            members,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("id", Json::text(self.id)),
            ("members", Json::texts(&self.members)),
            ("name", Json::text(&self.name)),
        ]
    }
}

impl AllowListEntry {
    /// Reads the members.
    pub fn read(f: &mut Fields) -> Result<Self, FormError> {
        Ok(Self {
            id: f.parse("id")?,
            chain: f.parse("chain")?,
            address: f.text("address")?,
            label: f.parse("label")?,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("address", Json::text(&self.address)),
            ("chain", Json::text(&self.chain)),
            ("id", Json::text(self.id)),
            ("label", Json::text(&self.label)),
        ]
    }
}

impl Vault {
    fn read(f: &mut Fields) -> Result<Self, FormError> {
        let account = f.number("account")?;
        let account = u32::try_from(account)
            .ok()
            .filter(|a| *a < ADDRESS_INDEX_MAX);
        let tags: Vec<Name> = f.parse_list("tags", 16)?;
        if !tags.is_sorted_by(|a, b| a < b) {
            return Err(FormError::invalid("tags", "must be ascending and distinct"));
        }
        Ok(Self {
            id: f.parse("id")?,
            name: f.parse("name")?,
            key: f.parse("key")?,
            account: account
                .ok_or_else(|| FormError::invalid("account", "must be below 1000000"))?,
            tags,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("account", Json::text(self.account)),
            ("id", Json::text(self.id)),
            ("key", Json::text(self.key)),
            ("name", Json::text(&self.name)),
            ("tags", Json::texts(&self.tags)),
        ]
    }
}

impl CeremonyPlan {
    fn read(f: &mut Fields) -> Result<Self, FormError> {
        let small = |f: &mut Fields, name: &str| {
            u16::try_from(f.number(name)?).map_err(|e| FormError::invalid(name, e))
        };
        let roster: Vec<u16> = f.parse_list("roster", ROSTER_MAX)?;
        let min_signers = small(f, "min_signers")?;
        if !roster.is_sorted_by(|a, b| a < b) || roster.contains(&0) {
            return Err(FormError::invalid(
                "roster",
                "must be ascending, distinct and from 1",
            ));
        }
        let (t, n) = (usize::from(min_signers), roster.len());
        if t < 2 || t > n || 2 * t <= n {
            return Err(FormError::invalid(
                "min_signers",
                "must be at least 2, at most n, and more than n / 2",
            ));
        }
        Ok(Self {
            key: f.parse("key")?,
            suite: f.parse("suite")?,
            min_signers,
            roster,
        })
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("key", Json::text(self.key)),
            ("min_signers", Json::text(self.min_signers)),
            ("roster", Json::texts(&self.roster)),
            ("suite", Json::text(self.suite)),
        ]
    }
}

fn object(members: Vec<(&'static str, Json)>) -> Json {
    Json::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// Writes users, credentials, groups and allow-list entries as plain objects (charter).
pub trait Plain {
    /// The object.
    fn to_json(&self) -> Json;
}

macro_rules! plain {
    ($($name:ident)*) => {$(
        impl Plain for $name {
            fn to_json(&self) -> Json {
                object(self.members())
            }
        }
    )*};
}
plain!(User Credential Group AllowListEntry Vault CeremonyPlan);

impl Record {
    /// Reads a record by its `kind` member.
    pub fn read(f: &mut Fields) -> Result<Self, FormError> {
        match f.text("kind")?.as_str() {
            "user" => User::read(f).map(Self::User),
            "credential" => Credential::read(f).map(Self::Credential),
            "group" => Group::read(f).map(Self::Group),
            "allow_list" => AllowListEntry::read(f).map(Self::AllowList),
            "policy" => f.text("text").map(Self::Policy),
            "vault" => Vault::read(f).map(Self::Vault),
            "ceremony" => CeremonyPlan::read(f).map(Self::Ceremony),
            other => Err(FormError::invalid(
                "kind",
                format!("unknown record kind `{other}`"),
            )),
        }
    }

    /// Writes a record with its `kind` member.
    #[must_use]
    pub fn write(&self) -> Json {
        let (kind, mut members) = match self {
            Self::User(user) => ("user", user.members()),
            Self::Credential(credential) => ("credential", credential.members()),
            Self::Group(group) => ("group", group.members()),
            Self::AllowList(entry) => ("allow_list", entry.members()),
            Self::Policy(text) => ("policy", vec![("text", Json::text(text))]),
            Self::Vault(vault) => ("vault", vault.members()),
            Self::Ceremony(plan) => ("ceremony", plan.members()),
        };
        members.push(("kind", Json::text(kind)));
        object(members)
    }
}
