//! The delivery matrix: every record, delivered in every way.
//!
//! The coordinator keeps nothing on disk. After a restart the shell reads its topics again from the
//! last saved position, so the cells of a restart show that the replay leads to the same records.

use crate::signers::refusal;
use crate::site::{NEW_KEY, Site, new_ceremony};
use std::cell::RefCell;
use std::sync::OnceLock;
use strongroom_coordinator::CoordinatorStage;
use strongroom_matrix::{Case, Fixture, Matrix, Published, every};
use strongroom_ports::bus::Record;
use strongroom_signing::request_digest;
use strongroom_stage::post::Cause;
use strongroom_types::{Code, NodeId, UnixMs};
use strongroom_wire::encode;
use strongroom_wire::{
    CeremonyMessage, CoordinatorMessage, Payload, Role, SignerMessage, SigningRequest,
    SigningRequested, topics,
};
use strongroom_world::{Sender, World};

struct Delivery {
    world: World,
    now: UnixMs,
    site: RefCell<Site>,
}

impl Fixture for Delivery {
    type Stage = CoordinatorStage;

    fn stage(&self) -> CoordinatorStage {
        self.site.borrow().new_stage()
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn now(&self) -> UnixMs {
        self.now
    }
}

impl Delivery {
    fn new() -> Self {
        let site = Site::with_ceremony();
        Self {
            world: site.world.clone(),
            now: site.now,
            site: RefCell::new(site),
        }
    }

    fn node(&self, index: u16) -> NodeId {
        self.world.signer(index).node
    }

    fn requested(&self) -> Record {
        let request = request();
        let sender = Sender::Service(Role::Transactions);
        self.record(sender, (topics::SIGNING_REQUESTED, None), request)
    }

    fn said(&self, index: u16, message: &SignerMessage) -> Record {
        let topic = topics::signer_outbox(self.node(index));
        let to = Some(self.world.service(Role::Coordinator).node);
        self.record(Sender::Seat(index), (&topic, to), message)
    }

    /// The message id follows from the content: every cell gets the same record.
    fn record<T: Payload>(
        &self,
        sender: Sender,
        (topic, to): (&str, Option<NodeId>),
        payload: &T,
    ) -> Record {
        let seed: [&[u8]; 2] = [topic.as_bytes(), &encode(payload)];
        let cause = Cause::own(&seed, self.now.plus(60_000));
        let mut post = self.world.post(sender);
        let place = (topic, [0; 16].as_slice());
        post.record(self.now, place, to, payload, &cause).unwrap()
    }

    /// A signer's first stock, as it was asked for.
    fn commitments(&self, index: u16) -> Record {
        let prepare = CoordinatorMessage::Prepare {
            tenant: self.world.tenant.id,
            key: self.world.tenant.key,
            count: 128,
        };
        let mut site = self.site.borrow_mut();
        let answer = site.signers.answer(index, &prepare, &[]).unwrap();
        self.said(index, &answer)
    }

    /// What the coordinator asked of this signer last.
    fn asked(&self, published: &Published, index: u16) -> SigningRequest {
        let messages: Vec<CoordinatorMessage> =
            published.payloads(&topics::signer_inbox(self.node(index)));
        let last = messages
            .into_iter()
            .rev()
            .find_map(|message| match message {
                CoordinatorMessage::Sign(request) => Some(request),
                CoordinatorMessage::Prepare { .. }
                | CoordinatorMessage::Ceremony { .. }
                | CoordinatorMessage::Relay(_) => None,
            });
        last.expect("it was asked to sign")
    }

    fn shares(&self, published: &Published, index: u16) -> Record {
        let message = CoordinatorMessage::Sign(self.asked(published, index));
        let mut site = self.site.borrow_mut();
        let answer = site
            .signers
            .answer(index, &message, &request().slots)
            .unwrap();
        self.said(index, &answer)
    }

