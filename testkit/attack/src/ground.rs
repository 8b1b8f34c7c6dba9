//! The ground of an attack: honest signers and witnesses as processes of the shipped program, and
//! everything between them in the attacker's hands.
//!
//! The attacker holds the keys of every service and the log, carries every record, and may hold the
//! keys of one signer. The people's keys are here as well, because honest acts must be made too:
//! what a row uses of them is what its story says. Without an attack the same ground is an honest
//! platform, so each row shows both.

mod api;
mod beside;
mod ceremony;
mod coordinator;
mod hostile;
mod hostile_records;
mod journal;
mod member;
mod node;
mod records;
mod refused;
mod writer;

pub use api::{Answers, HostileApi};
pub use coordinator::{Answer, Building, Payment, SignedPayment, coin, edited};
pub use hostile_records::{HostileRecord, Kind};
pub use journal::Forced;
pub use member::{CHOSEN, Ended, Lies};
pub use node::{Files, Node, Program};
pub use records::refused;
pub use refused::Refused;
pub use writer::{HonestWriter, Started};

use anyhow::{Context as _, bail};
use hostile_records::HostileRecords;
use node::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use strongroom_journal::Genesis;
use strongroom_journal::follower::Follower;
use strongroom_types::{NodeId, UnixMs};
use strongroom_wire::envelope::Heading;
use strongroom_wire::frame::{FromSigner, ToSigner};
use strongroom_wire::{JournalBatch, Payload, Role, SignerMessage, WitnessCosignature, open, seal};
use strongroom_world::{Log, ServiceKeys, World, WorldOptions};

/// Within this time everything that a row waits for is there, or the row fails.
const WITHIN: Duration = Duration::from_secs(20);
/// How long one look at the nodes takes at most.
const LOOK: Duration = Duration::from_millis(10);

/// What a prepared installation is kept in, beside the nodes' folders.
const PREPARED: &str = "prepared.bin";

/// What a signer said, as it signed it.
#[derive(Clone)]
pub struct Said {
    /// Its seat, which is its index.
    pub seat: u16,
    /// What it said.
    pub message: SignerMessage,
    /// The sealed record.
    pub sealed: Vec<u8>,
}

/// An installation whose surroundings are hostile.
pub struct Ground {
    /// Keys, ids, and the texts that people sign.
    pub world: World,
    /// The writer, in the attacker's hands.
    pub log: Log,
    /// The account of the tenant's key that payments are made from.
    pub account: u32,
    /// Seats that get nothing of the journal any more.
    pub cut_off: BTreeSet<u16>,
    /// Seats whose cosignatures reach no one.
    pub unheard: BTreeSet<u16>,
    /// Seats that hear no other's cosignatures.
    pub deaf: BTreeSet<u16>,
    /// What signers said to the coordinator.
    pub said: Vec<Said>,
    /// What nodes submitted to the writer, sealed.
    pub submitted: Vec<Vec<u8>>,
    /// Every cosignature that was made, by seat.
    pub cosignatures: Vec<(u16, WitnessCosignature)>,
    /// The newest cosignature of each seat, as it was sealed.
    words: BTreeMap<u16, Vec<u8>>,
    /// A second installation, or what the attacker calls one, that an attack made.
    pub beside: Option<Box<Ground>>,
    /// What the attacker brought in the attempt.
    hostile: HostileRecords,
    /// Every batch as a sealed record, with the position of its first entry.
    batches: Vec<(u64, Vec<u8>)>,
    nodes: BTreeMap<u16, Node>,
    events: Receiver<Event>,
    sender: Sender<Event>,
    folder: PathBuf,
    program: Program,
    sequence: u64,
}

/// An installation that was made ready and stopped, to be opened as often as needed.
#[derive(Clone)]
pub struct Prepared {
    folder: PathBuf,
    world: World,
    batches: Vec<JournalBatch>,
    cosignatures: Vec<(u16, WitnessCosignature)>,
    sequence: u64,
}

/// The time now.
pub fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixMs(since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }))
}

