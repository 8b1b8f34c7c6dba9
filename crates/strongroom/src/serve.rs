//! `strongroom dev`: the development platform on a folder, until Ctrl-C.

use crate::demo::stand::sockets;
use crate::dev::children::{SignerProcess, signer_binary};
use crate::dev::install::Plan;
use crate::dev::platform::{Platform, Start, seats};
use crate::dev::{Installation, Layout};
use anyhow::{Context as _, bail};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use strongroom_api::{AccessKey, Keyring, hash_key};
use strongroom_client::KeyFile;
use strongroom_host::SystemEntropy;
use strongroom_stage::StopFlag;
use strongroom_types::CredentialClass;
use strongroom_types::words::grid;

/// What `strongroom dev` is asked for.
pub struct Options {
    /// The installation's folder; made when absent.
    pub dir: PathBuf,
    /// Port on loopback.
    pub port: u16,
    /// The operator says: the bus was lost, begin with a new one.
    pub new_bus: bool,
}

/// Runs all roles and the signers until Ctrl-C.
///
/// # Errors
/// Files, ports, a genesis of another hash, a signer that ends.
pub fn run(options: &Options) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.dir)
        .with_context(|| format!("cannot make {}", options.dir.display()))?;
    let layout = Layout::new(&std::fs::canonicalize(&options.dir)?);
    let run = sockets(layout.root())?;
    let installation = if layout.genesis().exists() {
        Installation::open(&layout)?
    } else {
        println!(
            "installing a development platform in {}",
            layout.root().display()
        );
        layout.create()?;
        let operator = KeyFile::create(
            &layout.person("operator"),
            CredentialClass::Key,
            None,
            &SystemEntropy,
        )?;
        Installation::create(&layout, &Plan::default(), &operator.credential(), &run)?
    };
    println!("genesis {}", installation.genesis.hash());
    println!("{}", grid(&installation.genesis.hash()));
    let keyring = Keyring(vec![AccessKey {
        hash: hash_key(&installation.secrets.operator_key),
        tenant: None,
    }]);
    let platform = Platform::start(Start {
        layout: &layout,
        genesis: Arc::clone(&installation.genesis),
        secrets: &installation.secrets,
        keyring,
        run: &run,
        port: options.port,
        new_bus: options.new_bus,
        skip: &[],
    })?;
    let mut children = start_children(&layout, &installation)?;
    println!("API: http://{}/v1/status", platform.address);
    println!(
        "API key file: {} (member operator_key). Ctrl-C ends everything.",
        layout.secrets().display()
    );
    let ended = supervise(&platform, &mut children);
    platform.stop();
    children.iter_mut().for_each(SignerProcess::stop);
    ended
}

fn start_children(
    layout: &Layout,
    installation: &Installation,
) -> anyhow::Result<Vec<SignerProcess>> {
    let binary = signer_binary()?;
    let start = |(name, _): (String, _)| {
        let config = layout.signer_config(&name);
        SignerProcess::start(&name, &binary, &config, &layout.log(&name))
    };
    seats(&installation.genesis)
        .into_iter()
        .map(start)
        .collect()
}

/// Waits for Ctrl-C; a part that stops for good ends the run with its reason.
fn supervise(platform: &Platform, children: &mut [SignerProcess]) -> anyhow::Result<()> {
    let stop = StopFlag::new();
    let signal = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    crate::dev::link::spawn("ctrl-c", move || {
        let _ = runtime.block_on(tokio::signal::ctrl_c());
        signal.set();
    });
    while !stop.wait(Duration::from_millis(500)) {
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
