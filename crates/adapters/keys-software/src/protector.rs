//! The protector: it wraps and unwraps secrets with AES-256-GCM.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use rand_core::{CryptoRngCore, RngCore as _};
use strongroom_guard::{G, kept};
use strongroom_ports::bus::Mode;
use strongroom_ports::keys::{KeyProtector, KeyProtectorError};
use zeroize::Zeroizing;

use crate::file::{self, KEY_LEN};

const VERSION: u8 = 1;
const NONCE_LEN: usize = 12;

/// Wraps shares under a key in a file. It refuses to open when genesis says production.
pub struct SoftwareKeyProtector {
    cipher: Aes256Gcm,
    rng: Mutex<Box<dyn CryptoRngCore + Send>>,
}

/// Reason to refuse the key file.
#[derive(Debug, thiserror::Error)]
pub enum SoftwareKeyError {
    /// Genesis says production, where the key-encryption key must be in an HSM.
    #[error("software key protection is for development only and genesis says production")]
    RefusedInProduction,
    /// The path names a folder, a pipe or a device.
    #[error("the key file is not a regular file")]
    NotAFile,
    /// The file's mode is not 0600.
    #[error("the key file has mode {found:o}, wanted 600")]
    Mode {
        /// Permission bits that were found.
        found: u32,
    },
    /// The file does not have 32 bytes.
    #[error("the key file has {found} bytes, wanted 32")]
    Size {
        /// Length that was found, bytes.
        found: u64,
    },
    /// The file exists already (create), is missing (open), or the disk failed.
    #[error("the key file could not be used")]
    Io(#[from] std::io::Error),
}

impl SoftwareKeyProtector {
    /// Makes a new key file; an existing one is never overwritten. `rng` makes the key and later
    /// the nonces.
    ///
    /// # Errors
    /// As [`SoftwareKeyError`].
    pub fn create(
        path: &Path,
        mode: Mode,
        mut rng: Box<dyn CryptoRngCore + Send>,
    ) -> Result<Self, SoftwareKeyError> {
        refuse_production(mode)?;

        let mut key = Zeroizing::new([0; KEY_LEN]);
        rng.fill_bytes(key.as_mut_slice());
        file::write(path, &key)?;

        Ok(Self::new(&key, rng))
    }

    /// Opens an existing key file.
    ///
    /// # Errors
    /// As [`SoftwareKeyError`].
    pub fn open(
        path: &Path,
        mode: Mode,
        rng: Box<dyn CryptoRngCore + Send>,
    ) -> Result<Self, SoftwareKeyError> {
        refuse_production(mode)?;
        Ok(Self::new(&*file::read(path)?, rng))
    }

    fn new(key: &[u8; KEY_LEN], rng: Box<dyn CryptoRngCore + Send>) -> Self {
        Self {
            cipher: Aes256Gcm::new(key.into()),
            rng: Mutex::new(rng),
        }
    }
}

/// Refuses production, because a key in a file is copied with the disk: shares of real value need
/// hardware.
fn refuse_production(mode: Mode) -> Result<(), SoftwareKeyError> {
    match mode {
        Mode::Dev => Ok(()),
        Mode::Production => Err(SoftwareKeyError::RefusedInProduction),
    }
}

impl fmt::Debug for SoftwareKeyProtector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareKeyProtector(..)")
    }
}

impl KeyProtector for SoftwareKeyProtector {
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeyProtectorError> {
        // The nonce has 96 random bits (NIST SP 800-38D §8.2.2). Two secrets under one key and
        // nonce would show how they differ and would let an attacker forge blobs.
        let mut nonce = [0; NONCE_LEN];
        self.rng
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut nonce);
        let nonce = kept!(G::WrapNonce, nonce, instead [0; NONCE_LEN]);

        let sealed = self
            .cipher
            .encrypt(Nonce::from_slice(&nonce), Payload { msg: secret, aad })
            .map_err(|_| KeyProtectorError::Unavailable("the secret is too long".into()))?;

