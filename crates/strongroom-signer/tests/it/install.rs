//! An installation of two signers and a witness in a temporary folder.

use ed25519_dalek::SigningKey;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;
use strongroom_journal::follower::Follower;
use strongroom_journal::genesis::{SignerSeat, WitnessSeat};
use strongroom_journal::writer::{Offer, Ordered, Orderer};
use strongroom_journal::{Body, Bounds, Genesis, Mode};
use strongroom_types::charter::Board;
use strongroom_types::credential::PublicKey;
use strongroom_types::json::Json;
use strongroom_types::{
    Credential, CredentialClass, CredentialId, NodeId, PlatformId, Scope, UnixMs, User, UserId,
};
use strongroom_wire::envelope::Heading;
use strongroom_wire::frame::{FromSigner, PublicRecord, ToSigner, read_frame, write_frame};
use strongroom_wire::{NodeKey, Role, decode, encode, seal};

/// Signer 1, signer 2, witness 3.
pub struct Install {
    pub folder: tempfile::TempDir,
    pub genesis: Genesis,
    pub orderer: Orderer,
    pub writer: Follower,
    writer_key: SigningKey,
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom-signer"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn node(number: u8) -> NodeId {
    NodeId([number; 16])
}

pub fn now() -> UnixMs {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    UnixMs(u64::try_from(since.as_millis()).unwrap())
}

