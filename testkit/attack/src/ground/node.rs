//! A signer or witness as a process of the shipped program, and the attacker's end of its link.

use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_wire::frame::{FromSigner, ToSigner, read_frame, write_frame};
use strongroom_wire::{decode, encode};

/// How often a listener looks for a connection.
const LOOK: Duration = Duration::from_millis(5);

/// Where a node's files are.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
    seat: u16,
    /// What the names of the twin's own files end with.
    twin: &'static str,
}

impl Files {
    /// Below the folder of an installation.
    pub fn new(root: &Path, seat: u16) -> Self {
        Self {
            root: root.to_owned(),
            seat,
            twin: "",
        }
    }

    /// Those of a second process on the same data folder: configuration, socket and log of its own.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self {
            twin: "-twin",
            ..self.clone()
        }
    }

    /// The data folder, made by `init`.
    pub fn data(&self) -> PathBuf {
        self.root.join(format!("node-{}", self.seat))
    }

    /// The boot marker, outside of the data folder.
    pub fn marker(&self) -> PathBuf {
        self.root.join(format!("node-{}.marker", self.seat))
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        let (seat, twin) = (self.seat, self.twin);
        self.root.join(format!("node-{seat}{twin}.toml"))
    }

    /// The socket on which the link listens; paths of sockets must be short.
    pub fn socket(&self) -> PathBuf {
        self.root.join(format!("{}{}.sock", self.seat, self.twin))
    }

    /// The operator's socket.
    pub fn admin(&self) -> PathBuf {
        self.data().join(format!("admin{}.sock", self.twin))
    }

    /// What the process says.
    pub fn log(&self) -> PathBuf {
        let (seat, twin) = (self.seat, self.twin);
        self.root.join(format!("node-{seat}{twin}.log"))
    }
}

/// Which program runs, and what its environment has besides.
#[derive(Clone, Debug)]
pub struct Program {
    /// `strongroom-signer`, as it is shipped or with one guard off.
    pub path: PathBuf,
    /// The guard that is off, as an environment variable.
    pub environment: Vec<(String, String)>,
}

impl Program {
    /// `strongroom-signer` in the folder of this program, as it is.
    pub fn beside(own: &Path) -> anyhow::Result<Self> {
        let path = own.with_file_name("strongroom-signer");
        anyhow::ensure!(path.is_file(), "{} is not built", path.display());
        Ok(Self {
            path,
            environment: Vec::new(),
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .stdin(Stdio::null())
            .envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs it to its end and gives what it printed.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command().args(arguments).output();
        let output = output.with_context(|| self.path.display().to_string())?;
        if !output.status.success() {
            bail!(
                "{} {}: {}",
                self.path.display(),
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// What a node's connection brings.
pub enum Event {
    /// A frame.
    Frame(u16, FromSigner),
    /// The connection ended.
    Gone(u16),
}

/// A running node.
pub struct Node {
    files: Files,
    program: Program,
    child: Option<Child>,
    stream: Arc<Mutex<Option<UnixStream>>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts the process and listens for it.
    pub fn start(files: Files, program: &Program, events: Sender<Event>) -> anyhow::Result<Self> {
        let socket = files.socket();
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket)
            .with_context(|| format!("cannot listen on {}", socket.display()))?;
        listener.set_nonblocking(true)?;

        let stream = Arc::new(Mutex::new(None));
        let stop = Arc::new(AtomicBool::new(false));
        let reader = std::thread::spawn({
            let (seat, stream, stop) = (files.seat, Arc::clone(&stream), Arc::clone(&stop));
            move || read(seat, &listener, &stream, &stop, &events)
        });

        let mut node = Self {
            files,
            program: program.clone(),
            child: None,
            stream,
            stop,
            reader: Some(reader),
        };
        node.start_process()?;
        Ok(node)
    }

    /// Starts the process again after [`Self::kill`].
    pub fn start_process(&mut self) -> anyhow::Result<()> {
        let mut log = File::options();
        let log = log.create(true).append(true).open(self.files.log())?;
        let mut command = self.program.command();
        command.arg("run").arg("--config").arg(self.files.config());
        let child = command.stdout(log.try_clone()?).stderr(log).spawn();
        self.child = Some(child.with_context(|| self.program.path.display().to_string())?);
        Ok(())
    }

    /// Another program runs the node from the next start on: one that runs the shipped one.
    pub fn run_by(&mut self, path: PathBuf) {
        self.program.path = path;
    }

    /// The program that runs it.
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// The exit code of a process that ended by itself.
    pub fn ended(&mut self) -> Option<i32> {
        let child = self.child.as_mut()?;
        let status = child.try_wait().ok().flatten()?;
        Some(status.code().unwrap_or(-1))
    }

    /// The last line that the process wrote.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.files.log()).unwrap_or_default();
        log.lines().last().unwrap_or_default().to_owned()
    }

    /// Process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Its files.
    pub const fn files(&self) -> &Files {
        &self.files
    }

    /// Whether the node is connected to its link.
    pub fn is_connected(&self) -> bool {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.is_some()
    }

    /// Sends a frame; whether a connection took it.
    pub fn send(&self, frame: &ToSigner) -> bool {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = stream.as_mut() else {
            return false;
        };
        write_frame(open, &encode(frame)).is_ok()
    }

    /// Sends bytes that need not be a frame; whether a connection took them all.
    pub fn send_bytes(&self, bytes: &[u8]) -> bool {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream
            .as_mut()
            .is_some_and(|open| open.write_all(bytes).is_ok())
    }

    /// What the node says of itself on its admin socket.
    pub fn status(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let (data, admin) = (self.files.data(), self.files.admin());
        let (data, admin) = (data.to_string_lossy(), admin.to_string_lossy());
        let text = self
            .program
            .run(&["status", "--data", &data, "--socket", &admin])?;
        let pairs = text.lines().filter_map(|line| line.split_once(": "));
        Ok(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    /// Runs one of the operator's commands on this node's folder.
    pub fn operator(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let data = self.files.data();
        let data = data.to_string_lossy();
        let mut all = arguments.to_vec();
        all.extend(["--data", &data]);
        self.program.run(&all)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.kill();
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Takes one connection after the other and passes on what comes.
fn read(
    seat: u16,
    listener: &UnixListener,
    stream: &Mutex<Option<UnixStream>>,
    stop: &AtomicBool,
    events: &Sender<Event>,
) {
    while !stop.load(Ordering::Relaxed) {
        let Ok((mut connection, _)) = listener.accept() else {
            std::thread::sleep(LOOK);
            continue;
        };
        let Ok(writer) = connection
            .set_nonblocking(false)
            .and_then(|()| connection.try_clone())
        else {
            continue;
        };
        *stream.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);

        // Ends when the process ends or closes; bytes that do not decode end it too.
        while let Ok(Some(bytes)) = read_frame(&mut connection) {
            let Ok(frame) = decode::<FromSigner>(&bytes) else {
                break;
            };
            if events.send(Event::Frame(seat, frame)).is_err() {
                return;
            }
        }
        *stream.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = events.send(Event::Gone(seat));
    }
}