impl Ground {
    /// A new installation: every node makes its database, gets the world's keys and starts.
    pub fn fresh(
        folder: &Path,
        mut options: WorldOptions,
        program: &Program,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        options.start = now();
        let world = World::new(1, options);
        let seats: Vec<u16> = (1..=world.seats()).collect();
        for seat in &seats {
            install(folder, &world, *seat, program)?;
        }
        let mut ground = Self::closed(folder, world.clone(), Log::new(&world), program);
        ground.start_nodes(&seats)?;
        ground.wait_started()?;
        Ok(ground)
    }

    /// An installation with a tenant, a key made by its signers, and a vault.
    pub fn ready(folder: &Path, options: WorldOptions, program: &Program) -> anyhow::Result<Self> {
        let mut ground = Self::fresh(folder, options, program)?;
        ground.create_tenant()?;
        ground.make_key()?;
        ground.make_vault()?;
        Ok(ground)
    }

    fn closed(folder: &Path, world: World, log: Log, program: &Program) -> Self {
        let (sender, events) = channel();
        Self {
            world,
            log,
            account: 0,
            cut_off: BTreeSet::new(),
            unheard: BTreeSet::new(),
            deaf: BTreeSet::new(),
            said: Vec::new(),
            submitted: Vec::new(),
            cosignatures: Vec::new(),
            words: BTreeMap::new(),
            beside: None,
            hostile: HostileRecords::default(),
            batches: Vec::new(),
            nodes: BTreeMap::new(),
            events,
            sender,
            folder: folder.to_owned(),
            program: program.clone(),
            sequence: 0,
        }
    }

    fn start_nodes(&mut self, seats: &[u16]) -> anyhow::Result<()> {
        for seat in seats {
            let files = Files::new(&self.folder, *seat);
            let node = Node::start(files, &self.program, self.sender.clone())?;
            self.nodes.insert(*seat, node);
        }
        Ok(())
    }

    /// Waits until every node answers its operator; a node that ended instead is named.
    fn wait_started(&mut self) -> anyhow::Result<()> {
        self.until("the nodes did not start", |ground| {
            let mut all = true;
            for (seat, node) in &mut ground.nodes {
                if let Some(status) = node.ended() {
                    let said = node.last_words();
                    bail!("the node in seat {seat} ended by {status}: {said}");
                }
                all &= node.status().is_ok();
            }
            Ok(all.then_some(()))
        })
    }

    /// Stops every node and keeps what is needed to go on from here.
    pub fn keep(self) -> Prepared {
        Prepared {
            folder: self.folder.clone(),
            world: self.world.clone(),
            batches: self.log.batches.clone(),
            cosignatures: self.cosignatures.clone(),
            sequence: self.sequence,
        }
    }

    /// All seats that run.
    pub fn seats(&self) -> Vec<u16> {
        self.nodes.keys().copied().collect()
    }

    /// A running node.
    pub fn node(&mut self, seat: u16) -> anyhow::Result<&mut Node> {
        let node = self.nodes.get_mut(&seat);
        node.with_context(|| format!("no node runs in seat {seat}"))
    }

    /// Ends a node for good: its keys are the attacker's from here on.
    pub fn take_over(&mut self, seat: u16) {
        self.nodes.remove(&seat);
    }

