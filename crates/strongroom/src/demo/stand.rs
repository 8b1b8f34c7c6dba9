//! What the demo stands on: folder, installation, signer processes, platform, client, artefacts.

use super::people::People;
use super::record::Artefacts;
use crate::cli::Profile;
use crate::dev::children::{SignerProcess, run, signer_binary};
use crate::dev::install::Plan;
use crate::dev::platform::{Platform, Start, seats};
use crate::dev::{Installation, Layout};
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strongroom_api::{AccessKey, Keyring, hash_key};
use strongroom_chain_bitcoin::Network;
use strongroom_client::{Client, KeyFile};
use strongroom_host::SystemEntropy;
use strongroom_ports::db::Db;
use strongroom_stage::StopFlag;
use strongroom_types::words::grid;

/// The demo's stand.
pub struct Stand {
    /// Where everything is.
    pub layout: Layout,
    /// Genesis and service keys.
    pub installation: Installation,
    /// Who takes part.
    pub people: People,
    /// Signers and the witness.
    pub children: Vec<SignerProcess>,
    /// The artefacts.
    pub artefacts: Artefacts,
    /// The last signed transaction.
    pub last_raw: Option<Vec<u8>>,
    /// A child that is meant to be dead.
    pub dead: Option<&'static str>,
    platform: Option<Platform>,
    sockets: PathBuf,
    port: u16,
}

/// The pieces a hostile run needs.
pub struct Parts<'a> {
    /// The running services.
    pub platform: &'a Platform,
    /// Genesis and service keys.
    pub installation: &'a Installation,
    /// Who takes part.
    pub people: &'a People,
    /// The artefacts.
    pub artefacts: &'a mut Artefacts,
}

/// Folder of the sockets: below the installation when its path is short, else in the temporary
/// folder.
pub fn sockets(root: &Path) -> anyhow::Result<PathBuf> {
    let inside = root.join("run");
    let folder = if inside.as_os_str().len() < 70 {
        inside
    } else {
        let name = strongroom_types::digest(
            "strongroom/sockets/v1",
            &[root.as_os_str().as_encoded_bytes()],
        );
        std::env::temp_dir().join(format!(
            "strongroom-{}",
            name.to_string().chars().take(16).collect::<String>()
        ))
    };
    std::fs::create_dir_all(&folder)?;
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(folder)
}

/// Pauses this thread.
pub fn pause(duration: Duration) {
    let _ = StopFlag::new().wait(duration);
}

impl Stand {
    /// A fresh installation in an empty folder, with its signers running.
    pub fn create(out: &Path, port: u16) -> anyhow::Result<Self> {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        let out = std::fs::canonicalize(out)?;
        if std::fs::read_dir(&out)?.next().is_some() {
            bail!(
                "{} is not empty; give another --out, or remove it",
                out.display()
            );
        }
        let layout = Layout::new(&out);
        let sockets = sockets(&out)?;
        println!(
            "■ Installing: three signers and a witness make their own keys; genesis is pinned"
        );
        let mut people = People::new(
            strongroom_types::PlatformId([0; 16]),
            Network::Regtest.native_asset().parse()?,
            &SystemEntropy,
        );
        let installation = Installation::create(
            &layout,
            &Plan::default(),
            &people.operator.credential(),
            &sockets,
        )?;
        people.platform = installation.genesis.platform;
        let hash = installation.genesis.hash();
        println!("  genesis {hash}\n  compare these 16 words at every signer:\n");
        grid(&hash)
            .lines()
            .for_each(|line| println!("      {line}"));
        println!("\n  (development mode: delays of 2 s instead of 24 h, software key protection)");
        let artefacts = Artefacts::create(&out)?;
        let mut stand = Self {
            layout,
            installation,
            people,
            children: Vec::new(),
            artefacts,
            last_raw: None,
            dead: None,
            platform: None,
            sockets,
            port,
        };
        stand.start(false, &[])?;
        stand.spawn_signers()?;
        stand.wait_fresh()?;
        Ok(stand)
    }

    fn spawn_signers(&mut self) -> anyhow::Result<()> {
        let binary = signer_binary()?;
        for (name, _) in seats(&self.installation.genesis) {
            let config = self.layout.signer_config(&name);
            let child = SignerProcess::start(&name, &binary, &config, &self.layout.log(&name))?;
            println!(
                "  {name:<10} pid {:<7} {}",
                child.pid(),
                self.layout.signer(&name).display()
            );
            self.children.push(child);
        }
        Ok(())
    }

    /// Starts the services of this process; those in `skip` are played by somebody else.
    pub fn start(&mut self, new_bus: bool, skip: &[&str]) -> anyhow::Result<()> {
        let secrets = &self.installation.secrets;
        let keyring = Keyring(vec![
            AccessKey {
                hash: hash_key(&secrets.operator_key),
                tenant: None,
            },
            AccessKey {
                hash: hash_key(&secrets.tenant_key),
                tenant: Some(self.people.tenant),
            },
        ]);
        let platform = Platform::start(Start {
            layout: &self.layout,
            genesis: Arc::clone(&self.installation.genesis),
            secrets,
            keyring,
            run: &self.sockets,
            port: self.port,
            new_bus,
            skip,
        })?;
        self.port = platform.address.port();
        self.platform = Some(platform);
        Ok(())
    }

    /// Stops the services of this process; the signers go on and connect again later.
    pub fn stop_services(&mut self) {
        if let Some(platform) = self.platform.take() {
            platform.stop();
        }
    }

