//! The folder of the link's sockets, one for each signer and witness of genesis.

use crate::exit::RunError;
use crate::folder::FolderLock;
use crate::role_name::RoleName;
use std::fs::{DirBuilder, create_dir_all, metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use strongroom_journal::Genesis;
use strongroom_types::NodeId;

/// Makes the folder of the sockets and takes its lock: a second process, with role folders of its
/// own, would replace the sockets under the first, and signers would follow to its bus.
///
/// # Errors
/// [`RunError::InUse`], [`RunError::Folder`].
pub(crate) fn hold_sockets(folder: &Path) -> Result<FolderLock, RunError> {
    let folder_error = |source| RunError::Folder {
        role: RoleName::Link,
        path: folder.to_owned(),
        source,
    };
    make_private(folder).map_err(folder_error)?;
    FolderLock::take(folder, RoleName::Link)
}

/// The socket files are for their owner only; so is the folder, or another user could put a socket
/// of theirs in its place.
fn make_private(folder: &Path) -> std::io::Result<()> {
    if let Some(above) = folder.parent() {
        create_dir_all(above)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
        made => return made,
    }

    // Another user's folder, or one with the usual mode. It is reported and not repaired: another
    // user may have put files there already.
    let mode = metadata(folder)?.permissions().mode();
    if mode & 0o022 == 0 {
        Ok(())
    } else {
        let why = format!(
            "others may write to it (mode {:o}): chmod 700",
            mode & 0o777
        );
        Err(Error::new(ErrorKind::PermissionDenied, why))
    }
}

/// The socket of a seat.
#[must_use]
pub fn socket_path(sockets: &Path, seat: &str) -> PathBuf {
    sockets.join(format!("{seat}.sock"))
}

/// Signers and witnesses of a genesis, by the names of their sockets: `signer-1`, `witness-1`, …
#[must_use]
pub fn seats(genesis: &Genesis) -> Vec<(String, NodeId)> {
    let signers = genesis
        .signers
        .iter()
        .map(|seat| (format!("signer-{}", seat.index), seat.node));
    let witnesses = (1..).zip(&genesis.witnesses);
    let witnesses = witnesses.map(|(number, seat)| (format!("witness-{number}"), seat.node));
    signers.chain(witnesses).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs::{Permissions, set_permissions};

    #[test]
    fn a_socket_folder_that_others_may_write_to_is_refused() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("run");
        for _ in ["made", "found again"] {
            make_private(&folder).unwrap();
            assert_eq!(
                metadata(&folder).unwrap().permissions().mode() & 0o777,
                0o700
            );
        }

        for mode in [0o770, 0o707, 0o777, 0o1777] {
            set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
            let refused = make_private(&folder).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{mode:o}");
        }
    }
}
