//! Credentials: public keys under which people and programs sign, with the members that each class
//! must have.

use crate::fields::{Fields, FormError};
use crate::id::{CredentialId, UserId};
use crate::json::Json;
use crate::plain::Plain;
use crate::text::lower_hex;
use borsh::{BorshDeserialize, BorshSerialize};
use p256::ecdsa::VerifyingKey;
use std::fmt;
use std::str::FromStr;
use strongroom_guard::{G, guard};

/// Largest number of origins of one passkey.
pub const ORIGINS_MAX: usize = 8;
/// Longest relying party id in bytes, as in the DNS.
const RP_ID_BYTES_MAX: usize = 253;

/// Kind of holder of a credential's private key. A signature cannot show which program made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum CredentialClass {
    /// A person's key file or hardware key, used through the CLI with its own decoder.
    Key = 0,
    /// A client program's key. Its user is responsible for the program's intents.
    Program = 1,
    /// A person's passkey: a key in an authenticator that a browser uses.
    Passkey = 2,
    /// Key of a program that watches and may only tighten. It belongs to no human.
    Watch = 3,
    /// Key of a source of facts such as prices. It belongs to no human.
    Feed = 4,
}

const CLASSES: [(CredentialClass, &str); 5] = [
    (CredentialClass::Key, "key"),
    (CredentialClass::Program, "program"),
    (CredentialClass::Passkey, "passkey"),
    (CredentialClass::Watch, "watch"),
    (CredentialClass::Feed, "feed"),
];

impl CredentialClass {
    /// Whether its credentials belong to a user.
    #[must_use]
    pub const fn has_user(self) -> bool {
        match self {
            Self::Key | Self::Program | Self::Passkey => true,
            Self::Watch | Self::Feed => false,
        }
    }
}

impl fmt::Display for CredentialClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = CLASSES
            .iter()
            .find(|(class, _)| class == self)
            .map_or("", |(_, text)| text);
        f.write_str(text)
    }
}

impl FromStr for CredentialClass {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = CLASSES.iter().find(|(_, name)| *name == text);
        known
            .map(|(class, _)| *class)
            .ok_or("a credential class is key, program, passkey, watch or feed")
    }
}

/// A public key with its algorithm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum PublicKey {
    /// Ed25519 (RFC 8032), 32 bytes.
    Ed25519([u8; 32]) = 0,
    /// ECDSA over P-256 with SHA-256; the compressed point, 33 bytes (SEC 1 §2.3.3).
    P256([u8; 33]) = 1,
}

impl PublicKey {
    /// Name of the algorithm: `ed25519` or `p256`.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "ed25519",
            Self::P256(_) => "p256",
        }
    }

    /// The key's bytes in lower-case hex.
    #[must_use]
    pub fn to_hex(&self) -> String {
        match self {
            Self::Ed25519(bytes) => hex::encode(bytes),
            Self::P256(bytes) => hex::encode(bytes),
        }
    }

    /// Reads a key from its algorithm's name and its bytes in lower-case hex.
    ///
    /// # Errors
    /// An unknown algorithm; bytes of another length; for P-256 anything but a compressed point of
    /// the curve.
    pub fn from_text(algorithm: &str, hex: &str) -> Result<Self, FormError> {
        let key = match algorithm {
            "ed25519" => lower_hex(hex).map(Self::Ed25519),
            "p256" => lower_hex(hex).map(Self::P256),
            _ => {
                let reason = "must be ed25519 or p256";
                return Err(FormError::invalid("algorithm", reason));
            }
        };

        key.filter(Self::is_canonical).ok_or_else(|| {
            let reason =
                "expected lower-case hex: 32 bytes for ed25519, a compressed point for p256";
            FormError::invalid("public_key", reason)
        })
    }

    /// Whether the bytes are the only accepted encoding of the key.
    fn is_canonical(&self) -> bool {
        match self {
            Self::Ed25519(_) => true,
            // SEC 1 readers also accept 33 bytes with the tag 05 (compact). That would be a second
            // text of one key, which could be enrolled for a second human.
            Self::P256(bytes) => {
                let is_second = guard(G::StrictCodec, !matches!(bytes, [2 | 3, ..]));
                !is_second && VerifyingKey::from_sec1_bytes(bytes).is_ok()
            }
        }
    }
}

/// Whether a passkey may leave the device on which it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum BackupPolicy {
    /// The key must be in an authenticator that cannot copy it.
    DeviceBound = 0,
    /// The key may be held by a provider that copies it to the person's other devices.
    SyncedAllowed = 1,
}

impl fmt::Display for BackupPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeviceBound => "device_bound",
            Self::SyncedAllowed => "synced_allowed",
        })
    }
}

impl FromStr for BackupPolicy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "device_bound" => Ok(Self::DeviceBound),
            "synced_allowed" => Ok(Self::SyncedAllowed),
            _ => Err("a backup policy is device_bound or synced_allowed"),
        }
    }
}

/// Pages for which a passkey signs.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct RelyingParty {
    /// Relying party id: a domain in lower case, 1–253 bytes.
    pub rp_id: String,
    /// Origins as browsers write them, ascending, distinct, 1 to [`ORIGINS_MAX`].
    pub origins: Vec<String>,
    /// Whether the authenticator may copy the key to other devices.
    pub backup: BackupPolicy,
}

