//! Signers and witnesses as child processes of the shipped `strongroom-signer`.

use crate::layout::Layout;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use strongroom::roles::{seats, socket_path};
use strongroom_journal::Genesis;

/// How long a child may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// One child process.
pub struct SignerProcess {
    name: String,
    config: PathBuf,
    log: PathBuf,
    binary: PathBuf,
    child: Child,
}

/// The signer's program.
///
/// # Errors
/// As [`program`].
pub fn signer_binary() -> anyhow::Result<PathBuf> {
    program("strongroom-signer")
}

/// A shipped program: beside this one, as `cargo` and the packages put it, or one folder up from a
/// test's.
///
/// # Errors
/// When it was not built, with the command that builds it.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folders = own.ancestors().skip(1).take(2);
    let built = folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());

    // Built alone: as a part of the workspace it would link features that the shipped one lacks.
    built.with_context(|| {
        let release = if own.components().any(|c| c.as_os_str() == "release") {
            " --release"
        } else {
            ""
        };
        format!("{name} is not built; build it alone: cargo build{release} -p {name}")
    })
}

/// Starts the signers and witnesses of an installation.
///
/// # Errors
/// A missing binary, a process that cannot be started.
pub fn start_signers(layout: &Layout, genesis: &Genesis) -> anyhow::Result<Vec<SignerProcess>> {
    let binary = signer_binary()?;

    let start = |(name, _): (String, _)| {
        SignerProcess::start(
            &name,
            &binary,
            &layout.signer_config(&name),
            &layout.log(&name),
        )
    };
    seats(genesis).into_iter().map(start).collect()
}

/// Runs the signer binary to its end and gives its output.
#[expect(
    clippy::disallowed_methods,
    reason = "the composition root starts the signer processes"
)]
pub fn run(binary: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(binary)
        .args(arguments)
        .output()
        .with_context(|| binary.display().to_string())?;

    if !output.status.success() {
        bail!(
            "{} {}: {}",
            binary.display(),
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Waits until a signer or witness says of itself what is wanted.
///
/// # Errors
/// Not within 30 s, with what it said last.
pub fn wait_status(
    layout: &Layout,
    name: &str,
    wanted: impl Fn(&BTreeMap<String, String>) -> bool,
) -> anyhow::Result<()> {
    let flag = strongroom_stage::StopFlag::new();
    let mut last = BTreeMap::new();

    // 600 looks, 50 ms apart: 30 s, after which the last answer says more than a time-out.
    for _ in 0..600 {
        last = status(layout, name)?;
        if wanted(&last) {
            return Ok(());
        }
        let _ = flag.wait(Duration::from_millis(50));
    }
    bail!("{name} did not come to say what is wanted; it says {last:?}")
}

/// What a signer or witness says of itself on its admin socket, by name.
///
/// # Errors
/// When no process answers there.
pub fn status(layout: &Layout, name: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let data = layout.signer(name);
    let socket = socket_path(&layout.sockets(), &format!("{name}-admin"));
    let (data, socket) = (data.to_string_lossy(), socket.to_string_lossy());

    // Asked through the shipped program, as an operator would: its answers are under test too.
    let asked = ["status", "--data", &data, "--socket", &socket];
    let text = run(&signer_binary()?, &asked)?;
    let pairs = text.lines().filter_map(|line| line.split_once(": "));
    Ok(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the composition root starts the signer processes"
)]
fn start(binary: &Path, config: &Path, log: &Path) -> anyhow::Result<Child> {
    // Appended, so that the log of a node that is started again keeps what it said before.
    let file = File::options().create(true).append(true).open(log)?;
    Command::new(binary)
        .arg("run")
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))
}

impl SignerProcess {
    /// Starts `strongroom-signer run --config …` with its output in a log file.
    pub fn start(name: &str, binary: &Path, config: &Path, log: &Path) -> anyhow::Result<Self> {
        let child = start(binary, config, log)?;
        Ok(Self {
            name: name.to_owned(),
            config: config.to_owned(),
            log: log.to_owned(),
            binary: binary.to_owned(),
            child,
        })
    }

    /// Name of its seat, as `signer-2` or `witness-1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Process id; another one after each restart.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its log is.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether it runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its exit code, once it has ended by itself; none while it runs.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.try_wait().ok().flatten()?.code()
    }

    /// SIGKILL: no chance to write anything.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again on the same folder.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.child = start(&self.binary, &self.config, &self.log)?;
        Ok(())
    }

    /// SIGTERM, and SIGKILL to one that does not listen.
    pub fn stop(&mut self) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }

        let flag = strongroom_stage::StopFlag::new();
        let step = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while self.alive() && waited < GRACE {
            let _ = flag.wait(step);
            waited += step;
        }

        // A node survives SIGKILL at any point by design, so this loses nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for SignerProcess {
    /// No child outlives the parent.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
