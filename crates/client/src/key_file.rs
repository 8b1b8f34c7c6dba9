//! Key files: an Ed25519 seed with the credential it belongs to, for its owner only. Never printed.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_ports::host::Entropy;
use strongroom_types::credential::PublicKey;
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;
use strongroom_types::text::lower_hex;
use strongroom_types::{Credential, CredentialClass, CredentialId, SigningCredential, UserId};
use zeroize::Zeroizing;

/// Mode of a key file: read and written by its owner, by no one else.
const MODE: u32 = 0o600;
/// Largest key file, bytes: some 300 are used.
const FILE_BYTES_MAX: u64 = 4096;

/// Reason for which a key file was not written or not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file system.
    #[error("key file {path}")]
    Io {
        /// Path of the key file.
        path: PathBuf,
        /// Error of the file system.
        #[source]
        error: std::io::Error,
    },
    /// Another user may read or write it.
    #[error("key file {path} has mode {found:o}; only its owner may read it: chmod 600 {path}")]
    Mode {
        /// Path of the key file.
        path: PathBuf,
        /// Permission bits found.
        found: u32,
    },
    /// Not a key file. Never quotes its content.
    #[error("{path} is not a key file: {what}")]
    Form {
        /// Path of the file.
        path: PathBuf,
        /// Deviation from the form, without any of its text.
        what: String,
    },
    /// A class that a seed in a file cannot serve, such as `passkey`.
    #[error("no key file can hold a credential of this class")]
    Class(#[source] FormError),
}

/// A person's or program's signing key. Zeroised on drop.
///
/// File: canonical JSON `{"class","credential","public_key","seed","user"}`, Ed25519 keys in
/// lower-case hex, `user` only for a class that has one, mode 0600.
pub struct KeyFile {
    credential: Credential,
    seed: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({}, ..)", self.credential.id)
    }
}

impl KeyFile {
    /// Makes a key and writes its file, which must not exist. Without a user a new user id is made,
    /// where the class has one.
    ///
    /// # Errors
    /// The file system's; a class that no key file can hold.
    pub fn create(
        path: &Path,
        class: CredentialClass,
        user: Option<UserId>,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyFileError> {
        let mut rng = entropy.rng();
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());

        let user = user.or_else(|| class.has_user().then(|| UserId::random(rng.as_mut())));

        let file = Self::from_seed(CredentialId::random(rng.as_mut()), user, class, &seed);

        // A class that no key file can hold is refused, because no registry would take it: the key
        // of a passkey, for one, never leaves its authenticator.
        file.credential.check().map_err(KeyFileError::Class)?;
        file.save(path)?;
        Ok(file)
    }

    /// A key that was made elsewhere.
    #[must_use]
    pub fn from_seed(
        id: CredentialId,
        user: Option<UserId>,
        class: CredentialClass,
        seed: &[u8; 32],
    ) -> Self {
        let key = PublicKey::Ed25519(SigningCredential::new(id, seed).public_key());
        Self {
            credential: Credential {
                id,
                user,
                class,
                key,
                web: None,
            },
            seed: Zeroizing::new(*seed),
        }
    }

    /// Writes a new file, for its owner only, durably.
    ///
    /// # Errors
    /// The file system's; a file that exists is never overwritten.
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        let text = self.text();

        // `create_new` overwrites nothing: an older file may hold the only copy of a registered
        // key. The mode is set as the file is made, because a later chmod leaves a moment in which
        // others can open it. The file is synced: a key that is registered and then lost with the
        // power can sign nothing more.
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(MODE)
                .open(path)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        };

        write().map_err(|error| KeyFileError::Io {
            path: path.to_owned(),
            error,
        })
    }

    /// Opens a key file. The checks are on the opened file, not on its name.
    ///
    /// # Errors
    /// A mode other than 0600 (or 0400), a text that is not exactly a key file, a public key of
    /// another seed.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let io = |error| KeyFileError::Io {
            path: path.to_owned(),
            error,
        };
        let form = |what: &str| KeyFileError::Form {
            path: path.to_owned(),
            what: what.to_owned(),
        };

        // The open file is asked, not the path: between two look-ups the path could change its
        // file.
        let file = File::open(path).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        let mode = meta.mode() & 0o7777;
        if !meta.is_file() {
            return Err(form("not a file"));
        }

        // A seed that others could read may be in use elsewhere; one that they could write may be
        // theirs.
        if ![MODE, 0o400].contains(&mode) {
            return Err(KeyFileError::Mode {
                path: path.to_owned(),
                found: mode,
            });
        }

        // There is room for a whole file: a text that grows leaves copies of the seed that are not
        // wiped.
        let mut text = Zeroizing::new(String::with_capacity(512));
        file.take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(io)?;
        // The detail of a form error could quote the seed.
        let read = read_key(text.trim_end())
            .map_err(|_| form("its text is not the one form of a key file"))?;
        read.ok_or_else(|| form("its public key is not the one of its seed"))
    }

    /// Public part of the key, as the tenant's registry holds it.
    #[must_use]
    pub fn credential(&self) -> Credential {
        self.credential.clone()
    }

    /// The key, ready to sign.
    #[must_use]
    pub fn signing(&self) -> SigningCredential {
        SigningCredential::new(self.credential.id, &self.seed)
    }

    fn text(&self) -> Zeroizing<String> {
        let Credential {
            id,
            user,
            class,
            key,
            web: _,
        } = &self.credential;
        let seed = Zeroizing::new(hex::encode(self.seed.as_slice()));
        let mut members = vec![
            ("class", Json::text(class)),
            ("credential", Json::text(id)),
            ("public_key", Json::text(key.to_hex())),
            ("seed", Json::str(&seed)),
        ];
        members.extend(user.iter().map(|user| ("user", Json::text(user))));
        Zeroizing::new(Json::object(members).to_text())
    }
}

