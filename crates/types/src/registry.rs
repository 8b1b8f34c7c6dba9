//! Records of a tenant's registry: users, groups, allow-list entries, policy, vaults,
//! ceremonies.

use crate::board::NamedBoard;
use crate::caip::ChainId;
use crate::credential::Credential;
use crate::fields::{Fields, FormError};
use crate::id::{AllowListId, GroupId, KeyId, UserId, VaultId};
use crate::json::Json;
use crate::plain::Plain;
use crate::text::Name;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;
use strongroom_guard::{G, guard};

/// Largest number of members of one group.
pub const MEMBERS_MAX: usize = 256;
/// Largest number of tags of one vault.
const TAGS_MAX: usize = 16;
/// Largest number of signers of one roster.
pub const ROSTER_MAX: usize = 64;
/// Exclusive upper bound of account indices.
pub const ACCOUNT_INDEX_MAX: u32 = 1_000_000;
// One bound for those who give addresses out, watch them and sign for them: a coin of the vault
// that its own service does not see is lost without a thief.
/// Exclusive upper bound of address indices, on each branch of a vault: all below it are watched,
/// and no other is taken for the vault's own.
pub const ADDRESS_INDEX_MAX: u32 = 50;

/// A human being known to the tenant.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct User {
    /// Id, unique in the tenant permanently.
    pub id: UserId,
    /// Name shown to people.
    pub name: Name,
}

/// A set of users that approve together.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Group {
    /// Id; a later record under it replaces the group.
    pub id: GroupId,
    /// Name shown to people.
    pub name: Name,
    /// Members, ascending, distinct.
    pub members: Vec<UserId>,
}

/// A destination that the tenant trusts.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct AllowListEntry {
    /// Id, unique in the tenant permanently, because decisions name the entries on which they rely.
    pub id: AllowListId,
    /// Chain of the address, CAIP-2.
    pub chain: ChainId,
    /// Address in the only canonical form of the chain.
    pub address: String,
    /// Label shown to approvers beside the address.
    pub label: Name,
}

/// A policy container: a key, an account index on it, and a name.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Vault {
    /// Id, unique in the tenant.
    pub id: VaultId,
    /// Name shown to people.
    pub name: Name,
    /// Threshold key from which its addresses derive.
    pub key: KeyId,
    /// Account index on that key, below [`ACCOUNT_INDEX_MAX`]; unique per key.
    pub account: u32,
    /// Labels that policy rules can name, ascending, distinct, at most 16.
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

/// A key generation as the committee releases it. Signers take part in no other one.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct CeremonyPlan {
    /// Key that the ceremony makes.
    pub key: KeyId,
    /// Signature scheme of the key.
    pub suite: Suite,
    /// Signers needed for a signature (t).
    pub min_signers: u16,
    /// Signer indices of the genesis roster, ascending, distinct (n of them).
    pub roster: Vec<u16>,
}

/// One registry record, as `put` sets it.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum RegistryRecord {
    /// A new user of the tenant.
    User(User),
    /// Another public key of a user.
    Credential(Credential),
    /// A new group, or a replacement of one.
    Group(Group),
    /// A new entry of the allow-list.
    AllowList(AllowListEntry),
    /// The tenant's policy: the canonical text of `strongroom/policy/v1`.
    Policy(String),
    /// A new vault on a key whose ceremony has finished.
    Vault(Vault),
    /// A key generation, for the signers of its roster.
    Ceremony(CeremonyPlan),
    /// A board with other members or another quorum.
    Board(NamedBoard),
}

/// Reads one member. `text` is any type with one text form; `address` is an address literal;
/// `number` is decimal digits without leading zeros; `set(max)` is a list in ascending order without
/// doubles, so that equal sets have equal texts.
macro_rules! read_member {
    ($f:ident $name:ident text) => {
        $f.parse(stringify!($name))?
    };
    ($f:ident $name:ident address) => {
        $f.address(stringify!($name))?
    };
    ($f:ident $name:ident number) => {
        number($f, stringify!($name))?
    };
    ($f:ident $name:ident set($max:expr)) => {
        ascending($f, stringify!($name), $max)?
    };
}

macro_rules! write_member {
    ($value:expr, text) => {
        Json::text(&$value)
    };
    ($value:expr, address) => {
        Json::str(&$value)
    };
    ($value:expr, number) => {
        Json::text($value)
    };
    ($value:expr, set($max:expr)) => {
        Json::texts(&$value)
    };
}