    fn refused(&self, published: &Published, index: u16) -> Record {
        let request = self.asked(published, index);
        let no = refusal(Code::LocalRule, request.session, request_digest(&request));
        self.said(index, &no)
    }

    fn ceremony_message(&self, index: u16) -> Record {
        let message = SignerMessage::Ceremony(CeremonyMessage {
            tenant: self.world.tenant.id,
            key: NEW_KEY,
            run: 1,
            to: None,
            body: vec![1, 2, 3],
        });
        self.said(index, &message)
    }

    fn certificate(&self, index: u16) -> Record {
        let finished = &new_ceremony().finished;
        let (_, signature) = finished.certificates[usize::from(index) - 1];
        let message = SignerMessage::Certificate {
            tenant: self.world.tenant.id,
            key: NEW_KEY,
            signature: signature.to_vec(),
            public: finished.public.clone(),
            transcript: finished.transcript,
        };
        self.said(index, &message)
    }
}

/// One payment for all cells: a world counts the payments that it makes.
fn request() -> &'static SigningRequested {
    static REQUEST: OnceLock<SigningRequested> = OnceLock::new();
    REQUEST.get_or_init(|| Site::new().request(1))
}

/// The quorum of the first request when all three signers have stock.
const QUORUM: [u16; 2] = [2, 3];

fn all_commitments(f: &Delivery) -> Vec<Record> {
    [1, 2, 3].map(|index| f.commitments(index)).to_vec()
}

/// Answers read again before the request that they answer fit no run.
const ANSWERS: &str = "the requester's reminder begins the run again (see `restart`)";

#[test]
fn records_have_their_effects_exactly_once() {
    let world = Delivery::new().world;
    let node = |index| world.signer(index).node;
    Matrix::new("coordinator", Delivery::new)
        .case(
            Case::new(
                "signing requested",
                &[Role::Transactions],
                |f: &Delivery, _| f.requested(),
            )
            .given(|f, _| all_commitments(f)),
        )
        .case(
            Case::new("commitments", &[Role::Signer], |f: &Delivery, _| {
                f.commitments(1)
            })
            .given(|f, _| vec![f.requested()])
            .given(|f, _| vec![f.commitments(2)])
            .only_from(node(1)),
        )
        .case(
            Case::new("shares", &[Role::Signer], |f: &Delivery, p| {
                f.shares(p, QUORUM[1])
            })
            .given(|f, _| all_commitments(f))
            .given(|f, _| vec![f.requested()])
            .given(|f, p| vec![f.shares(p, QUORUM[0])])
            .lost_by_restart(ANSWERS)
            .only_from(node(QUORUM[1])),
        )
        .case(
            Case::new("refusal", &[Role::Signer], |f: &Delivery, p| {
                f.refused(p, QUORUM[0])
            })
            .given(|f, _| all_commitments(f))
            .given(|f, _| vec![f.requested()])
            .lost_by_restart(ANSWERS)
            .only_from(node(QUORUM[0])),
        )
        .case(
            Case::new("ceremony message", &[Role::Signer], |f: &Delivery, _| {
                f.ceremony_message(2)
            })
            .only_from(node(2)),
        )
        .case(
            Case::new("certificate", &[Role::Signer], |f: &Delivery, _| {
                f.certificate(3)
            })
            .given(|f, _| [1, 2].map(|index| f.certificate(index)).to_vec())
            .only_from(node(3)),
        )
        .kinds(kinds())
        .run();
}

/// Names of the kinds of messages that share a signer's topic. The other topic has one kind.
fn kinds() -> [&'static str; 5] {
    every!(SignerMessage {
        SignerMessage::Commitments { .. } => "commitments",
        SignerMessage::Shares { .. } => "shares",
        SignerMessage::Refused(_) => "refusal",
        SignerMessage::Ceremony(_) => "ceremony message",
        SignerMessage::Certificate { .. } => "certificate",
    })
}