/// Key of a file's text; `None` when its public key is not the one of its seed.
fn read_key(text: &str) -> Result<Option<KeyFile>, FormError> {
    // Texts are read where they stand, but escapes are decoded into a copy, which is not wiped. No
    // member of a key file has any.
    if text.contains('\\') {
        return Err(FormError::invalid("key file", "an escape"));
    }

    let mut fields = Fields::of(Json::parse(text)?, "key file")?;
    let hex = |fields: &mut Fields<'_>, name: &str| {
        lower_hex::<32>(&fields.str(name)?).ok_or_else(|| FormError::invalid(name, "hex"))
    };

    let seed = Zeroizing::new(hex(&mut fields, "seed")?);
    let public_key = PublicKey::Ed25519(hex(&mut fields, "public_key")?);
    let (id, user, class) = (
        fields.parse("credential")?,
        fields.parse_opt("user")?,
        fields.parse("class")?,
    );
    fields.end()?;

    // A damaged seed would still sign, with a key that no registry knows.
    let key = KeyFile::from_seed(id, user, class, &seed);
    key.credential.check()?;
    Ok(Some(key).filter(|key| key.credential.key == public_key))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )]
    use super::*;
    use std::fs::{Permissions, read_to_string, set_permissions, write};
    use std::os::unix::fs::PermissionsExt as _;
    use strongroom_host::SystemEntropy;

    fn fixture() -> (tempfile::TempDir, PathBuf, KeyFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alice.json");
        let key = KeyFile::create(&path, CredentialClass::Key, None, &SystemEntropy).unwrap();
        (dir, path, key)
    }

    #[test]
    fn a_key_file_reads_back_and_is_for_its_owner_only() {
        let (_dir, path, key) = fixture();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let again = KeyFile::open(&path).unwrap();
        assert_eq!(again.credential(), key.credential());
        let public = PublicKey::Ed25519(again.signing().public_key());
        assert_eq!(public, key.credential().key);
        set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(KeyFile::open(&path).is_ok());
    }

    #[test]
    fn a_key_file_that_others_can_touch_is_refused() {
        let (_dir, path, _) = fixture();
        for mode in [0o644, 0o640, 0o660, 0o602, 0o700, 0o4600] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(KeyFile::open(&path), Err(KeyFileError::Mode { .. })),
                "{mode:o}"
            );
        }
    }

    #[test]
    fn a_key_of_no_human_has_no_user_and_a_passkey_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let create = |name: &str, class, user| {
            let path = dir.path().join(name);
            let made = KeyFile::create(&path, class, user, &SystemEntropy);
            (made, path)
        };
        let (feed, path) = create("feed.json", CredentialClass::Feed, None);
        assert_eq!(feed.unwrap().credential().user, None);
        assert_eq!(KeyFile::open(&path).unwrap().credential().user, None);

        let user = Some(UserId([1; 16]));
        for (name, class, user) in [
            ("watch.json", CredentialClass::Watch, user),
            ("passkey.json", CredentialClass::Passkey, user),
        ] {
            let (made, path) = create(name, class, user);
            assert!(matches!(made, Err(KeyFileError::Class(_))), "{class}");
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_key_file_is_never_overwritten() {
        let (_dir, path, key) = fixture();
        let before = read_to_string(&path).unwrap();
        assert!(matches!(key.save(&path), Err(KeyFileError::Io { .. })));
        assert_eq!(read_to_string(&path).unwrap(), before);
    }

    #[test]
    fn a_changed_key_file_is_refused_and_no_error_quotes_the_seed() {
        let (_dir, path, key) = fixture();
        let text = read_to_string(&path).unwrap();
        let seed = hex::encode(key.seed.as_slice());
        let other = format!("{}0", &seed[..63]);
        let other = if other == seed {
            format!("{}1", &seed[..63])
        } else {
            other
        };
        for bad in [
            text.replace(&seed, &other),
            text.replace("\"seed\"", "\"sead\""),
            text.replace(&seed, &seed.to_uppercase()),
            text.replace("{\"class\"", "{ \"class\""),
            String::new(),
        ] {
            write(&path, bad).unwrap();
            let error = KeyFile::open(&path).unwrap_err().to_string();
            assert!(
                error.contains("not a key file") && !error.contains(&seed[..16]),
                "{error}"
            );
        }
    }

    #[test]
    fn a_key_file_with_an_escape_is_refused_before_it_is_read() {
        let (_dir, _, key) = fixture();
        let text = key.text();
        assert!(read_key(&text).is_ok());

        let seed = hex::encode(key.seed.as_slice());
        let escaped = format!("\\u00{:02x}{}", seed.as_bytes()[0], &seed[1..]);
        let refused = read_key(&text.replace(&seed, &escaped)).err();
        assert_eq!(refused, Some(FormError::invalid("key file", "an escape")));
    }

    #[test]
    fn debug_shows_no_secret() {
        let (_dir, _, key) = fixture();
        let shown = format!("{key:?} {:?}", key.signing());
        assert!(!shown.contains(&hex::encode(key.seed.as_slice())) && shown.contains(".."));
    }
}
