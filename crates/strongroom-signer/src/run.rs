//! `run`: one thread for the node, one small one for the operator.

use crate::admin::{AdminSocket, OperatorRequest};
use crate::config::Config;
use crate::exit::BadConfig;
use crate::folder::Folder;
use crate::link::{Backoff, LinkConnection};
use crate::marker::FileMarker;
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use strongroom_host::{SystemClock, SystemEntropy};
use strongroom_journal::Genesis;
use strongroom_keys_software::SoftwareKeyProtector;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::host::{Clock as _, Entropy as _};
use strongroom_signer_core::{Fatal, SignerNode, SignerSetup};
use strongroom_types::{Code, Refusal, UnixMs};
#[cfg(mutants)]
use strongroom_wire::frame::AdminReply;

/// The node ticks this often, even when records keep coming.
const TICK_MS: u64 = 200;
/// Longest wait of a connection's first tick for the link's first frame: a journal without any
/// record has none.
const FIRST_FRAME_MS: u64 = 2_000;

/// Runs until something ends the process.
pub fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    let folder = Folder::at(&config.data);
    folder.check()?;

    // Two processes on one folder would both cosign and use nonces, neither aware of the other.
    let _lock = folder.lock()?;
    let mut node = open(&config, &folder)?;

    check_not_retired(
        &node,
        "the disk is not the one of the last start, or its boot marker is lost",
    )?;

    // The socket is opened only now: a request that came earlier would wait for a replica that is
    // still being loaded.
    let admin = AdminSocket::listen(&config.admin_socket)?;
    tracing::info!(node = %config.node, genesis = %config.pinned, "running");

    let mut backoff = Backoff::new();
    loop {
        match LinkConnection::connect(&config.link_socket) {
            Ok(link) => {
                backoff = Backoff::new();
                tracing::info!("connected to the link");
                serve(&mut node, link, &admin)?;
            }
            Err(error) => {
                tracing::warn!(%error, link = %config.link_socket.display(), "no link");
            }
        }

        // An operator's `stop` must work without a link, so the pause is spent at their socket.
        if let Some(asked) = admin.wait(backoff.next()) {
            answer(&mut node, &asked);
        }
    }
}

/// A retired key never cosigns or shares again: a process that ran on would only look like a witness.
/// What it would have answered stays inside.
fn check_not_retired(node: &SignerNode, reason: &str) -> Result<(), Fatal> {
    if node.is_retired() {
        return Err(Refusal::new(Code::SignerRetired, reason).into());
    }
    Ok(())
}

fn now() -> UnixMs {
    UnixMs(SystemClock.now_ms())
}

/// Answers the operator.
fn answer(node: &mut SignerNode, asked: &OperatorRequest) {
    let reply = node.admin(asked.request.clone(), now());
    #[cfg(mutants)]
    let reply = with_guards(reply);
    asked.answer(reply);
}

/// Adds to a status what the guards of this process did.
#[cfg(mutants)]
fn with_guards(reply: AdminReply) -> AdminReply {
    let AdminReply::Status(status) = &reply else {
        return reply;
    };

    let report = strongroom_guard::report();
    let (off, passed) = (report.off.unwrap_or("none"), report.passed);
    let refused = report.refused.iter();
    let refused: Vec<String> = refused.map(|(name, n)| format!("{name}={n}")).collect();
    let guards = refused.join(" ");
    let lines = format!("guard_off: {off}\nguards: {guards}\nguard_passed: {passed}\n");
    AdminReply::Status(status.to_owned() + &lines)
}

/// Serves one connection until it ends.
///
/// # Errors
/// The process must end.
fn serve(
    node: &mut SignerNode,
    mut link: LinkConnection,
    admin: &AdminSocket,
) -> Result<(), Fatal> {
    let hello = node.hello();
    let mut sent = link.send(&[hello]);
    let (connected, mut ticked) = (now(), UnixMs(0));
    let mut has_heard = false;
    while sent.is_ok() {
        // The operator comes before the next frame: a link that sends without pause must not keep
        // an operator's `stop` waiting.
        while let Some(asked) = admin.try_next() {
            answer(node, &asked);
        }

        match link.next() {
            Ok(Some(frame)) => {
                has_heard = true;
                let answers = node.handle(frame, now())?;
                check_not_retired(
                    node,
                    "another life of this key has cosigned beyond this disk",
                )?;
                sent = link.send(&answers);
            }
            Ok(None) => {}
            Err(error) => sent = Err(error),
        }

        // A link begins with the newest cosignature under this key. A disk that was put back must
        // see it before a tick cosigns an old tip: that record would be the newest from then on.
        let may_tick = has_heard || now().0.abs_diff(connected.0) >= FIRST_FRAME_MS;

        // The distance counts and not the order: a clock that was set back must not silence the
        // ticks.
        if may_tick && now().0.abs_diff(ticked.0) >= TICK_MS && sent.is_ok() {
            ticked = now();
            sent = link.send(&node.tick(ticked)?);
        }

        // A link passes entries on from its own position; a new connection makes it begin again, at
        // the entry that this node then names.
        if node.has_gap() {
            tracing::warn!("entries are missing in between: asking for them again");
            return Ok(());
        }
    }

    if let Err(error) = sent {
        tracing::warn!(%error, "the link is gone");
    }
    Ok(())
}

fn open(config: &Config, folder: &Folder) -> anyhow::Result<SignerNode> {
    let shown = config.genesis.display();
    let genesis = std::fs::read(&config.genesis).with_context(|| format!("cannot read {shown}"))?;
    let read =
        Genesis::pinned(&genesis, config.pinned).with_context(|| format!("{shown} is refused"))?;

    // Before the store is opened: a build that does not fit genesis must leave nothing in it.
    let codecs = codecs(&read, config.network.as_deref())?;

    // The mode comes from the pinned genesis: in production a key in a file is refused.
    let protector =
        SoftwareKeyProtector::open(&folder.wrapping_key(), read.mode, SystemEntropy.rng());

    let setup = SignerSetup {
        genesis,
        pinned: config.pinned,
        me: config.node,
        secrets: folder.read_secrets()?,
        db: Arc::new(folder.open_store()?),
        protector: Arc::new(protector.context("cannot use the wrapping key")?),
        codecs,
        entropy: Arc::new(SystemEntropy),
        rules: config.rules.clone(),
        marker: Box::new(FileMarker::at(&config.marker)),
        now: now(),
    };
    Ok(SignerNode::open(setup)?)
}

/// Decoders of the chains that genesis names and this build knows; with `only`, of this network.
fn codecs(genesis: &Genesis, only: Option<&str>) -> anyhow::Result<Vec<Arc<dyn ChainCodec>>> {
    let list = strongroom_chains::codecs(genesis)?;
    for chain in list.unknown() {
        tracing::warn!(%chain, "not decoded here: its requests are refused");
    }

    let wanted =
        |codec: &Arc<dyn ChainCodec>| only.is_none_or(|only| only == codec.manifest().network);
    let (codecs, left_out): (Vec<_>, Vec<_>) = list.known().iter().cloned().partition(wanted);
    for codec in left_out {
        let chain = &codec.manifest().chain;
        tracing::warn!(%chain, "not the chain of `network`: its requests are refused");
    }

    // A node without a decoder would run, cosign, and refuse every request, so it is refused at the
    // start.
    if only.is_some() && codecs.is_empty() {
        let why = anyhow::anyhow!("genesis does not have the chain of `network`");
        return Err(BadConfig(why).into());
    }
    Ok(codecs)
}
