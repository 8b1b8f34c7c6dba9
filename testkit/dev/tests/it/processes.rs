//! An installation whose roles and signers are processes.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use strongroom_client::Client;
use strongroom_dev::children::SignerProcess;
use strongroom_dev::children::{program, start_signers};
use strongroom_dev::demo::people::People;
use strongroom_dev::install::{InstallPlan, Installation};
use strongroom_dev::layout::Layout;
use strongroom_host::SystemEntropy;
use strongroom_types::{Act, ActBody, Scope, Signed};

/// Delay of loosenings and ceremonies, milliseconds: the least that shows that it is waited for.
pub const DELAY_MS: u64 = 300;
/// Anything that is waited for is there within this time, or the test fails.
const WITHIN: Duration = Duration::from_secs(30);

/// The installation, before any process runs.
pub struct Site {
    pub layout: Layout,
    pub installation: Installation,
    pub people: People,
    _folder: tempfile::TempDir,
}

impl Site {
    /// Installs with the signer program.
    pub fn install() -> Self {
        have_signer();
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(&folder.path().canonicalize().unwrap());
        let asset = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1"
            .parse()
            .unwrap();
        let mut people = People::new(strongroom_types::PlatformId([0; 16]), asset, &SystemEntropy);
        let plan = InstallPlan {
            delay_ms: DELAY_MS,
            tenant: Some(people.tenant),
            ..InstallPlan::default()
        };
        let admin = people.operator.credential();
        let installation = Installation::create(&layout, &plan, &admin).unwrap();
        people.platform = installation.genesis.platform;

        // A bus for several processes, and any free port.
        let config = std::fs::read_to_string(layout.config()).unwrap();
        let config = config
            .replace("\"embedded\"", "\"shared\"")
            .replace(":7600", ":0");
        std::fs::write(layout.config(), config).unwrap();
        Self {
            layout,
            installation,
            people,
            _folder: folder,
        }
    }

    pub fn run(&self, roles: &str) -> RoleProcess {
        RoleProcess::start(
            &self.layout.config(),
            roles,
            &self.layout.log(&roles.replace(',', "-")),
        )
    }

    /// Waits for the gate and not for the status, which shows the fresh head a moment before.
    pub fn wait_ready(&self, client: &Client) {
        within("the services are ready", || {
            let answer = client.vaults(self.people.tenant);
            let not_ready = matches!(&answer, Err(error) if error.code() == Some("not_ready"));
            (!not_ready).then_some(())
        });
    }

    /// The platform's admin and the tenant's sign the charter.
    pub fn create_tenant(&self, operator: &Client) {
        let people = &self.people;
        let charter = people.charter(&self.installation.genesis, DELAY_MS);
        let body = ActBody::CreateTenant {
            tenant: people.tenant,
            charter: Box::new(charter.unwrap()),
        };
        let act = people.act(Scope::Platform, 0, body, &SystemEntropy);
        let mut signed = Signed::draft(&act);
        signed.endorse::<Act>(&people.operator.key);
        signed.endorse::<Act>(&people.admin.key);

        let digest = operator.submit_act(&signed).unwrap();
        operator.wait_act(&digest, Duration::from_secs(20)).unwrap();
    }

    pub fn start_signers(&self) -> Vec<SignerProcess> {
        start_signers(&self.layout, &self.installation.genesis).unwrap()
    }
}

/// Builds the signer program when it is not there.
pub fn have_signer() {
    if program("strongroom-signer").is_err() {
        build("strongroom-signer");
    }
}

/// Builds a program as `cargo test` builds everything else, beside this test.
fn build(package: &str) {
    let release = if cfg!(debug_assertions) {
        None
    } else {
        Some("--release")
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--package", package])
        .args(release)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(
        built.success(),
        "{package} cannot be built: cargo build -p {package}"
    );
}

/// `strongroom-dev run` as a process; killed when the test ends early.
pub struct RoleProcess {
    child: Child,
    log: PathBuf,
}

impl RoleProcess {
    pub fn start(config: &Path, roles: &str, log: &Path) -> Self {
        let config = config.to_str().unwrap();
        Self::command(&["run", "--roles", roles, "--config", config], log)
    }

    /// `strongroom-dev` with these arguments.
    pub fn command(arguments: &[&str], log: &Path) -> Self {
        let file = std::fs::File::create(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_strongroom-dev"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        Self {
            child,
            log: log.to_owned(),
        }
    }

    /// From the line `API: URL` that a process with the API prints.
    pub fn url(&mut self) -> String {
        let lines = BufReader::new(self.child.stdout.as_mut().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("API: ").map(str::to_owned));
        url.unwrap_or_else(|| panic!("no API: {}", self.log()))
    }

    /// The limits under which it runs, one in a line.
    pub fn limits(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for the process to end by itself; its exit code.
    pub fn ended(&mut self) -> Option<i32> {
        within("the process ends", || self.child.try_wait().unwrap()).code()
    }

    /// SIGTERM; its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::TERM).unwrap();
        self.ended()
    }
}

impl Drop for RoleProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.log());
        }
    }
}

/// Asks until there is an answer.
pub fn within<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < WITHIN, "{what}: not within {WITHIN:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
