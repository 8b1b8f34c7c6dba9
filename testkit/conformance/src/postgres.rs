//! A throw-away PostgreSQL 15: one server per test binary, socket only, gone with its last user.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A running server. Stopped and removed on drop.
pub struct Postgres {
    server: Child,
    folder: PathBuf,
}

impl Postgres {
    /// The server of this test binary; started when it does not run yet.
    ///
    /// # Panics
    /// When PostgreSQL 15 cannot be installed or does not start: a suite that needs it fails, it is
    /// not skipped.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *running = Arc::downgrade(&server);
            server
        })
    }

    /// Connection URL of the superuser.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "postgres://strongroom@localhost/postgres?host={}",
            self.folder.display()
        )
    }

    /// A schema name that no other test uses.
    #[must_use]
    pub fn fresh_schema(&self) -> String {
        format!("s{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    fn start() -> Self {
        install();
        let n = NUMBER.fetch_add(1, Ordering::Relaxed);
        // The path is short, because a socket's is at most 107 bytes.
        let folder = PathBuf::from(format!("/tmp/srpg-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        give_to_server_user(&folder);
        let data = folder.join("data");
        run(as_server_user("cp").args(["-a"]).arg(template()).arg(&data));
        let server = as_server_user(&format!("{PROGRAMS}/postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            // Durability is not under test here, so -F; a short deadlock timeout keeps that case
            // quick.
            .args([
                "-F",
                "-c",
                "listen_addresses=",
                "-c",
                "deadlock_timeout=100ms",
                "-c",
                "max_connections=200",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let postgres = Self { server, folder };
        postgres.wait_until_ready();
        postgres
    }

    fn wait_until_ready(&self) {
        let began = Instant::now();
        while !quiet(
            Command::new(format!("{PROGRAMS}/pg_isready"))
                .arg("-h")
                .arg(&self.folder),
        ) {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "PostgreSQL did not start:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A fast shutdown (SIGINT) goes to this very process: setpriv became postgres, so the pid
        // is the server's.
        run(Command::new("kill").args(["-INT", &self.server.id().to_string()]));
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One `initdb` result per machine, copied for each server: it costs a second.
fn template() -> PathBuf {
    let template = PathBuf::from(format!("/tmp/srpg-template-15-{}", user_id()));
    if !template.join("PG_VERSION").exists() {
        let fresh = PathBuf::from(format!(
            "/tmp/srpg-template-15-{}-{}",
            user_id(),
            std::process::id()
        ));
        std::fs::create_dir_all(&fresh).unwrap();
        give_to_server_user(&fresh);
        run(as_server_user(&format!("{PROGRAMS}/initdb"))
            .args([
                "-U",
                "strongroom",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "-D",
            ])
            .arg(&fresh));
        // Another test binary may have been faster. Its template is used then, and this one is
        // removed.
        if std::fs::rename(&fresh, &template).is_err() {
            let _ = std::fs::remove_dir_all(&fresh);
        }
    }
    template
}

fn install() {
    if Path::new(PROGRAMS).join("postgres").exists() {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("postgres.sh");
    let done = Command::new("sh")
        .arg(&script)
        .status()
        .is_ok_and(|status| status.success());
    assert!(
        done,
        "this suite needs PostgreSQL 15 and {} could not install it",
        script.display()
    );
}

fn user_id() -> String {
    let out = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// PostgreSQL refuses to run as root.
fn as_server_user(program: &str) -> Command {
    if user_id() != "0" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=nobody",
        "--regid=nogroup",
        "--clear-groups",
        program,
    ]);
    command.current_dir("/tmp");
    command
}

fn give_to_server_user(folder: &Path) {
    if user_id() == "0" {
        run(Command::new("chown").arg("nobody:nogroup").arg(folder));
    }
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn run(command: &mut Command) {
    let out = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        out.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
}
