//! `strongroom-dev dev`: all roles on a folder, with signers as child processes, until a signal.

use crate::children::{SignerProcess, start_signers};
use crate::install::{InstallPlan, Installation};
use crate::layout::Layout;
use crate::platform::{Platform, Start};
use anyhow::{Context as _, bail};
use std::path::PathBuf;
use std::time::Duration;
use strongroom::roles::RoleName;
use strongroom::run::stop_on_signal;
use strongroom_client::KeyFile;
use strongroom_host::SystemEntropy;
use strongroom_stage::StopFlag;
use strongroom_types::CredentialClass;
use strongroom_types::words::grid;

/// How often a running platform looks for a failure.
const FAILURE_POLL: Duration = Duration::from_millis(500);

/// DevOptions of the `dev` command.
pub struct DevOptions {
    /// The installation's folder; made when absent.
    pub dir: PathBuf,
    /// Port of the API on loopback.
    pub port: u16,
    /// The bus was lost: begin with a new one.
    pub new_bus: bool,
}

/// Runs all roles and the signers until a signal.
///
/// # Errors
/// Files, ports, a genesis of another hash, a signer that ends.
pub fn run(options: &DevOptions) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.dir)
        .with_context(|| format!("cannot make {}", options.dir.display()))?;
    let layout = Layout::new(&std::fs::canonicalize(&options.dir)?);
    let installation = open_or_install(&layout)?;
    println!("genesis {}", installation.genesis.hash());
    println!("{}", grid(&installation.genesis.hash()));

    // Before the first thread starts, so that a signal from now on ends the run in order.
    let stop = stop_on_signal()?;
    let start = Start {
        roles: &RoleName::ALL,
        port: options.port,
        new_bus: options.new_bus,
    };

    // The roles first: each signer finds its link's socket at once.
    let platform = Platform::start(&layout, start)?;
    let mut children = start_signers(&layout, &installation.genesis)?;
    println!("API: http://{}/v1/status", platform.address);
    println!("API key file: {}", layout.bearer_key("operator").display());
    println!("Ctrl-C ends everything.");

    let ended = wait_for_end(&platform, &mut children, &stop);
    platform.stop();
    children.iter_mut().for_each(SignerProcess::stop);
    ended
}

fn open_or_install(layout: &Layout) -> anyhow::Result<Installation> {
    if layout.genesis().exists() {
        return Installation::open(layout);
    }
    println!(
        "installing a development platform in {}",
        layout.root().display()
    );

    // The operator's key comes before genesis, which names it as the platform's admin.
    layout.create()?;
    let file = layout.person("operator");
    let operator = KeyFile::create(&file, CredentialClass::Key, None, &SystemEntropy)?;
    Installation::create(layout, &InstallPlan::default(), &operator.credential())
}

/// Waits for the signal; a part that ends for good ends the run with its reason.
fn wait_for_end(
    platform: &Platform,
    children: &mut [SignerProcess],
    stop: &StopFlag,
) -> anyhow::Result<()> {
    while !stop.wait(FAILURE_POLL) {
        if let Some(failure) = platform.failure() {
            bail!("a part of the platform stopped: {failure}");
        }
        for child in children.iter_mut() {
            if !child.alive() {
                bail!("{} ended; its log: {}", child.name(), child.log().display());
            }
        }
    }
    println!("stopping …");
    Ok(())
}
