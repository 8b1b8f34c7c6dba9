//! Records of other services.

use strongroom_ports::bus::Record;
use strongroom_stage::post::{Cause, Post};
use strongroom_types::{NodeId, UnixMs};
use strongroom_wire::{Payload, Role, encode};
use strongroom_world::World;

/// The identity of a world's service.
#[must_use]
pub fn post_of(world: &World, role: Role) -> Post {
    let keys = world.service(role);
    Post::new(world.genesis.hash(), keys.node, &keys.signing.to_bytes())
}

/// Makes valid records of a world's services and signers. The message id follows from the content:
/// the same call gives the same record.
#[derive(Clone, Copy, Debug)]
pub struct Mailer<'a> {
    world: &'a World,
    now: UnixMs,
    life_ms: u64,
}

impl<'a> Mailer<'a> {
    /// Records made at `now`, to be acted upon within a minute.
    #[must_use]
    pub fn new(world: &'a World, now: UnixMs) -> Self {
        Self {
            world,
            now,
            life_ms: 60_000,
        }
    }

    /// A service's record.
    ///
    /// # Panics
    /// When the topic has no valid name.
    #[must_use]
    pub fn service<T: Payload>(self, role: Role, address: (&str, &[u8]), payload: &T) -> Record {
        self.sealed(&mut post_of(self.world, role), address, None, payload)
    }

    /// A service's record for one node (an answer of the journal).
    ///
    /// # Panics
    /// When the topic has no valid name.
    #[must_use]
    pub fn service_to<T: Payload>(
        self,
        role: Role,
        address: (&str, &[u8]),
        to: NodeId,
        payload: &T,
    ) -> Record {
        self.sealed(&mut post_of(self.world, role), address, Some(to), payload)
    }

    /// A signer's record.
    ///
    /// # Panics
    /// When the topic has no valid name.
    #[must_use]
    pub fn signer<T: Payload>(self, index: u16, address: (&str, &[u8]), payload: &T) -> Record {
        let keys = self.world.signer(index);
        let genesis = self.world.genesis.hash();
        let mut post = Post::new(genesis, keys.node, &keys.signing.to_bytes());
        self.sealed(&mut post, address, None, payload)
    }

    fn sealed<T: Payload>(
        self,
        post: &mut Post,
        address: (&str, &[u8]),
        to: Option<NodeId>,
        payload: &T,
    ) -> Record {
        let seed: [&[u8]; 2] = [address.0.as_bytes(), &encode(payload)];
        let cause = Cause::own(&seed, self.now.plus(self.life_ms));
        post.record(self.now, address, to, payload, &cause)
            .expect("a topic's name")
    }
}