fn init(folder: &Path, number: u8) -> PublicRecord {
    let mut command = program();
    command
        .args(["init", "--data"])
        .arg(folder.join(format!("node-{number}")));
    if number == 3 {
        command.arg("--witness");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let json = Json::parse(std::str::from_utf8(&output.stdout).unwrap().trim()).unwrap();
    let Json::Object(members) = json else {
        panic!("an object")
    };
    let record = members
        .into_iter()
        .find(|(name, _)| name == "record")
        .unwrap()
        .1;
    let Json::Text(hex) = record else {
        panic!("a text")
    };
    decode(&hex::decode(&*hex).unwrap()).unwrap()
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

impl Install {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let signer = |number: u8| {
            let public = init(folder.path(), number);
            SignerSeat {
                index: number.into(),
                node: node(number),
                signing_key: public.signing_key,
                witness_key: public.witness_key,
                sealing_key: public.sealing_key,
                location: "here".parse().unwrap(),
                operator: format!("operator {number}").parse().unwrap(),
                hardware: "software".parse().unwrap(),
                measurement: public.measurement,
            }
        };
        let signers = vec![signer(1), signer(2)];
        let public = init(folder.path(), 3);
        let witness = WitnessSeat {
            node: node(3),
            signing_key: public.signing_key,
            witness_key: public.witness_key,
            operator: "independent".parse().unwrap(),
        };
        let (log_key, writer_key) = (
            SigningKey::from_bytes(&[21; 32]),
            SigningKey::from_bytes(&[22; 32]),
        );
        let admin = Credential {
            id: CredentialId([5; 16]),
            user: Some(UserId([6; 16])),
            class: CredentialClass::Key,
            key: PublicKey::Ed25519(SigningKey::from_bytes(&[23; 32]).verifying_key().to_bytes()),
            web: None,
        };
        let regtest = strongroom_chains::network("regtest").unwrap().unwrap();
        let chain = strongroom_chains::seat(regtest.as_ref());
        let writer = NodeKey {
            node: node(9),
            role: Role::Writer,
            public_key: writer_key.verifying_key().to_bytes(),
        };

        // By hand: the seats hold the keys that the program itself made at `init`. Those of the
        // test kit's world come from its seeds, which no file of this program has.
        let genesis = Genesis {
            version: strongroom_journal::genesis::VERSION,
            platform: PlatformId([1; 16]),
            mode: Mode::Dev,
            created: UnixMs(1),
            signers,
            witnesses: vec![witness],
            admins: Board {
                members: vec![UserId([6; 16])],
                quorum: 1,
            },
            admin_users: vec![User {
                id: UserId([6; 16]),
                name: "operator".parse().unwrap(),
            }],
            admin_credentials: vec![admin],
            services: vec![writer],
            origin: "strongroom.example/journal".to_owned(),
            log_key: log_key.verifying_key().to_bytes(),
            quorum: strongroom_tlog::quorum(3, 1),
            faults: 1,
            chains: vec![chain],
            bounds: Bounds::dev(0),
        };
        genesis.check().unwrap();
        std::fs::write(folder.path().join("genesis.bin"), genesis.to_bytes()).unwrap();
        let orderer = Orderer::new(&genesis, &log_key.to_bytes()).unwrap();
        let writer = Follower::new(Arc::new(genesis.clone())).unwrap();
        let install = Self {
            folder,
            genesis,
            orderer,
            writer,
            writer_key,
        };
        (1..=3).for_each(|number| install.configure(number, ""));
        install
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self, number: u8) -> PathBuf {
        self.path(&format!("node-{number}"))
    }

    /// What the processes of this node wrote to stderr.
    pub fn log(&self, number: u8) -> PathBuf {
        self.path(&format!("node-{number}.log"))
    }

    pub fn configure(&self, number: u8, more: &str) {
        let hash = self.genesis.hash();
        let config = format!(
            "data = \"node-{number}\"\ngenesis = \"genesis.bin\"\ngenesis_hash = \"{hash}\"\nnode = \"{}\"\n\
             link_socket = \"link-{number}.sock\"\n{more}",
            node(number)
        );
        std::fs::write(self.path(&format!("node-{number}.toml")), config).unwrap();
    }

    pub fn command(&self, number: u8) -> Command {
        let mut command = program();
        command
            .args(["run", "--config"])
            .arg(self.path(&format!("node-{number}.toml")));
        command
    }

    /// Runs to its end, which must come by itself.
    pub fn run_to_end(&self, number: u8) -> Output {
        let mut child = self.command(number).spawn().unwrap();
        for _ in 0..3_000 {
            if child.try_wait().unwrap().is_some() {
                return child.wait_with_output().unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        panic!("it runs: {}", text(&child.wait_with_output().unwrap()));
    }

    pub fn local(&self, number: u8, words: &[&str]) -> Output {
        program()
            .args(words)
            .arg("--data")
            .arg(self.data(number))
            .output()
            .unwrap()
    }

    /// Orders a body (entry 0 comes by itself) and gives the sealed batch.
    pub fn order(&mut self, body: Body) -> Vec<u8> {
        let scope = Scope::Platform;
        let ordered = self
            .orderer
            .order(
                &mut self.writer,
                now(),
                &[Offer { scope, body }],
                &mut Salts(0),
            )
            .unwrap();
        self.seal(&ordered)
    }

    /// Entry 0 and a tick of a second line, which the log signs as it does the first one.
    pub fn fork(&self) -> Vec<u8> {
        let mut other = Follower::new(Arc::new(self.genesis.clone())).unwrap();
        let ordered = self
            .orderer
            .order(&mut other, now(), &[Offer::tick()], &mut Salts(1))
            .unwrap();
        self.seal(&ordered)
    }

    fn seal(&self, ordered: &Ordered) -> Vec<u8> {
        let heading = Heading {
            genesis: self.genesis.hash(),
            from: node(9),
            to: None,
            session: [0; 16],
            cause: [0; 16],
            sequence: 1,
            created: now(),
            deadline: now().plus(60_000),
        };
        seal(
            heading,
            &ordered.batches.last().unwrap().batch,
            &self.writer_key,
        )
    }

    pub fn start(&self, number: u8) -> Running {
        let path = self.path(&format!("link-{number}.sock"));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let mut log = File::options();
        let log = log.create(true).append(true).open(self.log(number));
        let mut child = self.command(number).stderr(log.unwrap()).spawn().unwrap();
        let stream = accept(&listener, &mut child);
        Running {
            child,
            listener,
            stream,
        }
    }
}

fn accept(listener: &UnixListener, child: &mut Child) -> UnixStream {
    listener.set_nonblocking(true).unwrap();
    for _ in 0..1_000 {
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            return stream;
        }
        assert!(child.try_wait().unwrap().is_none(), "the program ended");
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the program did not connect");
}

/// A running node and the test's end of its link.
pub struct Running {
    pub child: Child,
    listener: UnixListener,
    pub stream: UnixStream,
}

impl Running {
    pub fn send(&mut self, frame: &ToSigner) {
        write_frame(&mut self.stream, &encode(frame)).unwrap();
    }

    pub fn next(&mut self) -> FromSigner {
        borsh::from_slice(&read_frame(&mut self.stream).unwrap().expect("a frame")).unwrap()
    }

    /// Whether the node sends nothing for so long.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        let before = self.stream.read_timeout().unwrap();
        self.stream.set_read_timeout(Some(time)).unwrap();
        let is_silent = self.stream.read(&mut [0]).is_err();
        self.stream.set_read_timeout(before).unwrap();
        is_silent
    }

    /// Waits until the node ends by itself; its exit code, and what it sent before.
    pub fn end(&mut self) -> (Option<i32>, Vec<FromSigner>) {
        // It may end with frames of the test unread, which resets the connection.
        let frames = std::iter::from_fn(|| match read_frame(&mut self.stream) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            read => read.unwrap(),
        });
        let sent = frames.map(|bytes| borsh::from_slice(&bytes).unwrap());
        let sent = sent.collect();
        (self.child.wait().unwrap().code(), sent)
    }

    /// Closes the link and takes the next connection.
    pub fn reconnect(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Both).unwrap();
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        self.stream = accept(&self.listener, &mut self.child);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Salts of the test's journal, all alike: they are not secret, and others make another tree.
struct Salts(u8);

impl rand_core::RngCore for Salts {
    fn next_u32(&mut self) -> u32 {
        self.0.into()
    }
    fn next_u64(&mut self) -> u64 {
        self.0.into()
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        dest.fill(self.0);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        dest.fill(self.0);
        Ok(())
    }
}
impl rand_core::CryptoRng for Salts {}
