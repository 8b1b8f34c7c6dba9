//! The boot marker: a file outside of the data folder, replaced whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_signer_core::Marker;

/// Boot generation, 16 bytes in a file of its own.
pub struct FileMarker(PathBuf);

impl FileMarker {
    /// The marker at a path; its folder is made if need be.
    pub fn at(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self(path.to_owned()))
    }

    fn folder(&self) -> &Path {
        self.0
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }
}

impl Marker for FileMarker {
    fn read(&self) -> io::Result<Option<[u8; 16]>> {
        match std::fs::read(&self.0) {
            Ok(bytes) => {
                // Another length is an error and not "none": none retires the key for good, and a
                // damaged file may still be mended.
                let bytes = bytes.as_slice().try_into();
                bytes
                    .map(Some)
                    .map_err(|_| io::Error::other("the boot marker has not 16 bytes"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&mut self, generation: [u8; 16]) -> io::Result<()> {
        // A half-written marker would not be read at the next start, and the node would not start.
        let next = self.0.with_extension("next");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&next)?;
        file.write_all(&generation)?;
        file.sync_all()?;
        std::fs::rename(&next, &self.0)?;

        // A rename is durable once its folder is. Lost with the power, the older marker would
        // contradict the database, and the key would be retired for nothing.
        File::open(self.folder())?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_marker_is_absent_then_what_was_written_and_never_guessed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("boot").join("marker");
        let mut marker = FileMarker::at(&path).unwrap();
        assert_eq!(marker.read().unwrap(), None);
        marker.write([7; 16]).unwrap();
        marker.write([8; 16]).unwrap();
        assert_eq!(
            FileMarker::at(&path).unwrap().read().unwrap(),
            Some([8; 16])
        );
        std::fs::write(&path, [1; 15]).unwrap();
        assert!(marker.read().is_err());
    }
}