        let mut blob = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        blob.push(VERSION);
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    fn unwrap(&self, aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyProtectorError> {
        // Every failure gives the same error, because its exact reason would help only an attacker
        // who changed the blob.
        let (nonce, sealed) = match blob.split_first() {
            Some((&VERSION, rest)) => rest
                .split_at_checked(NONCE_LEN)
                .ok_or(KeyProtectorError::Integrity)?,
            Some(_) | None => return Err(KeyProtectorError::Integrity),
        };

        // The `aad` names the key and signer of the blob, so that a blob that is moved to another
        // place does not open.
        let opened = self
            .cipher
            .decrypt(Nonce::from_slice(nonce), Payload { msg: sealed, aad });
        opened
            .map(Zeroizing::new)
            .map_err(|_| KeyProtectorError::Integrity)
    }
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
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    /// A random source that always returns the same byte. Nonces repeat, which does not matter in
    /// these tests.
    struct Constant(u8);

    impl rand_core::RngCore for Constant {
        fn next_u32(&mut self) -> u32 {
            rand_core::impls::next_u32_via_fill(self)
        }
        fn next_u64(&mut self) -> u64 {
            rand_core::impls::next_u64_via_fill(self)
        }
        fn fill_bytes(&mut self, dest: &mut [u8]) {
            dest.fill(self.0);
        }
        fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
            dest.fill(self.0);
            Ok(())
        }
    }
    impl rand_core::CryptoRng for Constant {}

    #[test]
    fn production_is_refused_and_no_file_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kek");
        let create = SoftwareKeyProtector::create(&path, Mode::Production, Box::new(Constant(1)));
        assert!(matches!(create, Err(SoftwareKeyError::RefusedInProduction)));
        assert!(!path.exists());
        SoftwareKeyProtector::create(&path, Mode::Dev, Box::new(Constant(1))).unwrap();
        let open = SoftwareKeyProtector::open(&path, Mode::Production, Box::new(Constant(1)));
        assert!(matches!(open, Err(SoftwareKeyError::RefusedInProduction)));
    }

    #[test]
    fn a_key_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kek");
        SoftwareKeyProtector::create(&path, Mode::Dev, Box::new(Constant(1))).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert!(SoftwareKeyProtector::create(&path, Mode::Dev, Box::new(Constant(2))).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), [1; 32]);
    }

    #[test]
    fn a_key_file_with_another_mode_or_size_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kek");
        let open = || SoftwareKeyProtector::open(&path, Mode::Dev, Box::new(Constant(1)));
        assert!(matches!(open(), Err(SoftwareKeyError::Io(_))));
        SoftwareKeyProtector::create(&path, Mode::Dev, Box::new(Constant(1))).unwrap();
        for mode in [0o644, 0o640, 0o660, 0o700, 0o400] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(open(), Err(SoftwareKeyError::Mode { found }) if found == mode));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(open().is_ok());
        for len in [0u8, 31, 33] {
            std::fs::write(&path, vec![1; len.into()]).unwrap();
            assert!(
                matches!(open(), Err(SoftwareKeyError::Size { found }) if found == u64::from(len))
            );
        }
        let folder = SoftwareKeyProtector::open(dir.path(), Mode::Dev, Box::new(Constant(1)));
        assert!(matches!(folder, Err(SoftwareKeyError::NotAFile)));
    }

    #[test]
    fn blob_bytes_do_not_change() {
        // Test case 13 of McGrew and Viega, "The Galois/Counter Mode of Operation": key and nonce
        // are zero, and the text is empty.
        let protector = SoftwareKeyProtector::new(&[0; 32], Box::new(Constant(0)));
        let tag = [
            0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9, 0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb,
            0x73, 0x8b,
        ];
        let mut want = vec![1];
        want.extend([0; 12]);
        want.extend(tag);
        assert_eq!(protector.wrap(b"", b"").unwrap(), want);
    }

    #[test]
    fn debug_shows_nothing() {
        let protector = SoftwareKeyProtector::new(&[0; 32], Box::new(Constant(0)));
        assert_eq!(format!("{protector:?}"), "SoftwareKeyProtector(..)");
    }
}
