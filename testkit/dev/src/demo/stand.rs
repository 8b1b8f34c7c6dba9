//! What the demo stands on: folder, installation, signer processes, platform, client, artefacts.

use super::people::People;
use super::record::Artefacts;
use crate::children::{SignerProcess, start_signers, status};
use crate::install::{InstallPlan, Installation};
use crate::layout::Layout;
use crate::platform::{Platform, Start};
use anyhow::{Context as _, bail};
use std::path::Path;
use std::time::Duration;
use strongroom::cli::Profile;
use strongroom::roles::RoleName;
use strongroom::run::stop_on_signal;
use strongroom_chain_bitcoin::Network;
use strongroom_client::{Client, KeyFile};
use strongroom_host::SystemEntropy;
use strongroom_stage::StopFlag;
use strongroom_types::words::grid;

/// The demo's stand.
pub struct Stand {
    /// Where everything is.
    pub layout: Layout,
    /// Genesis and bearer keys.
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
    port: u16,
}

/// The pieces a hostile run needs.
pub struct Parts<'a> {
    /// The running services.
    pub platform: &'a Platform,
    /// Who takes part.
    pub people: &'a People,
    /// The artefacts.
    pub artefacts: &'a mut Artefacts,
    /// Where everything is.
    pub layout: &'a Layout,
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

        // An older installation must not be mixed with this one: its keys are in another genesis.
        if std::fs::read_dir(&out)?.next().is_some() {
            bail!(
                "{} is not empty; give another --out, or remove it",
                out.display()
            );
        }

        let layout = Layout::new(&out);
        println!(
            "■ Installing: three signers and a witness make their own keys; genesis is pinned"
        );
        let mut people = People::new(
            strongroom_types::PlatformId([0; 16]),
            Network::Regtest.native_asset().parse()?,
            &SystemEntropy,
        );
        let plan = InstallPlan {
            tenant: Some(people.tenant),
            ..InstallPlan::default()
        };

        // The people come first, since genesis names the operator; it then gives the platform's id.
        let installation = Installation::create(&layout, &plan, &people.operator.credential())?;
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
            port,
        };

        // The roles start first, so that each signer finds its link's socket at once.
        stand.start(&RoleName::ALL, false)?;
        stand.spawn_signers()?;
        stand.wait_fresh()?;
        Ok(stand)
    }

    fn spawn_signers(&mut self) -> anyhow::Result<()> {
        self.children = start_signers(&self.layout, &self.installation.genesis)?;
        for child in &self.children {
            let folder = self.layout.signer(child.name());
            println!(
                "  {:<10} pid {:<7} {}",
                child.name(),
                child.pid(),
                folder.display()
            );
        }
        Ok(())
    }

    /// Starts these roles in this process; the others are played by the caller.
    pub fn start(&mut self, roles: &[RoleName], new_bus: bool) -> anyhow::Result<()> {
        let start = Start {
            roles,
            port: self.port,
            new_bus,
        };
        let platform = Platform::start(&self.layout, start)?;

        // With port 0 the system chose one; later starts take the same, so that clients stay valid.
        self.port = platform.address.port();
        self.platform = Some(platform);
        Ok(())
    }

    /// Deletes the bus, starts every role on a new one and the signers again: the writer publishes
    /// the journal of its own database there, and what else was on the old bus is gone.
    pub fn start_on_new_bus(&mut self) -> anyhow::Result<()> {
        self.stop_services();
        std::fs::remove_dir_all(self.layout.bus())?;

        // The signers start again too: the writer waits for their answers on the new bus.
        self.children.iter_mut().for_each(SignerProcess::stop);
        self.start(&RoleName::ALL, true)?;
        for child in &mut self.children {
            child.restart()?;
        }
        self.wait_fresh()
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
            people: &self.people,
            artefacts: &mut self.artefacts,
            layout: &self.layout,
        })
    }

    /// A client with the tenant's key.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.url()?, &self.installation.tenant_key))
    }

    /// A client with the operators' key.
    pub fn operator(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.url()?, &self.installation.operator_key))
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

            // A child that ended would only show as a time-out, without its log's name.
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

    /// Waits for a fresh witnessed head that covers everything so far, and for an API that answers
    /// from it.
    pub fn wait_fresh(&mut self) -> anyhow::Result<()> {
        self.wait("no fresh witnessed head", 30, |platform| {
            platform.journal.read(|f| {
                let fresh = f.fresh(super::people::now()).ok()?;
                (fresh.size == f.size() && f.size() > 0).then_some(())
            })
        })?;

        // The API looks for a fresh head by itself, a little later.
        let (client, tenant) = (self.client()?, self.people.tenant);
        self.wait("the API is not ready", 30, |_| {
            match client.vaults(tenant) {
                Err(error) if error.code() == Some("not_ready") => None,
                Ok(_) | Err(_) => Some(()),
            }
        })
    }

    /// The unsigned form of a payment, from the transactions service's table.
    pub fn unsigned(&self, intent: &strongroom_types::Digest) -> anyhow::Result<Vec<u8>> {
        let db = self.platform()?.database(RoleName::Transactions)?;
        let mut tx = db.begin()?;
        let row = tx.query_opt(
            "SELECT unsigned FROM payment WHERE intent = $1",
            &[(&intent.0).into()],
        )?;
        Ok(row.context("the payment's row")?.blob(0)?.to_vec())
    }

    /// Commits of a signer's database since it started, by its own word on its admin socket.
    pub fn signer_commits(&self, name: &str) -> anyhow::Result<u64> {
        let status = status(&self.layout, name)?;
        let commits = status.get("commits");
        commits
            .with_context(|| format!("{name} says nothing of commits"))?
            .parse()
            .context("commits")
    }

    /// Writes the journal and the cosignatures beside the other artefacts.
    pub fn finish_artefacts(&mut self) -> anyhow::Result<()> {
        // The verifier wants a quorum's cosignatures over the last entry, so they must be there.
        self.wait_fresh()?;
        self.keep_cosignatures()?;

        let journal = self.platform()?.database(RoleName::Writer)?;
        self.artefacts.journal(journal.as_ref())
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

        let key_file = self.layout.bearer_key("tenant");
        let profile = Profile {
            url: Some(self.url()?),
            api_key_file: Some(key_file),
            genesis: Some(self.layout.genesis()),
            genesis_hash: Some(self.installation.genesis.hash().to_string()),
            tenant: Some(self.people.tenant.to_string()),
        };

        profile.save(&self.layout.profile())
    }

    /// Stops everything.
    pub fn stop(mut self) {
        self.stop_services();
        self.children.iter_mut().for_each(SignerProcess::stop);
    }

    /// Prints how to go on, waits for a signal, and stops everything.
    pub fn leave_up(mut self) -> anyhow::Result<()> {
        super::phases::how_to_go_on(&mut self)?;
        let stop = stop_on_signal()?;
        while !stop.wait(Duration::from_secs(1)) {}
        println!("\nstopping …");
        self.stop();
        Ok(())
    }
}
