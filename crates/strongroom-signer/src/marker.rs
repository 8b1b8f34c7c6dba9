//! The boot marker: a file outside of the data folder, replaced whole.

use anyhow::Context as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};
use strongroom_signer_core::Marker;

/// Refuses a marker that is in the data folder, by whichever path: put back together, marker and
/// database would agree, and a disk that was put back would cosign a second history. Either need
/// not exist yet.
pub fn check_outside(data: &Path, marker: &Path) -> anyhow::Result<()> {
    let shown = marker.display();
    let name = marker
        .file_name()
        .with_context(|| format!("the boot marker {shown} is not a file"))?;
    let folder = marker.parent().unwrap_or(Path::new(""));

    // Two places are compared: where a write replaces the file, and where a read of a symlink
    // leads.
    let data = real(data).with_context(|| format!("cannot resolve {}", data.display()))?;
    for end in [real(folder).map(|folder| folder.join(name)), real(marker)] {
        let end = end.with_context(|| format!("cannot resolve {shown}"))?;
        anyhow::ensure!(
            !end.starts_with(&data),
            "the marker {shown} must lie outside of the data folder: it tells a restored data folder \
             from a restarted one"
        );
    }
    Ok(())
}

/// The absolute path without symlinks, `.` and `..`; what does not exist yet is taken as it is
/// written.
fn real(path: &Path) -> io::Result<PathBuf> {
    let mut real = std::env::current_dir()?.canonicalize()?;
    for component in path.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => real.push(component),
            Component::CurDir => {}
            Component::ParentDir => drop(real.pop()),
            Component::Normal(name) => {
                real.push(name);
                // A symlink that leads nowhere is there, and an error: what it will lead to is not
                // known.
                if real.symlink_metadata().is_ok() {
                    real = real.canonicalize()?;
                }
            }
        }
    }
    Ok(real)
}

/// Boot generation, 16 bytes in a file of its own.
pub struct FileMarker(PathBuf);

impl FileMarker {
    /// The marker at a path; its folder is made by the first write.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
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
                // Another length is an error and not "none": a missing marker retires the key for
                // good, and a damaged file may still be mended.
                let bytes = bytes.as_slice().try_into();
                bytes
                    .map(Some)
                    .map_err(|_| io::Error::other("the boot marker is not 16 bytes long"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&mut self, generation: [u8; 16]) -> io::Result<()> {
        std::fs::create_dir_all(self.folder())?;

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

        // A rename is durable once its folder is. If the power failed before that, the older marker
        // would contradict the database, and the key would be retired for nothing.
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
        let mut marker = FileMarker::at(&path);
        assert_eq!(marker.read().unwrap(), None);
        marker.write([7; 16]).unwrap();
        marker.write([8; 16]).unwrap();
        assert_eq!(FileMarker::at(&path).read().unwrap(), Some([8; 16]));
        std::fs::write(&path, [1; 15]).unwrap();
        assert!(marker.read().is_err());
    }
    #[test]
    fn a_marker_in_the_data_folder_is_found_by_whichever_path() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        std::fs::create_dir_all(at("node/in")).unwrap();
        std::os::unix::fs::symlink(at("node/in"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("outside"), at("node/out")).unwrap();
        std::os::unix::fs::symlink(at("node"), at("data")).unwrap();
        std::fs::write(at("outside"), [0; 16]).unwrap();
        std::fs::write(at("node/file"), [0; 16]).unwrap();
        std::os::unix::fs::symlink(at("node/file"), at("into")).unwrap();

        let inside = [
            "node/m",
            "./node/m",
            "new/../node/m",
            "link/m",
            "link/../m",
            "node/out",
            "into",
        ];
        for data in ["node", "data", "link/.."] {
            for marker in inside {
                let refused = check_outside(&at(data), &at(marker));
                assert!(refused.is_err(), "{data}, {marker}");
            }
            for marker in [
                "node.marker",
                "node/../m",
                "new/m",
                "outside",
                "link/../../m",
            ] {
                check_outside(&at(data), &at(marker)).unwrap();
            }
        }
        assert!(check_outside(&at("node"), &at("node/..")).is_err());
        assert!(check_outside(&at("unmade"), &at("unmade/x/m")).is_err());
    }
}
