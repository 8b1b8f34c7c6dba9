//! Where things are in a development folder.

use std::path::{Path, PathBuf};
use strongroom::roles::RoleName;

/// Longest folder of sockets: a socket's whole path must stay below 108 bytes on Linux.
const SOCKETS_LEN_MAX: usize = 70;

/// Paths below one folder.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Below this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Folder of the installation, as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The genesis file.
    #[must_use]
    pub fn genesis(&self) -> PathBuf {
        self.root.join("genesis.bin")
    }

    /// Its pinned hash, as text.
    #[must_use]
    pub fn genesis_hash(&self) -> PathBuf {
        self.root.join("genesis.hash")
    }

    /// The configuration of the roles.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("roles.toml")
    }

    /// A role's folder, with its database.
    #[must_use]
    pub fn role(&self, role: RoleName) -> PathBuf {
        self.root.join("roles").join(role.name())
    }

    /// The folder of the bus.
    #[must_use]
    pub fn bus(&self) -> PathBuf {
        self.root.join("bus")
    }

    /// The development chain, which stands in for a node.
    #[must_use]
    pub fn chain(&self) -> PathBuf {
        self.root.join("chain").join("devchain.sqlite")
    }

    /// Secrets of the roles, a file each.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// Bearer key of a client: `operator` or `tenant`.
    #[must_use]
    pub fn bearer_key(&self, name: &str) -> PathBuf {
        self.root.join("clients").join(format!("{name}.key"))
    }

    /// A person's or program's key file.
    #[must_use]
    pub fn person(&self, name: &str) -> PathBuf {
        self.root.join("clients").join(format!("{name}.json"))
    }

    /// A client's profile.
    #[must_use]
    pub fn profile(&self) -> PathBuf {
        self.root.join("clients").join("profile.toml")
    }

    /// A signer's or witness's folder.
    #[must_use]
    pub fn signer(&self, name: &str) -> PathBuf {
        self.root.join("signers").join(name)
    }

    /// A signer's or witness's configuration file.
    #[must_use]
    pub fn signer_config(&self, name: &str) -> PathBuf {
        self.root.join("signers").join(format!("{name}.toml"))
    }

    /// The log of a child process.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// Folder of the sockets: below the installation when its path is short, else in the temporary
    /// folder under a name that follows from it.
    #[must_use]
    pub fn sockets(&self) -> PathBuf {
        let inside = self.root.join("run");
        if inside.as_os_str().len() < SOCKETS_LEN_MAX {
            return inside;
        }

        // By the folder's name, so that every process of this installation finds the same one.
        let root = self.root.as_os_str().as_encoded_bytes();
        let name = strongroom_types::digest("strongroom/sockets/v1", &[root]).to_string();
        let short: String = name.chars().take(16).collect();
        std::env::temp_dir().join(format!("strongroom-{short}"))
    }

    /// Makes all folders; root and sockets are for their owner only.
    ///
    /// # Errors
    /// The file system's.
    pub fn create(&self) -> std::io::Result<()> {
        for folder in [
            "roles", "bus", "chain", "secrets", "clients", "signers", "logs",
        ] {
            std::fs::create_dir_all(self.root.join(folder))?;
        }
        std::fs::create_dir_all(self.sockets())?;

        // A process that reaches a signer's socket may hand it acts; the temporary folder is open
        // to every user of the machine.
        for folder in [&self.root, &self.sockets()] {
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(folder, private)?;
        }
        Ok(())
    }
}
