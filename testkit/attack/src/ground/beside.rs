//! A second installation beside the ready one: worlds that no honest founder would make.

use super::{Files, Ground, Kind, Node, configure, install, now};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::writer::Orderer;
use strongroom_journal::{Body, Genesis};
use strongroom_mpc_core::dkg::{DkgEffect, DkgInput, DkgSession};
use strongroom_types::{Digest, digest};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{CeremonyMessage, CoordinatorMessage, Role, SignerMessage};
use strongroom_world::{Log, ServiceKeys, World, WorldOptions};

/// A message between those who make a key: sender, recipient, bytes.
type Letter = (u16, u16, Vec<u8>);

impl Ground {
    /// A world that begins now, with a genesis changed by hand.
    pub fn other_world(
        seed: u64,
        mut options: WorldOptions,
        change: impl FnOnce(&mut World, &mut Genesis),
    ) -> World {
        options.start = now();
        let mut world = World::new(seed, options);
        let mut genesis = Genesis::clone(&world.genesis);
        change(&mut world, &mut genesis);
        world.genesis = Arc::new(genesis);
        world
    }

    /// Installs such a world in a folder of its own; no node runs yet.
    pub fn install_beside(&self, world: &World, seats: &[u16]) -> anyhow::Result<Self> {
        self.keep_hostile(Kind::Genesis, &world.genesis.to_bytes());
        let folder = self.folder.join("b");
        std::fs::create_dir_all(&folder)?;
        for seat in seats {
            install(&folder, world, *seat, &self.program)?;
        }
        let log = Log::new(world);
        Ok(Self::closed(&folder, world.clone(), log, &self.program))
    }

    /// The operator of a seat pinned another genesis than the file that is there.
    pub fn pin(&self, seat: u16, pinned: Digest) -> anyhow::Result<()> {
        configure(&self.folder, &self.world, seat)?;
        let file = Files::new(&self.folder, seat).config();
        let text = std::fs::read_to_string(&file)?;
        let found = self.world.genesis.hash().to_string();
        Ok(std::fs::write(
            &file,
            text.replace(&found, &pinned.to_string()),
        )?)
    }

    /// Starts one node of an installation.
    pub fn start_node(&mut self, seat: u16) -> anyhow::Result<()> {
        self.start_nodes(&[seat])
    }

    /// Starts a second process on a node's data folder, which takes the node's place here; gives
    /// the first one.
    pub fn start_twin(&mut self, seat: u16) -> anyhow::Result<Option<Node>> {
        let files = Files::new(&self.folder, seat);
        let twin = files.twin();
        let text = std::fs::read_to_string(files.config())?;
        let socket = |files: &Files| format!("{:?}", files.socket());
        let text = text.replace(&socket(&files), &socket(&twin));
        let text = format!("{text}admin_socket = {:?}\n", twin.admin());
        self.keep_hostile(Kind::Process, text.as_bytes());
        std::fs::write(twin.config(), text)?;
        let node = Node::start(twin, &self.program, self.sender.clone())?;
        Ok(self.nodes.insert(seat, node))
    }

    /// Appends a body in a world whose witnesses are the attacker's, all but the real nodes.
    pub fn enter(&mut self, body: &Body, hostile: &[u16]) -> anyhow::Result<()> {
        let ordered = self.order(body, now());
        ordered.map_err(|refusal| anyhow::anyhow!("the attacker's own journal: {refusal}"))?;
        self.words_of(hostile)?;
        while let Some(offer) = Orderer::witnessed_due(&self.log.follower) {
            self.wait(std::time::Duration::from_millis(1_000))?;
            let ordered = self.order_offer(&offer, now());
            ordered.map_err(|refusal| anyhow::anyhow!("a witnessed entry: {refusal}"))?;
            self.words_of(hostile)?;
        }
        Ok(())
    }

    /// The words of the attacker's witnesses over the writer's end, to its own replica and to every
    /// node.
    pub fn words_of(&mut self, hostile: &[u16]) -> anyhow::Result<()> {
        let body = self.log.follower.tip().body.clone();
        for seat in hostile {
            let node = self.world.seat(*seat).node;
            let word = self.world.cosignature(*seat, &body, now());
            let taken = self.log.follower.cosignature(node, &word, now());
            taken.map_err(|refusal| anyhow::anyhow!("its own witness: {refusal}"))?;
            let sealed = self.false_word(*seat, &body, now());
            self.spread(*seat, &sealed);
        }
        Ok(())
    }

