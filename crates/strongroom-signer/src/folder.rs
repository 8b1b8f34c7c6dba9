//! The data folder: keys, database, lock.

use crate::exit::AlreadyRunning;
use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_guard::{G, guard};
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_signer_core::{NodeSecrets, check_store};
use strongroom_store_sqlite::SqliteDb;
use zeroize::Zeroizing;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const KEY_LEN: usize = 32;

/// A data folder.
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path; [`Self::check`] looks whether it is there.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Makes a folder that only its owner can enter, or takes one that is so already.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path);
        made.with_context(|| format!("cannot make {}", path.display()))?;

        // A folder that was there keeps its mode, so it is looked at as well.
        let folder = Self(path.to_owned());
        folder.check()?;
        Ok(folder)
    }

    /// Refuses a folder that others can enter.
    pub fn check(&self) -> anyhow::Result<()> {
        let path = self.0.display();
        let meta = std::fs::metadata(&self.0)
            .with_context(|| format!("cannot use {path}: run `init` first"))?;
        anyhow::ensure!(meta.is_dir(), "{path} is not a folder");

        // Another user who can enter can replace a key file, whatever the file's own mode is.
        let mode = meta.mode() & 0o7777;
        anyhow::ensure!(
            mode & 0o077 == 0,
            "{path} has mode {mode:o}: others can enter it; wanted 700"
        );
        Ok(())
    }

    /// The store of replica, witness memory and key shares, once it is known to be a signer's.
    pub fn open_store(&self) -> anyhow::Result<SqliteDb> {
        let db = SqliteDb::open(&self.0.join("signer.db")).context("cannot open the store")?;
        check_store(&db)?;
        Ok(db)
    }

    /// The key that wraps shares (development only).
    pub fn wrapping_key(&self) -> PathBuf {
        self.0.join("kek")
    }

    /// The admin socket, unless the configuration says otherwise.
    pub fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }

    /// The boot marker, unless the configuration says otherwise: beside the folder, not in it.
    pub fn marker(&self) -> PathBuf {
        // A backup of the folder must not contain it: restored together, marker and database would
        // agree.
        let mut name = self.0.file_name().unwrap_or_default().to_owned();
        name.push(".marker");
        self.0.with_file_name(name)
    }

    /// One process at a time; the lock ends with the file.
    pub fn lock(&self) -> anyhow::Result<File> {
        let path = self.0.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;

        let locked = file.try_lock();
        let is_held = matches!(locked, Err(TryLockError::WouldBlock));
        if guard(G::FolderLock, is_held) {
            return Err(AlreadyRunning(self.0.display().to_string()).into());
        }
        if let Err(TryLockError::Error(error)) = locked {
            return Err(error).context("cannot lock the data folder");
        }
        Ok(file)
    }

    /// Writes new keys; a key that exists is never overwritten.
    pub fn write_secrets(&self, secrets: &NodeSecrets) -> anyhow::Result<()> {
        self.write("signing.key", &Zeroizing::new(secrets.signing.to_bytes()))?;
        self.write("witness.key", &secrets.witness)?;
        self.write("sealing.key", &secrets.sealing.to_secret_bytes())?;

        // The record is printed next and goes into genesis: keys lost with the power would be a
        // dead seat.
        File::open(&self.0)?
            .sync_all()
            .context("cannot sync the data folder")
    }

    /// Reads this node's keys.
    pub fn read_secrets(&self) -> anyhow::Result<NodeSecrets> {
        let signing = self.read("signing.key")?;
        let sealing = self.read("sealing.key")?;
        Ok(NodeSecrets {
            signing: SigningKey::from_bytes(&signing),
            witness: self.read("witness.key")?,
            sealing: SealingSecret::from_bytes(&sealing),
        })
    }

    fn write(&self, name: &str, key: &[u8; KEY_LEN]) -> anyhow::Result<()> {
        let path = self.0.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path);
        let mut file = file.with_context(|| format!("cannot make {}", path.display()))?;
        file.write_all(key)
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn read(&self, name: &str) -> anyhow::Result<Zeroizing<[u8; KEY_LEN]>> {
        let path = self.0.join(name);
        let shown = path.display();
        let mut file =
            File::open(&path).with_context(|| format!("cannot open {shown}: run `init` first"))?;

        // The mode is that of the open file: the path could lead to another one by now.
        let meta = file.metadata()?;
        let mode = meta.mode() & 0o7777;
        anyhow::ensure!(
            mode & 0o077 == 0,
            "{shown} has mode {mode:o}: others can read it; wanted 600"
        );
        anyhow::ensure!(
            meta.is_file() && meta.len() == KEY_LEN as u64,
            "{shown} is not a key of {KEY_LEN} bytes"
        );

        let mut key = Zeroizing::new([0; KEY_LEN]);
        file.read_exact(key.as_mut_slice())
            .with_context(|| format!("cannot read {shown}"))?;
        Ok(key)
    }
}