    /// Time passes, and what nodes say is taken.
    pub fn wait(&mut self, time: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.turn()?;
        }
        Ok(())
    }

    /// Waits until `done` gives something.
    pub fn until<T>(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut Self) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let until = Instant::now() + WITHIN;
        while Instant::now() < until {
            if let Some(found) = done(self)? {
                return Ok(found);
            }
            self.turn()?;
        }
        bail!("{what}: not within {} s", WITHIN.as_secs())
    }

    /// Takes what the nodes said since the last look.
    fn turn(&mut self) -> anyhow::Result<()> {
        let mut next = self.events.recv_timeout(LOOK).ok();
        while let Some(event) = next {
            if let Event::Frame(seat, frame) = event {
                self.take(seat, frame)?;
            }
            next = self.events.try_recv().ok();
        }
        Ok(())
    }

    fn take(&mut self, seat: u16, frame: FromSigner) -> anyhow::Result<()> {
        match frame {
            FromSigner::Hello { next_seq } => self.catch_up(seat, next_seq),
            FromSigner::Cosignature(sealed) => self.heard(seat, &sealed)?,
            FromSigner::Submission(sealed) => self.submitted.push(sealed),
            FromSigner::Outbox(sealed) => {
                let message = self.open(&sealed)?;
                self.said.push(Said {
                    seat,
                    message,
                    sealed,
                });
            }
        }
        Ok(())
    }

    /// Sends a node what it lacks of the journal, and what witnesses said of its end.
    fn catch_up(&mut self, seat: u16, next_seq: u64) {
        if self.cut_off.contains(&seat) {
            return;
        }
        let due = self.batches.iter().filter(|(first, _)| *first >= next_seq);
        let due: Vec<Vec<u8>> = due.map(|(_, sealed)| sealed.clone()).collect();
        for sealed in due {
            self.send(seat, &ToSigner::Batch(sealed));
        }
        let others = self.words.iter().filter(|(from, _)| **from != seat);
        let words: Vec<Vec<u8>> = others.map(|(_, sealed)| sealed.clone()).collect();
        for sealed in words {
            self.send(seat, &ToSigner::Cosignature(sealed));
        }
    }

    /// A witness's word: the writer hears it, and the other nodes.
    fn heard(&mut self, seat: u16, sealed: &[u8]) -> anyhow::Result<()> {
        let cosignature: WitnessCosignature = self.open(sealed)?;
        self.cosignatures.push((seat, cosignature.clone()));
        if self.unheard.contains(&seat) {
            return Ok(());
        }
        self.words.insert(seat, sealed.to_vec());
        // The attacker's writer may know nothing of a head that it made for others.
        let node = self.world.seat(seat).node;
        let _ = self.log.follower.cosignature(node, &cosignature, now());
        self.spread(seat, sealed);
        Ok(())
    }

    /// Sends a cosignature to every node but its own, unless the node is deaf or cut off.
    pub fn spread(&mut self, from: u16, sealed: &[u8]) {
        for seat in self.seats() {
            let hears = !self.cut_off.contains(&seat) && !self.deaf.contains(&seat);
            if seat != from && hears {
                self.send(seat, &ToSigner::Cosignature(sealed.to_vec()));
            }
        }
    }

    /// Sends a frame to a node, if one runs and is connected.
    pub fn send(&self, seat: u16, frame: &ToSigner) -> bool {
        self.keep_frame(seat, frame);
        self.nodes.get(&seat).is_some_and(|node| node.send(frame))
    }

    fn open<T: Payload>(&self, sealed: &[u8]) -> anyhow::Result<T> {
        let registered = self.log.follower.state().registered();
        let roles = [Role::Signer, Role::Witness];
        let envelope = open(sealed, registered.as_ref(), &roles);
        let payload = envelope.and_then(|envelope| envelope.payload());
        payload.map_err(|refusal| anyhow::anyhow!("an honest node's record: {refusal}"))
    }

    /// Any payload as a service's record, valid for a minute.
    pub fn seal<T: Payload>(&mut self, role: Role, to: Option<NodeId>, payload: &T) -> Vec<u8> {
        let service = self.world.service(role).clone();
        self.seal_as(&service, to, payload, now().plus(60_000))
    }

    /// As [`Self::seal`], of one instance of a service and until a deadline.
    pub fn seal_as<T: Payload>(
        &mut self,
        service: &ServiceKeys,
        to: Option<NodeId>,
        payload: &T,
        deadline: UnixMs,
    ) -> Vec<u8> {
        self.sequence += 1;
        let created = now();
        let mut cause = u128::from(self.sequence).to_be_bytes();
        cause[..8].copy_from_slice(&created.0.to_be_bytes());
        let heading = Heading {
            genesis: self.world.genesis.hash(),
            from: service.node,
            to,
            session: [0; 16],
            cause,
            sequence: self.sequence,
            created,
            deadline,
        };
        seal(heading, payload, &service.signing)
    }
}