    /// The running services.
    pub fn platform(&self) -> anyhow::Result<&Platform> {
        let platform = self
            .platform
            .as_ref()
            .context("the platform is not running")?;
        match platform.failure() {
            Some(failure) => bail!("a part of the platform stopped: {failure}"),
            None => Ok(platform),
        }
    }

    /// The pieces a hostile run needs, borrowed apart.
    pub fn parts(&mut self) -> anyhow::Result<Parts<'_>> {
        Ok(Parts {
            platform: self
                .platform
                .as_ref()
                .context("the platform is not running")?,
            installation: &self.installation,
            people: &self.people,
            artefacts: &mut self.artefacts,
        })
    }

    /// A client with the tenant's key.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(
            &self.url()?,
            &self.installation.secrets.tenant_key,
        ))
    }

    /// A client with the operators' key.
    pub fn operator(&self) -> anyhow::Result<Client> {
        Ok(Client::new(
            &self.url()?,
            &self.installation.secrets.operator_key,
        ))
    }

    /// Where the API is.
    pub fn url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.platform()?.address))
    }

    /// Waits until `done` gives something, or fails with `what`.
    pub fn wait<T>(
        &mut self,
        what: &str,
        seconds: u64,
        mut done: impl FnMut(&Platform) -> Option<T>,
    ) -> anyhow::Result<T> {
        for _ in 0..seconds * 50 {
            if let Some(found) = done(self.platform()?) {
                return Ok(found);
            }
            for child in &mut self.children {
                if self.dead != Some(child.name()) && !child.alive() {
                    bail!("{} ended; its log: {}", child.name(), child.log().display());
                }
            }
            pause(Duration::from_millis(20));
        }
        bail!(
            "{what}: not within {seconds} s; the signers' logs are in {}",
            self.layout.root().join("logs").display()
        )
    }

    /// Waits for a fresh witnessed head that covers everything so far.
    pub fn wait_fresh(&mut self) -> anyhow::Result<()> {
        self.wait("no fresh witnessed head", 30, |platform| {
            platform.journal.read(|f| {
                let fresh = f.fresh(super::people::now()).ok()?;
                (fresh.size == f.size() && f.size() > 0).then_some(())
            })
        })
    }

    /// The unsigned form of a payment, from the transactions service's table.
    pub fn unsigned(&self, intent: &strongroom_types::Digest) -> anyhow::Result<Vec<u8>> {
        let db = self
            .platform()?
            .database("transactions")
            .context("the transactions database")?;
        let mut tx = db.begin()?;
        let row = tx.query_opt(
            "SELECT unsigned FROM payment WHERE intent = $1",
            &[(&intent.0).into()],
        )?;
        Ok(row.context("the payment's row")?.blob(0)?.to_vec())
    }

    /// Commits of a signer's database since it started, by its own word on its admin socket.
    pub fn signer_commits(&self, name: &str) -> anyhow::Result<u64> {
        let data = self.layout.signer(name);
        let socket = crate::dev::link::socket_path(&self.sockets, &format!("{name}-admin"));
        let (data, socket) = (data.to_string_lossy(), socket.to_string_lossy());
        let status = run(
            &signer_binary()?,
            &["status", "--data", &data, "--socket", &socket],
        )?;
        let commits = status
            .lines()
            .find_map(|line| line.strip_prefix("commits: "));
        commits
            .with_context(|| format!("{name} says nothing of commits"))?
            .parse()
            .context("commits")
    }

    /// Writes the journal and the cosignatures beside the other artefacts.
    pub fn finish_artefacts(&mut self) -> anyhow::Result<()> {
        self.wait_fresh()?;
        self.keep_cosignatures()?;
        let journal = self
            .platform()?
            .database("journal")
            .context("the journal's database")?;
        self.artefacts.journal(journal.as_ref() as &dyn Db)
    }

    /// Copies the witnesses' cosignatures off the bus.
    pub fn keep_cosignatures(&mut self) -> anyhow::Result<()> {
        let witnesses: Vec<_> = self
            .installation
            .genesis
            .witness_keys()
            .map(|(node, _)| node)
            .collect();
        let platform = self
            .platform
            .as_ref()
            .context("the platform is not running")?;
        self.artefacts
            .collect_cosignatures(platform.bus.as_ref(), &witnesses)
    }

    /// Key files of the people and a profile for the command line.
    pub fn write_client_files(&self) -> anyhow::Result<()> {
        let people = &self.people;
        for person in [
            &people.operator,
            &people.admin,
            &people.initiator,
            &people.alice,
        ] {
            let key = &person.credential();
            KeyFile::from_seed(key.id, key.user, key.class, &person.seed)
                .save(&self.layout.person(person.name))?;
        }
        let key_file = self.layout.person("api-key").with_extension("txt");
        std::fs::write(&key_file, &self.installation.secrets.tenant_key)?;
        std::fs::set_permissions(
            &key_file,
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )?;
        let profile = Profile {
            url: Some(self.url()?),
            api_key_file: Some(key_file),
            genesis: Some(self.layout.genesis()),
            genesis_hash: Some(self.installation.genesis.hash().to_string()),
        };
        profile.save(&self.layout.profile())
    }

    /// Stops everything.
    pub fn stop(mut self) {
        self.stop_services();
        self.children.iter_mut().for_each(SignerProcess::stop);
    }

    /// Says how to go on, waits for Ctrl-C, and ends clean.
    pub fn leave_up(mut self) -> anyhow::Result<()> {
        super::phases::how_to_go_on(&mut self)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(tokio::signal::ctrl_c())?;
        println!("\nstopping …");
        self.stop();
        Ok(())
    }
}