impl RelyingParty {
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            rp_id: f.text("rp_id")?,
            origins: f.parse_list("origins", ORIGINS_MAX)?,
            backup: f.parse("backup")?,
        })
    }

    fn to_json(&self) -> Json<'_> {
        Json::object([
            ("backup", Json::text(self.backup)),
            ("origins", Json::texts(&self.origins)),
            ("rp_id", Json::text(&self.rp_id)),
        ])
    }

    fn check(&self) -> Result<(), FormError> {
        if !is_domain(&self.rp_id) {
            let reason = "must be a domain in lower case";
            return Err(FormError::invalid("rp_id", reason));
        }

        // Origins must be ascending and distinct, so that one set has one text. Without an origin
        // no assertion could be accepted.
        let sized = (1..=ORIGINS_MAX).contains(&self.origins.len());
        if !sized || !self.origins.is_sorted_by(|a, b| a < b) {
            let reason = "must be 1 to 8, ascending and distinct";
            return Err(FormError::invalid("origins", reason));
        }

        // Authenticators scope a key to the relying party id. An assertion for an origin outside of
        // it could only come from a page that the browser allowed to act for another site.
        if !self.origins.iter().all(|o| is_origin_of(o, &self.rp_id)) {
            let reason =
                "must be https://<rp_id or a subdomain>[:port], or http://localhost[:port]";
            return Err(FormError::invalid("origins", reason));
        }
        Ok(())
    }
}

/// Letters, digits and inner hyphens, in labels of 1–63 bytes (RFC 1123 §2.1). Punycode is
/// accepted, because browsers write other scripts so.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };

    text.len() <= RP_ID_BYTES_MAX && text.split('.').all(is_label)
}

/// Whether `origin` is in the one form in which browsers write it (RFC 6454 §6.2) and belongs to
/// the relying party.
fn is_origin_of(origin: &str, rp_id: &str) -> bool {
    let (rest, default_port) = if let Some(rest) = origin.strip_prefix("https://") {
        (rest, 443)
    } else if let Some(rest) = origin
        .strip_prefix("http://")
        .filter(|_| rp_id == "localhost")
    {
        (rest, 80)
    } else {
        return false;
    };

    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    // A browser leaves the default port out. An origin with it would never compare equal, so it is
    // refused.
    let port_ok = port.is_none_or(|text| {
        let number: Result<u16, _> = text.parse();
        number.is_ok_and(|n| n != 0 && n != default_port && n.to_string() == text)
    });
    let is_sub = host
        .strip_suffix(rp_id)
        .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
    port_ok && is_sub && is_domain(host)
}

/// A public key with its holder and class.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Credential {
    /// Id, unique in the tenant permanently.
    pub id: CredentialId,
    /// The human who holds the private key or is responsible for it; `None` for `watch` and `feed`.
    pub user: Option<UserId>,
    /// Kind of holder of the private key.
    pub class: CredentialClass,
    /// Key under which its signatures verify.
    pub key: PublicKey,
    /// Pages for which a passkey signs; `None` for every other class.
    pub web: Option<RelyingParty>,
}

impl Credential {
    /// Checks that the credential has the members of its class, and the forms of key and relying
    /// party. It is called for every text that is read and for genesis.
    ///
    /// # Errors
    /// [`FormError`] that names the member that breaks a rule.
    pub fn check(&self) -> Result<(), FormError> {
        // A key of a class without a human must not count as a human's, and a human's key must
        // belong to a user.
        if self.user.is_some() != self.class.has_user() {
            let reason = "classes key, program and passkey have a user, watch and feed have none";
            return Err(FormError::invalid("user", reason));
        }

        // A passkey without a relying party could sign for every page. For the other classes a
        // relying party means nothing, so it is refused.
        match (self.class, &self.web, &self.key) {
            (CredentialClass::Passkey, Some(web), PublicKey::P256(_)) => web.check()?,
            (CredentialClass::Passkey, _, _) => {
                let reason = "a passkey has the algorithm p256 and a member web";
                return Err(FormError::invalid("class", reason));
            }
            (
                CredentialClass::Key
                | CredentialClass::Program
                | CredentialClass::Watch
                | CredentialClass::Feed,
                web,
                _,
            ) => {
                if web.is_some() {
                    let reason = "only a passkey has a relying party";
                    return Err(FormError::invalid("web", reason));
                }
            }
        }

        if self.key.is_canonical() {
            Ok(())
        } else {
            let reason = "expected a compressed point";
            Err(FormError::invalid("public_key", reason))
        }
    }

    /// The user, if this credential counts for that human on a board.
    #[must_use]
    pub fn board_user(&self) -> Option<UserId> {
        match self.class {
            CredentialClass::Key | CredentialClass::Passkey => self.user,
            // A program's key is on a server's disk, and `watch` and `feed` have no human, so none
            // of them counts on a board.
            CredentialClass::Program | CredentialClass::Watch | CredentialClass::Feed => None,
        }
    }
}

impl Plain for Credential {
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let web = if f.has("web") {
            Some(f.object("web", RelyingParty::read)?)
        } else {
            None
        };

        let credential = Self {
            id: f.parse("id")?,
            user: f.parse_opt("user")?,
            class: f.parse("class")?,
            key: PublicKey::from_text(&f.text("algorithm")?, &f.text("public_key")?)?,
            web,
        };

        // Checked here, since every later reader relies on it.
        credential.check()?;
        Ok(credential)
    }

    fn members(&self) -> Vec<(&'static str, Json<'_>)> {
        let mut members = vec![
            ("algorithm", Json::text(self.key.algorithm())),
            ("class", Json::text(self.class)),
            ("id", Json::text(self.id)),
            ("public_key", Json::text(self.key.to_hex())),
        ];

        // A member that is absent is left out, so that one credential has one text.
        members.extend(self.user.iter().map(|user| ("user", Json::text(user))));
        members.extend(self.web.iter().map(|web| ("web", web.to_json())));
        members
    }
}
