//! The key file: 32 random bytes with mode 0600, which are written once.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::protector::SoftwareKeyError;

/// Length of an AES-256 key in bytes.
pub(crate) const KEY_LEN: usize = 32;
const MODE: u32 = 0o600;

/// Writes a new key file and syncs it and its folder to disk.
pub(crate) fn write(path: &Path, key: &[u8; KEY_LEN]) -> Result<(), SoftwareKeyError> {
    // `create_new` refuses a file that exists: every share that was wrapped under an overwritten
    // key would be lost. The mode is set at creation, so that there is no moment in which others
    // could open the file.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    file.write_all(key)?;
    file.sync_all()?;

    // The folder is synced too, so that the file's name also survives a power failure.
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Reads a key file after a check that no other user can read it. The opened file is checked and
/// not its name, because another file could get that name between check and opening.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<[u8; KEY_LEN]>, SoftwareKeyError> {
    let mut file = File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(SoftwareKeyError::NotAFile);
    }

    // A key that other users could read is no longer secret. It is refused, so that the operator
    // replaces it.
    if meta.mode() & 0o7777 != MODE {
        return Err(SoftwareKeyError::Mode {
            found: meta.mode() & 0o7777,
        });
    }

    if meta.len() != KEY_LEN as u64 {
        return Err(SoftwareKeyError::Size { found: meta.len() });
    }

    let mut key = Zeroizing::new([0; KEY_LEN]);
    file.read_exact(key.as_mut_slice())?;
    Ok(key)
}