impl Prepared {
    /// Writes what another process needs to open it too.
    pub fn save(&self) -> anyhow::Result<()> {
        let created = self.world.genesis.created.0;
        let numbers = (self.sequence, self.world.given_out());
        let kept = (created, &self.batches, &self.cosignatures, numbers);
        Ok(std::fs::write(
            self.folder.join(PREPARED),
            borsh::to_vec(&kept)?,
        )?)
    }

    /// Reads what [`Self::save`] wrote, of a world with these options.
    pub fn load(folder: &Path, mut options: WorldOptions) -> anyhow::Result<Self> {
        let bytes = std::fs::read(folder.join(PREPARED))?;
        let (created, batches, cosignatures, (sequence, given_out)) = borsh::from_slice(&bytes)?;
        options.start = UnixMs(created);
        let world = World::new(1, options);
        world.go_on_from(given_out);
        Ok(Self {
            folder: folder.to_owned(),
            world,
            batches,
            cosignatures,
            sequence,
        })
    }

    /// An installation without a journal, for tests.
    #[cfg(test)]
    pub(crate) fn unmade(folder: &Path, options: WorldOptions) -> Self {
        Self {
            folder: folder.to_owned(),
            world: World::new(1, options),
            batches: Vec::new(),
            cosignatures: Vec::new(),
            sequence: 0,
        }
    }

    /// The genesis that its operators pinned.
    pub fn genesis(&self) -> &Genesis {
        &self.world.genesis
    }

    /// Whether this build comes to the states that the journal's writer signed. One with a guard off
    /// that is at work in every journal does not.
    pub fn replays(&self) -> bool {
        let follower = Follower::new(Arc::clone(&self.world.genesis));
        follower.is_ok_and(|mut follower| {
            let mut batches = self.batches.iter();
            batches.all(|batch| follower.append(batch).is_ok())
        })
    }

    /// Opens a copy of it in another folder.
    pub fn open(&self, folder: &Path, program: &Program) -> anyhow::Result<Ground> {
        copy(&self.folder, folder)?;
        let log = Log::from_batches(&self.world, &self.batches);
        let mut ground = Ground::closed(folder, self.world.clone(), log, program);
        ground.sequence = self.sequence;
        for batch in &self.batches {
            ground.publish(batch);
        }
        ground.cosignatures.clone_from(&self.cosignatures);

        let seats: Vec<u16> = (1..=self.world.seats()).collect();
        for seat in &seats {
            configure(folder, &self.world, *seat)?;
        }
        ground.start_nodes(&seats)?;

        ground.wait_started()?;

        // A new entry makes every witness speak at once: until then no head is fresh.
        ground.tick()?;
        Ok(ground)
    }
}

/// Makes a node's folder and gives it the world's keys, as if `init` had drawn them.
fn install(folder: &Path, world: &World, seat: u16, program: &Program) -> anyhow::Result<()> {
    let files = Files::new(folder, seat);
    let (data, marker) = (files.data(), files.marker());
    let (data, marker) = (data.to_string_lossy(), marker.to_string_lossy());
    let mut arguments = vec!["init", "--data", &data, "--marker", &marker];
    if seat > world.options.signers {
        arguments.push("--witness");
    }
    program.run(&arguments)?;

    for (name, key) in world.key_files(seat) {
        std::fs::write(files.data().join(name), key)?;
    }
    std::fs::write(folder.join("genesis.bin"), world.genesis.to_bytes())?;
    configure(folder, world, seat)
}

fn configure(folder: &Path, world: &World, seat: u16) -> anyhow::Result<()> {
    let files = Files::new(folder, seat);
    let text = format!(
        "data = {:?}\nmarker = {:?}\ngenesis = {:?}\ngenesis_hash = \"{}\"\nnode = \"{}\"\nlink_socket = {:?}\n",
        files.data(),
        files.marker(),
        folder.join("genesis.bin"),
        world.genesis.hash(),
        world.seat(seat).node,
        files.socket(),
    );
    Ok(std::fs::write(files.config(), text)?)
}

/// Copies a folder; sockets and locks are made by those who need them.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    let mode = std::fs::metadata(from)?.permissions();
    std::fs::set_permissions(to, mode)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
