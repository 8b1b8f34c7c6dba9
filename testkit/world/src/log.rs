//! An honest writer in memory: what the journal publishes, batch by batch.

use crate::ledger::Ledger;
use crate::world::World;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::sync::Arc;
use strongroom_journal::follower::{Follower, witness_name};
use strongroom_journal::writer::{Offer, Ordered, Orderer};
use strongroom_journal::{Body, SeatCosignature, Witnessed};
use strongroom_replica::SharedFollower;
use strongroom_tlog::{Checkpoint, CosignKey, cosign};
use strongroom_types::{Act, Document as _, Scope, UnixMs};
use strongroom_wire::{JournalBatch, WitnessCosignature};

/// A writer with its own replica, and every batch it published.
pub struct Log {
    /// The writer's own replica, at the last batch.
    pub follower: Follower,
    /// Orders the entries and signs the checkpoints.
    pub orderer: Orderer,
    /// Everything published, in order.
    pub batches: Vec<JournalBatch>,
    world: World,
    rng: ChaCha20Rng,
}

impl Log {
    /// A journal before entry 0.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self::salted(world, 1)
    }

    /// As [`Log::new`] with other salts: the same bodies then give another tree, as a fork does.
    #[must_use]
    pub fn salted(world: &World, seed: u64) -> Self {
        Self {
            follower: Follower::new(Arc::clone(&world.genesis)).unwrap(),
            orderer: Orderer::new(&world.genesis, &world.log_key.to_bytes()).unwrap(),
            batches: Vec::new(),
            world: world.clone(),
            rng: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    /// The journal of these batches, to be gone on with.
    #[must_use]
    pub fn from_batches(world: &World, batches: &[JournalBatch]) -> Self {
        let mut log = Self::new(world);
        for batch in batches {
            log.follower.append(batch).expect("an honest batch");
        }
        log.batches = batches.to_vec();
        log
    }

    /// A ledger as its writer published it, one batch per entry.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let mut log = Self::new(&ledger.world);

        for entry in &ledger.entries {
            // Entry 0 is left out, because the writer puts it in by itself.
            let offers = match entry.body {
                Body::Genesis(_) => Vec::new(),
                Body::Tick
                | Body::Act(_)
                | Body::Authorized(_)
                | Body::Attempt(_)
                | Body::Finished(_) => vec![Offer {
                    scope: entry.scope,
                    body: entry.body.clone(),
                }],
                // The ledger has no tree, so the same witnesses cosign this journal's own head
                // instead.
                Body::Witnessed(ref witnessed) => {
                    let again = log.world.witnessed_again(&log.follower, witnessed);
                    vec![offer(&Body::Witnessed(again), entry.scope)]
                }
            };
            let ordered = log.order_offers(entry.at, &offers);
            assert!(
                ordered.results.iter().all(Result::is_ok),
                "the writer refuses what the ledger took: {:?}",
                ordered.results
            );
        }
        log
    }

    /// Orders these bodies at a time, entry 0 first if it is not there yet, each under the scope
    /// that an honest service names.
    pub fn order(&mut self, now: UnixMs, bodies: &[Body]) -> Ordered {
        let tenant = self.world.scope();
        let offers: Vec<Offer> = bodies.iter().map(|body| offer(body, tenant)).collect();
        self.order_offers(now, &offers)
    }

    /// Orders these offers at a time, entry 0 first if it is not there yet.
    pub fn order_offers(&mut self, now: UnixMs, offers: &[Offer]) -> Ordered {
        let ordered = self
            .orderer
            .order(&mut self.follower, now, offers, &mut self.rng)
            .unwrap();
        self.batches
            .extend(ordered.batches.iter().map(|batch| batch.batch.clone()));
        ordered
    }

    /// Orders these bodies, which must fit into one batch, and gives it.
    pub fn batch(&mut self, now: UnixMs, bodies: &[Body]) -> JournalBatch {
        let mut batches = self.order(now, bodies).batches;
        assert_eq!(batches.len(), 1, "one batch");
        batches.remove(0).batch
    }

    /// Orders one tick and gives its batch.
    pub fn tick(&mut self, now: UnixMs) -> JournalBatch {
        self.batch(now, &[Body::Tick])
    }

    /// A service's replica that has everything, its tip cosigned by every witness at `now`.
    #[must_use]
    pub fn shared(&self, now: UnixMs) -> Arc<SharedFollower> {
        let shared = SharedFollower::new(Arc::clone(&self.world.genesis)).unwrap();
        self.catch_up(&shared, now);
        Arc::new(shared)
    }

    /// Brings such a replica to the tip, cosigned by every witness at `now`.
    pub fn catch_up(&self, shared: &SharedFollower, now: UnixMs) {
        shared.write(|follower| {
            for batch in &self.batches {
                follower.append(batch).unwrap();
            }
        });
        self.world.witness_tip(shared, now);
    }
}

