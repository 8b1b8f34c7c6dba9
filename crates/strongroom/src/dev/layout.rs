//! Where things are in a development folder.

use std::path::{Path, PathBuf};

/// Paths below one folder.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

/// Names of the files that belong to services and can be lost; the journal's is not among them.
pub const SERVICE_FILES: [&str; 5] = ["bus", "api", "approvals", "transactions", "coordinator"];

impl Layout {
    /// Below this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The folder.
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

    /// A service's database.
    #[must_use]
    pub fn service(&self, name: &str) -> PathBuf {
        self.root.join("services").join(format!("{name}.sqlite"))
    }

    /// The journal writer's database.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal").join("journal.sqlite")
    }

    /// The development chain, which stands in for a node.
    #[must_use]
    pub fn chain(&self) -> PathBuf {
        self.root.join("chain").join("devchain.sqlite")
    }

    /// Service keys.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.root.join("keys").join("services.json")
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

    /// Makes all folders; the root is for its owner only.
    ///
    /// # Errors
    /// The file system's.
    pub fn create(&self) -> std::io::Result<()> {
        for folder in [
            "services", "journal", "chain", "keys", "clients", "signers", "logs",
        ] {
            std::fs::create_dir_all(self.root.join(folder))?;
        }
        std::fs::set_permissions(
            &self.root,
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
    }
}