    /// Makes the meant key with one honest signer, all others being the attacker's; whether the
    /// honest one certified it.
    pub fn ceremony_against_one(&mut self, victim: u16) -> anyhow::Result<bool> {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        let record = self.log.follower.state().threshold_key(tenant, key);
        let record = record.map_err(|refusal| anyhow::anyhow!("the ceremony: {refusal}"))?;
        let mut parameters = self.world.dkg_parameters(&record);
        let fields: [&[u8]; 2] = [&record.session.0, &1_u32.to_be_bytes()];
        parameters.session = digest("strongroom/ceremony-run/v1", &fields).0;

        let mut sessions = BTreeMap::new();
        let mut letters: VecDeque<Letter> = VecDeque::new();
        let seats: Vec<u16> = self.world.signers.iter().map(|s| s.index).collect();
        for seat in seats.iter().copied().filter(|seat| *seat != victim) {
            let mut rng = self.world.seed.rng("attacker's member", seat.into());
            let sealing = self.world.signer(seat).sealing();
            let (session, effects) =
                DkgSession::start(parameters.clone(), seat, sealing, &mut rng)?;
            sessions.insert(seat, (session, rng));
            letters.extend(letters_of(seat, &seats, effects));
        }

        let mut heard = self.said.len();
        self.start_ceremony(1, &[victim]);
        self.until("the honest signer does not certify", |ground| {
            letters.extend(ground.letters_of_victim(victim, &seats, &mut heard));
            while let Some((from, to, bytes)) = letters.pop_front() {
                if to == victim {
                    ground.tell_victim(from, victim, bytes);
                } else if let Some((session, rng)) = sessions.get_mut(&to) {
                    let effects = session.step(DkgInput::Received { from, bytes }, rng)?;
                    letters.extend(letters_of(to, &seats, effects));
                }
            }
            let mut said = ground.said.iter();
            let certified = said.any(|said| {
                said.seat == victim && matches!(said.message, SignerMessage::Certificate { .. })
            });
            Ok(certified.then_some(true))
        })
    }

    fn letters_of_victim(&self, victim: u16, seats: &[u16], heard: &mut usize) -> Vec<Letter> {
        let mut letters = Vec::new();
        for one in self.said.iter().skip(*heard) {
            if let SignerMessage::Ceremony(message) = &one.message {
                let to = seats.iter().copied().filter(|to| *to != victim);
                let to = to.filter(|to| message.to.is_none_or(|only| only == *to));
                letters.extend(to.map(|to| (victim, to, message.body.clone())));
            }
        }
        *heard = self.said.len();
        letters
    }

    fn tell_victim(&mut self, from: u16, victim: u16, body: Vec<u8>) {
        let signer = self.world.signer(from).clone();
        let keys = ServiceKeys {
            role: Role::Signer,
            node: signer.node,
            signing: signer.signing,
        };
        let message = SignerMessage::Ceremony(CeremonyMessage {
            tenant: self.world.tenant.id,
            key: self.world.tenant.key,
            run: 1,
            to: None,
            body,
        });
        let sealed = self.seal_as(&keys, None, &message, now().plus(60_000));
        let to = Some(self.world.seat(victim).node);
        let record = self.seal(Role::Coordinator, to, &CoordinatorMessage::Relay(sealed));
        self.send(victim, &ToSigner::Inbox(record));
    }
}

fn letters_of(from: u16, seats: &[u16], effects: Vec<DkgEffect>) -> Vec<Letter> {
    let mut letters = Vec::new();
    for effect in effects {
        match effect {
            DkgEffect::Broadcast(bytes) => {
                let to = seats.iter().copied().filter(|to| *to != from);
                letters.extend(to.map(|to| (from, to, bytes.clone())));
            }
            DkgEffect::Send { to, bytes } => letters.push((from, to, bytes)),
            DkgEffect::Persist(_)
            | DkgEffect::Done { .. }
            | DkgEffect::Finished(_)
            | DkgEffect::Ignored(_) => {}
        }
    }
    letters
}