impl World {
    /// The cosignature of the witness in seat `n` over a checkpoint body.
    #[must_use]
    pub fn cosignature(&self, n: u16, body: &str, at: UnixMs) -> WitnessCosignature {
        let seat = self.seat(n);
        let key = CosignKey::new(&witness_name(seat.node), &seat.witness.to_bytes()).unwrap();
        let time_s = at.0 / 1000;
        WitnessCosignature {
            body: body.to_owned(),
            time_s,
            signature: cosign(body, time_s, &key).unwrap().signature,
        }
    }

    /// Cosignatures of these seats over a checkpoint body at a time, as an entry.
    #[must_use]
    pub fn witnessed(&self, body: &str, seats: &[u16], at: UnixMs) -> Witnessed {
        let of_seat = |n: &u16| {
            let cosignature = self.cosignature(*n, body, at);
            SeatCosignature {
                witness: self.seat(*n).node,
                time_s: cosignature.time_s,
                signature: cosignature.signature,
            }
        };
        let mut cosignatures: Vec<SeatCosignature> = seats.iter().map(of_seat).collect();
        cosignatures.sort_by_key(|cosignature| cosignature.witness);
        Witnessed {
            checkpoint: body.to_owned(),
            cosignatures,
        }
    }

    /// As many seats as a quorum needs, from the first on.
    #[must_use]
    pub fn quorum_seats(&self) -> Vec<u16> {
        (1..=u16::try_from(self.genesis.quorum).unwrap()).collect()
    }

    /// The same witnesses at the same times over a replica's own head of that size.
    #[must_use]
    pub fn witnessed_again(&self, follower: &Follower, witnessed: &Witnessed) -> Witnessed {
        let size = Checkpoint::parse(&witnessed.checkpoint).unwrap().size();
        let body = &follower.head(size).unwrap().body;
        let again = |of: &SeatCosignature| {
            let seats = 1..=self.seats();
            let n = seats.into_iter().find(|n| self.seat(*n).node == of.witness);
            let at = UnixMs(of.time_s * 1000);
            self.witnessed(body, &[n.unwrap()], at).cosignatures[0]
        };
        Witnessed {
            checkpoint: body.clone(),
            cosignatures: witnessed.cosignatures.iter().map(again).collect(),
        }
    }

    /// Gives a service's replica every witness's cosignature of its tip.
    pub fn witness_tip(&self, shared: &SharedFollower, now: UnixMs) {
        let seats: Vec<u16> = (1..=self.seats()).collect();
        shared.write(|follower| self.cosign_tip(follower, &seats, now));
    }

    /// Gives a replica cosignatures of its tip by these seats.
    pub fn cosign_tip(&self, follower: &mut Follower, seats: &[u16], now: UnixMs) {
        let body = follower.tip().body.clone();
        for n in seats {
            let cosignature = self.cosignature(*n, &body, now);
            follower
                .cosignature(self.seat(*n).node, &cosignature, now)
                .unwrap();
        }
    }
}

/// The scope that an honest service names for a body: an act's own, the platform's for genesis and
/// ticks, else `tenant`.
#[must_use]
pub fn scope_of(body: &Body, tenant: Scope) -> Scope {
    match body {
        Body::Genesis(_) | Body::Tick | Body::Witnessed(_) => Scope::Platform,
        Body::Act(signed) => Act::parse(&signed.text).map_or(tenant, |act| act.scope),
        Body::Authorized(_) | Body::Attempt(_) | Body::Finished(_) => tenant,
    }
}

/// A body as an honest service offers it.
#[must_use]
pub fn offer(body: &Body, tenant: Scope) -> Offer {
    Offer {
        scope: scope_of(body, tenant),
        body: body.clone(),
    }
}