/// Implements [`Plain`] from one line per kind of object. `check` names a function for rules that
/// concern several members.
macro_rules! plain {
    ($($kind:ident { $($member:ident: $form:ident $(($max:expr))?),* } $(check $check:ident)?;)*) => {$(
        impl Plain for $kind {
            fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
                let read = Self { $($member: read_member!(f $member $form $(($max))?)),* };
                $($check(&read)?;)?
                Ok(read)
            }

            fn members(&self) -> Vec<(&'static str, Json<'_>)> {
                vec![$((stringify!($member), write_member!(self.$member, $form $(($max))?))),*]
            }
        }
    )*};
}

plain! {
    User { id: text, name: text };
    Group { id: text, name: text, members: set(MEMBERS_MAX) };
    AllowListEntry { id: text, chain: text, address: address, label: text };
    Vault { id: text, name: text, key: text, account: number, tags: set(TAGS_MAX) } check check_account;
    CeremonyPlan { key: text, suite: text, min_signers: number, roster: set(ROSTER_MAX) } check check_plan;
}

fn ascending<T: FromStr<Err: fmt::Display> + Ord>(
    f: &mut Fields<'_>,
    name: &str,
    max: usize,
) -> Result<Vec<T>, FormError> {
    let list: Vec<T> = f.parse_list(name, max)?;

    // A set must be ascending, so that it has one text: two orders of the same people would have
    // two digests.
    if list.is_sorted_by(|a, b| a < b) {
        Ok(list)
    } else {
        Err(FormError::invalid(name, "must be ascending and distinct"))
    }
}

fn number<T: TryFrom<u64, Error: fmt::Display>>(
    f: &mut Fields<'_>,
    name: &str,
) -> Result<T, FormError> {
    T::try_from(f.number(name)?).map_err(|e| FormError::invalid(name, e))
}

fn check_account(vault: &Vault) -> Result<(), FormError> {
    if vault.account < ACCOUNT_INDEX_MAX {
        Ok(())
    } else {
        Err(FormError::invalid("account", "must be below 1000000"))
    }
}

fn check_plan(plan: &CeremonyPlan) -> Result<(), FormError> {
    // Index 0 is refused, because its share would be the secret itself (RFC 9591 Appendix C.1).
    if guard(G::IndexNonZero, plan.roster.contains(&0)) {
        let reason = "must be ascending, distinct and from 1";
        return Err(FormError::invalid("roster", reason));
    }

    // With t ≤ n / 2, two disjoint quorums of signers could follow two histories of the journal and
    // both sign.
    let (t, n) = (usize::from(plan.min_signers), plan.roster.len());
    if t < 2 || t > n || 2 * t <= n {
        return Err(FormError::invalid(
            "min_signers",
            "must be at least 2, at most n, and more than n / 2",
        ));
    }
    Ok(())
}

impl RegistryRecord {
    /// Reads a record by its `kind` member.
    pub fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        match f.text("kind")?.as_str() {
            "user" => User::read(f).map(Self::User),
            "credential" => Credential::read(f).map(Self::Credential),
            "group" => Group::read(f).map(Self::Group),
            "allow_list" => AllowListEntry::read(f).map(Self::AllowList),
            "policy" => f.text("text").map(Self::Policy),
            "vault" => Vault::read(f).map(Self::Vault),
            "ceremony" => CeremonyPlan::read(f).map(Self::Ceremony),
            "board" => NamedBoard::read(f).map(Self::Board),

            // An unknown kind is refused and not ignored, as for tightenings.
            other => Err(FormError::invalid(
                "kind",
                format!("unknown record kind `{other}`"),
            )),
        }
    }

    /// Writes a record with its `kind` member.
    #[must_use]
    pub fn write(&self) -> Json<'_> {
        let (kind, mut members) = match self {
            Self::User(user) => ("user", user.members()),
            Self::Credential(credential) => ("credential", credential.members()),
            Self::Group(group) => ("group", group.members()),
            Self::AllowList(entry) => ("allow_list", entry.members()),
            Self::Policy(text) => ("policy", vec![("text", Json::str(text))]),
            Self::Vault(vault) => ("vault", vault.members()),
            Self::Ceremony(plan) => ("ceremony", plan.members()),
            Self::Board(board) => ("board", board.members()),
        };

        members.push(("kind", Json::text(kind)));
        Json::object(members)
    }
}
